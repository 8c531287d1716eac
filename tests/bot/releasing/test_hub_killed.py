"""A release on GitHub that is killed, cut or meddled with: nothing lost, nothing doubled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.github import releases, uploads
from tests.bot.releasing.hosting import Hosted, job
from tests.bot.releasing.killing import at_event, die, killed
from tests.bot.releasing.project import Project
from tests.bot.releasing.running import Done, Warden
from tests.githubfake.pull import Pull
from tests.githubfake.records import Asset

INDEX = "modelwarden-assets.json"
Plant = Callable[[Path], None]


def before(owner: type | object, name: str, count: int, *, after: bool = False) -> Plant:
    """Die at the call of this number of a function, before it or after."""

    def plant(place: Path) -> None:
        real, seen = getattr(owner, name), []

        def called(*words: object, **more: object) -> object:
            seen.append(name)
            if len(seen) == count and not after:
                die()
            result = real(*words, **more)
            if len(seen) == count:
                die()
            return result

        setattr(owner, name, called)

    return plant


def half_sent(place: Path) -> None:
    """Die in the middle of the weights."""
    read = uploads.Reader.read

    def sent(self: uploads.Reader, size: int = -1) -> bytes:
        if self._part.name == "model.safetensors":
            if self._left < self._part.size:
                die()
            return read(self, 1000)
        return read(self, size)

    uploads.Reader.read = sent  # type: ignore[method-assign]


def merged(at: Hosted) -> tuple[Pull, str]:
    pull = at.merged()
    assert pull.merge_sha is not None
    return pull, pull.merge_sha


def again(at: Hosted, warden: Warden, machine: Project, commit: str, run: int = 7001) -> Done:
    with job(at.fake, run):
        return warden.release(machine, "--commit", commit)


def once(at: Hosted, pull: Pull) -> None:
    """One release, whole, published, of the bytes of the ledger; said once."""
    assert not at.one.draft and at.home.latest == at.one.id and at.home.tags_made == []
    assert {a.state for a in at.one.assets} == {"uploaded"}
    held = {a.name: hashlib.sha256(a.data).hexdigest() for a in at.one.assets}
    assert len(held) == len(at.one.assets)
    index = json.loads(next(a.data for a in at.one.assets if a.name == INDEX))
    parts = {p["name"]: p["sha256"] for f in index["files"] for p in f["parts"]}
    assert held == parts | {name: held[name] for name in (INDEX, "SHA256SUMS")}
    (entry,) = [e for e in at.mine.log() if e["action"] == "release"]
    assert held["release__release.json"] == entry["details"]["document"]
    assert at.mine.actions().count("claim") == 1
    assert len(at.said(pull)) == 1


KILLS: dict[str, Plant] = {
    "after the draft": before(releases.Releases, "draft", 1, after=True),
    "in an asset": half_sent,
    "upload is over": at_event("done", "upload", torn=True),
    "it is out, unsaid": at_event("done", "record", torn=True),
    "it is out": at_event("done", "record"),
    "before it is public": before(releases.Releases, "publish", 1),
    "after it is public": before(releases.Releases, "publish", 1, after=True),
    "before the end": at_event("done", "announce"),
}


# Each takes seconds: what a machine that is still there meets, and what a new one does.
HERE = ("after the draft", "upload is over", "it is out", "after it is public", "before the end")
FRESH = ("in an asset", "it is out, unsaid", "before it is public")


@pytest.mark.parametrize(
    ("kill", "fresh"),
    [*((kill, False) for kill in HERE), *((kill, True) for kill in FRESH)],
    ids=lambda value: {False: "here", True: "elsewhere"}.get(value, value),
)
def test_killed_anywhere_the_same_run_goes_on(
    at: Hosted, warden: Warden, kill: str, fresh: bool
) -> None:
    pull, commit = merged(at)
    machine = at.runner(commit)
    with job(at.fake):
        assert killed(machine, KILLS[kill], "--commit", commit) == -9
    done = again(at, warden, at.runner(commit) if fresh else machine, commit)
    assert done.code == 0, done.err
    once(at, pull)


def test_what_was_sent_is_not_sent_again(at: Hosted, warden: Warden) -> None:
    _, commit = merged(at)
    machine = at.runner(commit)
    with job(at.fake):
        assert killed(machine, before(uploads, "send", 9), "--commit", commit) == -9
    kept = [a.id for a in at.one.assets]
    assert len(kept) == 8
    assert again(at, warden, machine, commit).code == 0
    assert [a.id for a in at.one.assets][:8] == kept


def test_another_run_may_finish_what_is_out(at: Hosted, warden: Warden) -> None:
    """Nothing is claimed any more: whoever may release publishes what lies there."""
    pull, commit = merged(at)
    with job(at.fake):
        assert killed(at.runner(commit), at_event("begin", "announce"), "--commit", commit) == -9
    done = again(at, warden, at.runner(commit), commit, run=7002)
    assert done.code == 0, done.err
    once(at, pull)


def test_what_changes_after_it_is_out_changes_nothing(at: Hosted, warden: Warden) -> None:
    """A late review would be in the documents, and a check that fails now would shut the gate."""
    pull, commit = merged(at)
    machine = at.runner(commit)
    with job(at.fake):
        assert killed(machine, at_event("done", "record"), "--commit", commit) == -9
    at.home.grant("bob", "write")
    pull.review("bob")
    done = again(at, warden, machine, commit)
    assert done.code == 0, done.err
    once(at, pull)


def test_who_was_overtaken_leaves_what_is_out_alone(at: Hosted, warden: Warden) -> None:
    pull, commit = merged(at)
    late = at.runner(commit)
    with job(at.fake):
        assert killed(late, before(uploads, "send", 3), "--commit", commit) == -9
    with job(at.fake, 7002):
        done = warden.release(at.runner(commit), "--commit", commit, "--take-over")
    assert done.code == 0, done.err
    held = [(a.id, a.digest) for a in at.one.assets]
    done = again(at, warden, late, commit)
    assert done.code == 1 and "is released already" in done.error
    assert [(a.id, a.digest) for a in at.one.assets] == held
    assert len(at.said(pull)) == 1


def lost(found: list[Asset]) -> None:
    found[:] = [a for a in found if a.name != "config.json"]


def other_index(found: list[Asset]) -> None:
    (one,) = [a for a in found if a.name == INDEX]
    wrong = hashlib.sha256(b"x").hexdigest()
    (config,) = [a for a in found if a.name == "config.json"]
    one.data = one.data.replace(config.digest.encode(), wrong.encode())
    one.digest = hashlib.sha256(one.data).hexdigest()


def unsigned(found: list[Asset]) -> None:
    (one,) = [a for a in found if a.name == "model.sig"]
    one.data, one.digest = b"{}", hashlib.sha256(b"{}").hexdigest()


@pytest.mark.parametrize("meddle", [lost, other_index, unsigned])
def test_a_draft_that_is_not_what_was_released_is_made_so_or_stays(
    at: Hosted, warden: Warden, meddle: Callable[[list[Asset]], None]
) -> None:
    pull, commit = merged(at)
    machine = at.runner(commit)
    with job(at.fake):
        assert killed(machine, at_event("begin", "announce"), "--commit", commit) == -9
    meddle(at.one.assets)
    done = again(at, warden, at.runner(commit), commit)  # has none of the files
    assert done.code in (1, 3) and done.error
    assert at.one.draft and at.said(pull) == []
    done = again(at, warden, machine, commit)  # has them
    assert done.code == 0, done.err
    once(at, pull)


@pytest.mark.parametrize(("kind", "skip"), [("cut", 3), ("502-after-store", 0)])
def test_an_upload_that_is_cut_is_made_good_at_once(
    at: Hosted, warden: Warden, kind: str, skip: int
) -> None:
    pull, commit = merged(at)
    struck = at.fake.fault("POST", "/assets$", kind, skip=skip)
    done = again(at, warden, at.runner(commit), commit)
    assert done.code == 0, done.err
    assert struck.hits == 1
    once(at, pull)


@pytest.mark.parametrize("path", ["/assets$", "/comments$"])
def test_a_github_that_is_down_is_one_message_and_the_next_run_goes_on(
    at: Hosted, warden: Warden, path: str
) -> None:
    pull, commit = merged(at)
    at.fake.fault("*", path, "503", times=99)
    done = again(at, warden, at.runner(commit), commit)
    assert done.code == 3 and done.error
    at.fake.faults.clear()
    done = again(at, warden, at.runner(commit), commit)
    assert done.code == 0, done.err
    once(at, pull)


def test_a_draft_deleted_before_it_was_public_is_made_again(at: Hosted, warden: Warden) -> None:
    pull, commit = merged(at)
    machine = at.runner(commit)
    with job(at.fake):
        assert killed(machine, at_event("begin", "announce"), "--commit", commit) == -9
    at.home.releases.clear()
    done = again(at, warden, at.runner(commit), commit)
    assert done.code == 1 and "GitHub has no release of it" in done.error
    assert again(at, warden, machine, commit).code == 0
    once(at, pull)


def test_a_draft_deleted_while_it_is_filled_is_one_message(at: Hosted, warden: Warden) -> None:
    pull, commit = merged(at)
    at.fake.fault("POST", "/assets$", "call-before", skip=3, then=at.home.releases.clear)
    done = again(at, warden, at.runner(commit), commit)
    assert done.code != 0 and "was deleted meanwhile" in done.error
    assert again(at, warden, at.runner(commit), commit).code == 0
    once(at, pull)


def test_published_by_hand_before_it_was_out(at: Hosted, warden: Warden) -> None:
    """Somebody presses the button of our draft while it is filled: it is filled all the same."""
    pull, commit = merged(at)

    def press() -> None:
        at.one.draft, at.home.latest = False, at.one.id

    at.fake.fault("POST", "/assets$", "call-before", skip=3, then=press)
    done = again(at, warden, at.runner(commit), commit)
    assert done.code == 0, done.err
    once(at, pull)


def test_taken_back_it_leaves_nothing_on_github(at: Hosted, warden: Warden) -> None:
    _, commit = merged(at)
    machine = at.runner(commit)
    with job(at.fake):
        assert killed(machine, before(uploads, "send", 5), "--commit", commit) == -9
        assert len(at.releases) == 1
        done = warden(machine, "release", "rollback", "1.0.0", "--reason", "not yet")
    assert done.code == 0, done.err
    assert at.releases == [] and at.mine.actions() == ["claim", "abandon"]
    assert again(at, warden, at.runner(commit), commit, run=7002).code == 0
