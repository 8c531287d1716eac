"""The project's own licence: its text, and what pyproject.toml and the cards say of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

from bot.change import Change, FileChange, TreeEntry
from bot.checks.licenses import texts, wording
from bot.checks.licenses.texts import Text, is_license, is_vendored
from bot.checks.licenses.wording import RELICENSED, Modified
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

__all__ = [
    "RULES",
    "Project",
    "Stated",
    "Text",
    "collect",
    "is_license",
    "is_relevant",
    "judge",
]
_VENDORED = 200  # licence files below the root that one change may bring

REMOVED = Rule(
    "licenses/removed",
    Level.FAILURE,
    "The change removes a licence text of the project, or the only statement of one.",
    "Without its licence nobody may use what the project publishes.",
    "Put the licence file back, or waive this for the change that the owners agreed on.",
)
DISAGREE = Rule(
    "licenses/disagree",
    Level.FAILURE,
    "The licence text, pyproject.toml and the card name different licences.",
    "A reader cannot tell which of them holds.",
    "Name the same licence in all of them. Where the card is of weights or data under a licence "
    "of their own, say so in the policy: `assets.publish.weights` or `.data`.",
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
RULES = (REMOVED, DISAGREE, UNCLEAR, MISSING, *wording.RULES)


@dataclass(frozen=True, slots=True)
class Stated:
    """A file that states a licence."""

    path: str
    statement: Statement


@dataclass(frozen=True, slots=True)
class Project:
    """What one tree says of its licence, and the changed licence files below its root.

    `unseen` are those that were too many.
    """

    texts: tuple[Text, ...] = ()
    statements: tuple[Stated, ...] = ()
    vendored: tuple[Text, ...] = ()
    unseen: int = 0

    @property
    def expression(self) -> str:
        """What the code is under: as pyproject.toml says, or the texts; "" where that is open."""
        stated = [s.statement.license for s in self.statements if s.path == "pyproject.toml"]
        if stated and stated[0]:
            return stated[0]
        named = [t.licences[0].id for t in self.texts if t.licences]
        if stated or len(named) != len(self.texts):
            return ""
        return " OR ".join(dict.fromkeys(named))  # LICENSE-MIT beside LICENSE-APACHE


@dataclass(frozen=True, slots=True)
class _Found:
    statement: Statement | None


def is_relevant(path: str) -> bool:
    """Whether a path may say something of a licence."""
    return _states(path) or is_license(path) or is_vendored(path)


def _states(path: str) -> bool:
    return path == "pyproject.toml" or is_card(path)


def collect(change: Change, world: World, maker: str) -> tuple[Project, Project]:
    """Read the root of both trees, and the changed cards and licence files below it."""
    cards = [f for f in change.files if is_card(f.path) and "/" in f.path]
    found = [f for f in change.files if is_vendored(f.path)]
    vendored = found[:_VENDORED]
    before = [f.before for f in cards if f.before is not None]
    after = [f.after for f in cards if f.after is not None]
    old = _project([*world.folder(change.merge_base), *before], world, maker)
    new = _project([*world.folder(change.head), *after], world, maker)
    unseen = len(found) - len(vendored)
    return (
        replace(old, vendored=_read(vendored, world, maker, head=False)),
        replace(new, vendored=_read(vendored, world, maker, head=True), unseen=unseen),
    )


def _read(files: list[FileChange], world: World, maker: str, *, head: bool) -> tuple[Text, ...]:
    entries = (f.after if head else f.before for f in files)
    return tuple(texts.read(e, world, maker) for e in entries if e is not None)


def _project(entries: list[TreeEntry], world: World, maker: str) -> Project:
    licences = (e for e in entries if is_license(e.path) and e.mode[0] != "0")
    read = tuple(texts.read(e, world, maker) for e in licences)
    stated = (_stated(e, world, maker) for e in entries if e.is_file and _states(e.path))
    return Project(read, tuple(s for s in stated if s is not None))


def _stated(entry: TreeEntry, world: World, maker: str) -> Stated | None:
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


def judge(
    before: Project, after: Project, modified: Modified, others: tuple[str, ...] = ()
) -> tuple[Finding, ...]:
    """Find what the change does to the licence; what was amiss before is a note.

    `others` are what the policy says weights and data are under: a card that names one of them
    speaks of those, not of the code.
    """
    found = [*_texts(before, after, modified), *_restated(before, after, others)]
    old_unclear = {(s.path, s.statement.reason) for s in before.statements}
    for stated in after.statements:
        reason = stated.statement.reason
        if reason:
            level = Level.NOTE if (stated.path, reason) in old_unclear else None
            place = Location(stated.path, stated.statement.line)
            found.append(UNCLEAR.at(f"{stated.path}: {reason}", place, level=level))
    old = {message for message, _ in _disagreements(before, others)}
    for message, place in _disagreements(after, others):
        level = Level.NOTE if message in old else None
        found.append(DISAGREE.at(message, place, level=level))
    return tuple(found)


def _texts(before: Project, after: Project, modified: Modified) -> list[Finding]:
    found = []
    old, new = ({t.path: t for t in p.texts} for p in (before, after))
    kept = {id for t in after.texts for id in t.ids}
    for path, was in old.items():
        if path not in new and (not after.texts or not set(was.ids) & kept):
            what = was.named if was.licences else "licence"
            found.append(REMOVED.at(f"{path} ({what}) is removed"))
    for path, text in new.items():
        found += wording.judge(old.get(path), text, modified)
    below = {t.path: t for t in before.vendored}
    for text in after.vendored:
        found += wording.differs(below.get(text.path), text, modified)
    if after.unseen:
        message = f"{after.unseen:,} more licence files are changed; none of them was read"
        found.append(wording.UNREADABLE.at(message))
    if not after.texts and not before.texts:
        found.append(MISSING.at("no LICENSE file at the root"))
    return found


def _restated(before: Project, after: Project, others: tuple[str, ...]) -> list[Finding]:
    """Find cards and pyproject.toml that state another licence than before, or none any more."""
    found = []
    now = {s.path: s.statement for s in after.statements}
    ids = [id for t in after.texts for id in t.ids]
    for path, was in ((s.path, s.statement.license) for s in before.statements):
        said = now.get(path)
        if was and said is None and not now and not after.texts:
            found.append(REMOVED.at(f"{path} stated {was}, and nothing states a licence now"))
        if not was or said is None or not said.license or _is_same(was, said.license):
            continue
        if _of_others(path, said.license, others):
            continue  # put right: the policy of the base says so already
        # Putting a statement right, so that it names the text beside it, changes nothing.
        if "/" in path or not any(narrow(said.license, id) for id in ids):
            message = f"{path} said {was} and says {said.license} now"
            found.append(RELICENSED.at(message, Location(path, said.line)))
    return found


def _is_same(one: str, other: str) -> bool:
    return same(one, other) or covers(one, other) or covers(other, one)


def _of_others(path: str, license: str, others: tuple[str, ...]) -> bool:
    return is_card(path) and any(same(license, other) for other in others)


def _disagreements(project: Project, others: tuple[str, ...]) -> list[tuple[str, Location]]:
    """Return each pair at the root that names different licences, once."""
    root = [s for s in project.statements if "/" not in s.path and s.statement.license]
    stated = [s for s in root if not _of_others(s.path, s.statement.license, others)]
    found = []
    known = [t for t in project.texts if t.licences]
    for item in stated:
        license = item.statement.license
        agree = [t for t in known if any(narrow(license, id) for id in t.ids)]
        # A text nobody could identify may be the one that is meant.
        if known and not agree and len(known) == len(project.texts):
            message = f"{item.path} says {license}, {known[0].path} is {known[0].named}"
            found.append((message, Location(item.path, item.statement.line)))
    for one, other in pairwise(stated):
        if not narrow(one.statement.license, other.statement.license):
            message = (
                f"{other.path} says {other.statement.license}, "
                f"{one.path} says {one.statement.license}"
            )
            found.append((message, Location(other.path, other.statement.line)))
    return found
