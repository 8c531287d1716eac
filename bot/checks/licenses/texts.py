"""Licence texts of a tree: which licences each file holds, and what it says besides."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial

from bot.change import TreeEntry
from bot.checks.dependencies.shown import shown
from bot.errors import CouldNotTell
from bot.world import World
from registry.errors import UnreadableText
from registry.licenses.differences import Added, added
from registry.licenses.letters import foreign, plain
from registry.licenses.matching import TEXT_LIMIT, Match, Passage, decoded, match, references
from registry.licenses.parted import joined
from security.sniff import is_lfs

_NAMES = ("LICENSE", "LICENCE", "COPYING", "UNLICENSE")
_SUFFIXES = ("", ".md", ".txt", ".rst")
# Below the root only what nobody would call a page: not docs/licenses.md.
_BELOW = re.compile(r"(?:UN)?LICEN[CS]E|COPYING")
_REST = re.compile(r"(?:[-_.][A-Z0-9][A-Za-z0-9.]*)*(?:\.(?:txt|md|rst))?")
_PAGES = (".md", ".rst")
_LEAST = 0.8  # of a known text: with less of it a text is another one
_BYTES = 4 * TEXT_LIMIT  # of UTF-8
_SAID = 300  # characters of a passage


@dataclass(frozen=True, slots=True)
class Licence:
    """A known licence in a file: its ids (the plain reading first), and how it differs there."""

    ids: tuple[str, ...]
    line: int
    added: tuple[Added, ...] = ()
    dropped: tuple[Passage, ...] = ()

    @property
    def id(self) -> str:
        """The plain reading."""
        return self.ids[0]

    @property
    def exact(self) -> bool:
        """Whether no word differs."""
        return not self.added and not self.dropped


@dataclass(frozen=True, slots=True)
class Text:
    """A licence file. Without `licences` its text is not known, or not read: see `problem`."""

    path: str
    blob: str
    licences: tuple[Licence, ...] = ()
    problem: str = ""
    unreadable: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of every licence in it."""
        return tuple(id for licence in self.licences for id in licence.ids)

    @property
    def exact(self) -> bool:
        """Whether it holds known licences, word for word."""
        return bool(self.licences) and all(licence.exact for licence in self.licences)

    @property
    def named(self) -> str:
        """Its licences, for a sentence: "Apache-2.0 and MIT"; "unknown" for none."""
        return " and ".join(dict.fromkeys(one.id for one in self.licences)) or "unknown"


def is_license(path: str) -> bool:
    """Whether a path is a licence file at the root."""
    return "/" not in path and _is_named(path)


def is_vendored(path: str) -> bool:
    """Whether a path is a licence file below the root: of something that was taken in."""
    folder, _, name = path.rpartition("/")
    start = _BELOW.match(name) or _BELOW.match(name.upper())
    if not folder or start is None:
        return False
    lower = start.string != name
    if lower and name.lower().endswith(_PAGES):
        return False  # a page of the documentation
    return _REST.fullmatch(name[start.end() :]) is not None


def _is_named(name: str) -> bool:
    stem, dot, suffix = name.rpartition(".")
    known = not dot or not stem or f".{suffix}" in _SUFFIXES or suffix.isupper()
    return known and name.upper().startswith(_NAMES)


def read(entry: TreeEntry, world: World, maker: str) -> Text:
    """Return what a licence file holds; what cannot be read says why."""
    if not entry.is_file:
        return _unread(entry, "it is not a regular file")
    make = partial(_read, entry, world)
    try:
        return world.facts(f"{maker}/text/{entry.path}", entry.blob, Text, make)
    except CouldNotTell as error:
        return _unread(entry, error.message)


def _unread(entry: TreeEntry, why: str) -> Text:
    return Text(entry.path, entry.blob, (), why, unreadable=True)


def _read(entry: TreeEntry, world: World) -> Text:
    data = world.read(entry.blob, _BYTES)
    if is_lfs(data):
        return _unread(entry, "it is a Git LFS pointer, not a text")
    try:
        # A clause in borrowed or invisible letters is read as a person sees it.
        text = plain(decoded(data))
        return _known(entry, text, joined(text, match(text)))
    except UnreadableText as error:
        return _unread(entry, error.message)


def _known(entry: TreeEntry, text: str, found: tuple[Match, ...]) -> Text:
    best = max(found, key=lambda one: one.coverage, default=None)
    if best is None:
        names = ", ".join(dict.fromkeys(shown(id) for id, _ in references(text)[:3]))
        what = f"it names {names}, but is not its text" if names else "its text is none we know"
        return Text(entry.path, entry.blob, (), what)
    if best.coverage < _LEAST:
        what = f"nearest is {best.ids[0]}, of which {best.coverage:.0%} is there"
        return Text(entry.path, entry.blob, (), what)
    licences = [Licence(m.ids, m.first, added(text, m), m.dropped) for m in found]
    if rest := _unjudged(text, found):
        licences[-1] = replace(licences[-1], added=(*licences[-1].added, *rest))
    return Text(entry.path, entry.blob, tuple(licences))


def _unjudged(text: str, found: tuple[Match, ...]) -> tuple[Added, ...]:
    """Return what stands around the licences in another script: no clause is told in it."""
    return tuple(
        Added(line, said[:_SAID], len(said.split()), (), "unclear")
        for line, said in foreign(text)
        if not any(m.first <= line <= m.last for m in found)
    )
