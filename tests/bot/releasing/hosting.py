"""The project of these tests on a GitHub, and jobs of its workflow that release from there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import stamina
import yaml

from bot.github import given
from tests.bot.releasing.clones import git
from tests.bot.releasing.project import ROOT, Project, copied
from tests.githubfake.hub import FakeGitHub
from tests.githubfake.people import Token
from tests.githubfake.pull import Pull
from tests.githubfake.records import Release
from tests.githubfake.repository import Repository

NAME = "acme/tiny"
SECRET = "ghs_" + "9Vx1" * 9
WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / "examples/workflows/release.yml").read_text())
JOB: dict[str, Any] = WORKFLOW["jobs"]["release"]
STEP: dict[str, Any] = JOB["steps"][-1]
TOLD = "acme/tiny/.github/workflows/release.yml@refs/heads/main"


@dataclass
class Hosted:
    """The project as a repository on `fake`; `place` also holds its DVC remote and its clones."""

    fake: FakeGitHub
    home: Repository
    place: Path
    runners: list[Project] = field(default_factory=list)

    @property
    def mine(self) -> Project:
        """A maintainer's own clone, over the disk."""
        return Project(self.place)

    def pull(
        self, files: Mapping[str, str | bytes] | None = None, *, author: str = "carol",
        label: str = "release",
    ) -> Pull:  # fmt: skip
        """A pull request of somebody, labelled."""
        branch = f"change-{self.home.next_number()}"
        made = self.home.pull(author, branch, files or {f"notes/{branch}.md": "More.\n"})
        made.labels += [label] if label else []
        return made

    def merged(self, files: Mapping[str, str | bytes] | None = None) -> Pull:
        """A pull request that octavia merged."""
        made = self.pull(files)
        self.home.grant("octavia", "maintain")
        made.merge("octavia")
        return made

    def runner(self, commit: str) -> Project:
        """A fresh machine with the checkout that the workflow asks for; no branch, no origin/HEAD.

        It comes by git over HTTP with the token, and the token does not stay.
        """
        found = Project(self.place, f"runner-{len(self.runners)}")
        self.runners.append(found)
        git(self.place, "init", "-q", "-b", "main", found.name)
        git(found.path, "remote", "add", "origin", f"{self.fake.url}/{NAME}")
        shutil.copy(Project(self.place).key(), found.key())
        git(
            found.path, "-c", "credential.helper=!f() { echo username=x; echo password=" + SECRET
            + "; }; f", "fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*",
            "+refs/tags/*:refs/tags/*",
        )  # fmt: skip
        git(found.path, "checkout", "-q", "--detach", commit)
        return found

    @property
    def releases(self) -> list[Release]:
        return self.home.releases

    @property
    def one(self) -> Release:
        """The only release that there is."""
        (found,) = self.home.releases
        return found

    def said(self, pull: Pull) -> list[str]:
        """What was said in a pull request by the workflow, without the marks."""
        thread = self.home.thread(pull.number)
        ours = (c.body for c in thread if c.author.login == given.ACTIONS)
        return [body.partition("\n")[2].strip() for body in ours]


def hosted(fake: FakeGitHub, seed: Path, place: Path) -> Hosted:
    """Put a copy of the project on a GitHub: its remote is the repository there."""
    at = copied(seed, place)
    shutil.copytree(at.cache, at.store, dirs_exist_ok=True)
    home = fake.repository(NAME)
    git(at.path, "push", "-q", "--force", str(home.bare.path), "main")
    shutil.rmtree(at.origin)
    at.origin.symlink_to(home.bare.path)
    rights = {name.replace("-", "_"): level for name, level in JOB["permissions"].items()}
    fake.tokens[SECRET] = Token(
        SECRET, fake.user(given.ACTIONS, "Bot"), float("inf"), fake.installation(home),
        {"metadata": "read"} | rights, (home.id,),
    )  # fmt: skip
    return Hosted(fake, home, place)


def variables(fake: FakeGitHub, run: int = 7001, actor: str = "octavia") -> dict[str, str]:
    """What GitHub Actions and the workflow's last step put into the environment."""
    own = {name: str(text) for name, text in STEP["env"].items() if name.startswith("GIT_")}
    server = {
        name: text.replace("${{ github.server_url }}", fake.url) for name, text in own.items()
    }
    assert not any("${{" in text for text in server.values())
    return server | {
        "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_TOKEN": SECRET,
        "GITHUB_REPOSITORY": NAME, "GITHUB_API_URL": fake.url, "GITHUB_SERVER_URL": fake.url,
        "GITHUB_RUN_ID": str(run), "GITHUB_JOB": "release", "GITHUB_ACTOR": actor,
        "GITHUB_WORKFLOW_REF": TOLD, "GIT_TERMINAL_PROMPT": "0",
    }  # fmt: skip


@contextmanager
def job(fake: FakeGitHub, run: int = 7001, actor: str = "octavia") -> Iterator[None]:
    """Be a step of a run of the workflow."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("GIT_", "GITHUB_"))]:
            if name not in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
                patch.delenv(name)
        for name, text in variables(fake, run, actor).items():
            patch.setenv(name, text)
        yield


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as made, stamina.set_testing(True, attempts=4, cap=True):
        yield made
        assert not made.violations


@pytest.fixture
def at(github: FakeGitHub, seed: Path, tmp_path: Path) -> Hosted:
    """A copy of the project on a GitHub, nothing of it released."""
    return hosted(github, seed, tmp_path / "place")
