"""Decides what a value found weighs, by what it is and where it stands."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from bot.checks.dependencies.shown import shown
from bot.checks.secrets import rules
from bot.checks.secrets.baseline import identifier
from bot.checks.secrets.evidence import Evidence, Place
from bot.checks.secrets.settings import Settings
from bot.finding import Finding, Level, Location
from bot.wording import plural
from security.secrets import BY_ID, Hit, Kind

SHOWN = 100  # findings of one kind in one file
_DATA = (".csv", ".tsv", ".jsonl", ".ndjson", ".log", ".sql", ".vcf", ".eml", ".mbox", ".conll",
         ".arff")  # fmt: skip
_MAYBE = (".txt", ".json", ".yaml", ".yml", ".xml", ".md", ".ipynb", ".html", "")
_FOLDERS = frozenset(("data", "dataset", "datasets", "corpus", "corpora", "raw"))
_TRIALS = frozenset(("test", "tests", "testing", "example", "examples", "docs", "doc", "fixtures"))
# Files whose purpose is to name people.
_PEOPLE = (
    "authors", "contributors", "maintainers", "codeowners", "citation", ".mailmap", "notice",
    "license", "licence", "copying", "code_of_conduct", "security", "support", "governance",
    "pyproject.toml", "setup.py", "setup.cfg", "package.json", "cargo.toml", "changelog",
    "history", "readme", "pkg-info", "funding",
)  # fmt: skip


def is_data(path: str) -> bool:
    """Whether a path is that of data rather than of code or a document."""
    low = path.lower().removesuffix(".gz")
    suffix = posixpath.splitext(low)[1]
    folders = set(low.split("/")[:-1])
    return suffix in _DATA or (suffix in _MAYBE and bool(folders & _FOLDERS))


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Weigh everything that was found and everything that was not read."""
    findings: list[Finding] = []
    known = frozenset(evidence.baseline)
    for place in evidence.places:
        findings += _place(place, known, settings)
    for place in evidence.messages:
        for hit in place.hits:
            if hit.rule not in settings.allow_kinds:
                text = f"the commit message holds {_said(hit)}"
                findings.append(rules.CREDENTIAL.at(text, Location(commit=place.commit)))
    for place in evidence.passing:
        findings += _passing(place, known, settings)
    for path, reason in evidence.unread:
        findings.append(rules.UNREAD.at(f"not scanned: {shown(reason)}", Location(path)))
    for path, reason in evidence.doubt:
        findings.append(rules.UNREAD.at(shown(reason), Location(path), remedy=_remedy(path)))
    for path, reason in evidence.unseen:
        findings.append(rules.UNSEEN.at(f"{shown(path)} was not scanned: {reason}", Location(path)))
    return tuple(findings)


def _remedy(path: str) -> str:
    if path:
        return "Write the baseline anew: modelwarden watch secrets --update"
    return "Split the change."


def _place(place: Place, known: frozenset[str], settings: Settings) -> Iterator[Finding]:
    counts = dict(place.more)
    told: dict[tuple[str, Level], int] = {}
    for hit in place.hits:
        level = _level(hit, place.path, settings)
        if level is None:
            counts.pop(hit.rule, None)
            continue
        kind = rules.CREDENTIAL if BY_ID[hit.rule].kind is Kind.SECRET else rules.PERSONAL
        note = ""
        if hit.mark in place.old:
            kind, level, note = rules.KNOWN, Level.NOTE, ", as the base did"
        elif identifier(hit.mark, place.path) in known:
            kind, level, note = rules.KNOWN, Level.NOTE, ", which the baseline accepts"
        told[hit.rule, level] = told.get((hit.rule, level), 0) + 1
        if told[hit.rule, level] <= SHOWN:
            where = Location(place.path, hit.line)
            yield kind.at(f"column {hit.column} holds {_said(hit)}{note}", where, level=level)
    for (rule, level), count in told.items():
        if rest := max(0, count - SHOWN) + counts.pop(rule, 0):
            kind = rules.CREDENTIAL if BY_ID[rule].kind is Kind.SECRET else rules.PERSONAL
            kind = rules.KNOWN if level is Level.NOTE else kind
            text = f"{plural(rest, 'more value')} of the kind {rule}"
            yield kind.at(text, Location(place.path), level=level)


def _passing(place: Place, known: frozenset[str], settings: Settings) -> Iterator[Finding]:
    for hit in place.hits[:SHOWN]:
        level = _level(hit, place.path, settings)
        if level is not None and identifier(hit.mark, place.path) not in known:
            text = f"{shown(place.path)}:{hit.line} holds {_said(hit)} in this commit"
            yield rules.PASSING.at(text, Location(commit=place.commit), level=level)


def _level(hit: Hit, path: str, settings: Settings) -> Level | None:
    rule = BY_ID[hit.rule]
    if rule.id in settings.allow_kinds:
        return None
    if rule.kind is Kind.SECRET:
        trial = _TRIALS & set(path.lower().split("/")[:-1]) or path.lower().endswith(".md")
        return Level.WARNING if rule.generic and trial else Level.FAILURE
    data = is_data(path)
    weight = settings.personal_in_data if data else settings.personal_elsewhere
    if weight == "off" or (not data and (hit.credited or _names_people(path, rule.id))):
        return None
    return Level.FAILURE if weight == "fail" and not rule.weak and not hit.doubt else Level.WARNING


def _names_people(path: str, rule: str) -> bool:
    name = path.lower().rsplit("/", 1)[-1]
    return name.startswith(_PEOPLE) and rule in ("email", "phone", "phone-national")


def _said(hit: Hit) -> str:
    """Describe a value without showing it: only what its rule fixes, its length, its mark."""
    rule = BY_ID[hit.rule]
    head = f"{hit.head}…, " if hit.head else ""
    # A mark of what has few possible values would give it away.
    mark = f", mark {hit.mark[:8]}" if rule.kind is Kind.SECRET and not rule.generic else ""
    doubt = f"; {hit.doubt}" if hit.doubt else ""
    return f"{rule.title} ({head}{plural(hit.length, 'byte')}{mark}{doubt})"
