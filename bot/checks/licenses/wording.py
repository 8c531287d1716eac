"""What a change does to the words of a licence file: unknown, relicensed, added to, cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from bot.checks.licenses.texts import Licence, Text
from bot.finding import Finding, Level, Location, Rule
from bot.wording import plural
from registry.licenses.differences import Added

Modified = Literal["review", "fail", "allow"]
MOST = 20  # passages of one file told one by one
_QUOTE = 300  # characters of a passage in a finding

RELICENSED = Rule(
    "licenses/relicensed",
    Level.FAILURE,
    "The change puts another licence in the place of the one that a text or card states.",
    "A new licence needs the consent of everyone who holds rights in the project.",
    "Restore the text, or waive this for the change that the rights holders agreed on.",
)
TEXT = Rule(
    "licenses/text-unknown",
    Level.UNKNOWN,
    "A licence file that the change adds or alters holds no licence that is known.",
    "One clause can take away what the rest of the text grants.",
    "Use the licence's own text unaltered, or read it and waive this.",
)
UNREADABLE = Rule(
    "licenses/text-unreadable",
    Level.UNKNOWN,
    "A licence file that the change adds or alters cannot be read.",
    "A text nobody can read grants nothing, and may hold anything.",
    "Commit it as a plain UTF-8 text file of its usual size.",
)
ADDED = Rule(
    "licenses/added-clause",
    Level.FAILURE,
    "A licence file says something that its licence does not, and that restricts or obliges.",
    "The name of the licence no longer says what may be done; one clause can take it all away.",
    "Take the sentence out; if it is meant, the text needs a name of its own and a waiver here.",
)
MODIFIED = Rule(
    "licenses/text-modified",
    Level.UNKNOWN,
    "A licence file differs from the known text it is nearest to.",
    "Words changed or left out can change what is granted; nobody has said that they do not.",
    "Restore the words of the licence, or read the difference and waive this.",
)
RULES = (RELICENSED, TEXT, UNREADABLE, ADDED, MODIFIED)


def judge(was: Text | None, text: Text, modified: Modified) -> Iterator[Finding]:
    """Find what a file at the root has become; what was so before is a note."""
    if was is not None and was.blob != text.blob and text.licences:
        yield from _relicensed(was, text)
    yield from differs(was, text, modified)


def differs(was: Text | None, text: Text, modified: Modified) -> Iterator[Finding]:
    """Find what of a licence file is not known, or not as its licence has it."""
    place, same = Location(text.path, 1), was is not None and was.blob == text.blob
    if not text.licences:
        rule = UNREADABLE if text.unreadable else TEXT
        level = Level.NOTE if same else None
        yield rule.at(f"{text.path}: {text.problem}", place, level=level)
    elif same and not text.exact:
        yield MODIFIED.at(f"{text.path} differs from {text.named}, as before", place,
                          level=Level.NOTE)  # fmt: skip
    elif not same:
        found = list(_passages(was, text, modified))
        found.sort(key=lambda f: (f.severity is not Level.FAILURE, f.location.line))
        yield from found[:MOST]
        if len(found) > MOST:
            rest = f"{text.path} has {plural(len(found) - MOST, 'more difference')}"
            worst = max((f.severity for f in found[MOST:]), key=_heaviness)
            yield MODIFIED.at(rest, place, level=worst)


def _heaviness(level: Level) -> int:
    return (Level.NOTE, Level.WARNING, Level.UNKNOWN, Level.FAILURE).index(level)


def _relicensed(was: Text, text: Text) -> Iterator[Finding]:
    place = Location(text.path, 1)
    if not was.licences:
        message = f"{text.path} was no known licence and is now {text.named}"
        yield RELICENSED.at(message, place, level=Level.WARNING)
        return
    lost = [one for one in was.licences if _absent(one, text)]
    new = [one for one in text.licences if _absent(one, was)]
    if lost:
        yield RELICENSED.at(f"{text.path} was {was.named} and is now {text.named}", place)
    elif new:
        # A notice of what is bundled stands after the licence; what stands before it rules.
        first = new[0] is text.licences[0]
        names = " and ".join(dict.fromkeys(one.id for one in new))
        message = f"{text.path} was {was.named} and now holds {names} too"
        level = None if first else Level.WARNING
        yield RELICENSED.at(message, Location(text.path, new[0].line), level=level)


def _absent(licence: Licence, text: Text) -> bool:
    return set(licence.ids).isdisjoint(text.ids)


def _passages(was: Text | None, text: Text, modified: Modified) -> Iterator[Finding]:
    old = {a.text for one in was.licences for a in one.added} if was else set()
    cut = {d.text for one in was.licences for d in one.dropped} if was else set()
    for licence in text.licences:
        for one in licence.added:
            yield _added(text.path, licence, one, modified, old=one.text in old)
        for gap in licence.dropped:
            words = plural(gap.count, "word")
            message = f"{text.path}: {licence.id} has {words} here that this text lacks: "
            level = _level(None, modified, old=gap.text in cut)
            place = Location(text.path, gap.line)
            yield MODIFIED.at(message + _quote(gap.text), place, level=level)


def _added(path: str, licence: Licence, one: Added, modified: Modified, *, old: bool) -> Finding:
    place = Location(path, one.line)
    kinds = f" ({', '.join(tag.replace('_', ' ') for tag in one.tags)})" if one.tags else ""
    message = f"{path}: {licence.id} does not say {_quote(one.text)}{kinds}"
    if one.weight == "limits":
        return ADDED.at(message, place, level=Level.NOTE if old else None)
    mild = Level.WARNING if one.weight == "harmless" else None
    return MODIFIED.at(message, place, level=_level(mild, modified, old=old))


def _level(mild: Level | None, modified: Modified, *, old: bool) -> Level | None:
    if old:
        return Level.NOTE
    return {"review": mild, "fail": Level.FAILURE, "allow": Level.WARNING}[modified]


def _quote(text: str) -> str:
    if len(text) > _QUOTE:
        text = f"{text[: _QUOTE // 2]}[…]{text[-_QUOTE // 2 :]}"
    printable = "".join(c if c.isprintable() else " " for c in text)
    return f'"{printable}"'
