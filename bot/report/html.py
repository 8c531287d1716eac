"""The report as one HTML file that needs no network, no script and no other file."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from bot.exhibit import Record
from bot.finding import Finding, Level, Rule
from bot.report.markup import Safe, join, prose, tag, text, when
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
from bot.report.plots import draw
from bot.report.records import section
from bot.report.stylesheet import CSS
from bot.verdict import Outcome, Report, Verdict
from bot.wording import plural

SHOWN = 200  # findings of one group
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def render(report: Report, rules: Mapping[str, Rule], options: Options) -> str:
    """Return the whole document."""
    records = [e for v in report.verdicts for e in v.exhibits if isinstance(e, Record)]
    known = frozenset(record.digest for record in records)
    main = tag(
        "main",
        _banner(report),
        _next(report),
        _checks(report, options.timings),
        *(_check(v, known) for v in worst_first(report)),
        section(records),
        _rules(report, rules),
    )
    foot = tag("footer", tag("p", text(f"Modelwarden, report version {report.version}")))
    body = tag("body", main, foot)
    return f"<!DOCTYPE html>\n{tag('html', _head(report), body, lang='en')}\n"


def _head(report: Report) -> Safe:
    title = f"{report.outcome.upper()}: {subject(report)}"
    return join(
        (
            Safe('<head><meta charset="utf-8">'),
            Safe(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'),
            Safe('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            Safe('<meta name="referrer" content="no-referrer">'),
            tag("title", text(title)),
            Safe(f"<style>{CSS}</style></head>\n"),
        )
    )


def _badge(word: Outcome | Level) -> Safe:
    return tag("span", text(word.upper()), class_=f"badge {word}")


def _code(content: str) -> Safe:
    return tag("code", text(content))


def _banner(report: Report) -> Safe:
    change = report.change
    number = f" #{change.number}" if change.number else ""
    author = [("Author", text(change.author))] if change.author else []
    facts: list[tuple[str, Safe]] = [
        ("Repository", text(f"{change.repository}{number}")),
        *author,
        ("Base", _code(change.base[:12])),
        ("Head", _code(change.head[:12])),
        ("Changed", text(plural(len(change.files), "file"))),
        ("Policy", text(report.policy)),
    ]
    shown = join(tag("div", tag("dt", text(name)), tag("dd", value)) for name, value in facts)
    return tag(
        "header",
        tag("p", text("MODELWARDEN"), class_="brand"),
        tag("h1", _badge(report.outcome), tag("span", text(_capital(headline(report))))),
        tag("dl", shown, class_="facts"),
        class_=f"banner {report.outcome}",
    )


def _capital(line: str) -> str:
    return line[:1].upper() + line[1:]


def _next(report: Report) -> Safe:
    todo = steps(report)
    if not todo:
        waiting = report.outcome is Outcome.PENDING
        words = f"{_capital(unsettled(report))}." if waiting else "Nothing to do."
        return tag("section", tag("h2", text("What to do")), tag("p", text(words)))
    items = (
        tag(
            "li",
            tag("p", prose(group.remedy)),
            tag(
                "p",
                _link("rule" if group.findings else "check", group.rule),
                text(_where(group)),
                class_="quiet",
            ),
        )
        for group in todo
    )
    return tag("section", tag("h2", text("What to do")), tag("ol", join(items), class_="steps"))


def _where(group: Group) -> str:
    named = places(group)
    return f" at {named}" if named else ""


def _anchor(kind: str, name: str) -> str:
    return f"{kind}-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in name)


def _link(kind: str, name: str) -> Safe:
    return tag("a", text(name), href=f"#{_anchor(kind, name)}")


def _checks(report: Report, timings: bool) -> Safe:
    names = ["Check", "Verdict", "Findings", "What was judged"]
    seconds = tag("th", text("Time"), scope="col", class_="number")
    titles = join(tag("th", text(name), scope="col") for name in names)
    head = join((titles, when(timings, seconds)))
    body = join(_check_row(v, timings) for v in report.verdicts)
    table = tag("table", tag("thead", tag("tr", head)), tag("tbody", body), class_="checks")
    return tag("section", tag("h2", text("Checks")), table)


def _check_row(verdict: Verdict, timings: bool) -> Safe:
    name = _link("check", verdict.check)
    seconds = tag("td", text(f"{verdict.seconds:.2f} s"), class_="number")
    return tag(
        "tr",
        tag("th", name if _has_section(verdict) else text(verdict.check), scope="row"),
        tag("td", _badge(verdict.outcome)),
        tag("td", text(tally(verdict.findings) or "none")),
        tag("td", prose(verdict.reason), class_="reason"),
        when(timings, seconds),
    )


def _has_section(verdict: Verdict) -> bool:
    return bool(verdict.findings or verdict.exhibits or verdict.outcome is Outcome.ERROR)


def _check(verdict: Verdict, known: Container[str]) -> Safe:
    if not _has_section(verdict):
        return Safe("")
    shown = [f for f in verdict.findings if not f.waived and f.severity is not Level.NOTE]
    notes = [f for f in verdict.findings if not f.waived and f.severity is Level.NOTE]
    covered = [f for f in verdict.findings if f.waived]
    figures = [draw(e, known) for e in verdict.exhibits if not isinstance(e, Record)]
    return tag(
        "section",
        tag("h2", text(verdict.check), _badge(verdict.outcome)),
        tag("p", prose(verdict.reason), class_="quiet"),
        _groups(shown),
        when(figures, tag("div", *figures, class_="figures")),
        _folded(plural(len(notes), "note"), notes),
        _folded(plural(len(covered), "waived finding"), covered),
        id=_anchor("check", verdict.check),
    )


def _folded(title: str, findings: list[Finding]) -> Safe:
    inside = tag("details", tag("summary", text(title)), _groups(findings))
    return when(findings, inside)


def _groups(findings: Iterable[Finding]) -> Safe:
    return join(_group(g) for g in groups(findings))


def _group(group: Group) -> Safe:
    rest = len(group.findings) - SHOWN
    more = tag("li", text(f"… and {rest:,} more; the JSON report holds all"), class_="quiet")
    items = join(_finding(f) for f in group.findings[:SHOWN])
    return tag(
        "div",
        tag("h3", _badge(group.severity), _link("rule", group.rule)),
        tag("ul", items, when(rest > 0, more)),
        tag("p", tag("b", text("What to do: ")), prose(group.remedy), class_="remedy"),
        class_="group",
    )


def _finding(finding: Finding) -> Safe:
    where = place(finding.location)
    waiver = tag("p", tag("b", text("Waived: ")), text(finding.waived), class_="quiet")
    return tag(
        "li",
        when(where, _code(where)),
        prose(finding.message),
        when(finding.waived, waiver),
    )


def _rules(report: Report, rules: Mapping[str, Rule]) -> Safe:
    named = sorted({f.rule for v in report.verdicts for f in v.findings})
    if not named:
        return Safe("")
    articles = join(_rule(name, rules.get(name)) for name in named)
    return tag("section", tag("h2", text("Rules named here")), articles)


def _rule(name: str, rule: Rule | None) -> Safe:
    heading = tag("h3", _code(name))
    if rule is None:
        missing = tag("p", text("This rule has no entry in the catalogue."))
        return tag("article", heading, missing, id=_anchor("rule", name))
    parts = (("Finds", rule.finds), ("Why", rule.why), ("What to do", rule.remedy))
    facts = join(join((tag("dt", text(k)), tag("dd", prose(v)))) for k, v in parts)
    return tag("article", heading, tag("dl", facts, class_="rule"), id=_anchor("rule", name))
