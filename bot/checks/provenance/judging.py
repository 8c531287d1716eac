"""Findings about what is taken from others. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bot.checks.dependencies.shown import shown
from bot.checks.provenance import rules
from bot.checks.provenance.evidence import OWN, Evidence, Folder, Pasted, Registered
from bot.checks.provenance.settings import Settings
from bot.checks.provenance.weighing import Weighed, published, weigh
from bot.finding import Finding, Level, Location
from bot.wording import plural
from registry.borrowed.register import PATH
from registry.errors import BadFacts
from registry.licenses.expressions import LicenseError
from registry.licenses.metadata import narrow

QUOTED = 200  # characters of a clause in a message
TOLD = 3  # clauses or names in one message


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Find pasted code, folders and entries whose origin or licence is amiss."""
    found: list[Finding] = []
    for one in evidence.unread:
        rule = rules.INVALID if one.invalid else rules.UNREAD
        message = f"{shown(one.path) or 'the change'} cannot be read: {shown(one.why)}"
        found.append(rule.at(message, Location(one.path, one.line)))
    for entry in evidence.dropped:
        message = f"the entry for {shown(entry.path)} is gone, and its files are still there"
        found.append(rules.DROPPED.at(message, Location(PATH)))
    try:
        said: set[str] = set()
        for pasted in evidence.pasted:
            for finding in _pasted(pasted, settings):
                # Where the project states no licence, every header would say the same.
                if pasted.outbound or finding.counts or finding.message not in said:
                    found.append(finding)
                said.add(finding.message)
        for folder in evidence.folders:
            found += _folder(folder, settings)
        for registered in evidence.registered:
            found += _registered(registered, evidence, settings)
    except BadFacts as error:
        found.append(rules.UNREAD.at(error.message, remedy=error.hint))
    for amiss in evidence.stale:
        message = f"{amiss.path or 'NOTICE'} is out of date: {shown(amiss.why)}"
        found.append(rules.NOTICE.at(message, Location(amiss.path, amiss.line)))
    return tuple(found)


def _pasted(one: Pasted, settings: Settings) -> Iterator[Finding]:
    place = Location(one.path, one.mark.line)
    named = [id for id in one.mark.licenses if id != OWN]
    for line, text in one.mark.altered:
        message = f'{named[0]} with words that it has not: "{_cut(text)}"'
        yield rules.UNKNOWN.at(message, Location(one.path, line))
    if one.entry is not None:
        for id in named:
            if not _fits(one.entry.license)(id):
                message = (
                    f"{shown(one.path)} says {shown(id)}, the register has {one.entry.license}"
                )
                yield rules.DISAGREE.at(message, place)
        return
    whose = f" by {_names(one.foreign)}" if one.foreign else ""
    if not one.mark.licenses:
        message = f"added lines{whose} name no licence"
        yield rules.UNKNOWN.at(message, place)
        return
    others = [id for id in named if id != one.outbound]
    if not others and one.foreign:
        same = one.outbound or "that of the project"
        yield rules.PASTED.at(f"added lines{whose}, under {shown(same)}{_beside(one)}", place)
    for id in others:
        weighed = weigh(id, one.outbound, "vendors", commercial=settings.assets.commercial)
        yield _verdict(weighed, f"added lines{whose} are under {shown(id)}", place, _beside(one))


def _beside(one: Pasted) -> str:
    return f'; after the licence stands "{_cut(one.mark.beside[0][1])}"' if one.mark.beside else ""


def _verdict(weighed: Weighed, what: str, place: Location, more: str = "") -> Finding:
    """Return what a licence comes to for something new that no entry stands for."""
    if not weighed.outbound:
        message = f"{what}, and what the project is published under is not known{more}"
        return rules.PASTED.at(message, place)
    told = f"{what}{_clauses(weighed)}{more}"
    if weighed.answer == "forbidden":
        return rules.FORBIDDEN.at(f"{told}: not publishable under {weighed.outbound}", place)
    if weighed.answer == "unknown":
        return rules.UNKNOWN.at(told, place)
    return rules.PASTED.at(told, place)


def _folder(one: Folder, settings: Settings) -> Iterator[Finding]:
    place = Location(one.first, 1)
    count = plural(one.count, "file")
    if one.license and one.outbound:
        weighed = weigh(one.license, one.outbound, "vendors", commercial=settings.assets.commercial)
        if weighed.answer == "forbidden":
            told = f"{shown(one.path)} is under {one.license}{_clauses(weighed)}"
            message = f"{told}: not publishable under {weighed.outbound}"
            yield rules.FORBIDDEN.at(message, place)
    under = f", under {one.license}" if one.license else ""
    message = f"{shown(one.path)}{under}: no entry says where the {count} added there are from"
    yield rules.UNREGISTERED.at(message, place)


def _registered(one: Registered, evidence: Evidence, settings: Settings) -> Iterator[Finding]:
    entry, place = one.entry, Location(PATH, one.entry.line)
    name = shown(entry.path)
    level = None if one.fresh or one.touched else Level.NOTE  # it was so before
    if one.trouble:
        message = f"{name} cannot be compared with its entry: {shown(one.trouble)}"
        yield rules.UNREAD.at(message, place, level=level)
    elif not one.digest:
        yield rules.MISSING.at(f"{name} is registered and is not there", place, level=level)
    elif one.digest != entry.digest and not entry.modified:
        message = f"{name} is {_short(one.digest)}, registered is {_short(entry.digest)}"
        yield rules.CHANGED.at(message, place, level=level)
    if one.lost_text:
        message = f"{shown(entry.text)}, the licence text of {name}, is not there"
        yield rules.MISSING.at(message, place, level=level)
    if one.said and (one.fresh or one.touched) and not any(map(_fits(entry.license), one.said)):
        message = f"{name} is registered as {entry.license}, its licence text is {one.said[0]}"
        yield rules.DISAGREE.at(message, place)
    if not one.fresh:
        return
    outbound = published(evidence, entry.tie)
    weighed = weigh(entry.license, outbound, entry.tie, commercial=settings.assets.commercial)
    told = f"{name} is under {entry.license}{_clauses(weighed)}"
    if weighed.answer == "forbidden":
        yield rules.FORBIDDEN.at(f"{told}: not publishable under {shown(outbound)}", place)
    elif weighed.answer == "unknown" and outbound:
        yield rules.UNKNOWN.at(told, place)


def _clauses(weighed: Weighed) -> str:
    said = []
    for reason in weighed.reasons[:TOLD]:
        quote = f' "{_cut(reason.quote)}"' if reason.quote else ""
        said.append(f"{reason.says}{quote}")
    limited = "not commercially: " if weighed.limited else ""
    return f" ({limited}{'; '.join(said)})" if said else ""


def _cut(text: str) -> str:
    text = "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
    return text if len(text) <= QUOTED else text[: QUOTED - 1] + "…"


def _names(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
    return ", ".join(shown(name) for name in names[:TOLD]) + more


def _short(digest: str) -> str:
    kind, _, found = digest.partition(":")
    return f"{kind}:{found[:12]}…"


def _fits(registered: str) -> Callable[[str], bool]:
    """Return whether what is found agrees with what is registered."""

    def fits(found: str) -> bool:
        try:
            return bool(narrow(registered, found) or narrow(found, registered))
        except LicenseError:
            return False

    return fits
