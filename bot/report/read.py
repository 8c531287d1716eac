"""The JSON report read back, as a stranger's: bounded, strict, and at one with itself.

It comes from a process that parsed a stranger's files, or from a workflow of a fork. Whoever
loads one holds what it says of the change against what was asked: a report may be well formed
and about something else. Its texts are not harmless yet: `bot.report.render` makes them so.

What was written comes back equal, but for numbers that JSON cannot hold, and for time, which
is rounded to milliseconds and zero where none was written.
"""

from __future__ import annotations

import re
from typing import cast

from bot.change import Change, FileChange, TreeEntry
from bot.errors import CouldNotTell
from bot.finding import Finding, Level, Location
from bot.report.exhibitread import exhibit, fault
from bot.report.json import ChangeData, EntryData, FindingData, ReportData, VerdictData
from bot.report.neutral import TEXT_LIMIT, redact
from bot.report.shape import ShapeError, check
from bot.verdict import WORST_FIRST, Outcome, Report, Verdict, outcome_of
from security import strictjson

LIMIT = 20_000_000  # bytes
FILES, FINDINGS, EXHIBITS, VERDICTS = 200_000, 100_000, 1_000, 100
TEXT = 10 * TEXT_LIMIT + 100  # an escape takes up to ten characters; what was cut is said
_MOST = 2**53  # the last whole number that every reader of JSON agrees on

_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MODE = re.compile(r"[0-7]{6}")
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_RULE = re.compile(rf"{_SLUG.pattern}(?:/{_SLUG.pattern})?")


class BadReport(CouldNotTell):
    """The bytes are no report that Modelwarden writes; nothing of them is used."""

    def __init__(self, message: str) -> None:
        super().__init__(
            f"not a report of Modelwarden: {message}",
            "run the check again with this version; if it stays, report it",
        )


def load(data: bytes, *, limit: int = LIMIT) -> Report:
    """Return the report that `bot.report.json` wrote as these bytes. Raises BadReport."""
    read = _parsed(data, limit)
    if len(read["verdicts"]) > VERDICTS or not read["verdicts"]:
        raise BadReport(f"{len(read['verdicts']):,} verdicts")
    _bound("findings", sum(len(v["findings"]) for v in read["verdicts"]), FINDINGS)
    _bound("exhibits", sum(len(v["exhibits"]) for v in read["verdicts"]), EXHIBITS)
    verdicts = tuple(map(_verdict, read["verdicts"]))
    if len({v.check for v in verdicts}) != len(verdicts):
        raise BadReport("two verdicts of one check")
    report = Report(_change(read["change"]), read["policy"], verdicts)
    if (read["outcome"], read["exit_code"]) != (report.outcome.value, report.exit_code):
        raise BadReport("its outcome is not what its verdicts give")
    return report


def _parsed(data: bytes, limit: int) -> ReportData:
    try:
        value = strictjson.loads(data, limit=limit)
        check(value, ReportData, TEXT)  # the types that it is written by are the one format
    except (strictjson.StrictJSONError, ShapeError) as error:
        raise BadReport(_line(str(error))) from error
    return cast(ReportData, value)


def _change(data: ChangeData) -> Change:
    for name in (data["base"], data["head"], data["merge_base"]):
        _match(_ID, name, "object id")
    _bound("files", len(data["files"]), FILES)
    _whole(data["number"], "number of a pull request")
    files = tuple(
        FileChange(
            file["path"],
            _entry(file["path"], file["before"]),
            _entry(file["path"], file["after"]),
        )
        for file in data["files"]
    )
    if any(f.before is None and f.after is None for f in files):
        raise BadReport("a file that is on neither side")
    return Change(
        data["repository"],
        data["base"],
        data["head"],
        data["merge_base"],
        files,
        data["number"],
        data["author"],
    )


def _entry(path: str, data: EntryData | None) -> TreeEntry | None:
    if data is None:
        return None
    _match(_MODE, data["mode"], "file mode")
    _match(_ID, data["blob"], "object id")
    return TreeEntry(path, data["mode"], data["blob"])


def _verdict(data: VerdictData) -> Verdict:
    _match(_SLUG, data["check"], "name of a check")
    findings = tuple(map(_finding, data["findings"]))
    for shown in data["exhibits"]:
        if wrong := fault(shown):
            raise BadReport(f"{data['check']}: a {shown['kind']} with {wrong}")
    seconds = data.get("seconds", 0.0)
    if not 0 <= seconds <= _MOST:
        raise BadReport(f"{data['check']}: a time that no check takes")
    outcome, needed = Outcome(data["outcome"]), outcome_of(findings)
    if needed is not Outcome.PASS and _rank(outcome) > _rank(needed):
        raise BadReport(f"{data['check']}: {outcome} in spite of what it found")
    exhibits = tuple(map(exhibit, data["exhibits"]))
    return Verdict(data["check"], outcome, findings, data["reason"], exhibits, float(seconds))


def _rank(outcome: Outcome) -> int:
    return WORST_FIRST.index(outcome)


def _finding(data: FindingData) -> Finding:
    _match(_RULE, data["rule"], "rule")
    place = data["location"]
    _whole(place["line"], "line")
    found = Finding(
        data["rule"],
        Level(data["severity"]),
        data["message"],
        data["remedy"],
        Location(place["path"], place["line"], place["commit"]),
        data["waived"],
    )
    if place["commit"]:
        _match(_ID, place["commit"], "commit")
    if data["blocks"] is not found.counts:
        raise BadReport(f"{found.rule}: says itself wrongly whether it blocks")
    return found


def _match(pattern: re.Pattern[str], text: str, what: str) -> None:
    if not pattern.fullmatch(text):
        raise BadReport(_line(f"{text[:40]!r} is no {what}"))


def _whole(value: int, what: str) -> None:
    if not 0 <= value <= _MOST:
        raise BadReport(f"a {what} out of range")


def _bound(what: str, count: int, most: int) -> None:
    if count > most:
        raise BadReport(f"{count:,} {what}, more than {most:,}")


def _line(text: str) -> str:
    """Return one line that a terminal may print: keys in it are a stranger's."""
    return redact(ascii(text)[1:-1])[:300]
