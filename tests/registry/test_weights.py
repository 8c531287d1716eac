"""Finding and laying out weights: real git, real DVC with a local remote, a real LFS store."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.repository import GitWorld
from registry.errors import CorruptWeights, MissingWeights, RegistryError, UnsafeWeights
from registry.weights import Kind, Located, locate, materialise
from tests.fakes import BASE, HEAD, FakeWorld, symlink
from tests.gitrepo import Repo

SHA, MD5 = "ab" * 32, "cd" * 16
LFS = f"version https://git-lfs.github.com/spec/v1\noid sha256:{SHA}\nsize 12\n"


def tracked(path: str, md5: str = MD5, extra: str = "") -> str:
    return f"outs:\n- md5: {md5}\n  size: 5\n  hash: md5\n  path: {path}\n{extra}"


def lock(path: str, md5: str) -> str:
    return (
        f"schema: '2.0'\nstages:\n  t:\n    cmd: x\n    {tracked(path, md5)}".replace(
            "\n- ", "\n    - "
        )
        .replace("\n  size", "\n      size")
        .replace("\n  hash", "\n      hash")
        .replace("\n  path", "\n      path")
    )


def found(world: FakeWorld, folder: str) -> list[tuple[str, str, str, str]]:
    return [(i.path, i.kind, i.inside, i.source) for i in locate(world, HEAD, folder)]


@pytest.mark.parametrize(
    ("tree", "folder", "expected"),
    [
        ({}, "m", []),
        ({"other/x": "1"}, "m", []),
        (
            {"m/config.json": "{}", "m/w.bin": LFS, "m/.gitignore": "/x", "m/sub/a": "1"},
            "m",
            [
                ("config.json", "blob", "", "m/config.json"),
                ("sub/a", "blob", "", "m/sub/a"),
                ("w.bin", "lfs", "", "m/w.bin"),
            ],
        ),
        (
            {"m/config.json": "{}", "m/w.bin.dvc": tracked("w.bin")},
            "m",
            [
                ("config.json", "blob", "", "m/config.json"),
                ("w.bin", "dvc", "", "m/w.bin.dvc"),
            ],
        ),
        ({"m.dvc": tracked("m")}, "m", []),
        ({"m.dvc": tracked("m")}, "m/tiny", []),
        ({"m.dvc": tracked("m", MD5 + ".dir")}, "m", [("", "dvc-folder", "", "m.dvc")]),
        (
            {"models.dvc": tracked("models", MD5 + ".dir")},
            "models/tiny/a",
            [("", "dvc-folder", "tiny/a", "models.dvc")],
        ),
        (
            {"dvc.lock": lock("models/tiny", MD5 + ".dir")},
            "models/tiny",
            [("", "dvc-folder", "", "dvc.lock")],
        ),
        (
            {"dvc.lock": lock("models/tiny/w.bin", MD5)},
            "models/tiny",
            [("w.bin", "dvc", "", "dvc.lock")],
        ),
        (
            {"dvc.lock": lock("m/sub", MD5 + ".dir"), "m/config.json": "{}"},
            "m",
            [("config.json", "blob", "", "m/config.json"), ("sub", "dvc-folder", "", "dvc.lock")],
        ),
        # An output that is not cached is in git; others beside the model are not of it.
        (
            {"dvc.lock": lock("m/metrics.json", MD5), "m/metrics.json": "{}"},
            "m",
            [("metrics.json", "blob", "", "m/metrics.json")],
        ),
        ({"dvc.lock": lock("m2/w", MD5), "m2.dvc": tracked("m2", MD5 + ".dir")}, "m", []),
        (
            {"w.safetensors.dvc": tracked("w.safetensors"), "config.json": "{}"},
            "",
            [
                ("config.json", "blob", "", "config.json"),
                ("w.safetensors", "dvc", "", "w.safetensors.dvc"),
            ],
        ),
    ],
)
def test_locates(tree: dict[str, str], folder: str, expected: list[tuple[str, ...]]) -> None:
    assert found(FakeWorld({}, tree), folder) == expected


@pytest.mark.parametrize(
    ("world", "reason"),
    [
        (FakeWorld({}, {"m/x": "t"}, modes=symlink("m/x")), "m/x is a symbolic link"),
        (FakeWorld({}, {'m/"a\\377"': "t"}), "not a safe name"),
        (FakeWorld({}, {"m/w": LFS.replace("ab", "zz")}), "m/w: the oid"),
        (FakeWorld({}, {"m.dvc": "outs: [{path: m}]"}), "records no md5 for m"),
        (FakeWorld({}, {"dvc.lock": "schema: '3'"}), "dvc.lock: not a lock file"),
    ],
)
def test_refuses_what_it_cannot_place(world: FakeWorld, reason: str) -> None:
    with pytest.raises(RegistryError) as caught:
        locate(world, HEAD, "m")
    assert reason in caught.value.message
    assert caught.value.hint


def lay_out(world: FakeWorld, target: Path, items: tuple[Located, ...], limit: int = 100) -> None:
    target.mkdir()
    materialise(world, items, target, base_commit=BASE, head_commit=HEAD, limit_bytes=limit)


def put(root: Path, data: bytes, *, digest: str = "") -> str:
    digest = digest or hashlib.sha256(data).hexdigest()
    path = root / ".git" / "lfs" / "objects" / digest[:2] / digest[2:4] / digest
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return digest


def pointer(digest: str, size: int = 5) -> str:
    return LFS.replace(SHA, digest).replace("size 12", f"size {size}")


def test_lays_out_blobs_and_lfs_objects(tmp_path: Path) -> None:
    digest = put(tmp_path, b"bytes")
    world = FakeWorld({}, {"m/a/w": pointer(digest), "m/c.json": "{}"}, root=tmp_path)
    lay_out(world, tmp_path / "out", locate(world, HEAD, "m"))
    assert (tmp_path / "out/a/w").read_bytes() == b"bytes"
    assert (tmp_path / "out/c.json").read_text() == "{}"


@pytest.mark.parametrize(
    ("stored", "error", "reason"),
    [
        (None, MissingWeights, "m/w: its LFS object"),
        (b"bytez", CorruptWeights, "w: object"),
    ],
)
def test_missing_and_corrupt_lfs_objects(
    tmp_path: Path, stored: bytes | None, error: type[RegistryError], reason: str
) -> None:
    digest = hashlib.sha256(b"bytes").hexdigest()
    if stored is not None:
        put(tmp_path, stored, digest=digest)
    world = FakeWorld({}, {"m/w": pointer(digest)}, root=tmp_path)
    with pytest.raises(error) as caught:
        lay_out(world, tmp_path / "out", locate(world, HEAD, "m"))
    assert reason in caught.value.message
    assert not list((tmp_path / "out").iterdir())


def test_a_link_in_the_store_is_no_object(tmp_path: Path) -> None:
    digest = put(tmp_path, b"bytes")
    path = tmp_path / ".git/lfs/objects" / digest[:2] / digest[2:4] / digest
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    world = FakeWorld({}, {"m/w": pointer(digest)}, root=tmp_path)
    with pytest.raises(MissingWeights):
        lay_out(world, tmp_path / "out", locate(world, HEAD, "m"))


def test_sizes_are_bounded_as_stated_and_as_found(tmp_path: Path) -> None:
    digest = put(tmp_path, b"bytes")
    world = FakeWorld(
        {}, {"m/w": pointer(digest), "n/w": pointer(digest, 1), "o/w": "words"}, root=tmp_path
    )
    for number, folder in enumerate("mno"):
        with pytest.raises(UnsafeWeights, match="larger than"):
            lay_out(world, tmp_path / f"out{number}", locate(world, HEAD, folder), limit=4)


@pytest.mark.parametrize("names", [("../x",), ("a", "a"), ("/x",), ("",)])
def test_writes_no_unsafe_name_and_none_twice(tmp_path: Path, names: tuple[str, ...]) -> None:
    world = FakeWorld({}, {"x": "1"}, root=tmp_path)
    blob = world.trees[HEAD]["x"].blob
    with pytest.raises(UnsafeWeights):
        lay_out(world, tmp_path / "out", tuple(Located(n, Kind.BLOB, blob, 1, "x") for n in names))


# Real DVC


class Project:
    """A repository whose model is a DVC folder output, pushed to a remote beside it."""

    def __init__(self, root: Path) -> None:
        self.repo = Repo(root / "repo")
        self.path, self.remote = self.repo.path, root / "remote"

    @property
    def head(self) -> str:
        return self.repo.git("rev-parse", "main")

    @property
    def base(self) -> str:
        return self.repo.git("rev-parse", "start")

    def fill(self) -> None:
        self.repo.commit({"README.md": "x"})
        self.repo.git("branch", "start")
        self.dvc("init", "--quiet")
        self.dvc("remote", "add", "--default", "store", "../remote")
        self.repo.write({"models/tiny/config.json": "{}", "models/tiny/w.safetensors": "weights"})
        self.dvc("add", "--quiet", "models/tiny")
        self.dvc("push", "--quiet")
        self.repo.commit({})

    def dvc(self, *words: str) -> None:
        environment = dict(os.environ, DVC_NO_ANALYTICS="1", GIT_CONFIG_GLOBAL="/dev/null")
        command = [sys.executable, "-m", "dvc", *words]
        subprocess.run(command, cwd=self.path, env=environment, check=True, capture_output=True)

    def forget(self) -> None:
        shutil.rmtree(self.path / ".dvc" / "cache", ignore_errors=True)

    def lay_out(self, target: Path, folder: str, *, base: str = "", head: str = "") -> None:
        head = head or self.head
        base = base or head
        target.mkdir()
        with GitWorld(self.path) as world:
            items = locate(world, head, folder)
            assert items
            materialise(world, items, target, base_commit=base, head_commit=head, limit_bytes=1000)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template")
    Project(root).fill()
    return root


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Project:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return Project(tmp_path)


def test_fetches_by_the_bases_configuration_or_finds_at_hand(
    project: Project, tmp_path: Path
) -> None:
    trusted = project.head
    # At hand: no DVC is run, and the base need not know the remote.
    project.lay_out(tmp_path / "one", "models/tiny", base=project.base)
    assert (tmp_path / "one/w.safetensors").read_bytes() == b"weights"
    project.forget()

    # Not at hand: the base's remote is asked, whatever the change points elsewhere.
    evil = tmp_path / "evil"
    config = f"[core]\n    remote = store\n['remote \"store\"']\n    url = {evil}\n"
    head = project.repo.commit({".dvc/config": config})
    project.lay_out(tmp_path / "two", "models/tiny", base=trusted, head=head)
    assert sorted(p.name for p in (tmp_path / "two").iterdir()) == ["config.json", "w.safetensors"]
    assert not evil.exists()
    assert not (project.path / ".dvc" / "cache").exists()

    # A base without configuration fetches nothing, and says what to do.
    with pytest.raises(MissingWeights) as caught:
        project.lay_out(tmp_path / "three", "models/tiny", base=project.base, head=head)
    assert "base commit has no .dvc/config" in caught.value.message
    assert "dvc pull" in caught.value.hint

    # A tracked config.local is the change's, not the operator's: it is not used.
    (project.path / ".dvc" / "config.local").write_text(config)
    project.repo.git("add", "--force", ".dvc/config.local")
    local = project.repo.commit({})
    project.lay_out(tmp_path / "four", "models/tiny", base=trusted, head=local)
    assert (tmp_path / "four/w.safetensors").read_bytes() == b"weights"
    assert not evil.exists()


def test_the_operators_own_configuration_counts(project: Project, tmp_path: Path) -> None:
    project.forget()
    project.remote.rename(tmp_path / "moved")
    with pytest.raises(MissingWeights):
        project.lay_out(tmp_path / "one", "models/tiny")
    local = "['remote \"store\"']\n    url = ../../moved\n"
    (project.path / ".dvc" / "config.local").write_text(local)
    project.lay_out(tmp_path / "two", "models/tiny")
    assert (tmp_path / "two/w.safetensors").read_bytes() == b"weights"


def test_what_a_remote_lacks_or_garbles_is_an_error(project: Project, tmp_path: Path) -> None:
    project.forget()
    # A flipped byte in the remote goes unseen by DVC, but not by us.
    md5 = hashlib.md5(b"weights").hexdigest()
    store = project.remote / "files" / "md5" / md5[:2] / md5[2:]
    store.chmod(0o644)
    store.write_bytes(b"wEights")
    with pytest.raises(CorruptWeights) as corrupt:
        project.lay_out(tmp_path / "one", "models/tiny")
    assert md5 in corrupt.value.message
    store.unlink()
    with pytest.raises(MissingWeights, match=md5):
        project.lay_out(tmp_path / "two", "models/tiny")
