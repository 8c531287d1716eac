"""Finds what pointers list, and how large it is: in caches, and in a few remotes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bot.change import Change
from bot.checks.weights.tracked import Side
from bot.errors import Missing, TooLarge
from bot.wording import plural
from bot.world import World
from registry.dvclisting import MAX_SIZES, Listing, listings, sizes
from registry.errors import RegistryError
from registry.pointerdiff import Listed
from registry.pointers import Pointer, PointerKind
from registry.project import Project, local_caches, project_of

MAX_REMOTES = 3  # DVC projects whose remotes are asked


class Finder:
    """Answers for one change. Configuration is that of the base commit alone."""

    def __init__(self, change: Change, world: World, scratch: Path, *, fetch: bool) -> None:
        self._change, self._world, self._scratch, self._fetch = change, world, scratch, fetch
        self._projects: dict[str, Project] = {}
        self._asked: list[Project] = []
        self._listings: dict[tuple[str, Pointer], Listing] = {}

    def _project(self, source: str) -> Project:
        if source not in self._projects:
            try:
                found = project_of(
                    self._world,
                    source,
                    self._scratch,
                    base_commit=self._change.base,
                    head_commit=self._change.head,
                )
            except (RegistryError, TooLarge, Missing):
                caches = local_caches(self._world.worktree, source)
                found = Project((self._scratch, *caches))
            self._projects[source] = found
        return self._projects[source]

    def _may_fetch(self, project: Project) -> bool:
        if project not in self._asked and len(self._asked) < MAX_REMOTES:
            self._asked.append(project)
        return self._fetch and project in self._asked

    def list(self, sides: Iterable[Side]) -> None:
        """Find the listings of all folders among these."""
        wanted: dict[Project, list[Side]] = {}
        for side in sides:
            if side.pointer.kind is PointerKind.DVC_FOLDER:
                wanted.setdefault(self._project(side.source), []).append(side)
        for project, group in wanted.items():
            pointers = [side.pointer for side in group]
            if absent := sum(project.find(p) is None for p in pointers):
                lists = plural(absent, "list of files", "lists of files")
                self._world.say(f"      weights: looking for {lists} in the DVC remote")
            found = listings(project, pointers, fetch=self._may_fetch(project))
            for side, one in zip(group, found, strict=True):
                self._listings[side.source, side.pointer] = one

    def doubt(self, side: Side) -> str:
        """Return why the files of a pointer are not known, or ""."""
        one = self._listings.get((side.source, side.pointer))
        return one.doubt if one else ""

    def files(self, side: Side | None) -> tuple[Listed, ...]:
        """Return the files of a pointer, by their paths from the root."""
        if side is None:
            return ()
        pointer = side.pointer
        if pointer.kind is not PointerKind.DVC_FOLDER:
            return (Listed(pointer.path, pointer.digest, pointer.size),)
        members = self._listings[side.source, pointer].members
        return tuple(Listed(f"{pointer.path}/{m.path}", m.digest) for m in members)

    def sized(self, sides: Iterable[Side], digests: Iterable[str]) -> dict[str, int]:
        """Return sizes of these objects, as far as they can be told."""
        wanted = list(digests)[:MAX_SIZES]
        found: dict[str, int] = {}
        stores = {(self._project(s.source), s.pointer.legacy): None for s in sides}
        for project, legacy in stores:
            left = [digest for digest in wanted if digest not in found]
            if left:
                fetch = self._may_fetch(project)
                found |= sizes(project, left, legacy=legacy, fetch=fetch)
        return found
