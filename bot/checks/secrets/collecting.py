"""Reads what a change adds: files, what pointers name, messages, and commits in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from bot.change import Change, FileChange
from bot.checks.secrets import baseline
from bot.checks.secrets.evidence import Evidence, Place, Scanned
from bot.checks.secrets.passing import passing
from bot.checks.secrets.reading import of_blobs, of_pointer, pointers
from bot.checks.secrets.settings import Settings
from bot.errors import CouldNotTell, Missing
from bot.patterns import any_matches, compiled
from bot.world import World
from registry.errors import RegistryError
from security.secrets import BY_ID, Kind, best, scan

MAX_OLD = 500  # files of the base that are searched for what was found


@dataclass(slots=True)
class _Reader:
    """Scans one thing after another, within one budget."""

    world: World
    maker: str
    limit: int
    budget: int
    unread: list[tuple[str, str]] = field(default_factory=list)
    binaries: int = 0
    files: int = 0
    size: int = 0

    def scan(self, path: str, make: Callable[[], Scanned]) -> Scanned | None:
        if self.size >= self.budget:
            reason = f"the change adds more than the {self.budget:,} bytes that are scanned"
            self.unread.append((path, reason))
            return None
        try:
            found = make()
        except (CouldNotTell, RegistryError) as error:
            self.unread.append((path, error.message))
            return None
        self.files += not found.binary
        self.binaries += found.binary
        self.size += 0 if found.binary else found.size
        return found


def collect(change: Change, world: World, settings: Settings, maker: str) -> Evidence:
    """Scan what the change adds."""
    reader = _Reader(world, maker, settings.max_file_bytes, settings.max_bytes)
    skipped = tuple(compiled(pattern) for pattern in settings.allow_paths)
    files = [f for f in change.files if f.file and not any_matches(skipped, f.path)]
    places, seen = [], []
    doubt: list[tuple[str, str]] = []
    count = 0
    for file in files:
        blob = file.file.blob if file.file else ""
        make = partial(of_blobs, world, maker, _blob(file), blob, reader.limit)
        found = reader.scan(file.path, make)
        if found and (found.found.hits or found.found.more):
            places.append(Place(file.path, found.found.hits, found.found.more))
        for path, one in _named(reader, file, world):
            count += 1
            seen += [(path, "its content is not at hand")] if one is None else []
            if one and one.found.hits:
                places.append(Place(path, one.found.hits, one.found.more))
    messages, old = tuple(_messages(change, world)), _old(change, reader, places)
    places = [replace(p, old=tuple(sorted({h.mark for h in p.hits} & old))) for p in places]
    known, trouble = _baseline(change, world)
    doubt += [(baseline.PATH, trouble)] if trouble else []
    gone: tuple[Place, ...] = ()
    if settings.history:
        gone, whole = _passing(change, world, reader, _marks(places) | old)
        doubt += [] if whole else [("", "the change has more commits or files than are scanned")]
    return Evidence(
        tuple(places), messages, gone, tuple(reader.unread), known, tuple(doubt),
        reader.files, reader.size, reader.binaries, tuple(seen), count, best()[0],
    )  # fmt: skip


def _marks(places: list[Place]) -> frozenset[str]:
    """Return the marks of everything found in these places."""
    return frozenset(hit.mark for place in places for hit in place.hits)


def _same(scanned: Scanned) -> Scanned:
    return scanned


def _blob(file: FileChange) -> str:
    return file.before.blob if file.before is not None and file.before.is_file else ""


def _named(reader: _Reader, file: FileChange, world: World) -> Iterator[tuple[str, Scanned | None]]:
    """Yield what each pointer of a file names, scanned, or None where it is not at hand."""
    try:
        found = pointers(file, world)
    except (CouldNotTell, RegistryError):
        return  # the check on weights says what is wrong with a pointer
    for pointer in found:
        try:
            one = of_pointer(world, reader.maker, pointer, file.path, reader.limit)
        except Missing:
            yield pointer.path, None
            continue
        except RegistryError as error:
            reader.unread.append((pointer.path, error.message))
            continue
        if scanned := reader.scan(pointer.path, partial(_same, one)):
            yield pointer.path, scanned


def _messages(change: Change, world: World) -> Iterator[Place]:
    for commit in world.commits(change.base, change.head):
        hits = scan(commit.message.encode("utf-8", "replace")).hits
        secret = tuple(h for h in hits if BY_ID[h.rule].kind is Kind.SECRET)
        if secret:
            yield Place("", secret, commit=commit.id)


def _old(change: Change, reader: _Reader, places: list[Place]) -> frozenset[str]:
    """Return the marks of values that files had at the base which the change alters or deletes."""
    if not any(place.hits for place in places):
        return frozenset()
    marks: set[str] = set()
    blobs = [b for f in change.files if (b := _blob(f))]
    for blob in blobs[:MAX_OLD]:
        try:
            found = of_blobs(reader.world, reader.maker, "", blob, reader.limit)
        except CouldNotTell:
            continue  # what it holds counts as new
        marks |= {hit.mark for hit in found.found.hits}
    return frozenset(marks)


def _baseline(change: Change, world: World) -> tuple[tuple[str, ...], str]:
    entry = world.entry(change.base, baseline.PATH)
    if entry is None:
        return (), ""
    try:
        return baseline.read(world.read(entry.blob, baseline.LIMIT)), ""
    except CouldNotTell as error:
        return (), error.message


def _passing(
    change: Change, world: World, reader: _Reader, known: frozenset[str]
) -> tuple[tuple[Place, ...], bool]:
    found, whole = passing(change, world)
    places = []
    for commit, path, before, after in found:
        make = partial(of_blobs, world, reader.maker, before, after, reader.limit)
        one = reader.scan(path, make)
        hits = tuple(
            h
            for h in (one.found.hits if one else ())
            if h.mark not in known and BY_ID[h.rule].kind is Kind.SECRET
        )
        if hits:
            places.append(Place(path, hits, commit=commit))
    return tuple(places), whole
