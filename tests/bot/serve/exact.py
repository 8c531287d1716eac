"""What must hold once a server is at rest, whatever happened to it on the way."""

from __future__ import annotations

from collections import Counter

from bot.github.comment import MARKER
from tests.bot.serve.crashing import Server
from tests.bot.serve.stack import wait_for
from tests.githubfake import FakeGitHub
from tests.githubfake.repository import Repository


def ours(hub: FakeGitHub, repo: Repository, number: int) -> list[str]:
    """What our account wrote under a pull request, oldest first."""
    return [c.body for c in repo.thread(number) if c.author is hub.app.bot]


def runs(repo: Repository, head: str) -> dict[str, str]:
    """The newest run of each name on a commit: its conclusion, or its status."""
    made = sorted(repo.runs.values(), key=lambda run: run.id)
    return {run.name: run.conclusion or run.status for run in made if run.head_sha == head}


def verdict(repo: Repository, head: str) -> str:
    """How the run that a branch requires stands."""
    return runs(repo, head).get("modelwarden", "")


def exact(server: Server, hub: FakeGitHub, repo: Repository, failed: int = 0) -> None:
    """One run of each name and attempt, each concluded once; one comment, one answer to each.

    No job is lost: all ended, and none but `failed` without doing its work. Nothing is left over.
    """
    server.settle()  # one that dies with the last answer on its way has a job left when it is back
    once(hub, repo)
    said = server.log.read_text()[-4000:]
    assert server.failed() == failed, said
    wait_for(lambda: not server.left(), "children to end", 10)
    mirrors = server.folder / "mirrors"
    half = [*mirrors.glob("*.new"), *mirrors.glob(".*.git.*"), *mirrors.rglob("tmp_*")]
    assert not half, half
    assert hub.app.secret not in said and "Traceback" not in said, said


def once(hub: FakeGitHub, repo: Repository) -> None:
    """One of everything on GitHub, and nothing that GitHub forbids."""
    assert not hub.violations
    named = Counter(run.external_id for run in repo.runs.values())
    assert set(named.values()) <= {1}, named
    for run in repo.runs.values():
        ends = [end for status, end in run.history if status == "completed"]
        assert len(ends) == 1 and run.status == "completed", (run.name, run.history)
        marks = Counter((n["path"], n["start_line"], n["message"]) for n in run.annotations)
        assert set(marks.values()) <= {1}, (run.name, marks.most_common(3))
    for number in repo.pulls:
        texts = ours(hub, repo, number)
        assert sum(text.startswith(MARKER) for text in texts) <= 1, texts
        first = Counter(text.partition("\n")[0] for text in texts)
        assert set(first.values()) <= {1}, first
