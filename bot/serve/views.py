"""From a request for a page to its text: who asks, which rows, which page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.errors import BotError
from bot.finding import Rule
from bot.github.appside import web
from bot.github.values import Repo
from bot.people import dump_signatures
from bot.serve import kept, pages, repopages
from bot.serve.access import Viewer
from bot.serve.contract import Event, Jobs, Judged, Waiting
from bot.serve.history import trends
from bot.serve.pages import ROWS
from bot.serve.queueing import DeadLetter
from bot.serve.ready import Ready
from bot.serve.records import Records
from bot.serve.settings import Settings
from bot.verdict import Outcome

PAGES = 40  # of a list, at most
POINTS = 5_000  # newest measurements of a repository
REPOSITORIES = 200  # on the status page


class NoPage(Exception):
    """There is no such page, or not for this viewer."""


@dataclass(frozen=True, slots=True)
class Views:
    """The pages as text. Every method blocks on the database; the app calls it in a thread."""

    settings: Settings
    records: Records
    jobs: Jobs
    ready: Ready
    rules: Mapping[str, Rule]
    failed: Callable[[], tuple[DeadLetter, ...]] = lambda: ()

    def status(self, viewer: Viewer) -> str:
        """Return the first page."""
        repositories = self._repositories(viewer)[:REPOSITORIES]
        latest = tuple((r, next(iter(self.records.latest(r.id, 1)), None)) for r in repositories)
        events: list[Event] = []
        for repo in repositories:
            events += self.records.events(repo.id, pages.FEW)
        return pages.status(
            pages.Overview(
                self.ready.reasons(),
                self.settings.dry_run,
                self.settings.worker,
                self._jobs(viewer),
                latest,
                tuple(sorted(events, key=lambda e: -e.at)[: pages.FEW]),
                limited=not viewer.all,
            )
        )

    def queue(self, viewer: Viewer, number: int) -> str:
        """Return one page of the queue."""
        failed = self.failed() if viewer.all else ()
        return pages.queue(self._jobs(viewer), number, failed)

    def repository(self, viewer: Viewer, name: str) -> str:
        """Return the page of a repository. Raises NoPage."""
        repo = self._repo(viewer, name)
        found = trends(self.records.points(repo.id, POINTS))
        latest = self.records.latest(repo.id, ROWS + 1)
        return repopages.repository(repo, latest, found, web(self.settings.github_url))

    def listing(self, viewer: Viewer, name: str, what: str, number: int) -> str:
        """Return one page of a repository's reports, history or events. Raises NoPage."""
        repo = self._repo(viewer, name)
        first, limit = (number - 1) * ROWS, number * ROWS + 1
        if what == "reports":
            return repopages.reports(repo, self.records.latest(repo.id, limit)[first:], number)
        if what == "events":
            return repopages.events(repo, self.records.events(repo.id, limit)[first:], number)
        if what == "history":
            found = trends(self.records.points(repo.id, POINTS))
            return repopages.measurements(repo, found, number)
        raise NoPage

    def pull(self, viewer: Viewer, name: str, number: int) -> str:
        """Return the report of a pull request, and what runs or waits for it. Raises NoPage."""
        about = f"{name}#{number}".lower()
        jobs = tuple(j for j in self._jobs(viewer) if j.about.lower() == about)
        try:
            repo = self._repo(viewer, name)
            parts = self._parts(repo, number)
        except NoPage:
            if not jobs:
                raise
            return pages.not_yet(name, number, jobs)
        try:
            document, note = kept.document(parts, self.rules)
        except BotError as error:
            return pages.refusal(f"{name}: this report cannot be shown", error.hint)
        now = pages.under_way(jobs)
        if not now and max(parts, key=lambda j: j.at).outcome == Outcome.PENDING:
            now = "it waits; the comment on GitHub says for what, and for whom"
        site = web(self.settings.github_url)
        return repopages.around(document, repo, parts, note, site, now)

    def data(self, viewer: Viewer, name: str, number: int, part: str) -> bytes:
        """Return the JSON of one part. Raises NoPage."""
        for judged in self._parts(self._repo(viewer, name), number):
            if judged.part == part:
                return judged.report
        raise NoPage

    def signatures(self, viewer: Viewer, name: str) -> bytes:
        """Return who signed the contributor agreement, one JSON object a line. Raises NoPage."""
        return dump_signatures(self.records.signatures(self._repo(viewer, name).id))

    def jobs_now(self) -> tuple[tuple[Waiting, ...], int]:
        """Return every job, and how many ended without doing their work, for the numbers."""
        return self.jobs.waiting(), len(self.failed())

    def readiness(self) -> tuple[int, bytes]:
        """Return status and JSON of /readyz."""
        reasons = self.ready.reasons()
        body = json.dumps({"ready": not reasons, "reasons": list(reasons)})
        return (503 if reasons else 200), body.encode() + b"\n"

    def _parts(self, repo: Repo, number: int) -> tuple[Judged, ...]:
        parts = self.records.latest(repo.id, 8, number)
        if not parts:
            raise NoPage
        return parts

    def _repo(self, viewer: Viewer, name: str) -> Repo:
        if viewer.sees(name):
            for repo in self.records.repos():
                if repo.name.lower() == name.lower():
                    return repo
        raise NoPage

    def _repositories(self, viewer: Viewer) -> tuple[Repo, ...]:
        return tuple(r for r in self.records.repos() if viewer.sees(r.name))

    def _jobs(self, viewer: Viewer) -> tuple[Waiting, ...]:
        return tuple(j for j in self.jobs.waiting() if viewer.sees(j.about.rpartition("#")[0]))
