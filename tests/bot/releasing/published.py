"""What a release leaves on GitHub and in MLflow, as tests look at it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.github import given
from tests.bot.releasing import stored
from tests.bot.releasing.clones import git
from tests.bot.releasing.project import Project
from tests.githubfake.hub import FakeGitHub
from tests.githubfake.people import Token
from tests.githubfake.repository import Repository

TOKEN = "ghs_" + "7Hq2" * 9
RIGHTS = {"contents": "write", "metadata": "read", "pull_requests": "write", "checks": "read"}


@contextmanager
def hosted(
    at: Project, folder: Path, patch: pytest.MonkeyPatch
) -> Iterator[tuple[FakeGitHub, Repository]]:
    """Let the project live on a GitHub, and the job have a token of it."""
    with FakeGitHub(folder) as fake:
        made = fake.repository("acme/tiny")
        fake.tokens[TOKEN] = Token(
            TOKEN, fake.user(given.ACTIONS, "Bot"), float("inf"), fake.installation(made),
            dict(RIGHTS), (made.id,),
        )  # fmt: skip
        bare = made.bare.path
        git(at.origin, "push", "-q", "--force", str(bare), "main")
        at.origin.rename(at.place / "before.git")
        at.origin.symlink_to(bare)
        for name, value in (
            ("GITHUB_TOKEN", TOKEN),
            ("GITHUB_API_URL", fake.url),
            ("GITHUB_REPOSITORY", "acme/tiny"),
            ("GITHUB_ACTIONS", "true"),
        ):
            patch.setenv(name, value)
        yield fake, made
        assert not fake.violations


def in_mlflow(at: Project | stored.Project) -> dict[str, list[str]]:
    """Return model versions, runs that count and aliases, from the SQLite file itself."""
    questions = {
        "versions": "select name || ' ' || version from model_versions"
        " where current_stage != 'Deleted_Internal' order by 1",
        "runs": "select name from runs where lifecycle_stage = 'active' order by 1",
        "aliases": "select alias || ' ' || version from registered_model_aliases order by 1",
    }
    path = at.path / "mlflow.db"
    if not path.exists():
        return {name: [] for name in questions}
    with closing(sqlite3.connect(path)) as held:
        return {
            name: [row[0] for row in held.execute(question)] for name, question in questions.items()
        }
