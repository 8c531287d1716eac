"""What a message tells people to do can be done, word for word, and helps."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from tests.bot.releasing.clones import git
from tests.bot.releasing.project import POLICY, RELEASE, Project, copied
from tests.bot.releasing.running import Warden

POLICY_FILE = ".github/modelwarden.yml"


def unnamed(at: Project) -> None:
    """Leave the name of what is released to the repository."""
    import yaml

    said = {key: value for key, value in RELEASE.items() if key != "artifact"}
    at.commit({POLICY_FILE: yaml.safe_dump(POLICY | {"release": said}, sort_keys=False)})


def test_a_check_that_fails_names_the_option_that_accepts_it(
    alice: Project, warden: Warden
) -> None:
    at = alice.path
    git(at, "commit", "-q", "--allow-empty", "-m", "Nobody signed this off")
    git(at, "push", "-q", "origin", "main")
    done = warden.release(alice)
    assert done.code == 1
    assert "says fail: contributors/sign-off: commit" in done.error
    words = re.findall(r"--waive \S+=REASON", done.error)
    given = [part.replace("REASON", "a trial") for one in words for part in one.split(" ")]
    assert given == ["--waive", "contributors/sign-off=a trial"]
    done = warden.release(alice, *given)
    assert done.code == 0, done.err


def test_a_plan_of_what_is_out_says_so_and_misses_nothing(alice: Project, warden: Warden) -> None:
    (alice.path / "data/README.md").unlink()
    git(alice.path, "commit", "-q", "-s", "-a", "-m", "No licence")
    git(alice.path, "push", "-q", "origin", "main")
    plan = warden(alice, "release", "plan")
    assert (plan.code, "missing: licence of " in plan.out) == (1, True)
    (name,) = re.findall(r"^missing: (.*?):", plan.out, re.MULTILINE)
    made = warden.release(alice, "--waive", f"lineage/{name}=a trial")
    assert made.code == 0, made.err
    assert "seal: nothing: the policy seals to nobody" in made.err
    plan = warden(alice, "release", "plan")
    lines = plan.out.splitlines()
    assert (plan.code, len(lines)) == (0, 3)
    assert "released already" in lines[1]
    looked = warden(alice, *shlex.split(lines[2].partition("modelwarden ")[2]))
    assert looked.code == 0, looked.err
    assert warden(alice, "release", "plan", "--format", "json").json()["missing"] == []


def test_clones_by_other_names_release_the_same(
    alice: Project, warden: Warden, tmp_path: Path
) -> None:
    unnamed(alice)
    done = warden.release(alice, "--format", "json")
    assert done.code == 0, done.err
    assert done.json()["artifact"] == "origin"
    other = copied(alice.place, tmp_path / "elsewhere")
    (other.place / "alice").rename(other.place / "bob")
    other.name = "bob"
    assert warden(other, "release", "show", "1.0.0").code == 0


def test_a_ledger_of_another_name_says_which(alice: Project, warden: Warden) -> None:
    done = warden.release(alice)
    assert done.code == 0, done.err
    unnamed(alice)
    for words in (("show",), ("show", "1.0.0"), ("show", "--at", "2026-01-01"), ("verify",)):
        done = warden(alice, "release", *words)
        assert done.code == 2
        assert "the ledger has acme/tiny: name it in the policy, release.artifact" in done.error
    for done in (warden(alice, "release", "plan"), warden.release(alice)):
        assert (done.code, "does not name what is released" in done.error) == (2, True)


def test_a_promotion_asked_for_twice_is_told_that_it_is_done(
    alice: Project, warden: Warden
) -> None:
    assert warden.release(alice).code == 0
    done = warden(alice, "release", "promote", "1.0.0", "previous", "--expect", "")
    assert done.code == 1
    told = done.error.partition("first: modelwarden ")[2]
    assert told.endswith("champion --expect ''")
    assert warden(alice, *shlex.split(told)).code == 0
    for expected in ("", "1.0.0", "v1.0.0"):
        done = warden(alice, "release", "promote", "v1.0.0", "champion", "--expect", expected)
        assert (done.code, "points at 1.0.0 already" in done.error) == (1, True)
    assert alice.actions().count("promote") == 3  # challenger, champion, challenger no more
    moved = warden(alice, "release", "promote", "1.0.0", "challenger", "--expect", "")
    assert moved.code == 0, moved.err


def test_a_number_that_is_out_is_refused_before_any_work(alice: Project, warden: Warden) -> None:
    assert warden.release(alice).code == 0
    alice.commit({"train.py": '"""Trained once more."""\n'})
    for words in (("plan",), ("run", "--key", str(alice.key()))):
        done = warden(alice, "release", *words, "--version", "1.0.0")
        assert (done.code, "1.0.0 is released already, from" in done.error) == (1, True)
    assert not list(alice.staging.glob("*/journal.jsonl"))


def test_a_number_that_another_commit_took_meanwhile_is_no_dead_end(
    alice: Project, warden: Warden
) -> None:
    waived = ("--waive", "contributors/sign-off=a trial")
    head = alice.head()
    git(alice.path, "commit", "-q", "--allow-empty", "-m", "Nobody signed this off")
    git(alice.path, "push", "-q", "origin", "main")
    assert warden.release(alice, "--version", "1.0.0").code == 1  # begun, and stopped by the gate
    assert warden.release(alice, "--version", "1.0.0", "--commit", head).code == 0
    done = warden.release(alice, "--version", "1.0.1", *waived)
    assert "is being released as 1.0.0, not as 1.0.1" in done.error
    told = done.error.partition("first: modelwarden ")[2].replace("TEXT", "late")
    done = warden(alice, *shlex.split(told))
    assert (done.code, "taken back; another commit is 1.0.0" in done.out) == (0, True), done.err
    done = warden.release(alice, "--version", "1.0.1", *waived)
    assert done.code == 0, done.err
    assert alice.actions().count("release") == 2


def test_a_tag_that_was_moved_is_no_release(alice: Project, warden: Warden) -> None:
    assert warden.release(alice).code == 0
    alice.commit({"train.py": '"""Trained once more."""\n'})
    key = ("--key", alice.key().with_suffix(".key.pub"))
    git(alice.path, "push", "-q", "-f", "origin", "HEAD:refs/tags/v1.0.0")
    done = warden(alice, "release", "verify", "1.0.0", *key)
    assert (done.code, "the tag v1.0.0 is not at" in done.error) == (1, True)
    git(alice.path, "push", "-q", "--delete", "origin", "v1.0.0")
    assert warden(alice, "release", "verify", "1.0.0", *key).code == 1
    done = warden(alice, "release", "doctor", "--repair")
    assert done.code == 0, done.out + done.err
    assert warden(alice, "release", "verify", "1.0.0", *key).code == 0
