"""The report for a terminal: the verdict, one line for each check, what is wrong, what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from bot.exhibit import Histogram, Record, ScatterPlot
from bot.finding import Finding, Level, Rule
from bot.report.bars import draw, pad
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

SHOWN = 20  # findings of one group, unless verbose
STEPS = 8
_BOLD, _DIM, _RED, _GREEN, _YELLOW, _BLUE = "1", "2", "31", "32", "33", "34"
_OUTCOME_COLOURS = {
    Outcome.PASS: _GREEN,
    Outcome.FAIL: _RED,
    Outcome.ERROR: _RED,
    Outcome.PENDING: _YELLOW,
    Outcome.SKIP: _DIM,
}
_LEVEL_COLOURS = {
    Level.UNKNOWN: _RED,
    Level.FAILURE: _RED,
    Level.WARNING: _YELLOW,
    Level.NOTE: _BLUE,
}


@dataclass(frozen=True, slots=True)
class _Screen:
    """A terminal: how wide it is, and whether it shows colours."""

    width: int
    colour: bool

    def paint(self, text: str, *codes: str) -> str:
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self.colour else text

    def fold(self, text: str, indent: str, first: str | None = None) -> list[str]:
        return textwrap.wrap(
            text,
            max(self.width, 40),
            initial_indent=indent if first is None else first,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )


def render(report: Report, rules: Mapping[str, Rule], options: Options) -> str:
    """Return the report as lines of text."""
    screen = _Screen(options.width, options.colour)
    ordered = worst_first(report)
    blocks = [
        _head(report, screen),
        _checks(report, screen, options.timings),
        *(_section(v, rules, screen, options.verbose) for v in ordered),
        _next(report, screen),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _word(outcome: Outcome, screen: _Screen, width: int = 0) -> str:
    return screen.paint(f"{outcome.upper():{width}}", _BOLD, _OUTCOME_COLOURS[outcome])


def _head(report: Report, screen: _Screen) -> list[str]:
    line = f"{_word(report.outcome, screen)}  {screen.paint(headline(report), _BOLD)}"
    about = f"{subject(report)}; policy: {report.policy}"
    return [line, *(screen.paint(part, _DIM) for part in screen.fold(about, ""))]


def _checks(report: Report, screen: _Screen, timings: bool) -> list[str]:
    width = max((len(v.check) for v in report.verdicts), default=0)
    lines = []
    for verdict in report.verdicts:
        parts = [tally(verdict.findings), verdict.reason]
        if timings:
            parts.append(f"{verdict.seconds:.2f} s")
        text = "; ".join(filter(None, parts))
        first, *rest = screen.fold(text, " " * (width + 13)) or [""]
        name = pad(verdict.check, width)
        lines.append(f"  {_word(verdict.outcome, screen, 7)}  {name}  {first.lstrip()}".rstrip())
        lines.extend(rest)
    return lines


def _section(
    verdict: Verdict, rules: Mapping[str, Rule], screen: _Screen, verbose: bool
) -> list[str]:
    shown = tuple(f for f in verdict.findings if verbose or _matters(f))
    folded = tuple(f for f in verdict.findings if not (verbose or _matters(f)))
    if not shown and not verdict.exhibits:
        return []
    lines = [f"{screen.paint(verdict.check, _BOLD)}  {_word(verdict.outcome, screen)}"]
    for group in groups(shown):
        lines += _group(group, rules, screen, verbose)
    if folded:
        lines += ["", screen.paint(f"  {tally(folded)} not shown (--verbose shows them)", _DIM)]
    for exhibit in verdict.exhibits:
        if not verbose and isinstance(exhibit, ScatterPlot | Histogram | Record):
            continue  # better seen in the HTML report
        title, *rest = draw(exhibit, screen.width - 2)
        lines += ["", f"  {screen.paint(title, _BOLD)}", *(f"  {line}" for line in rest)]
    return lines


def _matters(finding: Finding) -> bool:
    return not finding.waived and finding.severity is not Level.NOTE


def _group(group: Group, rules: Mapping[str, Rule], screen: _Screen, verbose: bool) -> list[str]:
    level = screen.paint(group.severity.upper(), _BOLD, _LEVEL_COLOURS[group.severity])
    rule = rules.get(group.rule)
    finds = screen.paint(f"  {rule.finds}", _DIM) if rule else ""
    lines = ["", f"  {level}  {group.rule}{finds}"]
    most = len(group.findings) if verbose else SHOWN
    for finding in group.findings[:most]:
        lines += _finding(finding, screen)
    rest = len(group.findings) - most
    if rest > 0:
        lines.append(f"    … and {rest:,} more (--verbose shows them)")
    return lines + screen.fold(group.remedy, " " * 9, "    Fix: ")


def _finding(finding: Finding, screen: _Screen) -> list[str]:
    where = place(finding.location)
    waiver = [f"waived: {finding.waived}"] if finding.waived else []
    text = "; ".join([finding.message, *waiver])
    if not where:
        return screen.fold(text, "      ", "    ")
    if len(where) + len(text) + 6 <= screen.width:
        return [f"    {screen.paint(where, _BOLD)}  {text}"]
    return [f"    {screen.paint(where, _BOLD)}", *screen.fold(text, "      ")]


def _next(report: Report, screen: _Screen) -> list[str]:
    todo = steps(report)
    if not todo:
        waiting = report.outcome is Outcome.PENDING
        return [f"Next: {unsettled(report)}." if waiting else "Next: nothing to do."]
    lines = [screen.paint("Next", _BOLD)]
    for number, group in enumerate(todo[:STEPS], 1):
        where = places(group)
        text = f"{group.remedy} ({where})" if where else f"{group.remedy} ({group.rule})"
        lines += screen.fold(text, "     ", f"  {number}. ")
    if len(todo) > STEPS:
        lines.append(f"     … and {plural(len(todo) - STEPS, 'more step')}, listed above")
    named = next((g.rule for g in todo if g.findings), "")
    tip = f"`modelwarden rules {named}` explains a rule; " if named else ""
    return [*lines, *screen.fold(f"{tip}then run the same command again.", "  ")]
