"""The pages about the server itself: pure functions of rows, to whole documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.github.values import Repo
from bot.report.markup import Safe, join, tag, text, when
from bot.serve.contract import Event, Judged, Waiting
from bot.serve.queueing import DeadLetter
from bot.serve.shell import (
    SHORT,
    badge,
    brief,
    link,
    moment,
    page,
    pager,
    place,
    section,
    shown,
    table,
)
from bot.wording import plural

ROWS = 50  # of one page of a list
FEW = 10  # of a list on the status page


@dataclass(frozen=True, slots=True)
class Overview:
    """What the status page shows. `reasons` are why the server is not ready; () where it is."""

    reasons: tuple[str, ...]
    dry_run: bool
    worker: str
    jobs: tuple[Waiting, ...]
    repositories: tuple[tuple[Repo, Judged | None], ...]  # with the newest report of each
    events: tuple[Event, ...]
    limited: bool = False  # not everything is shown to this viewer


def status(view: Overview) -> str:
    """Return the first page."""
    names = {repo.id: repo.name for repo, _ in view.repositories}
    running = [j for j in view.jobs if not j.position]
    waiting = [j for j in view.jobs if j.position]
    more = len(waiting) - FEW
    return page(
        "Status",
        _banner(view, len(running), len(waiting)),
        section(
            "Jobs",
            tag("h3", text("Running")),
            _running(running[:FEW]),
            tag("h3", text("Waiting")),
            _waiting(waiting[:FEW]),
            when(max(more, len(running) - FEW) > 0, tag("p", link("/queue", "The whole queue"))),
        ),
        section("Repositories", _repositories(view)),
        section("Lately", event_table(view.events[:FEW], names)),
    )


def _banner(view: Overview, running: int, waiting: int) -> Safe:
    word, outcome = ("Not ready", "error") if view.reasons else ("Ready", "pass")
    dry = "Dry run: nothing is published on GitHub; reports are here and in the log alone."
    limited = "Only public repositories are shown; the operator's token shows the others."
    facts = (
        ("Running", plural(running, "job")),
        ("Waiting", plural(waiting, "job")),
        ("Repositories", f"{len(view.repositories):,}"),
        ("This process", {"all": "web and jobs", "gpu": "GPU jobs"}.get(view.worker, view.worker)),
    )
    listed = join(tag("div", tag("dt", text(k)), tag("dd", text(v))) for k, v in facts)
    return tag(
        "header",
        tag("h1", tag("span", text(word.upper()), class_=f"badge {outcome}"), _headline(view)),
        when(view.reasons, tag("ul", *(tag("li", shown(r)) for r in view.reasons))),
        when(view.dry_run, tag("p", text(dry))),
        when(view.limited, tag("p", text(limited))),
        tag("dl", listed, class_="facts"),
        class_=f"banner {outcome}",
    )


def _headline(view: Overview) -> Safe:
    if view.reasons:
        return tag("span", text("Not everything works"))
    return tag("span", text("Everything works"))


def _repositories(view: Overview) -> Safe:
    rows = (
        (
            link(place("r", repo.name), repo.name),
            text("–") if judged is None else badge(judged.outcome),
            text("–") if judged is None else pull(repo.name, judged.target.number),
            moment(judged.at if judged else 0.0),
        )
        for repo, judged in view.repositories
    )
    columns = ("Repository", "Latest verdict", "On", "When")
    return table("Repositories with reports or measurements", columns, rows)


def pull(name: str, number: int) -> Safe:
    """Return a link to the report of a pull request, 0 for what the merge queue judged last."""
    label = f"#{number}" if number else "merge queue"
    return tag("a", text(label), href=place("r", name, "pull", number), class_="nowrap")


def queue(jobs: Sequence[Waiting], number: int, failed: Sequence[DeadLetter] = ()) -> str:
    """Return what runs, what waits (`ROWS` a page), and what ended without doing its work."""
    running = [j for j in jobs if not j.position]
    waiting = [j for j in jobs if j.position]
    part = waiting[(number - 1) * ROWS : number * ROWS]
    more = len(waiting) > number * ROWS
    return page(
        "Queue",
        tag("h1", text("Queue")),
        section(f"Running: {plural(len(running), 'job')}", _running(running[:ROWS])),
        section(
            f"Waiting: {plural(len(waiting), 'job')}",
            _waiting(part),
            pager("/queue", number, more),
        ),
        when(failed, section(f"Failed: {plural(len(failed), 'job')}", _failed(failed[:ROWS]))),
    )


def _failed(jobs: Sequence[DeadLetter]) -> Safe:
    rows = (
        (shown(str(j.payload.get("about", "–"))), shown(j.kind), shown(j.why), moment(j.at))
        for j in jobs
    )
    return table("Jobs that did not do their work", ("About", "Job", "Why", "Ended"), rows)


def _running(jobs: Sequence[Waiting]) -> Safe:
    rows = (
        (_about(j), shown(j.kind), shown(j.queue), shown(j.worker or "–"), moment(j.since))
        for j in jobs
    )
    return table("Running jobs", ("About", "Job", "Queue", "Worker", "Since"), rows)


def _waiting(jobs: Sequence[Waiting]) -> Safe:
    rows = (
        (_about(j), shown(j.kind), shown(j.queue), text(f"{j.position:,}"), moment(j.since))
        for j in jobs
    )
    return table("Waiting jobs", ("About", "Job", "Queue", "Position", "Since"), rows)


def under_way(jobs: Sequence[Waiting]) -> str:
    """Say what becomes of a change now: what runs, and what waits at which position."""
    said = (
        f"{j.kind} waits, number {j.position:,} of the queue {j.queue}"
        if j.position
        else f"{j.kind} runs"
        for j in jobs
    )
    return "; ".join(said)


def not_yet(name: str, number: int, jobs: Sequence[Waiting]) -> str:
    """Return the page of a change that has no report yet."""
    title = f"{name}#{number}: no report yet"
    words = f"Now: {under_way(jobs)}. Load this page again in a minute."
    return page(title, tag("h1", shown(title)), section("What to do", tag("p", shown(words))))


def _about(job: Waiting) -> Safe:
    name, mark, number = job.about.rpartition("#")
    if mark and number.isascii() and number.isdigit() and name.count("/") == 1:
        return link(place("r", name, "pull", int(number)), job.about)
    return shown(job.about or "–")


def event_table(rows: Sequence[Event], names: Mapping[int, str]) -> Safe:
    """Return lines of the audit trail; `names` are repositories by id."""
    lines = (
        (moment(e.at), _where(e, names), brief(e.actor), brief(e.what), _words(e.detail))
        for e in rows
    )
    return table("Events, the newest first", ("When", "Where", "Who", "What", "Detail"), lines)


def _words(content: str) -> Safe:
    return tag("div", shown(content), class_="words") if len(content) > SHORT else brief(content)


def _where(event: Event, names: Mapping[int, str]) -> Safe:
    name = names.get(event.repo, "")
    if not name:
        return text("–")
    if not event.number:
        return link(place("r", name), name)
    return link(place("r", name, "pull", event.number), f"{name}#{event.number}")


def refusal(title: str, words: str) -> str:
    """Return a page that says why there is none."""
    return page(title, tag("h1", text(title)), section("What to do", tag("p", shown(words))))
