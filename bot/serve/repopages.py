"""The pages about one repository: its reports, its measurements over commits, its audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from bot.exhibit import Trend
from bot.github.values import Repo
from bot.report.markup import Safe, join, quiet, tag, text, when
from bot.report.neutral import harmless
from bot.report.stylesheet import CSS
from bot.serve import history
from bot.serve.contract import Event, Judged
from bot.serve.pages import ROWS, event_table, pull
from bot.serve.shell import (
    STYLE,
    badge,
    link,
    moment,
    navigation,
    page,
    pager,
    place,
    section,
    shown,
    table,
)
from bot.wording import plural


def repository(
    repo: Repo, judged: Sequence[Judged], trends: Sequence[Trend], site: str = ""
) -> str:
    """Return the page of a repository: `ROWS` reports and the first measurements.

    `site` is GitHub's address for people.
    """
    more = len(trends) - history.MEASUREMENTS
    measured = plural(len(trends), "measurement")
    return page(
        repo.name,
        _heading(repo, ""),
        when(site, tag("p", outside(site, repo, 0))),
        section(
            "Latest reports",
            _reports(repo, judged[:ROWS]),
            when(len(judged) > ROWS, tag("p", link(place("r", repo.name, "reports"), "All"))),
        ),
        section(
            "Measurements over commits",
            quiet(f"{measured} of {harmless(repo.default_branch) or 'the default branch'}."),
            when(
                not trends,
                quiet("Each push there is measured once the policy names regression.suite."),
            ),
            history.figures(trends),
            when(more > 0, tag("p", link(place("r", repo.name, "history", page=2), "More"))),
        ),
        section("Audit trail", tag("p", link(place("r", repo.name, "events"), "Who did what"))),
    )


def _heading(repo: Repo, rest: str) -> Safe:
    name = link(place("r", repo.name), repo.name) if rest else shown(repo.name)
    return tag("h1", name, shown(f": {rest}" if rest else ""))


def reports(repo: Repo, judged: Sequence[Judged], number: int) -> str:
    """Return one page of the reports; one more row than `ROWS` says that there are more."""
    path = place("r", repo.name, "reports")
    more = pager(path, number, len(judged) > ROWS)
    return page(
        f"{repo.name}: reports",
        _heading(repo, "reports"),
        section("Reports", _reports(repo, judged[:ROWS]), more),
    )


def _reports(repo: Repo, judged: Sequence[Judged]) -> Safe:
    order = {target: i for i, target in reversed(list(enumerate(j.target.number for j in judged)))}
    ranked = sorted(judged, key=lambda j: (order[j.target.number], j.part != "static"))
    rows = (
        _row(repo, number, tuple(parts))
        for number, parts in groupby(ranked, key=lambda j: j.target.number)
    )
    columns = ("Change", "Verdict", "Head", "When", "Data")
    return table("The newest report of each change", columns, rows)


def _row(repo: Repo, number: int, parts: tuple[Judged, ...]) -> tuple[Safe, ...]:
    newest = max(parts, key=lambda j: j.at)
    return (
        pull(repo.name, number),
        join(tag("div", badge(j.outcome), shown(j.title), class_="line") for j in parts),
        tag("code", shown(newest.target.head[:12])),
        moment(newest.at),
        join(data_links(repo, parts)),
    )


def outside(site: str, repo: Repo, number: int) -> Safe:
    """Return the link to a pull request, or a repository, on GitHub."""
    more = f"/pull/{number}" if number else ""
    return tag("a", text("on GitHub"), href=f"{site}{place(repo.name)}{more}", class_="nowrap")


def data_links(repo: Repo, parts: Sequence[Judged]) -> tuple[Safe, ...]:
    """Return a link to the JSON of each part."""
    return tuple(
        tag("div", link(place("r", repo.name, "pull", j.target.number, f"{j.part}.json"),
                        f"{j.part}.json"), class_="nowrap")
        for j in parts
    )  # fmt: skip


def measurements(repo: Repo, trends: Sequence[Trend], number: int) -> str:
    """Return one page of the measurements."""
    more = len(trends) > number * history.MEASUREMENTS
    return page(
        f"{repo.name}: measurements",
        _heading(repo, "measurements over commits"),
        section(
            plural(len(trends), "measurement"),
            history.figures(trends, number),
            pager(place("r", repo.name, "history"), number, more),
        ),
    )


def events(repo: Repo, rows: Sequence[Event], number: int) -> str:
    """Return one page of the audit trail; one more row than `ROWS` says that there are more."""
    more = pager(place("r", repo.name, "events"), number, len(rows) > ROWS)
    return page(
        f"{repo.name}: audit trail",
        _heading(repo, "audit trail"),
        section("Who did what", event_table(rows[:ROWS], {repo.id: repo.name}), more),
    )


def around(
    document: str, repo: Repo, parts: Sequence[Judged], note: str, site: str = "", now: str = ""
) -> str:
    """Return a report with the ways to these pages and to GitHub above it.

    `now` says what runs or waits for this change.
    """
    newest = max(parts, key=lambda j: j.at)
    number = newest.target.number
    above = navigation(
        link(place("r", repo.name), repo.name),
        tag("span", text(f"#{number}" if number else "merge queue"), text(" judged "),
            moment(newest.at)),
        when(site, outside(site, repo, number)),
        *data_links(repo, parts),
        when(note, tag("span", text(note), class_="quiet")),
        when(now, tag("b", shown(f"Now: {now}"))),
    )  # fmt: skip
    own = document.replace(f"<style>{CSS}</style>", f"<style>{STYLE}</style>", 1)
    return own.replace("<body>", f"<body>{above}", 1)
