"""Mirrors over real git and real HTTP: what is brought, what is not, and what goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot import git
from bot.errors import BotError, CouldNotTell, Missing, TooLarge, UsageError
from bot.github.errors import Denied, Unavailable
from bot.github.mirror import Mirrors
from bot.github.values import Repo as Named
from bot.repository import GitWorld
from tests.bot.github.gitserver import GitServer
from tests.gitrepo import Repo

TOKEN = "ghs_first0000000000000000"
TINY = Named(7, "acme/tiny", 1, "main")


SYNC = (  # folder, url, commit; the token comes on standard input
    "import sys; from pathlib import Path; from bot.github.mirror import Mirrors;"
    "from bot.github.values import Repo;"
    "Mirrors(Path(sys.argv[1]), 1 << 30).sync(Repo(7, 'acme/tiny', 1), sys.argv[2],"
    "lambda: sys.stdin.read(), (sys.argv[3],))"
)


def token() -> str:
    return TOKEN


def until(true: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not become true in time"
        time.sleep(0.02)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with GitServer(tmp_path / "served") as server:
        yield server


@pytest.fixture
def mirrors(tmp_path: Path) -> Mirrors:
    return Mirrors(tmp_path / "mirrors", 1 << 30)


def objects(place: Path) -> dict[str, str]:
    """Every object a folder holds, and its type."""
    words = ["git", "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)"]
    out = subprocess.run(words, cwd=place, capture_output=True, text=True, check=True).stdout
    return dict(line.split() for line in out.splitlines())


def blobs(place: Path) -> set[str]:
    return {name for name, kind in objects(place).items() if kind == "blob"}


def posts(server: GitServer) -> int:
    return sum(method == "POST" for method, _, _ in server.asked)


def test_all_history_and_no_contents(repo: Repo, server: GitServer, mirrors: Mirrors) -> None:
    base = repo.commit({"a.txt": "a", "deep/b.txt": "b"})
    repo.git("tag", "v1.0")
    head = repo.commit({"a.txt": "changed"})
    server.publish(repo)
    place = mirrors.sync(TINY, server.url, token, (base, head))
    assert not blobs(place)
    assert list(objects(place).values()).count("commit") == 2
    with GitWorld(place) as world:
        assert [f.path for f in world.change(base, head).files] == ["a.txt"]
        assert world.releases(head, 5) == (("v1.0", base),)
        assert world.worktree is None


def test_contents_come_by_name_and_once(repo: Repo, server: GitServer, mirrors: Mirrors) -> None:
    head = repo.commit({f"f{n}": f"content {n}" for n in range(50)})
    server.publish(repo)
    place = mirrors.sync(TINY, server.url, token, (head,))
    wanted = tuple(repo.git("rev-parse", f"HEAD:f{n}") for n in range(20))
    before = posts(server)
    mirrors.blobs(TINY, server.url, token, wanted)
    assert blobs(place) == set(wanted)
    assert posts(server) == before + 1
    mirrors.blobs(TINY, server.url, token, wanted)
    assert posts(server) == before + 1


def test_a_second_sync_brings_only_what_is_new(
    repo: Repo, server: GitServer, mirrors: Mirrors
) -> None:
    first = repo.commit({"a": "1"})
    server.publish(repo)
    place = mirrors.sync(TINY, server.url, token, (first,))
    packs = set((place / "objects" / "pack").glob("*.pack"))
    second = repo.commit({"a": "2"})
    server.publish(repo)
    mirrors.sync(TINY, server.url, token, (second,))
    (new,) = set((place / "objects" / "pack").glob("*.pack")) - packs
    shown = subprocess.run(["git", "verify-pack", "-v", str(new)], capture_output=True, text=True)
    assert second in shown.stdout and first not in shown.stdout


def test_commits_that_no_branch_holds(repo: Repo, server: GitServer, mirrors: Mirrors) -> None:
    """A fork's head, which the platform serves by id and under refs/pull alone."""
    base = repo.commit({"a": "1"})
    repo.git("checkout", "-q", "--detach")
    head = repo.commit({"a": "2"})
    repo.git("update-ref", "refs/pull/7/head", head)
    repo.git("checkout", "-q", "main")
    server.publish(repo)
    place = mirrors.sync(TINY, server.url, token, (base, head, "refs/pull/7/head"))
    refs = git.run(place, "for-each-ref", "--format=%(refname)")[1].decode().split()
    assert sorted(refs) == sorted(
        ["refs/mirror/default", f"refs/judged/{base}", f"refs/judged/{head}"]
    )


def test_many_small_packs_become_one_under_a_reader(
    repo: Repo, server: GitServer, mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.github.packs.MAX_PACKS", 5)
    heads = [repo.commit({f"f{n}": f"content {n}\n"}) for n in range(8)]
    server.publish(repo)
    names = [repo.git("rev-parse", f"HEAD:f{n}") for n in range(8)]
    place = mirrors.sync(TINY, server.url, token, (heads[0],))
    for name in names[:7]:
        mirrors.blobs(TINY, server.url, token, (name,))
    before = objects(place)
    packs = list((place / "objects" / "pack").glob("*.pack"))
    assert len(packs) == 8
    with GitWorld(place) as world:
        assert world.read(names[0]) == b"content 0\n"
        late = repo.commit({"late": "1"})
        server.publish(repo)
        mirrors.sync(TINY, server.url, token, (late,))
        (joined,) = (place / "objects" / "pack").glob("*.pack")
        assert joined.with_suffix(".promisor").exists()
        assert [world.read(name) for name in names[1:7]] == [
            f"content {n}\n".encode() for n in range(1, 7)
        ]
        assert len(world.commits(heads[0], late)) == 8
    assert before.items() < objects(place).items()
    mirrors.blobs(TINY, server.url, token, (names[7],))
    again = repo.commit({"again": "1"})
    server.publish(repo)
    mirrors.sync(TINY, server.url, token, (again,))
    assert names[7] in blobs(place)


def test_no_setting_names_a_remote(repo: Repo, server: GitServer, mirrors: Mirrors) -> None:
    head = repo.commit({"a": "1"})
    server.publish(repo)
    place = mirrors.sync(TINY, server.url, token, (head,))
    text = (place / "config").read_text("utf-8")
    assert "remote" not in text and "partial" not in text.lower() and "http" not in text
    for file in place.rglob("*"):
        if file.is_file():
            assert TOKEN.encode() not in file.read_bytes()


def test_a_token_that_has_ended_is_made_again(
    repo: Repo, server: GitServer, mirrors: Mirrors
) -> None:
    head = repo.commit({"a": "1"})
    server.publish(repo)
    given = iter(["ghs_ended", TOKEN])
    place = mirrors.sync(TINY, server.url, lambda: next(given), (head,))
    assert (place / "HEAD").exists()


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ("ended", Denied, "does not take the token"),
        ("gone", Missing, "not on GitHub any more"),
        ("moved", Unavailable, "301"),
        ("down", Unavailable, "cannot be fetched"),
    ],
)
def test_what_goes_wrong_is_named(
    repo: Repo, server: GitServer, mirrors: Mirrors, change: str, error: type[BotError], said: str
) -> None:
    head = repo.commit({"a": "1"})
    server.publish(repo)
    url, wanted = server.url, (head,)
    if change == "ended":
        server.tokens.clear()
    elif change == "gone":
        wanted = ("1" * 40,)
    elif change == "moved":
        server.moved = "http://127.0.0.1:1"
    else:
        url = "http://127.0.0.1:1/acme/tiny.git"
    with pytest.raises(error) as caught:
        mirrors.sync(TINY, url, token, wanted)
    assert said in caught.value.message and caught.value.hint
    assert TOKEN not in caught.value.message
    assert [p.name for p in mirrors.folder.iterdir()] == ["7.lock"]


def test_a_fetch_that_brings_too_much_is_ended(
    repo: Repo, server: GitServer, tmp_path: Path
) -> None:
    head = repo.commit({"small": "x"})
    server.publish(repo)
    mirrors = Mirrors(tmp_path / "mirrors", 2_000_000)
    place = mirrors.sync(TINY, server.url, token, (head,))
    big = repo.commit({"big": os.urandom(40_000_000)})
    server.publish(repo)
    mirrors.sync(TINY, server.url, token, (big,))
    with pytest.raises(TooLarge, match="brings more than may be kept"):
        mirrors.blobs(TINY, server.url, token, (repo.git("rev-parse", "HEAD:big"),))
    assert not list((place / "objects" / "pack").glob("tmp_*"))
    mirrors.blobs(TINY, server.url, token, (repo.git("rev-parse", "HEAD:small"),))


def test_a_full_disk_leaves_no_half_mirror(repo: Repo, server: GitServer, tmp_path: Path) -> None:
    head = repo.commit({"a": "1"})
    server.publish(repo)
    mirrors = Mirrors(tmp_path / "mirrors", 1 << 30, reserve=1 << 60)
    with pytest.raises(CouldNotTell, match="disk of the mirrors is full"):
        mirrors.sync(TINY, server.url, token, (head,))
    assert [p.name for p in mirrors.folder.iterdir()] == ["7.lock"]


def test_a_cancelled_fetch_ends(repo: Repo, server: GitServer, mirrors: Mirrors) -> None:
    head = repo.commit({"a": "1"})
    server.publish(repo)
    server.slow = 3
    with pytest.raises(CouldNotTell, match="cancelled"):
        mirrors.sync(TINY, server.url, token, (head,), cancelled=lambda: bool(server.asked))
    server.slow = 0


def test_the_one_used_longest_ago_goes_first_and_none_in_use(
    repo: Repo, server: GitServer, mirrors: Mirrors
) -> None:
    head = repo.commit({f"f{n}": os.urandom(2000) for n in range(30)})
    server.publish(repo)
    named = [Named(n, "acme/tiny", 1) for n in (1, 2, 3)]
    for age, one in enumerate(named):
        with mirrors.hold(one):
            mirrors.sync(one, server.url, token, (head,))
        os.utime(mirrors.folder / f"{one.id}.use", (age, age))
    mirrors.max_bytes = 1
    with mirrors.hold(named[0]):
        os.utime(mirrors.folder / "1.use", (0, 0))
        mirrors.evict()
    assert sorted(p.name for p in mirrors.folder.glob("*.git")) == ["1.git"]
    mirrors.evict()
    assert not list(mirrors.folder.glob("*.git"))


def test_removing_waits_for_readers(repo: Repo, server: GitServer, mirrors: Mirrors) -> None:
    head = repo.commit({"a": "1"})
    server.publish(repo)
    with mirrors.hold(TINY):
        place = mirrors.sync(TINY, server.url, token, (head,))
        thread = threading.Thread(target=mirrors.remove, args=(TINY.id,))
        thread.start()
        thread.join(0.3)
        assert place.exists() and thread.is_alive()
    thread.join(10)
    assert not place.exists()


def test_many_at_once_over_threads_and_processes(
    repo: Repo, server: GitServer, mirrors: Mirrors
) -> None:
    heads = [repo.commit({"a": str(n)}) for n in range(6)]
    server.publish(repo)
    children = [
        subprocess.Popen(
            [sys.executable, "-c", SYNC, str(mirrors.folder), server.url, head],
            stdin=subprocess.PIPE,
        )
        for head in heads[:2]
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write(TOKEN.encode())
        child.stdin.close()
    threads = [
        threading.Thread(target=mirrors.sync, args=(TINY, server.url, token, (head,)))
        for head in heads[2:]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [child.wait() for child in children] == [0, 0]
    place = mirrors.folder / "7.git"
    assert all(git.run(place, "cat-file", "-e", head)[0] == 0 for head in heads)


def test_a_half_clone_of_a_killed_process_is_removed(
    repo: Repo, server: GitServer, mirrors: Mirrors
) -> None:
    head = repo.commit({"a": "1"})
    server.publish(repo)
    half = mirrors.folder / "7.new"
    half.mkdir()
    (half / "HEAD").write_text("ref: refs/heads/main\n")
    (mirrors.folder / ".9.git.1.1").mkdir()
    place = mirrors.sync(TINY, server.url, token, (head,))
    assert sorted(p.name for p in mirrors.folder.iterdir()) == [place.name, "7.lock"]


def test_the_token_is_nowhere_to_be_seen(
    repo: Repo, server: GitServer, mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in arguments nor in the environment of git and of what it starts."""
    head = repo.commit({"a": "1"})
    server.publish(repo)
    monkeypatch.setenv("MODELWARDEN_PRIVATE_KEY", "planted-secret")
    server.slow = 0.3
    seen: list[bytes] = []
    watched: list[bytes] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    line = (process / "cmdline").read_bytes()
                    if (process / "cwd").readlink().is_relative_to(mirrors.folder):
                        watched.append(line)
                        seen.append(line + (process / "environ").read_bytes())
                except OSError:
                    continue
            done.wait(0.02)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        mirrors.sync(TINY, server.url, token, (head,))
    finally:
        done.set()
        thread.join()
    assert any(b"remote-http" in line for line in watched)
    assert not [s for s in seen if TOKEN.encode() in s or b"planted-secret" in s]


def test_a_fetch_ends_with_a_process_that_is_killed(
    repo: Repo, server: GitServer, mirrors: Mirrors
) -> None:
    head = repo.commit({"a": "1"})
    server.publish(repo)
    server.slow = 5

    def fetching() -> list[str]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cwd").readlink().is_relative_to(mirrors.folder):
                    found.append((process / "cmdline").read_text())
            except OSError:
                continue
        return found

    with subprocess.Popen(
        [sys.executable, "-c", SYNC, str(mirrors.folder), server.url, head], stdin=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        child.stdin.write(TOKEN.encode())
        child.stdin.close()
        until(lambda: any("remote-http" in line for line in fetching()))
        child.kill()
    until(lambda: not fetching())
    server.slow = 0
    assert mirrors.sync(TINY, server.url, token, (head,)).exists()
    assert sorted(p.name for p in mirrors.folder.iterdir()) == ["7.git", "7.lock"]


@pytest.mark.parametrize(
    "url",
    [
        "http://github.com/acme/tiny.git", "ssh://git@github.com/acme/tiny.git",
        "https://user:secret@github.com/acme/tiny.git", "ext::sh -c id", "/etc",
        "https://github.com/a\nb",
    ],
)  # fmt: skip
def test_a_token_goes_to_no_other_kind_of_address(url: str) -> None:
    with pytest.raises(UsageError):
        git.Remote(url, TOKEN)


@pytest.mark.parametrize("wanted", ["main", "--upload-pack=id", "a" * 39, "refs/heads/main", ""])
def test_only_full_ids_and_pulls_are_fetched(mirrors: Mirrors, wanted: str) -> None:
    with pytest.raises(UsageError):
        mirrors.sync(TINY, "https://github.com/acme/tiny", token, (wanted,))
    with pytest.raises(UsageError):
        mirrors.blobs(TINY, "https://github.com/acme/tiny", token, (wanted,))


def test_a_branch_comes_from_this_very_repository(
    repo: Repo, server: GitServer, mirrors: Mirrors
) -> None:
    head = repo.commit({"a": "1"})
    repo.git("checkout", "-q", "--detach")
    fork = repo.commit({"log.jsonl": "evil"})
    repo.git("update-ref", "refs/pull/7/head", fork)
    repo.git("checkout", "-q", "main")
    server.publish(repo)
    with mirrors.hold(TINY):
        place = mirrors.sync(TINY, server.url, token, (head, fork, "refs/pull/7/head"))

        def bring(name: str) -> str:
            return mirrors.branch(TINY, server.url, token, name)

        assert bring("releases") == ""
        for odd in ("", "-x", "a b", "*", "releases*", "a..b", "a:b", "refs/pull/7/head"):
            assert bring(odd) == ""
        repo.git("update-ref", "refs/heads/releases", head)
        server.publish(repo)
        assert bring("releases") == head
        assert not blobs(place)
        # One that was moved follows, one that is gone goes.
        repo.git("update-ref", "refs/heads/releases", fork)
        server.publish(repo)
        assert bring("releases") == fork
        repo.git("update-ref", "-d", "refs/heads/releases")
        server.publish(repo)
        assert bring("releases") == ""
        refs = git.run(place, "for-each-ref", "--format=%(refname)", "refs/heads")[1]
        assert refs == b""
        server.tokens.clear()
        with pytest.raises(Denied):
            bring("releases")
