"""The project's own licence: its text, and what pyproject.toml and the cards say of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import PurePosixPath

from bot.change import Change, TreeEntry
from bot.errors import CouldNotTell
from bot.finding import Finding, Level, Location, Rule
from bot.world import World
from registry.documents import DocumentError
from registry.licenses.expressions import covers, same
from registry.licenses.metadata import narrow
from registry.licenses.statements import (
    CARD_LIMIT,
    PYPROJECT_LIMIT,
    Statement,
    in_card,
    in_pyproject,
    is_card,
)
from registry.licenses.texts import TEXT_LIMIT, identify
from security.sniff import is_lfs

_NAMES = ("LICENSE", "LICENCE", "COPYING", "UNLICENSE")
_SUFFIXES = ("", ".md", ".txt", ".rst")

REMOVED = Rule(
    "licenses/removed",
    Level.FAILURE,
    "The change removes a licence text of the project, or the only statement of one.",
    "Without its licence nobody may use what the project publishes.",
    "Put the licence file back, or waive this for the change that the owners agreed on.",
)
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
    "A licence file that the change adds or alters is not, word for word, a known licence.",
    "One added clause can take away what the rest of the text grants.",
    "Use the licence's own text unaltered, or read it and waive this.",
)
DISAGREE = Rule(
    "licenses/disagree",
    Level.FAILURE,
    "The licence text, pyproject.toml and the card name different licences.",
    "A reader cannot tell which of them holds.",
    "Name the same licence in all of them.",
)
UNCLEAR = Rule(
    "licenses/unclear",
    Level.FAILURE,
    "pyproject.toml or a card states a licence that cannot be understood.",
    "Tools and readers take an unclear statement for whatever they like.",
    "Write an SPDX expression such as Apache-2.0; `license: other` needs `license_name`.",
)
MISSING = Rule(
    "licenses/missing",
    Level.NOTE,
    "There is no licence file at the root.",
    "Without a licence nobody may use what the project publishes.",
    "Add a LICENSE file with the text of the licence.",
)
RULES = (REMOVED, RELICENSED, TEXT, DISAGREE, UNCLEAR, MISSING)


@dataclass(frozen=True, slots=True)
class Text:
    """A licence file at the root; `ids` is () where its text is not known, for `problem`."""

    path: str
    blob: str
    ids: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Stated:
    """A file that states a licence."""

    path: str
    statement: Statement


@dataclass(frozen=True, slots=True)
class Project:
    """What one tree says of its licence."""

    texts: tuple[Text, ...] = ()
    statements: tuple[Stated, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    statement: Statement | None


def is_license(path: str) -> bool:
    """Whether a path is a licence file at the root."""
    name = PurePosixPath(path)
    known = name.suffix in _SUFFIXES or name.suffix[1:].isupper()
    return "/" not in path and known and name.name.upper().startswith(_NAMES)


def is_relevant(path: str) -> bool:
    """Whether a path may say something of the project's licence."""
    return path == "pyproject.toml" or is_license(path) or is_card(path)


def collect(change: Change, world: World, maker: str) -> tuple[Project, Project]:
    """Read the root of both trees, and the changed cards below it."""
    cards = [f for f in change.files if is_card(f.path) and "/" in f.path]
    before = [f.before for f in cards if f.before is not None]
    after = [f.after for f in cards if f.after is not None]
    return (
        _project([*world.folder(change.merge_base), *before], world, maker),
        _project([*world.folder(change.head), *after], world, maker),
    )


def _project(entries: list[TreeEntry], world: World, maker: str) -> Project:
    texts = (_text(e, world, maker) for e in entries if is_license(e.path) and e.mode[0] != "0")
    stated = (_stated(e, world, maker) for e in entries if e.is_file and is_relevant(e.path))
    return Project(tuple(texts), tuple(s for s in stated if s is not None))


def _text(entry: TreeEntry, world: World, maker: str) -> Text:
    if not entry.is_file:
        return Text(entry.path, entry.blob, (), "it is not a regular file")
    make = partial(_identify, entry, world)
    try:
        return world.facts(f"{maker}/text/{entry.path}", entry.blob, Text, make)
    except CouldNotTell as error:
        return Text(entry.path, entry.blob, (), error.message)


def _identify(entry: TreeEntry, world: World) -> Text:
    data = world.read(entry.blob, TEXT_LIMIT)
    if is_lfs(data):
        return Text(entry.path, entry.blob, (), "it is a Git LFS pointer, not a text")
    ids = identify(data.decode("utf-8", "replace"))
    problem = "" if ids else "it is not, word for word, the text of a known licence"
    return Text(entry.path, entry.blob, ids, problem)


def _stated(entry: TreeEntry, world: World, maker: str) -> Stated | None:
    if is_license(entry.path):
        return None
    make = partial(_statement, entry, world)
    kind = "card" if is_card(entry.path) else "pyproject"
    try:
        found = world.facts(f"{maker}/statement/{kind}", entry.blob, _Found, make).statement
    except CouldNotTell as error:
        found = Statement(reason=error.message)
    return Stated(entry.path, found) if found is not None else None


def _statement(entry: TreeEntry, world: World) -> _Found:
    try:
        if is_card(entry.path):
            return _Found(in_card(world.prefix(entry.blob, CARD_LIMIT)))
        return _Found(in_pyproject(world.read(entry.blob, PYPROJECT_LIMIT)))
    except DocumentError as error:
        return _Found(Statement("", error.line, f"it cannot be read: {error.message}"))


def judge(before: Project, after: Project) -> tuple[Finding, ...]:
    """Find what the change does to the licence; what was amiss before is a note."""
    found = [*_texts(before, after), *_restated(before, after)]
    old_unclear = {(s.path, s.statement.reason) for s in before.statements}
    for stated in after.statements:
        reason = stated.statement.reason
        if reason:
            level = Level.NOTE if (stated.path, reason) in old_unclear else None
            place = Location(stated.path, stated.statement.line)
            found.append(UNCLEAR.at(f"{stated.path}: {reason}", place, level=level))
    old = {message for message, _ in _disagreements(before)}
    for message, place in _disagreements(after):
        level = Level.NOTE if message in old else None
        found.append(DISAGREE.at(message, place, level=level))
    return tuple(found)


def _texts(before: Project, after: Project) -> list[Finding]:
    found = []
    old, new = ({t.path: t for t in p.texts} for p in (before, after))
    kept = {id for t in after.texts for id in t.ids}
    for path, was in old.items():
        if path not in new and (not after.texts or not set(was.ids) & kept):
            what = was.ids[0] if was.ids else "licence"
            found.append(REMOVED.at(f"{path} ({what}) is removed"))
    for path, text in new.items():
        found += _altered(old.get(path), text)
    if not after.texts and not before.texts:
        found.append(MISSING.at("no LICENSE file at the root"))
    return found


def _restated(before: Project, after: Project) -> list[Finding]:
    """Find cards and pyproject.toml that state another licence than before, or none any more."""
    found = []
    now = {s.path: s.statement for s in after.statements}
    texts = [id for t in after.texts for id in t.ids]
    for path, was in ((s.path, s.statement.license) for s in before.statements):
        said = now.get(path)
        if was and said is None and not now and not after.texts:
            found.append(REMOVED.at(f"{path} stated {was}, and nothing states a licence now"))
        if not was or said is None or not said.license or _is_same(was, said.license):
            continue
        # Putting a statement right, so that it names the text beside it, changes nothing.
        if "/" in path or not any(narrow(said.license, id) for id in texts):
            message = f"{path} said {was} and says {said.license} now"
            found.append(RELICENSED.at(message, Location(path, said.line)))
    return found


def _is_same(one: str, other: str) -> bool:
    return same(one, other) or covers(one, other) or covers(other, one)


def _altered(was: Text | None, text: Text) -> list[Finding]:
    place = Location(text.path, 1)
    if not text.ids:
        level = Level.NOTE if was is not None and was.blob == text.blob else None
        return [TEXT.at(f"{text.path}: {text.problem}", place, level=level)]
    if was is not None and not was.ids:
        message = f"{text.path} was no known licence and is now {text.ids[0]}"
        return [RELICENSED.at(message, place, level=Level.WARNING)]
    if was is not None and was.ids and not set(was.ids) & set(text.ids):
        message = f"{text.path} was {was.ids[0]} and is now {text.ids[0]}"
        return [RELICENSED.at(message, place)]
    return []


def _disagreements(project: Project) -> list[tuple[str, Location]]:
    """Return each pair at the root that names different licences, once."""
    stated = [s for s in project.statements if "/" not in s.path and s.statement.license]
    found = []
    texts = [t for t in project.texts if t.ids]
    for item in stated:
        license = item.statement.license
        agree = [t for t in texts if any(narrow(license, id) for id in t.ids)]
        # A text nobody could identify may be the one that is meant.
        if texts and not agree and len(texts) == len(project.texts):
            message = f"{item.path} says {license}, {texts[0].path} is {texts[0].ids[0]}"
            found.append((message, Location(item.path, item.statement.line)))
    for one, other in pairwise(stated):
        if not narrow(one.statement.license, other.statement.license):
            message = (
                f"{other.path} says {other.statement.license}, "
                f"{one.path} says {one.statement.license}"
            )
            found.append((message, Location(other.path, other.statement.line)))
    return found
