"""Odd words for every command of `modelwarden release`: two lines, an exit code, no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bot.releasing import project as made
from tests.bot.releasing.project import Project
from tests.bot.releasing.running import Warden
from tests.gitrepo import environment

MODELWARDEN = str(Path(sys.executable).with_name("modelwarden"))
WHY = ("--reason", "it leaks")
NAMES = ("9.9.9", "", "champion", "../../etc", "v", "1.0.0\n", "\u202e1.0.0", "a" * 5000, "-x")

COMMANDS: dict[str, tuple[str, ...]] = {
    "show": ("show",),
    "get": ("get", "--output", "new"),
    "verify": ("verify",),
    "approve": ("approve", "--key", "KEY"),
    "promote": ("promote", "--expect", "", "VERSION", "champion"),
    "rollback": ("rollback", *WHY),
    "withdraw": ("withdraw", *WHY),
    "card": ("card",),
    "diff": ("show", "1.0.0", "--diff"),
}
WRONG: list[tuple[tuple[str, ...], int]] = [
    (("show", "champion", "--at", "yesterday"), 2),
    (("show", "champion", "--at", "2026-13-01"), 2),
    (("show", "champion", "--at", "9999-12-31T23:59:59+14:00"), 0),
    (("show", "champion", "--at", "0001-01-01T00:00:00-14:00"), 0),
    (("show", "1.0.0", "--at", "2026-01-01"), 2),
    (("show", "1.0.0", "--svg", "no/such/folder/x.svg"), 2),
    (("show", "1.0.0", "--svg", "."), 2),
    (("show", "--repo", "no/such/folder"), 2),
    (("show", "1.0.0", "--format", "xml"), 2),
    (("plan", "--commit", "nothing"), 2),
    (("plan", "--commit", "-x"), 2),
    (("plan", "--output", "no/such/folder/x"), 2),
    (("plan", "--waive", "="), 2),
    (("plan", "--version", "not a version"), 2),
    (("plan", "--version", "1.0.0" * 100), 2),
    (("run",), 2),
    (("run", "--key", "no.key"), 3),
    (("run", "--key", "LICENSE"), 2),
    (("run", "--key", "KEY", "--version", "../1"), 2),
    (("run", "--key", "KEY", "--version", "1.0.0", "--commit", "HEAD~1"), 2),
    (("promote", "1.0.0", "stable", "--expect", ""), 2),
    (("promote", "1.0.0", "champion"), 2),
    (("promote", "1.0.0", "champion", "--expect", "9.9.9"), 1),
    (("rollback", "challenger", "--reason", "x"), 1),
    (("rollback", "1.0.0", "--reason", "x"), 1),
    (("withdraw", "1.0.0", "--reason", "x"), 1),
    (("withdraw", "1.0.0"), 2),
    (("get", "1.0.0", "--output", "."), 2),
    (("get", "1.0.0", "--output", "no/such/folder"), 2),
    (("verify", "1.0.0", "--key", "LICENSE"), 2),
    (("verify", "1.0.0", "--key", "no.pub"), 3),
    (("card", "--model", "nothing"), 2),
    (("nothing",), 2),
]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one release; nothing here changes it."""
    at = made.make(tmp_path_factory.mktemp("cli") / "place")
    words = ("release", "run", "--key", str(at.key()))
    done = subprocess.run(
        [MODELWARDEN, *words], cwd=at.path, env=environment(), capture_output=True
    )
    assert done.returncode == 0, done.stderr
    return at.place


@pytest.fixture
def at(out: Path) -> Project:
    return Project(out)


def words(at: Project, told: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(at.key()) if word == "KEY" else word for word in told)


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
@pytest.mark.parametrize("command", COMMANDS)
def test_a_version_that_is_none(command: str, name: str, at: Project, warden: Warden) -> None:
    before = at.refs()
    told = words(at, COMMANDS[command])
    if "VERSION" in told:
        told = tuple("--" + "" if word == "VERSION" else word for word in told)
        told = (*told[:-1], name, told[-1])
    elif command == "diff":
        told = (*told, name)
    else:
        told = (*told, "--", name)
    done = warden(at, "release", *told)
    assert done.code in (1, 2)
    assert at.refs() == before
    assert "\u202e" not in done.err and len(done.err) < 2_000
    if "Usage:" not in done.err:
        assert done.error


@pytest.mark.parametrize(("told", "code"), WRONG, ids=[" ".join(w)[:60] for w, _ in WRONG])
def test_words_that_are_wrong(
    told: tuple[str, ...], code: int, at: Project, warden: Warden
) -> None:
    before = at.refs()
    done = warden(at, "release", *words(at, told))
    assert done.code == code, done.err
    assert at.refs() == before
    if code and "Usage:" not in done.err:
        assert done.error


def test_nobody_reads_to_the_end(at: Project) -> None:
    for told in (("list", "--log"), ("show", "1.0.0", "--format", "json"), ("plan",)):
        line = f"'{MODELWARDEN}' release {' '.join(told)} | head -c 1"
        done = subprocess.run(["sh", "-c", line], cwd=at.path, env=environment(),
                              capture_output=True, text=True)  # fmt: skip
        assert done.stderr.count("\n") <= 1 and "Traceback" not in done.stderr


def test_no_release_yet(alice: Project, warden: Warden) -> None:
    for told in (("show",), ("verify",), ("get", "1.0.0", "--output", "new"),
                 ("rollback", "1.0.0", *WHY), ("withdraw", "1.0.0", *WHY)):  # fmt: skip
        done = warden(alice, "release", *told)
        assert (done.code, bool(done.error)) == (2, True)
    done = warden(alice, "release", "list")
    assert (done.code, "no release of acme/tiny yet" in done.out) == (0, True)
