"""The files of a tree that say something of models and data, read once for each content."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field

from bot.change import TreeEntry
from bot.checks.licenses.project import is_license
from bot.errors import CouldNotTell
from bot.world import World
from registry.assets.reading import LIMIT, VERSION, kind_of, read
from registry.assets.values import Told
from registry.documents import DocumentError
from registry.errors import UnreadableText
from registry.licenses.matching import decoded
from registry.licenses.statements import CARD_LIMIT, PYPROJECT_LIMIT, in_pyproject, is_card
from registry.licenses.texts import TEXT_LIMIT, identify
from security.sniff import is_lfs


@dataclass(frozen=True, slots=True)
class Text:
    """A licence file: the ids its text is, () where it is none we know."""

    path: str
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """A card with what it says."""

    path: str
    told: Told


def is_license_file(path: str) -> bool:
    """Whether a path is a licence file, in whatever folder."""
    return is_license(posixpath.basename(path))


def told(world: World, entry: TreeEntry) -> Told:
    """Return what a file says; what cannot be read says so."""
    kind = kind_of(entry.path)
    name = posixpath.basename(entry.path).lower()
    if not kind or not entry.is_file:
        return Told()
    try:
        return world.facts(
            f"assets/{VERSION}/{kind}/{name if kind == 'card' else ''}",
            entry.blob,
            Told,
            lambda: read(entry.path, _content(world, entry, kind)),
        )
    except CouldNotTell as error:
        if kind in ("card", "adapter", "config", "dataset_info"):
            return Told(trouble=error.message)
        return Told(skipped=error.message)


def _content(world: World, entry: TreeEntry, kind: str) -> bytes:
    # A card may be long: only what can be its front matter is read.
    if kind == "card":
        return world.prefix(entry.blob, CARD_LIMIT)
    return world.read(entry.blob, LIMIT)


@dataclass(slots=True)
class Tree:
    """One commit as the check looks at it; each folder and file is asked for once."""

    world: World
    commit: str
    _cards: dict[str, Card | None] = field(default_factory=dict)
    _texts: dict[str, Text | None] = field(default_factory=dict)

    def card(self, folder: str) -> Card | None:
        """Return the card of a folder: of several the one that states a licence."""
        if folder not in self._cards:
            entries = [e for e in self.world.folder(self.commit, folder) if is_card(e.path)]
            found = [Card(e.path, told(self.world, e)) for e in entries if e.is_file]
            stating = [c for c in found if c.told.stated is not None]
            self._cards[folder] = next(iter([*stating, *found]), None)
        return self._cards[folder]

    def text(self, folder: str) -> Text | None:
        """Return the licence file of a folder, None where there is none."""
        if folder not in self._texts:
            entries = [e for e in self.world.folder(self.commit, folder) if e.is_file]
            found = [self._identified(e) for e in entries if is_license_file(e.path)]
            known = [t for t in found if t.ids]
            self._texts[folder] = next(iter([*known, *found]), None)
        return self._texts[folder]

    def pyproject(self) -> str:
        """Return the licence that pyproject.toml states, "" for none."""
        entry = self.world.entry(self.commit, "pyproject.toml")
        if entry is None or not entry.is_file:
            return ""
        try:
            found = in_pyproject(self.world.read(entry.blob, PYPROJECT_LIMIT))
        except (CouldNotTell, DocumentError):
            return ""
        return found.license if found is not None else ""

    def holds(self, path: str) -> TreeEntry | None:
        """Return what a path of the repository is, None where it is nothing."""
        return self.world.entry(self.commit, path)

    def _identified(self, entry: TreeEntry) -> Text:
        def make() -> Text:
            data = self.world.read(entry.blob, TEXT_LIMIT)
            if is_lfs(data):
                return Text(entry.path)
            try:
                return Text(entry.path, identify(decoded(data)))
            except UnreadableText:
                return Text(entry.path)

        try:
            return self.world.facts(f"assets/{VERSION}/text/{entry.path}", entry.blob, Text, make)
        except CouldNotTell:
            return Text(entry.path)


def up(folder: str) -> tuple[str, ...]:
    """Return a folder and those above it, the root ("") last."""
    parts = folder.split("/") if folder else []
    return tuple("/".join(parts[:count]) for count in range(len(parts), -1, -1))
