from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cache import Cache
from bot.change import Change
from bot.errors import Missing, RepositoryError, TooLarge
from bot.repository import GitWorld
from tests.gitrepo import Repo, environment


def change_of(repo: Repo, base: str, head: str) -> Change:
    with GitWorld(repo.path) as world:
        return world.change(world.revisions.resolve(base), world.revisions.resolve(head))


def test_a_change_and_its_objects(repo: Repo) -> None:
    base = repo.commit({"a.txt": "one", "sub/b.txt": "two", "gone.txt": "x"})
    (repo.path / "gone.txt").unlink()
    head = repo.commit({"a.txt": "ONE", "sub/c.txt": "new"})
    change = change_of(repo, base, head)
    assert [(f.path, f.added, f.deleted) for f in change.files] == [
        ("a.txt", False, False),
        ("gone.txt", False, True),
        ("sub/c.txt", True, False),
    ]
    with GitWorld(repo.path) as world:
        entry = world.entry(head, "sub/c.txt")
        assert entry is not None and entry.is_file
        assert world.read(entry.blob) == b"new"
        assert world.prefix(entry.blob, 2) == b"ne"
        assert [e.path for e in world.folder(head, "sub")] == ["sub/b.txt", "sub/c.txt"]
        assert [e.path for e in world.walk(head, "sub")] == ["sub/b.txt", "sub/c.txt"]
        assert world.entry(head, "sub/nothing") is None
        assert world.folder(head, "no/where") == ()
        (commit,) = world.commits(base, head)
        assert (commit.id, commit.author_email) == (head, "ada@example.org")


def test_files_differ_from_where_the_branches_parted(repo: Repo) -> None:
    parted = repo.commit({"a": "1"})
    repo.git("checkout", "-q", "-b", "topic")
    head = repo.commit({"topic.txt": "t"})
    repo.git("checkout", "-q", "main")
    base = repo.commit({"main.txt": "m"})
    change = change_of(repo, base, head)
    assert change.merge_base == parted
    assert [f.path for f in change.files] == ["topic.txt"]


def test_empty_trees_and_first_commits(repo: Repo) -> None:
    empty = repo.commit({})
    first = repo.commit({"a": "1"})
    assert [f.path for f in change_of(repo, empty, first).files] == ["a"]
    assert change_of(repo, empty, empty).files == ()
    with GitWorld(repo.path) as world:
        nothing = world.revisions.empty_tree()
        assert [f.path for f in world.change(nothing, first).files] == ["a"]
        assert len(world.commits(nothing, first)) == 2
        assert world.entry(nothing, "a") is None


def test_odd_names_modes_and_trees(repo: Repo) -> None:
    base = repo.commit({"keep": "k"})
    blob = repo.blob(b"content")
    inner = repo.tree(("100644", "x", blob))
    tree = repo.tree(
        ("40000", "..", inner),
        ("100644", "bad\udcff", blob),
        ("120000", "link", repo.blob(b"/etc/passwd")),
        ("160000", "module", "1" * 40),
        ("100644", "new\nline", blob),
    )
    change = change_of(repo, base, repo.commit_tree(tree, base))
    assert {f.path for f in change.files if f.added} == {
        "../x", 'bad\\377', "link", "module", 'new\\nline',
    }  # fmt: skip
    files = {f.path: f.file for f in change.files}
    assert files["link"] is None and files["module"] is None


@pytest.mark.parametrize("revision", ["nothing", "--upload-pack=x", "", "HEAD~99", "a\nb"])
def test_unknown_revision(repo: Repo, revision: str) -> None:
    repo.commit({"a": "1"})
    with pytest.raises(RepositoryError, match="unknown revision"):
        change_of(repo, revision, "HEAD")


def test_not_a_repository(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="not in a git repository"):
        GitWorld(tmp_path)
    with pytest.raises(RepositoryError, match="not a folder"):
        GitWorld(tmp_path / "absent")


@pytest.mark.parametrize("line", ["[", "[core]\n\trepositoryformatversion = 9"])
def test_a_repository_git_cannot_read_says_why(repo: Repo, line: str) -> None:
    with (repo.path / ".git" / "config").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(RepositoryError, match=r"git cannot read .*(bad config|version)"):
        GitWorld(repo.path)


def test_sizes_are_bounded_before_reading(repo: Repo, tmp_path: Path) -> None:
    head = repo.commit({"big": b"x" * 3_000_000})
    with GitWorld(repo.path) as world:
        entry = world.entry(head, "big")
        assert entry is not None
        with pytest.raises(TooLarge, match="3,000,000 bytes"):
            world.read(entry.blob, 1000)
        with pytest.raises(TooLarge):
            world.export(entry.blob, tmp_path / "out", 1000)
        assert not (tmp_path / "out").exists()
        assert world.prefix(entry.blob, 10) == b"x" * 10
        world.export(entry.blob, tmp_path / "out", 3_000_000)
        assert (tmp_path / "out").stat().st_size == 3_000_000


def test_a_huge_commit_message_is_not_read(repo: Repo) -> None:
    base = repo.commit({"a": "1"})
    head = repo.commit({"a": "2"}, "subject\n\n" + "x" * 2_000_000)
    with GitWorld(repo.path) as world:
        (commit,) = world.commits(base, head)
    assert commit.oversize > 2_000_000
    assert commit.message == ""


def test_shallow_clone_names_what_is_missing(repo: Repo, tmp_path: Path) -> None:
    first = repo.commit({"a": "1"})
    for number in range(4):
        repo.commit({"a": str(number)})
    clone = tmp_path / "shallow"
    subprocess.run(
        ["git", "clone", "-q", "--depth", "2", repo.path.as_uri(), clone],
        check=True, env=environment(),
    )  # fmt: skip
    with GitWorld(clone) as world:
        with pytest.raises(RepositoryError, match="unknown revision") as raised:
            world.revisions.resolve(first)
        assert "git fetch --unshallow" in raised.value.hint
        head = world.revisions.resolve("HEAD")
        root = world.revisions.resolve("HEAD~1")
        assert len(world.change(root, head).files) == 1
        with pytest.raises(RepositoryError, match=root[:12]):
            world.change(world.revisions.empty_tree(), head)


def test_partial_clone_never_fetches(repo: Repo, tmp_path: Path) -> None:
    repo.git("config", "uploadpack.allowFilter", "true")
    base = repo.commit({"a": "1"})
    head = repo.commit({"a": "2"})
    clone = tmp_path / "partial"
    subprocess.run(
        ["git", "clone", "-q", "--filter=blob:none", "--bare", repo.path.as_uri(), clone],
        check=True, env=environment(),
    )  # fmt: skip
    with GitWorld(clone) as world:
        (file,) = world.change(base, head).files
        assert file.after is not None
        with pytest.raises(Missing, match="not in this clone"):
            world.read(file.after.blob)
        assert world.entry(head, "a") == file.after  # the reader survives a refusal


def test_hooks_filters_and_drivers_stay_off(repo: Repo, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {proof}\ncat\n")
    script.chmod(0o755)
    base = repo.commit({".gitattributes": "* diff=evil filter=evil\n", "a": "1"})
    head = repo.commit({"a": "2"})
    for key in ("core.fsmonitor", "diff.external", "diff.evil.textconv", "filter.evil.smudge",
                "filter.evil.clean", "core.pager", "gpg.program", "core.sshCommand"):  # fmt: skip
        repo.git("config", key, str(script))
    with GitWorld(repo.path) as world:
        change = world.change(base, head)
        for file in change.files:
            assert file.after is not None
            world.read(file.after.blob)
        world.signer(head, b"")
        world.commits(base, head)
        world.revisions.staged_tree()
    assert not proof.exists()


def test_replace_refs_and_grafts_do_not_fool_us(repo: Repo) -> None:
    good, evil = repo.blob(b"good"), repo.blob(b"evil")
    head = repo.commit({"a": "good"})
    repo.git("replace", good, evil)
    second = repo.commit({"a": "better"})
    (repo.path / ".git" / "info").mkdir(exist_ok=True)
    (repo.path / ".git" / "info" / "grafts").write_text(second + "\n")  # as if it had no parent
    with GitWorld(repo.path) as world:
        entry = world.entry(head, "a")
        assert entry is not None and world.read(entry.blob) == b"good"
        assert world.change(head, second).merge_base == head
        assert [c.parents for c in world.commits(head, second)] == [(head,)]


def test_staged_content(repo: Repo) -> None:
    repo.write({"a": "1"})
    repo.git("add", "-A")
    with GitWorld(repo.path) as world:
        names = world.revisions
        change = world.change(names.head_or_empty(), names.staged_tree())
        assert [f.path for f in change.files] == ["a"]
        assert world.commits(change.base, change.head) == ()


def test_ssh_signatures(repo: Repo, tmp_path: Path) -> None:
    key = tmp_path / "key"
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    try:
        subprocess.run(make, check=True)
    except FileNotFoundError:
        pytest.skip("ssh-keygen is not installed")
    unsigned = repo.commit({"a": "1"})
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", str(key)),
                        ("commit.gpgSign", "true")):  # fmt: skip
        repo.git("config", name, value)
    signed = repo.commit({"a": "2"})
    allowed = b"ada@example.org " + key.with_suffix(".pub").read_bytes()
    stranger = b"eve@example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + b"A" * 43
    with GitWorld(repo.path) as world:
        assert world.commits(unsigned, signed)[0].signature.startswith("-----BEGIN SSH")
        assert world.signer(signed, allowed) == "ada@example.org"
        assert world.signer(signed, stranger) == ""
        assert world.signer(signed, b"") == ""
        assert world.signer(unsigned, allowed) == ""


def test_facts_are_made_once(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a": "1"})
    path = tmp_path / "cache" / "evidence.db"
    made: list[int] = []

    def make() -> tuple[str, ...]:
        made.append(1)
        return ("fact",)

    def ask() -> tuple[str, ...]:
        with GitWorld(repo.path, Cache(path)) as world:
            return world.facts("check/1", "b" * 40, tuple[str, ...], make)

    assert ask() == ask() == ("fact",)
    assert len(made) == 1
    path.write_bytes(b"SQLite format 3\0 but not really")
    assert ask() == ("fact",)
    assert len(made) == 2


def test_nothing_outlives_the_world(repo: Repo) -> None:
    head = repo.commit({"a": "1"})
    with GitWorld(repo.path) as world:
        world.entry(head, "a")
        processes = [world._sizes._process, world._contents._process]
    assert all(p is not None and p.returncode is not None for p in processes)


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes need a Linux file system")
def test_git_variables_of_the_caller_do_not_lead_astray(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repo(tmp_path / "other")
    other.commit({"b": "1"})
    head = repo.commit({"a": "1"})
    monkeypatch.setitem(os.environ, "GIT_DIR", str(other.path / ".git"))
    with GitWorld(repo.path) as world:
        assert world.revisions.resolve("HEAD") == head


def test_contents_that_are_not_at_hand_are_asked_for(repo: Repo, tmp_path: Path) -> None:
    repo.commit({"a.txt": "content"})
    blob = repo.git("rev-parse", "HEAD:a.txt")
    place = repo.path / ".git" / "objects" / blob[:2] / blob[2:]
    hidden = place.rename(tmp_path / "hidden")
    asked: list[tuple[str, ...]] = []

    def objects(ids: tuple[str, ...]) -> None:
        asked.append(ids)
        if len(asked) > 1:
            hidden.rename(place)

    with GitWorld(repo.path, objects=objects) as world:
        with pytest.raises(Missing):
            world.size(blob)
        assert world.read(blob) == b"content"
        assert world.prefix(blob, 3) == b"con"
    assert asked == [(blob,), (blob,)]
