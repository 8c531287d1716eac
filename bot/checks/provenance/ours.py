"""Who the project's own people are, and what it publishes its code under."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot import added
from bot.change import Change, TreeEntry
from bot.checks.assets.files import Tree, is_license_file, up
from bot.checks.provenance import encoding
from bot.checks.provenance.holders import holders, is_own, names
from bot.checks.provenance.prose import prose
from bot.checks.provenance.settings import Settings
from bot.errors import CouldNotTell
from bot.world import World
from registry.documents import DocumentError, load_toml
from registry.licenses.statements import PYPROJECT_LIMIT

_HEAD = 20_000  # bytes of LICENSE and NOTICE in which holders are named
_FIRST = 40  # lines of LICENSE, where its holder stands
_TOP = 2_048  # bytes of a source file in which its holder is named
_NEIGHBOURS = 20  # files of a folder that are asked for their holder
_PEOPLE = ("notice", "authors", "copyright", "contributors")


@dataclass(slots=True)
class Ours:
    """What is the project's own, as the base says it; where it says nothing, the head."""

    change: Change
    world: World
    settings: Settings
    _names: list[frozenset[str]] = field(default_factory=list)
    _near: dict[str, list[frozenset[str]]] = field(default_factory=dict)
    _trees: tuple[Tree, ...] = ()

    def __post_init__(self) -> None:
        begins = not self.world.folder(self.change.merge_base)
        commits = (self.change.head,) if begins else (self.change.merge_base, self.change.head)
        self._trees = tuple(Tree(self.world, commit) for commit in commits)
        found = (names(text) for text in self._people(commits[0]))
        self._names = [one for one in found if one]

    def foreign(self, mentioned: tuple[str, ...], path: str) -> tuple[str, ...]:
        """Return the holders that are not the project's own, nor those of the files around."""
        left = tuple(name for name in mentioned if not is_own(name, self._names))
        if not left:
            return ()
        near = self._neighbours(posixpath.dirname(path))
        return tuple(name for name in left if not is_own(name, near))

    def outbound(self, path: str) -> str:
        """Return what a file is published under, "" where nothing says it."""
        stated = self.settings.assets.publish.code
        if stated:
            return stated
        for tree in self._trees:
            for folder in up(posixpath.dirname(path)):
                text = tree.text(folder)
                if text is not None:
                    return text.ids[0] if text.ids else ""
            if said := tree.pyproject():
                return said
        return ""

    def weights(self) -> str:
        """Return what weights are published under."""
        return self.settings.assets.publish.weights or self.outbound("")

    def is_vendored(self, path: str) -> bool:
        """Whether a path lies in a folder for other people's work."""
        return not set(path.lower().split("/")[:-1]).isdisjoint(self.settings.vendored)

    def _people(self, commit: str) -> Iterator[str]:
        yield from self.settings.holders
        yield self.change.repository.rpartition("/")[2]
        yield self.change.repository.partition("/")[0]
        yield self.change.author
        for one in self.world.commits(self.change.base, self.change.head):
            yield one.author_name
            yield one.author_email.partition("@")[2].rpartition(".")[0]
        for entry in self.world.folder(commit):
            stem = entry.path.lower().partition(".")[0]
            if entry.is_file and (is_license_file(entry.path) or stem in _PEOPLE):
                yield from self._in_text(entry, 8 if stem == "notice" else _FIRST)
            if entry.path == "pyproject.toml" and entry.is_file:
                yield from self._in_pyproject(entry)

    def _in_text(self, entry: TreeEntry, lines: int) -> Iterator[str]:
        try:
            data = self.world.prefix(entry.blob, _HEAD)
        except CouldNotTell:
            return
        # Further down, a NOTICE names those whose work the project carries.
        for line in encoding.lines(added.text(data) or b"")[:lines]:
            yield from holders(line)

    def _in_pyproject(self, entry: TreeEntry) -> Iterator[str]:
        try:
            data = self.world.read(entry.blob, PYPROJECT_LIMIT)
            project = load_toml(data, limit=PYPROJECT_LIMIT).get("project")
        except (CouldNotTell, DocumentError):
            return
        if not isinstance(project, dict):
            return
        yield str(project.get("name", ""))[:200]
        for key in ("authors", "maintainers"):
            listed = project.get(key)
            for person in listed[:50] if isinstance(listed, list) else ():
                if isinstance(person, dict):
                    yield str(person.get("name", ""))[:200]

    def _neighbours(self, folder: str) -> list[frozenset[str]]:
        if folder not in self._near:
            found: list[frozenset[str]] = []
            if not self.is_vendored(f"{folder}/x"):
                listed = self.world.folder(self.change.merge_base, folder)
                files = [e for e in listed if e.is_file and "." in e.path][:_NEIGHBOURS]
                found = [names(name) for entry in files for name in self._top(entry)]
            self._near[folder] = [one for one in found if one]
        return self._near[folder]

    def _top(self, entry: TreeEntry) -> Iterator[str]:
        try:
            data = self.world.prefix(entry.blob, _TOP)
        except CouldNotTell:
            return
        for line in prose(data, "py" if entry.path.endswith(".py") else ""):
            yield from holders(line)
