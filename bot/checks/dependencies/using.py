"""Reads the imports of changed Python files, and holds them against what is declared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.utils import canonicalize_name

from bot.change import Change, TreeEntry
from bot.checks.dependencies.tree import VERSION, Tree, is_vendored
from bot.checks.dependencies.unused import unused
from bot.checks.dependencies.usage import Undeclared, Unread, Usage
from bot.errors import CouldNotTell
from bot.manifestfiles import ManifestChange
from bot.world import World
from registry.manifests.closure import Graph
from registry.manifests.difference import Delta
from registry.manifests.imported import LIMIT, Import, Imports, read_imports
from registry.manifests.provided import installed, is_standard, providers, provides

MAX_CHANGED = 500  # changed Python files that are parsed
MAX_BYTES = 15_000_000  # of them, both sides together
MAX_MODULES = 150  # new imports, and imports that went, that are held against manifests
MAX_DECLARED = 1_000  # packages that they are held against
_ASIDE = frozenset({"tests", "test", "testing", "docs", "doc", "examples", "example", "scripts",
                    "script", "benchmarks", "benchmark", "tools", "ci", ".github", "notebooks",
                    "dev", "recipes", "playground", "experiments"})  # fmt: skip


@dataclass(slots=True)
class Changed:
    """Imports of the changed files: at the head by path, and what the base had in any of them."""

    head: dict[str, tuple[Import, ...]] = field(default_factory=dict)
    base: set[str] = field(default_factory=set)
    old: dict[str, set[str]] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)
    files: int = 0
    beyond: str = ""

    @property
    def gone(self) -> frozenset[str]:
        """Modules that the changed files imported before and import no more."""
        left = self.base - {i.name for found in self.head.values() for i in found}
        return frozenset(sorted(left)[:MAX_MODULES])


def concerns(path: str) -> bool:
    """Whether imports of this file are read."""
    return path.endswith(".py") and not is_vendored(path)


def collect(
    change: Change,
    world: World,
    files: Sequence[ManifestChange],
    deltas: Sequence[Delta],
    folders: Sequence[Path],
) -> Usage:
    """Hold new imports against what is declared, and new requirements against all imports.

    `files` are the changed manifests, `deltas` what differs in them, `folders` those of installed
    distributions, which tell what modules a package has.
    """
    changed = _changed(change, world)
    tree = Tree(world, change.head)
    missing = tuple(_undeclared(changed, tree, folders))
    after = {file.path: file.after for file in files if file.after is not None}
    idle, trouble = unused(changed.gone, deltas, after, tree, folders)
    unread = tuple(changed.unread)
    return Usage(changed.files, missing, idle, unread, changed.beyond or trouble)


def _changed(change: Change, world: World) -> Changed:
    found = Changed()
    files = [f for f in change.files if concerns(f.path)]
    if len(files) > MAX_CHANGED:
        found.beyond = f"more than {MAX_CHANGED:,} changed files of Python"
    size = 0
    for file in files[:MAX_CHANGED]:
        size += sum(_size(world, e) for e in (file.before, file.file) if e is not None)
        if size > MAX_BYTES:
            found.beyond = f"more than {MAX_BYTES:,} bytes of changed Python"
            break
        old = _read(world, file.before) if file.before is not None else Imports()
        found.old[file.path] = {one.name for one in old.found}
        found.base |= found.old[file.path]
        if file.file is None:
            continue
        found.files += 1
        new = _read(world, file.file)
        if new.trouble and not (old.trouble and file.before is not None):
            found.unread.append(Unread(file.path, new.line, new.trouble))
        found.head[file.path] = new.found
    return found


def _size(world: World, entry: TreeEntry) -> int:
    try:
        return world.size(entry.blob) if entry.is_file else 0
    except CouldNotTell:
        return 0  # said where it is read


def _read(world: World, entry: TreeEntry) -> Imports:
    if not entry.is_file:
        return Imports()
    try:
        return world.facts(
            f"dependencies/imports/{VERSION}",
            entry.blob,
            Imports,
            lambda: read_imports(world.read(entry.blob, LIMIT)),
        )
    except CouldNotTell as error:
        return Imports(trouble=error.message)


def _undeclared(changed: Changed, tree: Tree, folders: Sequence[Path]) -> Iterator[Undeclared]:
    new = _new(changed)
    if not new:
        return
    new = {name: places for name, places in new.items() if name not in tree.modules}
    if len(new) > MAX_MODULES:
        changed.beyond = f"more than {MAX_MODULES} new imports"
        new = dict(list(new.items())[:MAX_MODULES])
    if not new:
        return
    left = _unprovided(new, tree.above(changed.head))
    left = _unprovided(left, tree.declared) if left and tree.declares else {}
    if left:
        there = {
            module
            for name in sorted(tree.declared)[:MAX_DECLARED]
            for module in installed(folders, name)
        }
        left = {module: places for module, places in left.items() if module not in there}
    if not left:
        return
    before = _elsewhere(frozenset(left), changed, tree)
    for module, places in sorted(left.items(), key=lambda item: item[1][0]):
        path, line, _ = places[0]
        weak = _weak(places)
        if not weak and module in before:
            weak = f"{before[module]} does so already"
        names, via = _known(module, tree)
        yield Undeclared(module, path, line, len(places) - 1, weak, names, via)


Place = tuple[str, int, bool]
Places = dict[str, list[Place]]


def _unprovided(modules: Places, declared: frozenset[str]) -> Places:
    known = sorted(declared)[:MAX_DECLARED]
    return {m: p for m, p in modules.items() if not any(provides(d, m) for d in known)}


def _new(changed: Changed) -> Places:
    """Return the modules that are new in the changed files, the weightiest place first."""
    found: Places = {}
    for path, imports in changed.head.items():
        for one in imports:
            plain = not is_standard(one.name) and not one.name.startswith("_")
            if plain and one.name not in changed.base:
                found.setdefault(one.name, []).append((path, one.line, one.optional))
    for places in found.values():
        places.sort(key=lambda place: (bool(_weak([place])), place))
    return found


def _weak(places: Sequence[Place]) -> str:
    path, _, optional = places[0]
    folders, _, base = path.lower().rpartition("/")
    if optional:
        return "the code can do without it"
    aside = base.startswith(("test_", "conftest", "setup.", "noxfile")) or base.endswith("_test.py")
    if aside or not _ASIDE.isdisjoint(folders.split("/")):
        return "not in what users install"
    return ""


def _elsewhere(modules: frozenset[str], changed: Changed, tree: Tree) -> dict[str, str]:
    """Return the files that the change leaves alone and that import these modules."""
    found: dict[str, str] = {}
    for path, imports in tree.imports():
        if path not in changed.head:
            for module in modules & imports:
                found.setdefault(module, path)
        if len(found) == len(modules):
            break
    return found


def _known(module: str, tree: Tree) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the distributions that provide a module, and the way by which one comes in."""
    names = providers(module)
    plain = canonicalize_name(module)
    for _, lock in tree.locks:
        for one in lock.requirements:
            if one.name == plain or one.name in names:
                return (one.name,), Graph(lock, ((d, ()) for d in tree.declared)).path(one.name)
    return names, ()
