"""What happened to the files behind pointers, from their names and digests alone. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

UNKNOWN = -1  # a size that nobody states
KEPT = 1_000  # changes that are kept by name; the rest are counted


@dataclass(frozen=True, slots=True)
class Listed:
    """One file by its digest; `size` is in bytes, UNKNOWN where nobody says.

    A digest of "" names no content: it is equal to nothing, not even to itself.
    """

    path: str
    digest: str
    size: int = UNKNOWN


class What(StrEnum):
    """What happened to a file."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class Changed:
    """One file that is not as it was; `was` is its path before, where it was renamed."""

    path: str
    what: What
    before: int = UNKNOWN
    after: int = UNKNOWN
    was: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """How many files, their bytes as far as they are known, and how many have no known size."""

    count: int = 0
    size: int = 0
    unsized: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """Two listings compared.

    `files` are the first KEPT changes by path, `more` those beyond; `counts` has all of them by
    kind. `new` are contents that were not there before, each once: what a remote has to take.
    """

    files: tuple[Changed, ...] = ()
    more: int = 0
    counts: tuple[tuple[str, int], ...] = ()
    same: int = 0
    before: Total = Total()
    after: Total = Total()
    new: Total = Total()
    gone: Total = Total()

    def count(self, what: What) -> int:
        """Return how many files this happened to."""
        return dict(self.counts).get(what, 0)


def difference(before: Iterable[Listed], after: Iterable[Listed]) -> Changes:
    """Compare two listings by path and digest. A path that one side names twice counts once.

    A file that is gone and one that is new are one that was renamed, where their digest is equal.
    Cost grows with the listings, not with their product.
    """
    old = {file.path: file for file in before}
    new = {file.path: file for file in after}
    stayed = [(old[path], new[path]) for path in old.keys() & new.keys()]
    moved = list(_renamed(_only(old, new), _only(new, old)))
    sources, targets = ({pair[side].path for pair in moved} for side in (0, 1))
    found = [
        *(_changed(*pair) for pair in stayed if not _equal(*pair)),
        *(Changed(b.path, What.RENAMED, a.size, b.size, a.path) for a, b in moved),
        *(Changed(f.path, What.REMOVED, f.size) for f in _only(old, new) if f.path not in sources),
        *(Changed(f.path, What.ADDED, UNKNOWN, f.size) for f in _only(new, old)
          if f.path not in targets),
    ]  # fmt: skip
    found.sort(key=lambda one: (one.path, one.what))
    counts = Counter(str(one.what) for one in found)
    return Changes(
        tuple(found[:KEPT]),
        max(0, len(found) - KEPT),
        tuple(sorted(counts.items())),
        sum(_equal(*pair) for pair in stayed),
        _total(old.values()),
        _total(new.values()),
        _contents(new.values(), old.values()),
        _contents(old.values(), new.values()),
    )


def unknown_sizes(before: Sequence[Listed], after: Sequence[Listed]) -> tuple[str, ...]:
    """Return the digests that one side alone has and whose size nobody states, in order."""
    sides = [{file.digest for file in side} for side in (before, after)]
    both = sides[0] & sides[1]
    wanted = (
        file.digest
        for file in (*after, *before)
        if file.size == UNKNOWN and file.digest and file.digest not in both
    )
    return tuple(dict.fromkeys(wanted))


def _only(here: dict[str, Listed], there: dict[str, Listed]) -> list[Listed]:
    return [file for path, file in here.items() if path not in there]


def _equal(one: Listed, other: Listed) -> bool:
    return bool(one.digest) and one.digest == other.digest


def _changed(old: Listed, new: Listed) -> Changed:
    return Changed(new.path, What.CHANGED, old.size, new.size)


def _renamed(gone: list[Listed], new: list[Listed]) -> Iterator[tuple[Listed, Listed]]:
    """Yield (old, new) of equal digests; of several, files of one name go together."""
    waiting: dict[str, list[Listed]] = defaultdict(list)
    for file in gone:
        if file.digest:
            waiting[file.digest].append(file)
    arrived: dict[str, list[Listed]] = defaultdict(list)
    for file in new:
        if file.digest in waiting:
            arrived[file.digest].append(file)
    for digest, files in arrived.items():
        yield from _paired(waiting[digest], files)


def _paired(gone: list[Listed], new: list[Listed]) -> Iterator[tuple[Listed, Listed]]:
    named: dict[str, list[Listed]] = defaultdict(list)
    for file in sorted(gone, key=lambda f: f.path, reverse=True):
        named[_name(file)].append(file)
    left: list[Listed] = []
    for file in sorted(new, key=lambda f: f.path):
        if same := named.get(_name(file)):
            yield same.pop(), file
        else:
            left.append(file)
    others = sorted((f for files in named.values() for f in files), key=lambda f: f.path)
    yield from zip(others, left, strict=False)


def _name(file: Listed) -> str:
    return file.path.rpartition("/")[2]


def _total(files: Iterable[Listed]) -> Total:
    sizes = [file.size for file in files]
    known = [size for size in sizes if size != UNKNOWN]
    return Total(len(sizes), sum(known), len(sizes) - len(known))


def _contents(here: Iterable[Listed], there: Iterable[Listed]) -> Total:
    """Count contents that only one side has, each once; without a digest each is one."""
    known = {file.digest for file in there}
    sizes: dict[str, int] = {}
    for file in here:
        name = file.digest or f"\0{file.path}"
        if not file.digest or file.digest not in known:
            sizes[name] = max(sizes.get(name, UNKNOWN), file.size)
    stated = [size for size in sizes.values() if size != UNKNOWN]
    return Total(len(sizes), sum(stated), len(sizes) - len(stated))
