"""The publishing action: its shell steps run for real, against a GitHub over real HTTP."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import catalog
from bot.artifact import MARKER
from bot.finding import Finding, Level
from bot.github.given import ACTIONS
from bot.report import render
from bot.verdict import Outcome, Report, Verdict
from tests.bot.report.samples import report
from tests.composite import Ran, run
from tests.githubfake import FakeGitHub
from tests.githubfake.people import Token
from tests.githubfake.pull import Pull
from tests.githubfake.records import Artifact
from tests.githubfake.repository import Repository
from tests.gitrepo import environment
from tests.storage import Storage, storage

ROOT = Path(__file__).parents[1]
ACTION = ROOT / "publish" / "action.yml"
INSTALLED = str(Path(sys.executable).parents[1])
TOKEN = "ghs_" + "7Hq2" * 9
RUN = 99
PINNED = Finding("dependencies/unpinned", Level.FAILURE, "requests is not pinned", "Pin it.")


@dataclass
class Forge:
    """A repository with a fork's pull request, and a job that may write comments on it."""

    hub: FakeGitHub
    repo: Repository
    pull: Pull
    storage: Storage
    temp: Path

    def upload(self, archive: bytes, name: str = "modelwarden") -> None:
        place = self.storage.put(archive)
        self.repo.artifacts.append(
            Artifact(self.hub.next_id(), RUN, name, len(archive), place, self.hub.clock.now())
        )

    def event(self, head: str = "") -> dict[str, Any]:
        """What GitHub says when the fork's workflow ends."""
        here = {"id": self.repo.id, "full_name": self.repo.full_name}
        there = {"id": self.pull.repository.id, "full_name": self.pull.repository.full_name}
        return {
            "action": "completed",
            "workflow_run": {
                "id": RUN, "event": "pull_request", "head_sha": head or self.pull.head,
                "head_branch": "$(touch pwned)", "pull_requests": [], "repository": here,
                "head_repository": there,
                "html_url": f"https://github.com/{self.repo.full_name}/actions/runs/{RUN}",
            },
            "repository": here,
        }  # fmt: skip

    def act(self, event: dict[str, Any] | None = None, token: str = TOKEN) -> Ran:
        self.temp.mkdir(exist_ok=True)
        words = environment() | {
            "GITHUB_API_URL": self.hub.url, "GITHUB_REPOSITORY": self.repo.full_name,
            "PYTHONPATH": str(self.temp),
        }  # fmt: skip
        ran = run(
            ACTION, {"modelwarden": INSTALLED}, event or self.event(), temp=self.temp,
            workspace=self.temp, environment=words, token=token,
        )  # fmt: skip
        assert TOKEN not in ran.log and TOKEN not in ran.summary
        for path in self.temp.rglob("*"):  # and on no disk
            assert path.is_dir() or TOKEN.encode() not in path.read_bytes(), path
        assert not any(self.storage.shown)
        return ran

    @property
    def shown(self) -> list[str]:
        """The comments of the pull request."""
        return [c.body for c in self.repo.thread(self.pull.number)]


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[Forge]:
    with FakeGitHub(tmp_path) as hub, storage() as kept:
        repo = hub.repository("acme/tiny")
        pull = repo.pull(author="mallory", branch="x", files={"a.py": "1\n"}, fork=True)
        rights = {"actions": "read", "metadata": "read", "pull_requests": "write"}
        hub.tokens[TOKEN] = Token(
            TOKEN, hub.user(ACTIONS, "Bot"), float("inf"), hub.installation(repo), rights,
            (repo.id,),
        )  # fmt: skip
        yield Forge(hub, repo, pull, kept, tmp_path / "temp")
        assert not hub.violations


def judged(forge: Forge, *findings: Finding, **change: Any) -> Report:
    """A report of the pull request."""
    of: dict[str, Any] = {
        "head": forge.pull.head,
        "base": forge.pull.base_sha,
        "number": forge.pull.number,
    }
    outcome = Outcome.FAIL if findings else Outcome.PASS
    made = replace(report(), change=replace(report().change, **(of | change)))
    return replace(made, verdicts=(Verdict("dependencies", outcome, findings),))


def packed(given: Report | bytes, name: str = "report.json") -> bytes:
    data = io.BytesIO()
    text = given if isinstance(given, bytes) else render(given, "json", catalog.rules()).encode()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return data.getvalue()


def test_a_forks_result_is_shown_and_edited_in_place(forge: Forge) -> None:
    forge.repo.comment(forge.pull.number, "mallory", f"{MARKER}\nmine")
    forge.upload(packed(judged(forge, PINNED)))
    ran = forge.act()
    assert ran.code == 0, ran.log
    assert ran.log.endswith(f"Shown on pull request {forge.pull.number}.\n")
    theirs, ours = forge.shown
    assert theirs == f"{MARKER}\nmine"
    assert ours.startswith(
        f"{MARKER}\n## Not proof: the workflow of this pull request reports FAIL"
    )
    assert "dependencies/unpinned" in ours and "requests is not pinned" not in ours
    assert forge.repo.thread(forge.pull.number)[1].author.login == ACTIONS

    assert forge.act().code == 0  # the same again changes nothing
    assert not forge.hub.asked("PATCH") and len(forge.hub.asked("POST")) == 1

    forge.upload(packed(judged(forge)))  # run again: the newest archive counts
    assert forge.act().code == 0
    theirs, ours = forge.shown
    assert "reports PASS" in ours
    assert len(forge.hub.asked("PATCH")) == 1
    assert not forge.repo.runs and not forge.repo.statuses  # nothing a branch could require
    assert forge.storage.shown == [None, None, None]


def test_a_run_that_left_nothing_shows_nothing(forge: Forge) -> None:
    forge.upload(packed(judged(forge)), name="coverage")
    ran = forge.act()
    assert (ran.code, forge.shown) == (0, [])
    assert "Nothing to show" in ran.log


def test_what_was_pushed_over_or_closed_shows_nothing(forge: Forge) -> None:
    event = forge.event()
    forge.upload(packed(judged(forge, PINNED)))
    forge.pull.push({"b.py": "2\n"})
    ran = forge.act(event)
    assert (ran.code, forge.shown) == (0, []), ran.log
    assert "Nothing is shown: no open pull request has the head" in ran.log
    forge.pull.close()
    assert (forge.act(forge.event()).code, forge.shown) == (0, [])


def spoilt(forge: Forge) -> bytes:
    """A report whose names are commands to the runner, were they printed as lines."""
    data = json.loads(render(judged(forge), "json", catalog.rules()))
    data["verdicts"][0] |= {"check": "x\n::error::owned", "seconds": -1.0}
    return packed(json.dumps(data).encode())


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (lambda forge: b"PK" + b"x" * 5_000, "not a plain zip archive"),
        (lambda forge: packed(judged(forge), "../report.json"), "other files than"),
        (lambda forge: packed(b" " * 21_000_000), "more than 20,000,000 bytes"),
        (lambda forge: packed(b'{"\\n::error::owned": 1}'), "not a report"),
        (spoilt, "owned"),
        (lambda forge: packed(judged(forge, head="c" * 40)), "another commit than the run"),
        (lambda forge: packed(judged(forge, number=7_000)), "another pull request"),
    ],
    ids=["no zip", "a path", "a bomb", "a key", "a name", "another head", "another number"],
)
def test_a_hostile_archive_is_refused_in_one_line(
    forge: Forge, archive: Callable[[Forge], bytes], words: str
) -> None:
    forge.upload(archive(forge))
    ran = forge.act()
    assert (ran.code, forge.shown) == (3, [])
    line, hint = ran.log.splitlines()
    assert line.startswith("modelwarden: ") and words in line
    assert hint.startswith(("  look at the run", "  run the check again"))
    assert not forge.hub.asked("POST")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("event", "workflow_dispatch"),
        ("head_sha", "main"),
        ("html_url", "javascript:alert(1)"),
        ("repository", {"id": 5}),
    ],
)
def test_another_event_shows_nothing(forge: Forge, path: str, value: Any) -> None:
    forge.upload(packed(judged(forge)))
    event = forge.event()
    event["workflow_run"][path] = value
    ran = forge.act(event)
    assert (ran.code, forge.shown) == (3, []), ran.log
    assert ran.log.startswith("modelwarden: ") and len(ran.log.splitlines()) == 2


def test_the_event_of_another_repository_shows_nothing(forge: Forge) -> None:
    forge.upload(packed(judged(forge)))
    event = forge.event()
    for part in (event, event["workflow_run"]):
        part["repository"] = {"id": 12345, "full_name": forge.repo.full_name}
    ran = forge.act(event)
    assert (ran.code, forge.shown) == (3, [])
    assert "another repository than the token" in ran.log


def test_a_token_that_may_not_write_says_which_rights_it_lacks(forge: Forge) -> None:
    forge.hub.tokens[TOKEN].permissions = {"actions": "read", "pull_requests": "read"}
    forge.upload(packed(judged(forge)))
    ran = forge.act()
    assert (ran.code, forge.shown) == (3, [])
    assert "`pull-requests: write`" in ran.log


def test_without_a_token_nothing_is_asked(forge: Forge) -> None:
    forge.upload(packed(judged(forge)))
    assert forge.act(token="").code != 0
    assert forge.shown == []


def test_its_inputs_are_on_the_page() -> None:
    page = (ROOT / "docs" / "action.md").read_text()
    for name in yaml.safe_load(ACTION.read_text())["inputs"]:
        assert f"`{name}`" in page, name
