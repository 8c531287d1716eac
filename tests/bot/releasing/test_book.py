"""The ledger in a branch: written at once or not at all, and never over somebody's work."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bot.releasing.ledger.book import GitBook
from bot.releasing.ledger.tagging import Moved
from registry.errors import Lost, ReleaseError, StoreFailed
from registry.release.ledger import LOG, New, Tag, document_path
from registry.release.values import dump
from tests.bot.releasing.clones import (
    BRANCH,
    Shared,
    book,
    claim,
    claimed,
    document,
    git,
    out,
    refs,
    release,
)
from tests.gitrepo import Repo
from tests.ledgers import A, promote, rollback

LOCAL, SEEN = f"refs/heads/{BRANCH}", f"refs/modelwarden/seen/{BRANCH}"


@pytest.fixture
def shared(tmp_path: Path) -> Shared:
    return Shared(tmp_path)


@pytest.fixture
def alice(shared: Shared) -> Repo:
    return shared.clone("alice")


@pytest.fixture
def bob(shared: Shared) -> Repo:
    return shared.clone("bob")


def test_the_first_release(shared: Shared, alice: Repo, bob: Repo) -> None:
    at = book(alice)
    assert at.ledger().head is None
    before = refs(alice.path)
    assert before == refs(alice.path)  # looking leaves nothing
    out(at, "1.0.0", shared.commit)
    there = shared.refs()
    assert there[LOCAL] == refs(alice.path)[LOCAL] == refs(alice.path)[SEEN]
    assert git(shared.bare, "cat-file", "-t", "v1.0.0") == "tag"
    assert git(shared.bare, "rev-parse", "v1.0.0^{commit}") == shared.commit
    assert git(shared.bare, "ls-tree", "-r", "--name-only", BRANCH).split() == [
        LOG, document_path(A, "1.0.0"),
    ]  # fmt: skip
    # Nothing of the user's was touched: neither files nor index nor HEAD.
    assert git(alice.path, "status", "--porcelain") == ""
    assert git(alice.path, "symbolic-ref", "HEAD") == "refs/heads/main"
    shown = git(shared.bare, "log", "--format=%an <%ae> %cn%n%s", "-1", BRANCH)
    assert shown == "Alice <alice@example.org> Alice\nrelease acme/small 1.0.0"
    other = book(bob)
    assert [one.version for one in other.ledger().issued] == ["1.0.0"]
    assert other.document(A, "1.0.0") == document("1.0.0", shared.commit)
    assert refs(bob.path)["refs/tags/v1.0.0"] == there["refs/tags/v1.0.0"]


def test_moves_of_aliases_are_tags_in_the_same_push(shared: Shared, alice: Repo) -> None:
    at = book(alice)
    out(at, "1.0.0", shared.commit)
    out(at, "1.1.0", shared.commit)
    for new in (promote("1.0.0"), promote("1.1.0", "1.0.0"), rollback("1.0.0", "1.1.0")):
        at.append([new], {}, expect=at.ledger().head)
        pointer = json.loads(at.file(f"deploy/{A}/champion.json", 1000) or b"")
        assert pointer["version"] == new.details["version"]
        assert len(pointer["root"]) == len(pointer["document"]) == 64
    tags = {name for name in shared.refs() if "#" in name}
    assert tags == {
        f"refs/tags/acme-small#{name}"
        for name in ("champion#1", "champion#2", "champion#3", "previous#1")
    }
    assert at.moved(at.ledger()) == ()


def test_files_come_and_go(shared: Shared, alice: Repo) -> None:
    at = book(alice)
    claim(at, "1", shared.commit)
    record = New("a", "record", A, {"version": "1", "place": "mlflow", "id": "7"})
    at.append([record], {"deploy/x.json": b"1"}, expect=at.ledger().head)
    assert at.file("deploy/x.json", 10) == b"1"
    at.append([record], {"deploy/x.json": None, "y": b"\xff\0"}, expect=at.ledger().head)
    assert at.file("deploy/x.json", 10) is None
    assert at.file("y", 10) == b"\xff\0"
    with pytest.raises(ReleaseError, match="2 bytes, more than 1"):
        at.file("y", 1)
    with pytest.raises(ReleaseError, match="it is no file"):
        at.append([record], {"z/a": b""}, expect=at.ledger().head)
        at.file("z", 10)
    for path in ("../x", "/x", "a//b", "", ".git/config", "a/../b", "-x", "a\nb", "x" * 501):
        with pytest.raises(ReleaseError, match="no place beside"):
            at.file(path, 10)
        with pytest.raises(ReleaseError, match="no place beside"):
            at.append([record], {path: b""}, expect=at.ledger().head)


def test_a_version_needs_its_document_and_its_tag(shared: Shared, alice: Repo) -> None:
    at = book(alice)
    head = claim(at, "1.0.0", shared.commit).head
    data = dump(document("1.0.0", shared.commit))
    said = {
        "version": "1.0.0", "commit": shared.commit, "holder": "run-1", "root": "a" * 64,
        "tag": "v1.0.0", "document": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip
    new, path = New("alice", "release", A, said), document_path(A, "1.0.0")
    tag = Tag("v1.0.0", shared.commit, "1.0.0")
    with pytest.raises(ReleaseError, match="without its document"):
        at.append([new], {}, expect=head, tags=[tag])
    with pytest.raises(ReleaseError, match="without its document"):
        at.append([new], {path: data + b" "}, expect=head, tags=[tag])
    with pytest.raises(ReleaseError, match="without its tag"):
        at.append([new], {path: data}, expect=head)
    with pytest.raises(ReleaseError, match="without its tag"):
        at.append([new], {path: data}, expect=head, tags=[Tag("v1.0.0", "a" * 40, "")])
    assert at.append([new], {path: data}, expect=head, tags=[tag]).issued


def test_a_document_that_was_changed(shared: Shared, alice: Repo) -> None:
    at = book(alice)
    out(at, "1.0.0", shared.commit)
    path = document_path(A, "1.0.0")
    record = New("eve", "record", A, {"version": "1.0.0", "place": "x", "id": "7"})
    at.append([record], {path: b"{}"}, expect=at.ledger().head)
    with pytest.raises(ReleaseError, match=r"1.0.0.json beside the ledger is not what"):
        at.document(A, "1.0.0")
    at.append([record], {path: None}, expect=at.ledger().head)
    with pytest.raises(ReleaseError, match="is missing"):
        at.document(A, "1.0.0")
    with pytest.raises(ReleaseError, match="never released"):
        at.document(A, "2.0.0")


def test_somebody_was_first(shared: Shared, alice: Repo, bob: Repo) -> None:
    mine, other = book(alice), book(bob)
    head = other.ledger().head
    claim(mine, "1.0.0", shared.commit)
    before = shared.refs()
    with pytest.raises(Lost, match=r"1.0.0 is being released by alice since .* \(run run-1\)") as e:
        other.append([claimed("1.0.0", shared.commit, "run-2", "bob")], {}, expect=head)
    assert "--take-over" in e.value.hint
    with pytest.raises(Lost, match=r"the ledger moved on: alice did claim acme/small 1.0.0 at"):
        other.append([claimed("2.0.0", shared.commit, "run-2", "bob")], {}, expect=head)
    assert shared.refs() == before
    other.append([claimed("2.0.0", shared.commit, "run-2")], {}, expect=other.ledger().head)


def test_a_tag_that_is_elsewhere(shared: Shared, alice: Repo, bob: Repo) -> None:
    at = book(alice)
    claim(at, "1.0.0", shared.commit)
    other = bob.commit({"x": "1"})
    git(bob.path, "tag", "v1.0.0", other)
    git(bob.path, "push", "-q", "origin", "v1.0.0")
    before = (shared.refs(), refs(alice.path))
    with pytest.raises(Lost, match=f"the tag v1.0.0 is at {other[:12]} on origin, not at"):
        release(at, "1.0.0", shared.commit)
    assert (shared.refs(), refs(alice.path)) == before
    mine = book(bob)
    claim(mine, "2.0.0", shared.commit, "run-2")
    git(bob.path, "tag", "v2.0.0", other)
    with pytest.raises(Lost, match=f"the tag v2.0.0 is at {other[:12]} here, not at"):
        release(mine, "2.0.0", shared.commit, "run-2")


@pytest.mark.parametrize("where", ["here", "there", "both"])
def test_a_tag_that_is_right_already(where: str, shared: Shared, alice: Repo) -> None:
    at = book(alice)
    claim(at, "1.0.0", shared.commit)
    git(alice.path, "tag", "v1.0.0", shared.commit)
    if where != "here":
        git(alice.path, "push", "-q", "origin", "v1.0.0")
    if where == "there":
        git(alice.path, "tag", "-d", "v1.0.0")
    ledger = release(at, "1.0.0", shared.commit)
    assert shared.refs()["refs/tags/v1.0.0"] == shared.commit
    assert [one for one in at.moved(ledger) if one.where] == []


def test_a_commit_that_is_not_here(shared: Shared, alice: Repo) -> None:
    at = book(alice)
    claim(at, "1.0.0", "a" * 40)
    with pytest.raises(ReleaseError, match=r"the commit aaaaaaaaaaaa, which v1.0.0 would name"):
        release(at, "1.0.0", "a" * 40)


def test_moved_tags_are_told(shared: Shared, alice: Repo) -> None:
    at = book(alice)
    out(at, "1.0.0", shared.commit)
    ledger = out(at, "1.1.0", shared.commit)
    other = alice.commit({"x": "1"})
    git(alice.path, "tag", "-d", "v1.0.0")
    git(alice.path, "tag", "-f", "v1.1.0", other)
    git(alice.path, "push", "-q", "-f", "origin", "v1.1.0")
    git(shared.bare, "tag", "-d", "v1.0.0")
    assert at.moved(ledger) == (
        Moved("v1.0.0", shared.commit, "", ""),
        Moved("v1.1.0", shared.commit, "", other),
        Moved("v1.0.0", shared.commit, "origin", ""),
        Moved("v1.1.0", shared.commit, "origin", other),
    )


# Histories that are not what they were


def test_the_branch_was_written_anew(shared: Shared, alice: Repo, bob: Repo) -> None:
    at = book(alice)
    claim(at, "1.0.0", shared.commit)
    git(shared.bare, "update-ref", "-d", LOCAL)
    with pytest.raises(ReleaseError, match="is gone from origin"):
        at.ledger()
    claim(book(bob), "2.0.0", shared.commit)
    before = refs(alice.path)
    for _ in range(2):  # it is not forgotten by being said
        with pytest.raises(ReleaseError, match=r"written anew on origin: .* was seen") as e:
            at.ledger()
    assert "git update-ref -d refs/modelwarden/seen/" in e.value.hint
    with pytest.raises(ReleaseError, match="written anew"):
        at.append([claimed("3", shared.commit)], {}, expect=None)
    assert refs(alice.path) == before
    git(alice.path, "update-ref", "-d", SEEN)
    git(alice.path, "update-ref", "-d", LOCAL)
    assert [c.version for c in at.ledger().claims] == ["2.0.0"]


def test_only_the_log_was_written_anew(shared: Shared, alice: Repo, bob: Repo) -> None:
    at = book(alice)
    claim(at, "1.0.0", shared.commit)
    # Another log with a right chain, as a child commit: the branch only moved forward.
    lonely = Repo(shared.place / "lonely")
    git(lonely.path, "config", "user.name", "Eve")
    git(lonely.path, "config", "user.email", "eve@example.org")
    forged = book(lonely, "")
    for version in ("1", "2", "3"):
        claim(forged, version, shared.commit)
    _write(bob, forged.file(LOG, 10_000) or b"")
    with pytest.raises(ReleaseError, match=r"was written anew: its line 2 of .* by alice"):
        at.ledger()
    assert refs(alice.path)[LOCAL] != shared.refs()[LOCAL]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "has no log.jsonl"),
        (b"hello\n", "line 1"),
        (b"x" * 200_000 + b"\n", "line 1"),
        (b"\xff\xfe" * 100, "line 1"),
    ],
)
def test_a_damaged_log(data: bytes, said: str, shared: Shared, alice: Repo, bob: Repo) -> None:
    claim(book(alice), "1.0.0", shared.commit)
    before = refs(alice.path)
    _write(bob, data)
    with pytest.raises(ReleaseError, match=said):
        book(alice).ledger()
    assert refs(alice.path) == before


def test_a_log_that_is_no_file(shared: Shared, alice: Repo) -> None:
    for mode in ("120000", "100755"):
        blob = alice.blob(b"x")
        made = alice.commit_tree(alice.tree((mode, LOG, blob)))
        git(alice.path, "push", "-q", "-f", "origin", f"{made}:{LOCAL}")
        with pytest.raises(ReleaseError, match="it is no file"):
            book(alice).ledger()


def test_a_log_that_is_too_large(
    shared: Shared, alice: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    from registry.release import log

    claim(book(alice), "1.0.0", shared.commit)
    monkeypatch.setattr(log, "LIMIT", 100)
    with pytest.raises(ReleaseError, match=r"log.jsonl beside the ledger has .* more than 100"):
        book(alice).ledger()


def test_the_branch_here_is_ahead_or_has_parted(shared: Shared, alice: Repo, bob: Repo) -> None:
    at = book(alice)
    claim(at, "1.0.0", shared.commit)
    _write(alice, b"x", push=False)
    with pytest.raises(ReleaseError, match="has entries here that are not on origin") as caught:
        at.ledger()
    assert f"git push origin {BRANCH}" in caught.value.hint
    claim(book(bob), "2.0.0", shared.commit)
    with pytest.raises(ReleaseError, match="has parted here from that on origin"):
        at.ledger()


def test_a_ledger_made_without_the_remote(shared: Shared, alice: Repo) -> None:
    alone = book(alice, "")
    out(alone, "1.0.0", shared.commit)
    git(alice.path, "update-ref", "-d", SEEN)
    with pytest.raises(ReleaseError, match="has entries here that are not on origin"):
        book(alice).ledger()
    git(alice.path, "push", "-q", "origin", BRANCH)
    assert book(alice).ledger().issued


def test_without_a_remote(shared: Shared, alice: Repo) -> None:
    alone = book(alice, "")
    ledger = out(alone, "1.0.0", shared.commit)
    assert alone.moved(ledger) == ()
    with pytest.raises(Lost, match="was released by alice"):
        alone.append([claimed("1.0.0", shared.commit)], {}, expect=None)
    assert LOCAL not in shared.refs()
    git(alice.path, "update-ref", "-d", LOCAL)
    with pytest.raises(ReleaseError, match="is gone from this repository"):
        alone.ledger()


def test_the_branch_is_checked_out(shared: Shared, alice: Repo, bob: Repo) -> None:
    at = book(alice)
    claim(at, "1.0.0", shared.commit)
    git(alice.path, "worktree", "add", "-q", str(shared.place / "wt"), BRANCH)
    before = shared.refs()
    with pytest.raises(ReleaseError, match="is checked out in"):
        claim(at, "2.0.0", shared.commit, "run-2")
    assert shared.refs() == before
    assert at.ledger().claims


def _write(repo: Repo, data: bytes, *, push: bool = True) -> None:
    """Put a log on top of the branch, as somebody would who pushes by hand."""
    git(repo.path, "fetch", "-q", "origin", BRANCH)
    parent = git(repo.path, "rev-parse", "FETCH_HEAD")
    made = repo.commit_tree(repo.tree(("100644", LOG, repo.blob(data))), parent)
    if push:
        git(repo.path, "push", "-q", "origin", f"{made}:{LOCAL}")
    else:
        git(repo.path, "update-ref", LOCAL, made)


# Kinds of repositories


def test_shallow_single_branch_partial_and_bare(shared: Shared, alice: Repo) -> None:
    for name in ("x", "y", "z"):
        alice.commit({name: name})
    git(alice.path, "push", "-q", "origin", "main")
    out(book(alice), "1.0.0", shared.commit)
    git(shared.bare, "config", "uploadpack.allowFilter", "true")
    head = git(alice.path, "rev-parse", "HEAD")
    kinds = {
        "shallow": ("--depth=1",),
        "partial": ("--filter=blob:none", "--no-checkout"),
        "bare": ("--bare",),
        "treeless": ("--filter=tree:0", "--no-checkout"),
    }
    for number, (name, words) in enumerate(kinds.items()):
        clone = shared.place / name
        git(shared.place, "clone", "-q", *words, shared.bare.as_uri(), name)
        git(clone, "config", "user.name", name)
        git(clone, "config", "user.email", f"{name}@example.org")
        at = book(clone)
        assert at.ledger().issued[0].version == "1.0.0", name
        out(at, f"2.{number}", head)
        assert at.document(A, f"2.{number}").commit == head
        assert at.document(A, "1.0.0").commit == shared.commit
        assert at.moved(at.ledger()) == (), name
    assert git(shared.place / "shallow", "rev-list", "--count", "HEAD") == "1"


def test_worktrees_and_folders_below(shared: Shared, alice: Repo) -> None:
    git(alice.path, "worktree", "add", "-q", "--detach", str(shared.place / "wt"))
    (shared.place / "wt" / "deep").mkdir()
    for folder in (shared.place / "wt", shared.place / "wt" / "deep"):
        at = book(folder)
        claim(at, f"{len(str(folder))}", shared.commit)
        assert at.file(LOG, 100_000)
    assert len(book(alice).ledger().claims) == 2


def test_sha256(tmp_path: Path) -> None:
    shared = Shared(tmp_path, format_="sha256")
    at = book(shared.clone("alice"))
    out(at, "1.0.0", shared.commit)
    assert len(shared.commit) == 64
    ledger = at.append([promote("1.0.0")], {}, expect=at.ledger().head)
    assert at.moved(ledger) == ()


def test_packed_refs(shared: Shared, alice: Repo, bob: Repo) -> None:
    at = book(alice)
    out(at, "1.0.0", shared.commit)
    for folder in (alice.path, shared.bare):
        git(folder, "pack-refs", "--all", "--prune")
        git(folder, "gc", "-q", "--prune=now")
    out(at, "1.1.0", shared.commit)
    assert len(book(bob).ledger().issued) == 2


def test_what_a_clone_knows_without_asking(shared: Shared, alice: Repo) -> None:
    out(book(alice), "1.0.0", shared.commit)
    fresh = shared.clone("fresh")
    before = refs(fresh.path)
    shared.bare.rename(shared.place / "away")
    at = book(fresh)
    assert [one.version for one in at.ledger(fresh=False).issued] == ["1.0.0"]
    assert at.document(A, "1.0.0").version == "1.0.0"
    assert refs(fresh.path) == before


# A remote that does not do as it is asked


def test_no_such_remote(shared: Shared, alice: Repo) -> None:
    for name in ("upstream", "x y", "-o", "ext::sh -c true", "", "https://example.org/x"):
        if name:
            with pytest.raises(ReleaseError, match=r"no remote upstream|no name of a remote"):
                book(alice, name).ledger()
    for branch in ("", "-b", "a..b", "a b", "refs/../x", "a.lock", "x" * 101, "a\n"):
        with pytest.raises(ReleaseError, match="no name of a branch"):
            GitBook(alice.path, branch, "origin")


def test_two_addresses(shared: Shared, alice: Repo) -> None:
    git(alice.path, "remote", "set-url", "--add", "--push", "origin", "https://a.example/x")
    git(alice.path, "remote", "set-url", "--add", "--push", "origin", "https://b.example/x")
    with pytest.raises(ReleaseError, match="the remote origin has 2 addresses"):
        book(alice).ledger()


def test_the_remote_is_away(shared: Shared, alice: Repo) -> None:
    at = book(alice)
    head = claim(at, "1.0.0", shared.commit).head
    shared.bare.rename(shared.place / "away")
    before = refs(alice.path)
    with pytest.raises(StoreFailed, match="the remote origin does not answer"):
        at.ledger()
    with pytest.raises(StoreFailed, match="the remote origin does not answer"):
        at.append([claimed("2.0.0", shared.commit)], {}, expect=head)
    assert refs(alice.path) == before


@pytest.mark.parametrize(
    "url", ["ext::sh -c touch% owned", "git://127.0.0.1:1/x", "http://example.org/x"]
)
def test_other_protocols_stay_off(url: str, shared: Shared, alice: Repo) -> None:
    git(alice.path, "remote", "set-url", "origin", url)
    with pytest.raises(StoreFailed, match="not allowed"):
        book(alice).ledger()
    assert not (alice.path / "owned").exists()


def test_a_password_in_what_is_said_is_not_told(
    shared: Shared, alice: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = shared.place / "ssh"
    ssh.write_text(
        "#!/bin/sh\necho fatal: https://me:hunter2@forge.example/x is gone >&2; exit 1\n"
    )
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    git(alice.path, "remote", "set-url", "origin", "ssh://forge.example/x")
    with pytest.raises(StoreFailed, match=r"fatal: https://forge.example/x is gone"):
        book(alice).ledger()


def test_the_operators_ssh_is_used(
    shared: Shared, alice: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = shared.place / "ssh"
    ssh.write_text('#!/bin/sh\necho "$1" >> "$0.hosts"\nshift\nexec sh -c "$*"\n')
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    monkeypatch.setenv("GIT_SSH_VARIANT", "simple")
    git(alice.path, "remote", "set-url", "origin", f"ssh://forge.example{shared.bare}")
    out(book(alice), "1.0.0", shared.commit)
    assert "refs/tags/v1.0.0" in shared.refs()
    assert set(Path(f"{ssh}.hosts").read_text().split()) == {"forge.example"}


def test_a_push_that_arrived_though_nobody_says_so(shared: Shared, alice: Repo) -> None:
    at = book(alice)
    claim(at, "1.0.0", shared.commit)
    cut = shared.place / "cut"
    die = f'[ "$1" = committed ] && [ ! -e {cut} ] && touch {cut} && kill -9 $PPID; true'
    _hook(shared.bare, "reference-transaction", die)  # the refs are set, the answer is not sent
    ledger = release(at, "1.0.0", shared.commit)
    assert cut.exists()
    assert len(ledger.issued) == 1
    assert refs(alice.path)[LOCAL] == shared.refs()[LOCAL]
    assert at.moved(ledger) == ()


def test_the_operators_credentials_are_used_and_not_told(
    alice: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, sent = "ghp_" + "a1B2" * 9, list[str | None]()

    class Forge(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent.append(self.headers.get("Authorization"))
            self.send_response(401 if len(sent) == 1 else 403)
            self.send_header("WWW-Authenticate", 'Basic realm="forge"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("GITHUB_TOKEN", token)
    helper = "!f() { echo username=x; echo password=$GITHUB_TOKEN; }; f"
    git(alice.path, "config", "credential.helper", helper)
    with ThreadingHTTPServer(("127.0.0.1", 0), Forge) as server:
        threading.Thread(target=server.serve_forever).start()
        address = f"http://127.0.0.1:{server.server_port}/x.git"
        git(alice.path, "remote", "set-url", "origin", address)
        try:
            with pytest.raises(StoreFailed, match="403") as caught:
                book(alice).ledger()
        finally:
            server.shutdown()
    assert sent == [None, "Basic " + base64.b64encode(f"x:{token}".encode()).decode()]
    assert token not in caught.value.message


def test_a_slow_remote(shared: Shared, alice: Repo) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # takes, and says nothing
        port = server.getsockname()[1]
        git(alice.path, "remote", "set-url", "origin", f"http://127.0.0.1:{port}/x.git")
        began = time.monotonic()
        with pytest.raises(StoreFailed, match=r"ls-remote: .* is not done after 0.3"):
            book(alice, seconds=0.3).ledger()
        assert time.monotonic() - began < 30


def test_a_push_that_hangs_changes_nothing_here(shared: Shared, alice: Repo) -> None:
    head = claim(book(alice), "1.0.0", shared.commit).head
    _hook(shared.bare, "pre-receive", "sleep 60")
    before = refs(alice.path)
    with pytest.raises(StoreFailed, match=r"push: the remote origin is not done after 1 s") as e:
        book(alice, seconds=1).append([claimed("2", shared.commit)], {}, expect=head)
    assert "arrived" in e.value.hint
    assert refs(alice.path) == before
    (shared.bare / "hooks" / "pre-receive").unlink()
    assert len(claim(book(alice), "2", shared.commit).claims) == 2


def test_a_remote_that_refuses(shared: Shared, alice: Repo) -> None:
    at = book(alice)
    head = claim(at, "1.0.0", shared.commit).head
    _hook(shared.bare, "update", "case $1 in refs/tags/*) echo not today >&2; exit 1;; esac")
    before = (shared.refs(), refs(alice.path))
    with pytest.raises(StoreFailed, match=r"not take the ledger: .*v1.0.0.*hook declined") as e:
        release(at, "1.0.0", shared.commit)
    assert "allowed to push" in e.value.hint
    assert (shared.refs(), refs(alice.path)) == before
    assert at.ledger().head == head


def test_hooks_of_the_repository_do_not_run(shared: Shared, alice: Repo) -> None:
    for name in ("pre-push", "reference-transaction", "post-index-change", "pre-commit"):
        _hook(alice.path / ".git", name, "touch ../owned owned; exit 1")
    out(book(alice), "1.0.0", shared.commit)
    assert not list(shared.place.rglob("owned"))


def test_nobody_is_configured(shared: Shared, alice: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    git(alice.path, "config", "--unset", "user.email")
    before = shared.refs()
    with pytest.raises(ReleaseError, match="does not know who writes") as caught:
        claim(book(alice), "1.0.0", shared.commit)
    assert "git config user.email" in caught.value.hint
    assert shared.refs() == before
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ci@example.org")
    monkeypatch.setenv("GIT_COMMITTER_EMAIL", "ci@example.org")
    claim(book(alice), "1.0.0", shared.commit)


def test_a_locked_branch(shared: Shared, alice: Repo) -> None:
    alone = book(alice, "")
    head = claim(alone, "1", shared.commit).head
    lock = alice.path / ".git" / f"{LOCAL}.lock"
    lock.write_bytes(b"")
    with pytest.raises(StoreFailed, match=r"cannot be written: .*\.lock") as caught:
        alone.append([claimed("2", shared.commit)], {}, expect=head)
    assert "remove the lock" in caught.value.hint
    lock.unlink()
    alone.append([claimed("2", shared.commit)], {}, expect=head)


def test_a_branch_that_cannot_follow(shared: Shared, alice: Repo, bob: Repo) -> None:
    claim(book(alice), "1", shared.commit)
    claim(book(bob), "2", shared.commit)
    lock = alice.path / ".git" / f"{LOCAL}.lock"
    lock.write_bytes(b"")
    with pytest.raises(StoreFailed, match=r"cannot be moved: .*\.lock") as caught:
        book(alice).ledger()
    assert "remove the lock" in caught.value.hint
    lock.unlink()
    assert len(book(alice).ledger().claims) == 2


def test_objects_that_cannot_be_written(shared: Shared, alice: Repo) -> None:
    head = claim(book(alice), "1", shared.commit).head
    before = (shared.refs(), refs(alice.path))
    for number in range(256):  # files where git would make folders, for whatever user
        with contextlib.suppress(FileExistsError):
            (alice.path / ".git" / "objects" / f"{number:02x}").open("xb").close()
    with pytest.raises(StoreFailed, match=r"git .* in .*: ") as caught:
        book(alice).append([claimed("2", shared.commit)], {}, expect=head)
    assert "space and rights" in caught.value.hint
    assert (shared.refs(), refs(alice.path)) == before


def test_a_full_disk(shared: Shared, alice: Repo) -> None:
    head = claim(book(alice), "1", shared.commit).head
    assert head is not None
    before = (shared.refs(), refs(alice.path))
    code = (
        "import resource, sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from tests.bot.releasing.clones import book, claimed\n"
        "from registry.errors import StoreFailed\n"
        "at = book(Path(sys.argv[1])); head = at.ledger().head\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try: at.append([claimed('2', sys.argv[3])], {}, expect=head)\n"
        "except StoreFailed as error: print(error.message, error.hint)\n"
    )
    root = str(Path(__file__).parents[3])
    words = [sys.executable, "-I", "-c", code, str(alice.path), root, shared.commit]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "space" in done.stdout
    assert (shared.refs(), refs(alice.path)) == before
    claim(book(alice), "2", shared.commit)


def _hook(git_dir: Path, name: str, script: str) -> None:
    path = git_dir / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
