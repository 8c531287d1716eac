"""The tensor store: byte-exact, each thing once, nothing believed that is read."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from registry import dvc, dvcremote, objects
from registry.dvcconfig import DvcConfig, Remote
from registry.errors import (
    CorruptWeights,
    MissingWeights,
    RegistryError,
    ReleaseError,
    StoreFailed,
    UnsafeWeights,
)
from registry.tensorstore import Stored, cutting, get, put
from registry.tensorstore.joining import recipe_of
from registry.tensorstore.recipe import Made, Recipe, dump, read

RANDOM = np.random.default_rng(7)


def tensors(count: int, size: int) -> dict[str, Any]:
    return {f"{n:03}": RANDOM.standard_normal(size, dtype=np.float32) for n in range(count)}


def write(folder: Path, files: dict[str, bytes]) -> list[tuple[str, Path]]:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return [(path, folder / path) for path in files]


def back(stored: Stored, cache: Path, target: Path) -> dict[str, bytes]:
    get(stored, cache, target)
    return {
        str(path.relative_to(target)): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file()
    }


def everything(cache: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(cache)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in cache.rglob("*")
        if path.is_file()
    }


def header(entries: object) -> bytes:
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text


FOLDERS: dict[str, dict[str, bytes]] = {
    "nothing": {},
    "empty file": {"a": b"", "b/c": b""},
    "plain": {"config.json": b"{}", "same.json": b"{}", "deep/er/x.bin": bytes(100_000)},
    "large and small": {"w.safetensors": save(tensors(3, 40_000) | {"n": np.zeros(3)})},
    "many small": {"w.safetensors": save(tensors(300, 2_000), {"format": "pt"})},
    "no data": {"w.safetensors": save({"a": np.zeros((0, 4))}), "v.safetensors": header({})},
    "one twice": {"a.safetensors": save(t := tensors(2, 20_000)), "b.safetensors": save(t)},
    # What is no safetensors file by the strict rules is kept whole, byte by byte.
    "cut off": {"w.safetensors": save(tensors(2, 20_000))[:-1]},
    "bytes after": {"w.safetensors": save(tensors(2, 20_000)) + b"!"},
    "header too long": {"w.safetensors": (1 << 60).to_bytes(8, "little") + b"{" * 100},
    "header not JSON": {"w.safetensors": (50).to_bytes(8, "little") + b"{" * 100},
    "overlap": {
        "w": header({n: {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]} for n in "ab"})
        + b"data"
    },
    "overflow": {
        "w": header({"a": {"dtype": "F64", "shape": [1 << 62], "data_offsets": [0, 8]}}) + bytes(8)
    },
    "short": {"w.safetensors": b"\x02\0\0\0\0\0\0\0{"},
}


@pytest.mark.parametrize("name", FOLDERS)
def test_what_goes_in_comes_out(name: str, tmp_path: Path) -> None:
    files, cache = FOLDERS[name], tmp_path / "cache"
    given_files = write(tmp_path / "in", files)
    stored = put(given_files, cache)
    assert back(stored, cache, tmp_path / "out") == files
    assert stored.size == sum(map(len, files.values()))
    # Again: nothing is written, and the outcome is the same to the byte.
    before = everything(cache)
    again = put(list(reversed(given_files)), cache, jobs=1)
    assert everything(cache) == before
    assert (again.listing, again.recipe, again.added) == (stored.listing, stored.recipe, 0)
    for path in cache.rglob("*"):
        if path.is_file():
            digest = path.parent.name + path.name.removesuffix(".dir")
            assert hashlib.md5(path.read_bytes()).hexdigest() == digest


shapes = st.lists(st.integers(0, 90_000), max_size=40)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sizes=shapes, seed=st.integers(0, 9), jobs=st.integers(1, 3))
def test_of_any_sizes(sizes: list[int], seed: int, jobs: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    found = {str(n): random.integers(0, 255, size, np.uint8) for n, size in enumerate(sizes)}
    files = {"w.safetensors": save(found)} if found else {}
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
    stored = put(write(tmp_path / "in", files), tmp_path / "cache", jobs=jobs)
    assert back(stored, tmp_path / "cache", tmp_path / "out") == files


def test_large_tensors_are_kept_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("cutting", "putting", "joining"):
        for name, value in (("PART", 100_000), ("WINDOW", 250_000)):
            monkeypatch.setattr(f"registry.tensorstore.{module}.{name}", value, raising=False)
    monkeypatch.setattr("registry.tensorstore.joining.LARGE", 50_000)
    files = {
        "w.safetensors": save(tensors(4, 200_000) | {"s": np.ones(9)}),
        "x": os.urandom(999_999),
    }
    moved: dict[str, int] = dict.fromkeys(files, 0)

    def progress(path: str, count: int) -> None:
        moved[path] += count

    cache = tmp_path / "cache"
    stored = put(write(tmp_path / "in", files), cache, progress=progress)
    assert moved == {path: len(data) for path, data in files.items()}
    assert stored.objects == 4 * 8 + 4  # and a header, a pack, x, the recipe
    assert back(stored, cache, tmp_path / "out") == files


def test_what_two_versions_share_is_kept_once(tmp_path: Path) -> None:
    cache, first = tmp_path / "cache", tensors(8, 100_000) | tensors(0, 0)
    small = {f"norm.{n:03}": RANDOM.standard_normal(1_000, dtype=np.float32) for n in range(400)}
    one = put(write(tmp_path / "1", {"w.safetensors": save(first | small)}), cache)
    second = dict(first)
    second["003"] = second["003"] + np.float32(1)
    two = put(write(tmp_path / "2", {"w.safetensors": save(second | small)}), cache)
    changed = second["003"].nbytes
    assert changed < two.added < changed + 20_000  # and a header, and a recipe
    # Of many small tensors only the packs around a changed one are new, wherever it is.
    for place in ("norm.000", "norm.200", "norm.399"):
        third = small | {place: small[place] + np.float32(1)}
        three = put(write(tmp_path / place, {"w.safetensors": save(first | third)}), cache)
        assert three.added < 400_000 < sum(array.nbytes for array in small.values()) / 3
    assert back(one, cache, tmp_path / "out") == {"w.safetensors": save(first | small)}


def test_a_small_tensor_more_moves_few_packs(tmp_path: Path) -> None:
    small = {f"{n:03}": RANDOM.standard_normal(1_000, dtype=np.float32) for n in range(1, 500)}
    put(write(tmp_path / "1", {"w.safetensors": save(small)}), tmp_path / "cache")
    more = {"000": np.ones(1_000, np.float32)} | small
    two = put(write(tmp_path / "2", {"w.safetensors": save(more)}), tmp_path / "cache")
    assert two.added < two.size / 3


def test_an_ordinary_dvc_folder_that_any_remote_takes(tmp_path: Path) -> None:
    cache, files = tmp_path / "cache", FOLDERS["large and small"] | FOLDERS["plain"]
    stored = put(write(tmp_path / "in", files), cache)
    config = DvcConfig("", (Remote("one", (("url", str(tmp_path / "remote")),)),))
    sent = dvcremote.push((stored.pointer("m"),), config, cache)
    assert len(sent) == stored.objects + 1
    base = f"['remote \"one\"']\nurl = {tmp_path / 'remote'}\n"
    dvc.fetch((stored.pointer("m"),), base.encode(), None, None, tmp_path / "other")
    assert back(stored, tmp_path / "other", tmp_path / "out") == files
    # DVC itself checks it out, and sees the files that were kept whole.
    project = tmp_path / "project"
    (project / ".dvc").mkdir(parents=True)
    (project / ".dvc" / "config").write_text(
        f"[core]\nno_scm = true\nremote = one\n[cache]\ndir = {cache}\ntype = copy\n{base}"
    )
    text = f"outs:\n- md5: {stored.listing}.dir\n  hash: md5\n  path: m\n"
    (project / "m.dvc").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "pull", "--quiet"], cwd=project, capture_output=True,
        env=dict(os.environ, DVC_NO_ANALYTICS="1"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (project / "m/files/deep/er/x.bin").read_bytes() == files["deep/er/x.bin"]


def _object(stored: Stored, cache: Path, path: str, which: int = 0) -> Path:
    made = {file.path: file for file in recipe_of(stored, cache).files}[path]
    return objects.dvc_object(cache, made.pieces[which][0])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def _cut(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])


def _link(path: Path) -> None:
    path.rename(path.with_suffix(".x"))
    path.symlink_to(path.with_suffix(".x"))


@pytest.mark.parametrize(
    ("harm", "error", "reason"),
    [
        (_flip, CorruptWeights, "w.safetensors: object {} at hand has other bytes"),
        (_cut, CorruptWeights, "w.safetensors: its object {} ends before"),
        (Path.unlink, MissingWeights, "w.safetensors: its object {} is not in the cache"),
        (_link, MissingWeights, "w.safetensors: its object {} is not in the cache"),
    ],
)
@pytest.mark.parametrize("which", [0, 1, 2, 3])  # the header, large ones, a pack
def test_a_cache_that_is_not_what_it_was(
    harm: Callable[[Path], object], error: type[RegistryError], reason: str, which: int,
    tmp_path: Path,
) -> None:  # fmt: skip
    cache, files = tmp_path / "cache", FOLDERS["large and small"] | FOLDERS["plain"]
    stored = put(write(tmp_path / "in", files), cache)
    path = _object(stored, cache, "w.safetensors", which)
    harm(path)
    with pytest.raises(error, match=reason.format(path.parent.name + path.name)) as caught:
        get(stored, cache, tmp_path / "out")
    assert caught.value.hint
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    if harm is not _flip:  # what is not there, or not as long, is put again
        put(write(tmp_path / "in", files), cache)
        assert back(stored, cache, tmp_path / "out") == files


MD5, OTHER, SHA = "a" * 32, "b" * 32, "c" * 64
GOOD = Recipe((Made("a", 3, SHA, ((MD5, 0, 1), (MD5, 5, 2))), Made("b/c", 0, SHA, ())))


def changed(**values: object) -> bytes:
    found = json.loads(dump(GOOD))
    found["files"][0] |= values
    return json.dumps(found, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def test_a_recipe_is_read_as_it_is_written() -> None:
    assert read(dump(GOOD)) == GOOD
    assert changed() == dump(GOOD)


BAD_RECIPES = {
    "nothing": b"",
    "not JSON": b"{",
    "cut": dump(GOOD)[:-2],
    "no newline": dump(GOOD)[:-1],
    "space": b" " + dump(GOOD),
    "another order": json.dumps({"format": 1, "files": []}, separators=(",", ":")).encode() + b"\n",
    "another format": dump(GOOD).replace(b'"format":1', b'"format":2'),
    "format as text": dump(GOOD).replace(b'"format":1', b'"format":"1"'),
    "a key twice": dump(GOOD).replace(b'"format":1', b'"format":1,"format":1'),
    "a key more": changed(more=1),
    "a list": b"[]\n",
    "deep": b"[" * 100_000,
    "many pieces": changed(pieces=[[MD5, 0, 1]] * 300_001, size=300_001),
    "up": changed(path="../a"),
    "absolute": changed(path="/a"),
    "dot": changed(path="./a"),
    "nothing as a path": changed(path=""),
    "backslash": changed(path="a\\b"),
    "control": changed(path="a\nb"),
    "out of order": changed(path="z"),
    "twice": changed(path="b/c"),
    "a file in a file": changed(path="b"),
    "too small": changed(size=2),
    "too large": changed(size=4),
    "negative": changed(size=-3),
    "a fraction": changed(size=3.0),
    "true": changed(size=True),
    "huge": changed(size=1 << 63),
    "a short digest": changed(sha256="c" * 63),
    "a digest and a line": changed(sha256=SHA + "\n"),
    "capital digits": changed(sha256="C" * 64),
    "no object": changed(pieces=[["", 0, 3]]),
    "a path as an object": changed(pieces=[["../" + MD5[3:], 0, 3]]),
    "an object and a line": changed(pieces=[[MD5 + "\n", 0, 3]]),
    "a start before": changed(pieces=[[MD5, -1, 3]]),
    "pieces of nothing": changed(pieces=[[MD5, 0, 0], [MD5, 0, 3]]),
    "pieces less than nothing": changed(pieces=[[MD5, 0, -1], [MD5, 0, 4]]),
    "four words": changed(pieces=[[MD5, 0, 3, 4]]),
    "a sum that overflows": changed(pieces=[[MD5, 0, 1 << 64]], size=1 << 64),
    "not a number": changed(size=float("nan")),
}


@pytest.mark.parametrize("name", BAD_RECIPES)
def test_recipes_that_are_none(name: str) -> None:
    with pytest.raises(ReleaseError, match="recipe of a tensor store"):
        read(BAD_RECIPES[name])


def test_what_a_listing_and_a_recipe_may_not_say(tmp_path: Path) -> None:
    cache = tmp_path / "cache"

    def keep(data: bytes, suffix: str = "") -> str:
        digest = hashlib.md5(data).hexdigest()
        path = objects.dvc_object(cache, digest, folder=bool(suffix))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return digest

    def stored(recipe: Recipe, *members: str) -> Stored:
        names = {"recipe.json": keep(dump(recipe))} | {f"p/{one}": one for one in members}
        rows = [{"md5": digest, "relpath": path} for path, digest in names.items()]
        return Stored(keep(json.dumps(rows).encode(), ".dir"))

    piece = keep(b"piece")
    sha = hashlib.sha256(b"piece").hexdigest()
    good = Recipe((Made("a", 5, sha, ((piece, 0, 5),)),))
    assert back(stored(good, piece), cache, tmp_path / "good") == {"a": b"piece"}

    cases: list[tuple[Stored, type[RegistryError], str]] = [
        (stored(good), UnsafeWeights, f"a: object {piece} is not in the listing"),
        (Stored(keep(b"[]", ".dir")), UnsafeWeights, "no tensor store"),
        (Stored(MD5), MissingWeights, "cannot be read"),
        (Stored(stored(good, piece).listing, SHA), CorruptWeights, "not the one stored"),
        (
            stored(Recipe((Made("a", 5, SHA, ((piece, 0, 5),)),)), piece),
            CorruptWeights,
            "a: its pieces do not make up",
        ),
        (
            stored(Recipe((Made("a", 9, sha, ((piece, 0, 9),)),)), piece),
            CorruptWeights,
            "ends before byte 9",
        ),
        (
            stored(Recipe((Made("a", 1 << 62, sha, ((piece, 0, 1 << 62),)),)), piece),
            UnsafeWeights,
            "more than",
        ),
    ]
    for one, error, reason in cases:
        with pytest.raises(error, match=reason):
            get(one, cache, tmp_path / "out")
        assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    # Much out of little: bounded by what the caller allows, before a byte is written.
    bomb = Recipe((Made("a", 50_000, sha, ((piece, 0, 5),) * 10_000),))
    with pytest.raises(UnsafeWeights, match="50,000 bytes, more than 1,000"):
        get(stored(bomb, piece), cache, tmp_path / "out", limit=1_000)


@pytest.mark.parametrize(
    "paths", [["a", "a"], ["../a"], ["a", "a/b"], ["/a"], ["a\\b"], [""], ["a/"]]
)
def test_paths_that_cannot_be_put(paths: list[str], tmp_path: Path) -> None:
    source = tmp_path / "x"
    source.write_bytes(b"x")
    with pytest.raises(ReleaseError):
        put([(path, source) for path in paths], tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_only_regular_files_that_hold_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(UnsafeWeights, match="a is not a regular file"):
        put([("a", tmp_path)], cache)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnsafeWeights, match="a is not a regular file"):
        put([("a", tmp_path / "pipe")], cache)
    with pytest.raises(MissingWeights, match="a: No such file"):
        put([("a", tmp_path / "no")], cache)
    for name in ("w.safetensors", "w.bin"):
        source = tmp_path / name
        source.write_bytes(save(tensors(2, 50_000)) + (b"!" if name == "w.bin" else b""))

        def change(path: str, count: int, source: Path = source) -> None:
            os.utime(source, ns=(1, 1))

        with pytest.raises(UnsafeWeights, match="changed while it was read"):
            put([(name, source)], cache, progress=change)
        with pytest.raises(UnsafeWeights, match="changed while it was read"):
            put([(name, source)], cache, progress=lambda *_, s=source: os.truncate(s, 0))
    assert not list(cache.rglob("*.dir"))


def test_nothing_there_is_overwritten(tmp_path: Path) -> None:
    stored = put(write(tmp_path / "in", {"a": b"a", "b": b"b"}), tmp_path / "cache")
    write(tmp_path / "out", {"b": b"mine"})
    with pytest.raises(StoreFailed, match="b: cannot be written"):
        get(stored, tmp_path / "cache", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b"]
    assert (tmp_path / "out" / "b").read_bytes() == b"mine"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk, and not everywhere")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk(tmp_path: Path, small_disk: Path) -> None:
    files = {"w.safetensors": save(tensors(4, 100_000)), "x.bin": bytes(50_000)}
    given_files = write(tmp_path / "in", files)
    with pytest.raises(StoreFailed, match="No space left") as caught:
        put(given_files, small_disk / "cache")
    assert "make room" in caught.value.hint
    assert not list(small_disk.rglob("*.dir"))
    kept = [path for path in small_disk.rglob("*") if path.is_file()]
    for path in kept:  # whole, or not there
        assert hashlib.md5(path.read_bytes()).hexdigest() == path.parent.name + path.name
        path.unlink()
    stored = put(given_files, tmp_path / "cache")
    with pytest.raises(StoreFailed, match="No space left"):
        get(stored, tmp_path / "cache", small_disk / "out")
    assert not [path for path in small_disk.rglob("*") if path.is_file()]


KILLED = """
import os, signal, sys
from pathlib import Path
from registry.tensorstore import Stored, get, put
import registry.tensorstore.cutting as cutting
what, source, cache, target = sys.argv[1:]
def progress(path, count):
    os.kill(os.getpid(), signal.SIGKILL)
files = [(path.name, path) for path in Path(source).iterdir()]
stored = put(files, Path(cache), progress=progress if what == "put" else None)
get(stored, Path(cache), Path(target), progress=progress)
"""


@pytest.mark.parametrize("what", ["put", "get"])
def test_killed_on_the_way(what: str, tmp_path: Path) -> None:
    files = {f"{n}.safetensors": save(tensors(4, 100_000)) for n in range(4)}
    given_files = write(tmp_path / "in", files)
    places = [tmp_path / name for name in ("in", "cache", "out")]
    done = subprocess.run([sys.executable, "-c", KILLED, what, *map(str, places)])
    assert done.returncode == -signal.SIGKILL
    for path in (tmp_path / "cache").rglob("*"):
        if path.is_file() and not path.name.endswith(".dir"):
            assert hashlib.md5(path.read_bytes()).hexdigest() == path.parent.name + path.name
    for path in (tmp_path / "out").rglob("*"):
        assert path.read_bytes() == files[path.name]
    stored = put(given_files, tmp_path / "cache")
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
    assert back(stored, tmp_path / "cache", tmp_path / "out") == files


def test_too_many_objects_for_a_listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.tensorstore.keeping.DVC_LIMIT", 500)
    with pytest.raises(UnsafeWeights, match="too many for one DVC folder"):
        put(write(tmp_path / "in", FOLDERS["large and small"]), tmp_path / "cache")


def test_cuts_cover_a_file(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(save(tensors(40, 30_000) | {"n": np.ones(5)}))
    with path.open("rb") as file:
        found = cutting.cuts(file.fileno(), path.stat().st_size)
    at = 0
    for cut in found:
        assert cut.start == at
        at += cut.length
    assert at == path.stat().st_size
    assert [cut for group in cutting.windows(found) for cut in group] == list(found)
