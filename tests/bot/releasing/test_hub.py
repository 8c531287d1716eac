"""`release run` as a job of the workflow: drafted, filled, published, and said where it belongs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.bot.releasing.clones import git
from tests.bot.releasing.hosting import SECRET, TOLD, Hosted, job
from tests.bot.releasing.project import policy, trust
from tests.bot.releasing.running import Done, Warden
from tests.githubfake.pull import Pull

INDEX = "modelwarden-assets.json"


def sha(pull: Pull) -> str:
    assert pull.merge_sha is not None
    return pull.merge_sha


def released(at: Hosted, warden: Warden, pull: Pull, *words: str, run: int = 7001) -> Done:
    """Run the job of a merge on a fresh machine."""
    with job(at.fake, run):
        return warden.release(at.runner(sha(pull)), "--commit", sha(pull), *words)


def asset(at: Hosted, name: str) -> Any:
    (found,) = [a for a in at.one.assets if a.name == name]
    return json.loads(found.data)


def test_what_is_merged_is_released_and_said_once(at: Hosted, warden: Warden) -> None:
    pull = at.merged()
    done = released(at, warden, pull)
    assert done.code == 0, done.err
    assert (at.one.draft, at.one.tag, at.one.target) == (False, "v1.0.0", sha(pull))
    assert at.home.latest == at.one.id and at.home.tags_made == []
    assert at.home.bare.git("rev-parse", "v1.0.0^{commit}") == sha(pull)
    index = asset(at, INDEX)
    named = {p["name"]: p["sha256"] for f in index["files"] for p in f["parts"]}
    held = {a.name: hashlib.sha256(a.data).hexdigest() for a in at.one.assets}
    assert held == named | {n: held[n] for n in (INDEX, "SHA256SUMS")}
    (said,) = at.said(pull)
    page = "https://github.com/acme/tiny/releases/tag/v1.0.0"
    root = next(e["details"]["root"] for e in at.mine.log() if e["action"] == "release")
    assert page in done.out and page in said and root in said
    assert f"modelwarden verify {page} --key KEY.pub" in said
    (claim,) = [e for e in at.mine.log() if e["action"] == "claim"]
    assert (claim["actor"], claim["details"]["holder"]) == ("octavia", "actions-7001-release")


def test_provenance_names_the_workflow_and_its_run(at: Hosted, warden: Warden) -> None:
    assert released(at, warden, at.merged()).code == 0
    run = asset(at, "release__provenance.json")["runDetails"]
    assert run["builder"]["id"] == f"{at.fake.url}/{TOLD}"
    assert run["metadata"]["invocationId"] == f"{at.fake.url}/acme/tiny/actions/runs/7001"


def test_the_token_is_nowhere(at: Hosted, warden: Warden) -> None:
    done = released(at, warden, at.merged())
    assert SECRET not in done.out + done.err
    for path in at.place.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
    assert not any(SECRET.encode() in a.data for a in at.one.assets)
    assert SECRET not in at.one.body


def test_it_is_verified_from_its_address(at: Hosted, warden: Warden, tmp_path: Path) -> None:
    assert released(at, warden, at.merged()).code == 0
    key = at.mine.key().with_suffix(".key.pub")
    for way in ("download/v1.0.0", "latest/download"):
        url = f"{at.fake.url}/acme/tiny/releases/{way}/{INDEX}"
        output = tmp_path / way.replace("/", "-")
        done = warden(at.mine, "verify", url, "--key", key, "--output", output)
        assert done.code == 0, done.err
        assert (output / "model.safetensors").is_file()
        assert (output / "release/release.json").is_file()
    stranger = at.mine.key("mallory").with_suffix(".key.pub")
    assert warden(at.mine, "verify", url, "--key", stranger).code == 1
    (found,) = [a for a in at.one.assets if a.name == "config.json"]
    found.data = found.data.replace(b"320", b"321")
    done = warden(at.mine, "verify", url, "--key", key)
    assert done.code == 1 and "config.json" in done.err


def test_the_same_run_again_is_well_another_is_told(at: Hosted, warden: Warden) -> None:
    pull = at.merged()
    assert released(at, warden, pull).code == 0
    before, entries = len(at.fake.requests), len(at.mine.log())
    assert released(at, warden, pull).code == 0
    other = released(at, warden, pull, run=7002)
    assert other.code == 1 and "is released already, from this commit" in other.error
    writes = {r.method for r in at.fake.requests[before:] if not r.path.endswith("git-upload-pack")}
    assert writes == {"GET"}
    assert len(at.mine.log()) == entries and len(at.said(pull)) == 1


def test_one_run_at_a_time_has_a_version(at: Hosted, warden: Warden) -> None:
    """The first is stopped in its upload; only the same run, or who takes over, goes on."""
    pull = at.merged()
    at.fake.fault("POST", "/releases$", "401-expired", times=9)
    assert released(at, warden, pull).code != 0
    at.fake.faults.clear()
    other = released(at, warden, pull, run=7002)
    assert other.code == 1 and "actions-7001-release" in other.error
    assert at.releases == []
    assert released(at, warden, pull).code == 0
    assert at.mine.actions().count("claim") == 1
    later = at.merged()
    at.fake.fault("POST", "/releases$", "401-expired", times=9)
    assert released(at, warden, later, run=7003).code != 0
    at.fake.faults.clear()
    done = released(at, warden, later, "--take-over", run=7004)
    assert done.code == 0, done.err
    assert [r.draft for r in at.releases] == [False, False]
    assert at.mine.actions().count("abandon") == 1


# Who agreed, and what was checked


def ruled(at: Hosted, *, trusted: str = "", **release: Any) -> None:
    """Put a policy, and a trust file, on the main branch."""
    files = {".github/modelwarden.yml": policy(**release)}
    at.home.commit(files | ({".github/trust.toml": trusted} if trusted else {}))


@pytest.mark.parametrize(
    ("role", "who", "state", "counts"),
    [
        ("write", "bob", "APPROVED", True),
        ("read", "bob", "APPROVED", False),
        ("write", "bob", "CHANGES_REQUESTED", False),
        ("write", "carol", "APPROVED", False),  # its author
        ("write", "octavia", "APPROVED", False),  # who releases it
    ],
)
def test_reviews_are_approvals(
    at: Hosted, warden: Warden, role: str, who: str, state: str, counts: bool
) -> None:
    ruled(at, approvals=1)
    at.home.grant(who, role)
    pull = at.pull()
    pull.review(who, state)
    pull.merge("octavia")
    done = released(at, warden, pull)
    if counts:
        assert done.code == 0, done.err
        (said,) = [e for e in at.mine.log() if e["details"].get("how") == "review"]
        assert (said["action"], said["actor"]) == ("approve", "bob")
        return
    assert done.code == 1 and "1 other person than octavia must agree" in done.error
    assert at.releases == [] and at.mine.log() == []


def test_a_review_of_an_older_head_or_a_bot_is_none(at: Hosted, warden: Warden) -> None:
    ruled(at, approvals=1)
    at.home.grant("bob", "write")
    pull = at.pull()
    pull.review("bob")
    pull.push({"b.md": "Later.\n"})
    at.home.roles["robot[bot]"] = "write"
    at.fake.user("robot[bot]", "Bot")
    pull.review("robot[bot]")
    pull.merge("robot[bot]")  # nor is it an approval to press the button
    done = released(at, warden, pull)
    assert done.code == 1 and "1 other person than octavia must agree" in done.error


def test_who_signs_and_approves_by_an_account_is_one_person(at: Hosted, warden: Warden) -> None:
    """alice's key signs; that she also approved as Alice-GH is not a second person."""
    ruled(at, approvals=1, trusted=trust(at.mine))
    pulls = []
    for who in ("Alice-GH", "Bob-GH"):
        at.home.grant(who, "write")
        pull = at.pull()
        pull.review(who)
        pull.merge("octavia")
        pulls.append(pull)
    done = released(at, warden, pulls[0])
    assert done.code == 1 and "more than alice must agree" in done.error
    assert at.releases == []
    with job(at.fake, 7001):
        done = warden(at.runners[0], "release", "rollback", "1.0.0", "--reason", "nobody agreed")
    assert done.code == 0, done.err
    done = released(at, warden, pulls[1], run=7002)
    assert done.code == 0, done.err
    assert [e["actor"] for e in at.mine.log() if e["details"].get("how") == "review"] == ["bob"]
    assert "--trust .github/trust.toml" in at.said(pulls[1])[0]


@pytest.mark.parametrize(
    ("head", "merge", "why"),
    [
        ("success", "", ""),
        ("failure", "success", ""),  # what ran on the merged commit counts
        ("success", "failure", "ci ended with failure"),
        ("success", "pending", "ci is still running"),
        ("skipped", "", "ci ended with skipped"),
        ("", "", "no check run ci"),
    ],
)
def test_required_checks_are_those_of_the_commit(
    at: Hosted, warden: Warden, head: str, merge: str, why: str
) -> None:
    ruled(at, required=["ci"])
    pull = at.pull()
    for said, commit in ((head, pull.head), (merge, pull.merge("octavia"))):
        if said:
            made = at.home.foreign_run("ci", commit, said)
            if said == "pending":
                made.status, made.conclusion = "in_progress", None
    done = released(at, warden, pull)
    if not why:
        assert done.code == 0, done.err
        return
    assert done.code == 1 and why in done.error
    assert at.releases == [] and at.mine.log() == []
    waived = released(at, warden, pull, "--waive", "ci=the runner was broken")
    assert waived.code == 0, waived.err


def test_a_commit_of_no_pull_request_has_no_checks_and_no_announcement(
    at: Hosted, warden: Warden
) -> None:
    ruled(at, required=["ci"])
    commit = at.home.commit({"a.md": "Pushed.\n"})
    with job(at.fake):
        done = warden.release(at.runner(commit), "--commit", commit)
        assert done.code == 1 and "no check run ci" in done.error
        at.home.commit({".github/modelwarden.yml": policy()})
        commit = at.home.head()
        assert warden.release(at.runner(commit), "--commit", commit).code == 0
    assert not at.one.draft and not at.home.comments


# Versions, and other people


def test_an_older_line_is_not_the_latest(at: Hosted, warden: Warden) -> None:
    first, between, newest = at.merged(), at.merged(), at.merged()
    for pull, version, run in ((first, "1.0.0", 1), (newest, "2.0.0", 2), (between, "1.0.1", 3)):
        done = released(at, warden, pull, "--version", version, run=run)
        assert done.code == 0, done.err
    shown = {r.id: r.tag for r in at.releases}
    assert shown[at.home.latest] == "v2.0.0" and len(shown) == 3
    assert [len(at.said(pull)) for pull in (first, between, newest)] == [1, 1, 1]


def test_a_prerelease_is_never_the_latest(at: Hosted, warden: Warden) -> None:
    assert released(at, warden, at.merged(), "--version", "1.0.0").code == 0
    done = released(at, warden, at.merged(), "--version", "1.1.0-rc.1", run=2)
    assert done.code == 0, done.err
    assert {r.tag: r.prerelease for r in at.releases} == {"v1.0.0": False, "v1.1.0-rc.1": True}
    assert next(r.tag for r in at.releases if r.id == at.home.latest) == "v1.0.0"


def test_a_release_that_somebody_made_by_hand_is_not_touched(at: Hosted, warden: Warden) -> None:
    from tests.githubfake.records import Release

    theirs = Release(9, "v1.0.0", "main", "Mine", "by hand", True, False,
                     at.fake.user("ann"), at.fake.clock.now())  # fmt: skip
    at.home.releases.append(theirs)
    pull = at.merged()
    done = released(at, warden, pull)
    assert done.code != 0 and "is on GitHub that is not of this release" in done.error
    assert at.releases == [theirs] and "release" not in at.mine.actions()
    at.home.releases.clear()
    assert released(at, warden, pull).code == 0


@pytest.mark.parametrize("lost", ["contents", "pull_requests", "checks"])
def test_a_token_that_lacks_a_right_says_so(at: Hosted, warden: Warden, lost: str) -> None:
    ruled(at, required=["ci"])
    pull = at.merged()
    at.home.foreign_run("ci", sha(pull))
    at.home.private = True
    rights = at.fake.tokens[SECRET].permissions
    kept = rights.pop(lost)
    if lost == "contents":
        rights[lost] = "read"
    done = released(at, warden, pull)
    assert done.code != 0 and done.error
    assert not [r for r in at.releases if not r.draft]
    rights[lost] = kept
    assert released(at, warden, pull).code == 0
    assert len(at.releases) == 1 and len(at.said(pull)) == 1


def test_without_a_token_there_is_no_release_on_github(at: Hosted, warden: Warden) -> None:
    pull = at.merged()
    git(at.mine.path, "pull", "-q", "--rebase", "origin", "main")
    done = warden.release(at.mine, "--commit", sha(pull))
    assert done.code == 0, done.err
    assert at.releases == [] and not at.home.comments
