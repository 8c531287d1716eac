"""The Python code and the manifests of a commit: listed once, and read only as far as asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import PurePosixPath

from bot.change import SUBMODULE, TreeEntry
from bot.errors import CouldNotTell
from bot.manifestfiles import manifest
from bot.world import World
from registry.manifests import LOCKS, DocumentError, Manifest, command_kind, kind_of
from registry.manifests.imported import LIMIT, scan

VERSION = 1  # of the cached facts: goes up with any change to `scan` and `read_imports`
MAX_MANIFESTS = 100  # of those that declare; and as many with install commands
MAX_FILES = 4_000  # of Python, scanned for imports
MAX_TEXTS = 300  # other files searched for a name
TEXT = 200_000  # bytes of each
SECONDS = 20  # of scanning: a mirror may have to fetch what nobody read before
CODE = (".py", ".pyi", ".pyx", ".ipynb")
_BUILT = (".py", ".pyi", ".pyx", ".so", ".pyd", ".pth")
_TEXTS = (".toml", ".cfg", ".ini", ".yml", ".yaml", ".sh", ".bash", ".mk", ".cmake",
          ".dockerfile", ".env", ".bat", ".ps1")  # fmt: skip
_NAMED = ("makefile", "dockerfile", "justfile", "procfile", "containerfile")
VENDORED = frozenset({"third_party", "thirdparty", "3rdparty", "vendor", "vendored", "_vendor",
                      "external", "extern", "submodules", "site-packages"})  # fmt: skip


class Tree:
    """What stands at one commit. `trouble` says why code was not looked at to its end."""

    def __init__(self, world: World, commit: str) -> None:
        self._world, self._commit = world, commit
        self.trouble = ""

    @cached_property
    def _entries(self) -> tuple[TreeEntry, ...]:
        return self._world.walk(self._commit)

    @cached_property
    def modules(self) -> frozenset[str]:
        """The modules that the repository holds itself, wherever it keeps them."""
        found = set[str]()
        for entry in self._entries:
            folders, _, base = entry.path.rpartition("/")
            if entry.mode == SUBMODULE:
                found.add(base)
            elif base.endswith(_BUILT):
                found.add(base.partition(".")[0])
                found.update(folders.split("/"))
        return frozenset(name for name in found if name.isidentifier())

    @cached_property
    def code(self) -> tuple[TreeEntry, ...]:
        """The files of Python code that are the project's own, setup.py left out."""
        found = (e for e in self._entries if e.is_file and e.path.lower().endswith(CODE))
        own = (e for e in found if not is_vendored(e.path))
        return tuple(e for e in own if e.path.rpartition("/")[2] != "setup.py")

    @cached_property
    def paths(self) -> frozenset[str]:
        """Every path."""
        return frozenset(entry.path for entry in self._entries)

    @cached_property
    def manifests(self) -> tuple[tuple[str, Manifest], ...]:
        """Every manifest that can be read, those nearest the root first; no locks."""
        return tuple(self._read(_declaring))

    def above(self, paths: Iterable[str]) -> frozenset[str]:
        """Return the names that the manifests in the folders of some files, or above, ask for."""
        folders = {path.rpartition("/")[0] for path in paths}
        folders |= {str(parent) for folder in folders for parent in PurePosixPath(folder).parents}
        folders = {"" if folder == "." else folder for folder in folders}
        found = self._read(lambda p: _declaring(p) if p.rpartition("/")[0] in folders else None)
        return frozenset(r.name for _, m in found for r in m.requirements if r.name)

    @cached_property
    def locks(self) -> tuple[tuple[str, Manifest], ...]:
        """Every lock that can be read."""
        return tuple(self._read(lambda path: kind_of(path) if kind_of(path) in LOCKS else None))

    @cached_property
    def commands(self) -> tuple[tuple[str, Manifest], ...]:
        """Images, workflows and scripts, with what their commands install."""
        return tuple(self._read(command_kind))

    def _read(self, kind_at: Callable[[str], str | None]) -> Iterator[tuple[str, Manifest]]:
        found = [(e, kind) for e in self._entries if e.is_file and (kind := kind_at(e.path))]
        found.sort(key=lambda pair: (pair[0].path.count("/"), pair[0].path))
        for entry, kind in found[:MAX_MANIFESTS]:
            try:
                yield entry.path, manifest(self._world, entry, kind)
            except (DocumentError, CouldNotTell):
                continue  # said where that file is judged

    @cached_property
    def declared(self) -> frozenset[str]:
        """The names that any manifest or command of the commit asks for."""
        asked = (m for _, m in (*self.manifests, *self.commands))
        return frozenset(r.name for m in asked for r in m.requirements if r.name)

    @cached_property
    def declares(self) -> bool:
        """Whether the project says anywhere what it needs."""
        return any(m.requirements for _, m in self.manifests)

    def imports(self) -> Iterator[tuple[str, frozenset[str]]]:
        """Yield each file of code with the modules it seems to import."""
        end = time.monotonic() + SECONDS
        for number, entry in enumerate(self.code):
            if number >= MAX_FILES:
                self.trouble = f"more than {MAX_FILES:,} files of Python"
                return
            if time.monotonic() > end:
                self.trouble = f"{number:,} of {len(self.code):,} files took {SECONDS} seconds"
                return
            try:
                yield entry.path, frozenset(self._scanned(entry))
            except CouldNotTell as error:
                self.trouble = f"{entry.path}: {error.message}"

    def _scanned(self, entry: TreeEntry) -> tuple[str, ...]:
        return self._world.facts(
            f"dependencies/scan/{VERSION}",
            entry.blob,
            tuple[str, ...],
            lambda: scan(self._world.prefix(entry.blob, LIMIT)),
        )

    def texts(self) -> Iterator[bytes]:
        """Yield the settings and scripts in which a package may be named, manifests left out."""
        found = (e for e in self._entries if e.is_file and _is_text(e.path))
        for number, entry in enumerate(found):
            if number >= MAX_TEXTS:
                self.trouble = self.trouble or f"more than {MAX_TEXTS:,} settings and scripts"
                return
            try:
                yield self._world.prefix(entry.blob, TEXT)
            except CouldNotTell as error:
                self.trouble = f"{entry.path}: {error.message}"


def _declaring(path: str) -> str | None:
    kind = kind_of(path)
    return None if kind in LOCKS else kind


def _is_text(path: str) -> bool:
    base = path.rpartition("/")[2].lower()
    named = base.endswith(_TEXTS) or base.startswith(_NAMED)
    return named and kind_of(path) is None and not is_vendored(path)


def is_vendored(path: str) -> bool:
    """Whether a path lies in a folder of other people's code."""
    return not VENDORED.isdisjoint(path.lower().split("/")[:-1])
