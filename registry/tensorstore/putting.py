"""Files into the store: read once, each piece and each whole file hashed as it goes by."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from registry.errors import MissingWeights, UnsafeWeights
from registry.tensorstore.cutting import PART, WINDOW, Cut, cuts, ends_pack, windows
from registry.tensorstore.keeping import Keeper, Stored, failed, listing
from registry.tensorstore.naming import names, together
from registry.tensorstore.pairing import Pairs, Rooms
from registry.tensorstore.recipe import (
    LIMIT,
    MAX_PIECES,
    NAME,
    Made,
    Piece,
    Recipe,
    check_paths,
    dump,
)
from security import storing
from security.errors import Refused, WriteFailed
from security.hashing.walk import stamp

MAX_JOBS = 4  # files at once, each with a window of memory
Progress = Callable[[str, int], None]  # the path of a file, and how many bytes more of it are done


def put(
    files: Sequence[tuple[str, Path]],
    cache: Path,
    *,
    jobs: int = 0,
    progress: Progress | None = None,
) -> Stored:
    """Keep files, named by their paths in a folder, as objects of a DVC cache.

    The listing comes last: killed before, it leaves objects that the next run finds.
    Raises UnsafeWeights, MissingWeights, StoreFailed, ReleaseError for paths that cannot be.
    """
    ordered = sorted(files)
    check_paths(tuple(path for path, _ in ordered))
    count = jobs or min(MAX_JOBS, os.cpu_count() or 1)
    keeper = Keeper(cache)
    with (
        Pairs(count) as pairs,
        ThreadPoolExecutor(count) as lanes,
        ThreadPoolExecutor(min(count, MAX_JOBS)) as each,
    ):
        rooms = Rooms()
        work = [
            each.submit(_File(*one, keeper, lanes, pairs, rooms, progress).put) for one in ordered
        ]
        try:
            made = tuple(future.result() for future in work)
        except BaseException:
            for future in work:
                future.cancel()
            raise
    members = {
        f"files/{one.path}": one.pieces[0][0] for one in made if _is_whole(one, keeper.sizes)
    }
    named = set(members.values())
    members |= {f"p/{digest}": digest for digest in keeper.sizes if digest not in named}
    recipe = dump(Recipe(made))
    if sum(len(one.pieces) for one in made) > MAX_PIECES // 2 or len(recipe) > LIMIT:
        raise UnsafeWeights(
            f"{len(ordered):,} files in too many pieces to be kept by tensor",
            "keep these weights whole (policy: release.store)",
        )
    members[NAME] = keeper.keep(recipe)
    sizes, added = tuple(keeper.sizes.values()), keeper.added
    return Stored(
        keeper.keep(listing(members), ".dir"),
        hashlib.sha256(recipe).hexdigest(),
        sum(one.size for one in made),
        len(sizes),
        sum(sizes),
        added,
    )


def _is_whole(made: Made, sizes: dict[str, int]) -> bool:
    return len(made.pieces) == 1 and sizes[made.pieces[0][0]] == made.size


class _File:
    """One file on its way into the store."""

    def __init__(
        self,
        path: str,
        source: Path,
        keeper: Keeper,
        lanes: ThreadPoolExecutor,
        pairs: Pairs,
        rooms: Rooms,
        progress: Progress | None,
    ) -> None:
        self._path, self._source, self._keeper, self._lanes = path, source, keeper, lanes
        self._pairs, self._rooms, self._progress = pairs, rooms, progress
        self._sha256 = pairs.new()
        self._pieces: list[Piece] = []
        self._pack = bytearray()
        self._packed: list[tuple[int, int, int]] = []  # index of the piece, first byte, how many

    def put(self) -> Made:
        with _opened(self._source, self._path) as (fd, size):
            found = cuts(fd, size)
            if found:
                with self._rooms.one(min(size, WINDOW)) as room:
                    for group in windows(found):
                        self._window(fd, group, room)
                self._end_pack()
            elif size:
                self._whole(fd, size)
        return Made(self._path, size, self._sha256.hexdigest(), _merged(self._pieces))

    def _window(self, fd: int, group: tuple[Cut, ...], room: memoryview) -> None:
        first = group[0].start
        view = room[: group[-1].start + group[-1].length - first]
        self._fill(fd, view, first)
        hashed = self._pairs.feed(self._sha256, view)
        large: list[int] = []  # which pieces they are
        views: list[memoryview] = []
        for cut in group:
            data = view[cut.start - first :][: cut.length]
            if cut.small:
                self._small(data)
            elif cut.length:
                large.append(len(self._pieces))
                views.append(data)
                self._pieces.append(("", 0, cut.length))
        digests = self._keep(views)
        for index, digest in zip(large, digests, strict=True):
            self._pieces[index] = (digest, *self._pieces[index][1:])
        hashed.result()
        self._tell(len(view))

    def _keep(self, views: Sequence[memoryview]) -> list[str]:
        """Keep large pieces, and return their names."""
        named = [self._lanes.submit(names, group) for group in together(views)]
        digests = [digest for future in named for digest in future.result()]
        kept = [
            self._lanes.submit(self._keeper.keep, view, digest=digest)
            for view, digest in zip(views, digests, strict=True)
        ]
        for future in kept:
            future.result()
        return digests

    def _small(self, data: memoryview) -> None:
        self._packed.append((len(self._pieces), len(self._pack), len(data)))
        self._pieces.append(("", 0, len(data)))
        self._pack += data
        if ends_pack(len(self._pack), data):
            self._end_pack()

    def _end_pack(self) -> None:
        if self._pack:
            digest = self._keeper.keep(self._pack)
            for index, start, length in self._packed:
                self._pieces[index] = (digest, start, length)
        self._pack, self._packed = bytearray(), []

    def _whole(self, fd: int, size: int) -> None:
        """Keep a file as one object, as `dvc add` would."""
        room = memoryview(bytearray(min(size, PART)))
        md5, at = hashlib.md5(usedforsecurity=False), 0
        while at < size:
            view = room[: size - at]
            self._fill(fd, view, at)
            hashed = self._pairs.feed(self._sha256, view)
            md5.update(view)
            hashed.result()
            at += len(view)
            self._tell(len(view))
        digest = md5.hexdigest()
        if not self._keeper.has(digest, size):
            self._copy(fd, size, digest, room)
        self._pieces.append((digest, 0, size))

    def _copy(self, fd: int, size: int, digest: str, room: memoryview) -> None:
        path, md5, at = self._keeper.path(digest), hashlib.md5(usedforsecurity=False), 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with storing.replacing(path, mode=0o444, durable=False) as target:
                while at < size:
                    view = room[: size - at]
                    self._fill(fd, view, at)
                    md5.update(view)
                    storing.put(target, view, at)
                    at += len(view)
                if md5.hexdigest() != digest:
                    raise _changed(self._path)
        except (OSError, WriteFailed, Refused) as error:
            raise failed(path, error) from error
        self._keeper.count(digest, size, new=True)

    def _fill(self, fd: int, view: memoryview, at: int) -> None:
        done = 0
        while done < len(view):
            count = os.preadv(fd, [view[done:]], at + done)
            if not count:
                raise _changed(self._path)
            done += count

    def _tell(self, count: int) -> None:
        if self._progress is not None:
            self._progress(self._path, count)


def _merged(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Join pieces that follow each other in one object: neighbours in a pack."""
    found: list[Piece] = []
    for digest, start, length in pieces:
        if found and found[-1][0] == digest and found[-1][1] + found[-1][2] == start:
            found[-1] = (digest, found[-1][1], found[-1][2] + length)
        else:
            found.append((digest, start, length))
    return tuple(found)


@contextmanager
def _opened(source: Path, path: str) -> Iterator[tuple[int, int]]:
    """Open a regular file; raises UnsafeWeights where it was changed when all is done."""
    try:
        fd = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise MissingWeights(f"{path}: {error.strerror}", "name a file that can be read") from error
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise UnsafeWeights(f"{path} is not a regular file", "name files only")
        yield fd, found.st_size
        if stamp(os.fstat(fd)) != stamp(found):
            raise _changed(path)
    finally:
        os.close(fd)


def _changed(path: str) -> UnsafeWeights:
    return UnsafeWeights(f"{path} changed while it was read", "run it again when nothing writes")
