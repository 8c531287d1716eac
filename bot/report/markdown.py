"""The report for a pull-request comment, a check run or a job summary on GitHub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from bot.exhibit import Exhibit, Histogram, IntervalPlot, Record, ScatterPlot, Table, Trend
from bot.finding import Finding, Rule
from bot.report.neutral import cut, cut_bytes
from bot.report.neutral import markdown as quote
from bot.report.numbers import SHOWN, interval_words, number, trend_rows
from bot.report.options import Options
from bot.report.outline import (
    Group,
    groups,
    headline,
    place,
    places,
    steps,
    subject,
    tally,
    unsettled,
    worst_first,
)
from bot.verdict import Outcome, Report, Verdict
from bot.wording import plural

LINE, CELL = 400, 80  # characters of one quoted text, and of one in a table
STEPS = 10
FINDINGS = (50, 10, 0)  # of one group: the most that fits is shown
ROWS, SPANS = 30, 10
RELEASES = 8  # columns of a trend
_SIGNS = {
    Outcome.PASS: "✅",
    Outcome.FAIL: "❌",
    Outcome.ERROR: "❗",
    Outcome.PENDING: "⏳",
    Outcome.SKIP: "➖",
}


def render(report: Report, rules: Mapping[str, Rule], options: Options) -> str:
    """Return at most `options.room` bytes: the verdict, what to do, then folded details."""
    head = "\n".join((*_head(report), "", *_next(report), "", *_checks(report, options.timings)))
    parts = [cut_bytes(head, options.room // 2)]
    room = options.room - len(parts[0].encode()) - 200  # for the last line
    left_out = []
    for verdict in worst_first(report):
        section = _fitting(verdict, rules, room)
        if section is None:
            left_out.append(verdict.check)
            continue
        parts.append(section)
        room -= len(section.encode()) + 2
    if left_out:
        parts.append(f"Details of {plural(len(left_out), 'check')} left out: no room.")
    return "\n\n".join(filter(None, parts)) + "\n"


def _fitting(verdict: Verdict, rules: Mapping[str, Rule], room: int) -> str | None:
    for most in FINDINGS:
        section = "\n".join(_section(verdict, rules, most))
        if len(section.encode()) + 2 <= room:
            return section
    return None


def _head(report: Report) -> list[str]:
    sign = _SIGNS[report.outcome]
    return [
        f"## {sign} {report.outcome.upper()}: {headline(report)}",
        "",
        f"Modelwarden judged {quote(subject(report), LINE)}. Policy: {quote(report.policy, LINE)}.",
    ]


def _next(report: Report) -> Iterator[str]:
    todo = steps(report)
    if not todo:
        waiting = report.outcome is Outcome.PENDING
        words = quote(unsettled(report), LINE) if waiting else "nothing"
        yield f"**What to do:** {words}."
        return
    yield "### What to do"
    for position, group in enumerate(todo[:STEPS], 1):
        where = places(group)
        named = _code(group.rule) + (f" at {quote(where, LINE)}" if where else "")
        yield f"{position}. {_prose(group.remedy)} ({named})"
    if len(todo) > STEPS:
        yield f"\n… and {plural(len(todo) - STEPS, 'more step')}, in the details below."


def _code(text: str) -> str:
    # Entities are not decoded between backticks; in an element they are.
    return f"<code>{quote(text, LINE)}</code>"


def _prose(text: str) -> str:
    """Quote a sentence; what stands between backticks becomes code."""
    parts = cut(text, LINE).split("`")
    if len(parts) % 2 == 0 or len(parts) > 2 * SPANS:  # a backtick without its partner, or a flood
        return quote(text, LINE)
    return "".join(_code(p) if i % 2 else quote(p) for i, p in enumerate(parts))


def _checks(report: Report, timings: bool) -> Iterator[str]:
    yield "| Check | Verdict | Findings | What was judged |" + (" Seconds |" if timings else "")
    yield "|---|---|---|---|" + ("---:|" if timings else "")
    for verdict in report.verdicts:
        cells = [
            quote(verdict.check, LINE),
            f"{_SIGNS[verdict.outcome]} {verdict.outcome.upper()}",
            tally(verdict.findings) or "none",
            _prose(verdict.reason),
            *([f"{verdict.seconds:.2f}"] if timings else []),
        ]
        yield "| " + " | ".join(cells) + " |"


def _section(verdict: Verdict, rules: Mapping[str, Rule], most: int) -> Iterator[str]:
    if not verdict.findings and not verdict.exhibits:
        return
    counts = tally(verdict.findings) or "no findings"
    title = f"{quote(verdict.check, LINE)}: {verdict.outcome.upper()}, {counts}"
    yield f"<details><summary>{title}</summary>"
    for group in groups(verdict.findings):
        yield ""
        yield from _group(group, rules, most)
    if most:
        for exhibit in verdict.exhibits:
            yield ""
            yield from _exhibit(exhibit)
    yield ""
    yield "</details>"


def _group(group: Group, rules: Mapping[str, Rule], most: int) -> Iterator[str]:
    rule = rules.get(group.rule)
    finds = f": {quote(rule.finds, LINE)}" if rule else ""
    yield f"**{group.severity.upper()}** {_code(group.rule)}{finds}"
    yield ""
    for finding in group.findings[:most]:
        yield f"- {_finding(finding)}"
    rest = len(group.findings) - most
    if rest > 0:
        yield f"- … {plural(rest, 'finding')} not shown for want of room"
    yield ""
    yield f"What to do: {_prose(group.remedy)}"


def _finding(finding: Finding) -> str:
    where = place(finding.location)
    parts = [*([_code(where)] if where else []), _prose(finding.message)]
    if finding.waived:
        parts.append(f"(waived: {quote(finding.waived, LINE)})")
    return " ".join(parts)


def _exhibit(exhibit: Exhibit) -> Iterator[str]:
    yield f"<b>{quote(exhibit.title, LINE)}</b>"
    yield ""
    match exhibit:
        case Table(columns=columns, rows=rows, record=record):
            yield from _table(columns, rows)
            if record:
                yield ""
                yield f"Record: {_code(record[:SHOWN])}"
        case IntervalPlot():
            yield from _intervals(exhibit)
        case ScatterPlot(points=points):
            above = sum(1 for x, y in points if y > x)
            below = sum(1 for x, y in points if y < x)
            yield f"{plural(len(points), 'point')}: head above base {above:,}, below {below:,}."
        case Histogram(x_label=label, edges=edges, counts=counts):
            heads = (f"{number(a)} to {number(b)}" for a, b in pairwise(edges))
            rows = tuple((h, f"{c:,}") for h, c in zip(heads, counts, strict=False))
            yield from _table((label, "count"), rows)
        case Trend(unit=unit, names=names):
            rows = tuple((row[0], *row[1:][-RELEASES:]) for row in trend_rows(exhibit))
            yield from _table((unit, *names[-RELEASES:]), rows)
        case Record(digest=digest, facts=facts):
            yield from _table(("record", digest[:SHOWN]), facts, LINE)
    if not isinstance(exhibit, Table | Record) and exhibit.note:
        yield ""
        yield quote(exhibit.note, LINE)


def _intervals(plot: IntervalPlot) -> Iterator[str]:
    words = interval_words(plot)
    columns = [
        ("", [w.label for w in words]),
        (plot.unit, [w.estimate for w in words]),
        ("interval", [w.span for w in words]),
        ("base → head", [w.sides for w in words]),
        ("verdict", [w.verdict for w in words]),
        ("record", [w.record for w in words]),
    ]
    shown = [c for c in columns if any(c[1]) or c[0] not in ("base → head", "record")]
    rows = zip(*(cells for _, cells in shown), strict=True)
    yield from _table(tuple(name for name, _ in shown), tuple(rows))


def _table(
    columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...], most: int = CELL
) -> Iterator[str]:
    yield "| " + " | ".join(quote(c, CELL) for c in columns) + " |"
    yield "|" + "---|" * len(columns)
    for row in rows[:ROWS]:
        yield "| " + " | ".join(quote(cell, most) for cell in row) + " |"
    if len(rows) > ROWS:
        yield ""
        yield f"… and {plural(len(rows) - ROWS, 'more row')}."
