"""Rows for pages: real ones of a review, and hostile ones in every field that somebody writes."""

from __future__ import annotations

from bot.change import Change
from bot.exhibit import Table
from bot.finding import Finding, Level, Location
from bot.github.values import Repo, Target
from bot.report import render
from bot.serve.contract import Event, Judged, Point, Waiting
from bot.serve.records import Records
from bot.verdict import Outcome, Report, Verdict

REPO = Repo(11, "acme/tiny", 3, "main")
OTHER = Repo(12, "acme/hidden", 3, "main")
BASE, HEAD = "b" * 40, "a" * 40
AT = 1_790_000_000.0
BAD = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&<!--\u202e\x1b[31m"


def target(number: int, repo: Repo = REPO, head: str = HEAD) -> Target:
    return Target(repo, number, head, BASE)


def report(
    *verdicts: Verdict, words: str = "a fine change", number: int = 7, head: str = HEAD
) -> bytes:
    """A report as the flows keep it."""
    own = verdicts or (
        Verdict("weights", Outcome.FAIL, (
            Finding("weights/pickle", Level.FAILURE, words, words, Location(words, 3)),
        ), words, (Table(words, (words, "b"), ((words, "2"),)),)),
    )  # fmt: skip
    made = Report(Change(words, BASE, head, BASE, (), number, words), words, own)
    return render(made, "json", {}).encode()


def judged(
    number: int, at: float = AT, *, part: str = "static", outcome: str = "fail",
    title: str = "1 finding fails", repo: Repo = REPO, words: str = "a fine change",
) -> Judged:  # fmt: skip
    kept = report(words=words, number=number)
    return Judged(target(number, repo), part, kept, outcome, title, at)


def hostile(records: Records) -> tuple[Waiting, ...]:
    """Fill every table with text that breaks out where it is not quoted; return such jobs."""
    repo = Repo(66, "acme/bad", 3, BAD)
    records.keep(judged(7, repo=repo, title=BAD, words=BAD, outcome=BAD))
    records.keep(judged(8, repo=repo, title=BAD, words=BAD, part="measure"))
    records.measured(tuple(Point(66, f"{i}" * 40, AT + i, BAD, i / 7, 0.0, 1.0) for i in range(3)))
    records.note(Event(AT, 66, 7, BAD, BAD, BAD))
    return (
        Waiting(BAD, BAD, BAD, 1, AT, BAD),
        Waiting(BAD, BAD, BAD, 0, AT, f"{BAD}/x#7", BAD),
        Waiting("k", "judge", "web", 2, AT, "acme/bad#7"),
    )
