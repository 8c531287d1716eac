"""The dependency manifests of a change: which there are, what they say before and after."""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from bot.change import Change, TreeEntry
from bot.errors import CouldNotTell
from bot.world import LOCK_LIMIT, TEXT_LIMIT, World
from registry.manifests import (
    COMMANDS,
    LOCKS,
    DocumentError,
    Manifest,
    command_kind,
    kind_of,
    read,
)

VERSION = 9  # of the cached facts: goes up with any change to the readers
MAX_FOLDERS = 20  # folders of changed manifests whose other manifests are looked at
MAX_NEARBY = 40  # manifests that did not change, read for names and pins
MAX_INCLUDES = 100  # includes of one change that are looked up
# Endings of files that a manifest may include under any name.
INCLUDABLE = (".txt", ".in", ".pip", ".req", ".reqs", ".lst", ".deps")
# Files without an ending that no manifest includes.
_PAPERS = ("licen", "copying", "unlicense", "notice", "readme", "authors", "codeowners",
           "contribut", "change", "makefile", "version", "maintainers")  # fmt: skip
_READ = ("judged", "cycle")
INCLUDES = ("--requirement", "--constraint", "--build-constraint")


@dataclass(frozen=True, slots=True)
class ManifestChange:
    """One changed manifest. `trouble` says why the head cannot be read.

    `before` is also None where the base could not be read.
    """

    path: str
    kind: str
    before: Manifest | None
    after: Manifest | None
    trouble: str = ""
    line: int = 0
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Include:
    """A new `-r` or `-c` line, and what became of it.

    `state` is "url", "outside", "missing", "link", "cycle", "judged", "beyond" (it and those
    after it were not looked up) or "elsewhere": a command names a file that only its own machine
    may have.
    """

    path: str
    line: int
    target: str
    state: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Changed manifests and new includes; names that locks pin at the head, and names in use.

    `pinned` and `known` also count the manifests that did not change, beside those that did.
    """

    files: tuple[ManifestChange, ...]
    includes: tuple[Include, ...] = ()
    pinned: tuple[str, ...] = ()
    known: tuple[str, ...] = ()


def concerns(path: str) -> bool:
    """Whether a file of this name is a manifest, or may be included by one."""
    name = posixpath.basename(path).lower()
    bare = "." not in name and not name.startswith(_PAPERS) and command_kind(path) is None
    return bare or kind_of(path) is not None or name.endswith(INCLUDABLE)


def installs(path: str) -> bool:
    """Whether a file of this name may hold commands that install packages."""
    return command_kind(path) is not None


def manifest(world: World, entry: TreeEntry, kind: str) -> Manifest:
    """Return what a manifest says. Raises DocumentError, TooLarge or Missing."""
    limit = LOCK_LIMIT if kind in LOCKS else TEXT_LIMIT
    return world.facts(
        f"dependencies/{VERSION}/{kind}",
        entry.blob,
        Manifest,
        lambda: read(kind, world.read(entry.blob, limit)),
    )


def collect(change: Change, world: World, *, commands: bool = False) -> Evidence:
    """Read the changed manifests, what they newly include, and the locks beside them.

    With `commands`, also Dockerfiles, workflows and scripts: what their commands install.
    """
    changed = {f.path: f for f in change.files}
    kinds = {path: kind for path in changed if (kind := kind_of(path))}
    if commands:
        found = ((path, command_kind(path)) for path in changed if path not in kinds)
        kinds |= {path: kind for path, kind in found if kind}
    kinds |= dict.fromkeys(_included_already(change, world, changed, kinds), "requirements")
    files: dict[str, ManifestChange] = {}
    includes: list[Include] = []
    circles = set[str]()  # files that are known to include themselves
    waiting = deque(kinds)
    while waiting:
        path = waiting.popleft()
        if path in files:
            continue
        # One that stood there and is included now is new to what is installed.
        before, after = None, None
        if path in changed:
            before, after = changed[path].before, changed[path].after
        else:
            after = world.entry(change.head, path)
        files[path] = _changed(world, path, kinds[path], before, after)
        for include in _includes(files[path]):
            if include.state or len(includes) < MAX_INCLUDES:
                include = _located(include, change, world, kinds, circles)
            elif len(includes) == MAX_INCLUDES:
                include = replace(include, state="beyond")
            else:
                continue
            includes.append(include)
            target = include.target
            if include.state in _READ and (target in changed or kind_of(target) is None):
                kinds.setdefault(target, "requirements")
                waiting.append(target)
    nearby = tuple(_nearby(change, world, files))
    return Evidence(
        tuple(files[path] for path in sorted(files)),
        tuple(includes),
        _pinned([*nearby, *(f.after for f in files.values() if f.after)]),
        tuple(sorted({r.name for m in nearby for r in m.requirements if r.name})),
    )


def _changed(
    world: World, path: str, kind: str, before: TreeEntry | None, after: TreeEntry | None
) -> ManifestChange:
    old: Manifest | None = None
    if before is not None and before.is_file:
        try:
            old = manifest(world, before, kind)
        except (DocumentError, CouldNotTell):
            old = None  # what could not be read counts as absent: all of the head is new
    if after is None:
        return ManifestChange(path, kind, old, None, deleted=True)
    if not after.is_file:
        return ManifestChange(path, kind, old, None, "a symbolic link or submodule, not a file")
    try:
        return ManifestChange(path, kind, old, manifest(world, after, kind))
    except DocumentError as error:
        return ManifestChange(path, kind, old, None, error.message, error.line)
    except CouldNotTell as error:
        return ManifestChange(path, kind, old, None, error.message)


def _includes(file: ManifestChange) -> Iterator[Include]:
    old = {(o.name, o.value) for o in file.before.options} if file.before else set()
    for option in file.after.options if file.after else ():
        if option.name in INCLUDES and (option.name, option.value) not in old:
            yield _include(file, option.line, option.value)


def _include(file: ManifestChange, line: int, value: str) -> Include:
    folder = posixpath.dirname(file.path)
    target = posixpath.normpath(posixpath.join(folder, value))
    if "://" in value or value.lower().startswith("file:"):
        return Include(file.path, line, value, "url")
    if file.kind in COMMANDS:
        # Whoever runs it chooses the folder, mostly the root: each is tried.
        return Include(file.path, line, posixpath.normpath(value), "")
    if value.startswith(("/", "~", "\\")) or target.startswith(".."):
        return Include(file.path, line, value, "outside")
    return Include(file.path, line, target, "")


def _located(
    include: Include, change: Change, world: World, kinds: dict[str, str], circles: set[str]
) -> Include:
    if include.state:
        return include
    if kinds.get(include.path) in COMMANDS:
        return _for_command(include, change, world)
    entry = world.entry(change.head, include.target)
    state = "judged" if entry is not None else "missing"
    if entry is not None and not entry.is_file:
        state = "link"
    elif entry is not None and (circle := _returns(include, change, world)):
        # Each circle is said once, on the first line of it that is new.
        state = "judged" if include.path in circles else "cycle"
        circles |= circle
    return Include(include.path, include.line, include.target, state)


def _for_command(include: Include, change: Change, world: World) -> Include:
    words = [w for w in include.target.split("/") if w not in ("", "..", ".")]
    folder = posixpath.dirname(include.path)
    tried = [posixpath.normpath(posixpath.join(folder, include.target))]
    tried += ["/".join(words[n:]) for n in range(min(len(words), 4))]
    for target in tried:
        if target.startswith(("..", "/")) or target == ".":
            continue
        entry = world.entry(change.head, target)
        if entry is not None and entry.is_file:
            return Include(include.path, include.line, target, "judged")
    return Include(include.path, include.line, include.target, "elsewhere")


def _returns(include: Include, change: Change, world: World) -> set[str]:
    """Return the files met until what is included comes back to its includer; none: it does not."""
    waiting, seen = [include.target], set[str]()
    while waiting and len(seen) < MAX_INCLUDES:
        path = waiting.pop()
        if path == include.path:
            return seen | {path}
        entry = None if path in seen else world.entry(change.head, path)
        seen.add(path)
        if entry is None or not entry.is_file:
            continue
        kind = kind_of(path) or "requirements"
        try:
            found = ManifestChange(path, kind, None, manifest(world, entry, kind))
        except (DocumentError, CouldNotTell):
            continue  # said where that file is judged
        waiting += (i.target for i in _includes(found) if not i.state)
    return set()


def _included_already(
    change: Change, world: World, changed: Collection[str], kinds: Collection[str]
) -> Iterator[str]:
    """Yield the changed files that a manifest which did not change includes under any name."""
    others = [p for p in changed if p not in kinds and concerns(p)]
    if not others:
        return
    folders = {posixpath.dirname(path) for path in others}
    folders |= {posixpath.dirname(folder) for folder in folders}
    waiting = list(_unchanged(change, world, folders, changed))
    seen = {path for path, _ in waiting}
    while waiting:
        path, found = waiting.pop()
        for include in _includes(ManifestChange(path, found.kind, None, found)):
            target = include.target
            if target in others:
                yield target
            elif not include.state and target not in seen and len(seen) < MAX_INCLUDES:
                seen.add(target)
                waiting += _further(world, change.head, target)


def _further(world: World, commit: str, path: str) -> Iterator[tuple[str, Manifest]]:
    """Yield a file that did not change and is included under a name of its own, read."""
    entry = world.entry(commit, path)
    if entry is None or not entry.is_file:
        return
    try:
        yield path, manifest(world, entry, kind_of(path) or "requirements")
    except (DocumentError, CouldNotTell):
        return  # it includes nothing that could be relied on


def _nearby(change: Change, world: World, files: dict[str, ManifestChange]) -> Iterator[Manifest]:
    # Manifests beside the changed ones that the change leaves alone: the same at the base.
    folders = {posixpath.dirname(path) for path in files}
    yield from (found for _, found in _unchanged(change, world, folders, files))


def _unchanged(
    change: Change, world: World, folders: set[str], changed: Collection[str]
) -> Iterator[tuple[str, Manifest]]:
    """Yield the other manifests of the root and some folders, with their paths."""
    listed = sorted({"", *folders})[: MAX_FOLDERS + 1]
    entries = [e for folder in listed for e in world.folder(change.head, folder) if e.is_file]
    found = [(e, k) for e in entries if e.path not in changed and (k := kind_of(e.path))]
    for entry, kind in found[:MAX_NEARBY]:
        try:
            yield entry.path, manifest(world, entry, kind)
        except (DocumentError, CouldNotTell):
            continue  # it pins nothing that could be relied on


def _pinned(manifests: list[Manifest]) -> tuple[str, ...]:
    locks = (m for m in manifests if m.is_lock or m.kind == "constraints")
    return tuple(sorted({r.name for m in locks for r in m.requirements if r.version}))
