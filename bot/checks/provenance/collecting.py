"""Reads what a change adds of other people's work, and the register that says where it is from."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from bot import added
from bot.change import Change, FileChange
from bot.checks.assets.files import Tree, is_license_file
from bot.checks.provenance import encoding
from bot.checks.provenance.evidence import (
    OWN,
    Evidence,
    Folder,
    Marks,
    Pasted,
    Registered,
    Unread,
)
from bot.checks.provenance.holders import holders
from bot.checks.provenance.holding import MAKER, covers, digest
from bot.checks.provenance.notices import stale
from bot.checks.provenance.ours import Ours
from bot.checks.provenance.reading import read
from bot.checks.provenance.settings import Settings
from bot.errors import CouldNotTell
from bot.patterns import any_matches, compiled
from bot.world import TEXT_LIMIT, World
from registry.borrowed import register
from registry.borrowed.values import Entry
from registry.documents import DocumentError
from registry.errors import RegistryError

MAX_FILES = 20_000  # changed files that are read
# Files that are no source: documents speak of licences, data hold whatever it may be.
_OTHERS = (
    ".md .rst .txt .adoc .html .htm .xml .svg .csv .tsv .json .jsonl .ndjson .lock .log .bib .po"
    " .pem .diff .patch .dvc .ipynb_checkpoints"
)
_NOT_SOURCE = tuple(_OTHERS.split())
_NAMED = ("notice", "third", "authors", "copyright", "copying", "licen", "unlicense", "changelog")
_TEXTS = ("license", "licence", "copying", "unlicense")


@dataclass(frozen=True, slots=True)
class _Books:
    """The registers of both sides; `trouble` where that of the head cannot be read."""

    before: tuple[Entry, ...]
    after: tuple[Entry, ...]
    changed: bool
    trouble: tuple[Unread, ...] = ()


def is_source(path: str) -> bool:
    """Whether a file of this name is code, whose comments may say whose it is."""
    name = posixpath.basename(path).lower()
    return not name.endswith(_NOT_SOURCE) and not name.startswith(_NAMED)


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """Read the added lines, the folders of others, the entries the change bears on, NOTICE."""
    ours = Ours(change, world, settings)
    skipped = tuple(compiled(pattern) for pattern in settings.ignore_paths)
    files = [f for f in change.files if f.path != register.PATH]
    files = [f for f in files if not any_matches(skipped, f.path)]
    books = _books(change, world)
    unread = list(books.trouble)
    sources = [f for f in files if f.file is not None and is_source(f.path)]
    if len(sources) > MAX_FILES:
        unread.append(Unread("", 0, f"{len(sources):,} changed files, more than {MAX_FILES:,}"))
    pasted = [
        one for f in sources[:MAX_FILES] for one in _pasted(f, world, ours, books.after, unread)
    ]
    folders = tuple(_folders(files, Tree(world, change.head), ours, books.after))
    amiss, more = stale(change, world, books.after) if not books.trouble else ((), ())
    return Evidence(
        ours.outbound(""), ours.weights(), tuple(pasted), folders,
        tuple(_registered(change, world, books)), tuple(_dropped(change, world, books)),
        (*unread, *more), amiss, len(books.after), len(sources),
    )  # fmt: skip


def _books(change: Change, world: World) -> _Books:
    changed = any(f.path == register.PATH for f in change.files)
    try:
        before = _entries(world, change.merge_base)
    except (DocumentError, CouldNotTell):
        before = ()  # what could not be read counts as absent: all entries of the head are new
    if not changed:
        return _Books(before, before, changed=False)
    try:
        return _Books(before, _entries(world, change.head), changed=True)
    except DocumentError as error:
        trouble = Unread(register.PATH, error.line, error.message, invalid=True)
    except CouldNotTell as error:
        trouble = Unread(register.PATH, 0, error.message, invalid=True)
    return _Books((), (), changed=True, trouble=(trouble,))


def _entries(world: World, commit: str) -> tuple[Entry, ...]:
    found = world.entry(commit, register.PATH)
    if found is None:
        return ()
    if not found.is_file:
        raise DocumentError("it is no regular file", 1)
    return register.read(world.read(found.blob, register.LIMIT))


def _pasted(
    file: FileChange, world: World, ours: Ours, entries: tuple[Entry, ...], unread: list[Unread]
) -> Iterator[Pasted]:
    try:
        marks = _marks(file, world)
    except CouldNotTell as error:
        unread.append(Unread(file.path, 0, error.message))
        return
    if marks.more:
        unread.append(Unread(file.path, 0, "it has more headers than are compared"))
    if marks.lost:
        why = "its encoding is not known: store it as UTF-8"
        unread.append(Unread(file.path, marks.lost, why))
    entry = next((e for e in entries if covers(e, file.path)), None)
    for mark in marks.found:
        foreign = ours.foreign(mark.holders, file.path)
        outbound = ours.outbound(file.path)
        others = [id for id in mark.licenses if id not in (OWN, outbound)]
        if foreign or others or mark.altered:
            yield Pasted(file.path, mark, foreign, outbound, entry)


def _marks(file: FileChange, world: World) -> Marks:
    entry = file.file
    if entry is None:
        return Marks()
    suffix = posixpath.splitext(file.path)[1].lower()
    language = {".py": "py", ".pyi": "py", ".ipynb": "ipynb"}.get(suffix, "")
    before = file.before.blob if file.before is not None and file.before.is_file else ""

    def make() -> Marks:
        if world.size(entry.blob) > TEXT_LIMIT and _is_binary(world, entry.blob):
            return Marks()
        old = None
        if before and world.size(before) <= TEXT_LIMIT:
            old = world.read(before, TEXT_LIMIT)
        return read(old, world.read(entry.blob, TEXT_LIMIT), language=language)

    return world.facts(f"{MAKER}/marks/{language}/{before}", entry.blob, Marks, make)


def _is_binary(world: World, blob: str) -> bool:
    return added.text(world.prefix(blob, added.SNIFFED)) is None


def _folders(
    files: list[FileChange], tree: Tree, ours: Ours, entries: tuple[Entry, ...]
) -> Iterator[Folder]:
    """Yield each folder of other people's files that the change adds to, once."""
    found: dict[str, list[str]] = {}
    for file in files:
        if file.added and file.after is not None and (root := _root(file.path, ours.settings)):
            found.setdefault(root, []).append(file.path)
    for root, paths in sorted(found.items()):
        missed = [path for path in paths if not any(covers(e, path) for e in entries)]
        if not missed:
            continue
        text = tree.text(root)
        license = text.ids[0] if text is not None and text.ids else ""
        yield Folder(root, missed[0], len(missed), license, ours.outbound(""))
    for file in files:
        folder = posixpath.dirname(file.path)
        if not file.added or not folder or not is_license_file(file.path) or file.file is None:
            continue
        if posixpath.basename(folder).lower() == "licenses" or _root(file.path, ours.settings):
            continue
        if any(covers(e, file.path) for e in entries):
            continue
        text = tree.text(folder)
        stem = posixpath.basename(file.path).lower().partition(".")[0]
        if text is None or not (text.ids or stem in _TEXTS):
            continue  # a document about licences
        if named := _foreign(tree.world, file, ours):
            license = text.ids[0] if text.ids and named != "?" else ""
            yield Folder(folder, file.path, 1, license, ours.outbound(""))


def _root(path: str, settings: Settings) -> str:
    """Return the part of a path that is one borrowed thing: third_party/NAME."""
    parts = path.split("/")
    for number, part in enumerate(parts[:-1]):
        if part.lower() in settings.vendored:
            return "/".join(parts[: number + 2])
    return ""


def _foreign(world: World, file: FileChange, ours: Ours) -> str:
    """Return who else holds what a licence file covers, "?" for a text that names nobody."""
    entry = file.file
    try:
        data = world.prefix(entry.blob, 20_000) if entry else b""
    except CouldNotTell:
        return "?"
    named = tuple(name for line in _first(data) for name in holders(line))
    if not named:
        return ""
    return next(iter(ours.foreign(named, file.path)), "")


def _first(data: bytes) -> list[str]:
    return encoding.lines(added.text(data) or b"")[:40]


def _registered(change: Change, world: World, books: _Books) -> Iterator[Registered]:
    tree = Tree(world, change.head)
    old = {entry.path: replace(entry, line=0) for entry in books.before}
    for entry in books.after:
        fresh = old.get(entry.path) != replace(entry, line=0)
        touched = any(covers(entry, file.path) or file.path == entry.text for file in change.files)
        if not (fresh or touched or books.changed):
            continue
        lost = bool(entry.text) and world.entry(change.head, entry.text) is None
        folder = posixpath.dirname(entry.text) if entry.text else entry.path
        text = tree.text(folder) if folder and not entry.is_pattern else None
        said = text.ids if text is not None else ()
        here = partial(Registered, entry, fresh=fresh, touched=touched, lost_text=lost, said=said)
        try:
            yield here(digest(world, change.head, entry))
        except (CouldNotTell, RegistryError) as error:
            yield here("", trouble=error.message)


def _dropped(change: Change, world: World, books: _Books) -> Iterator[Entry]:
    if books.trouble:
        return
    for entry in books.before:
        if any(covers(other, entry.path) or other.path == entry.path for other in books.after):
            continue
        try:
            stays = bool(digest(world, change.head, entry))
        except (CouldNotTell, RegistryError):
            stays = True
        if stays:
            yield entry
