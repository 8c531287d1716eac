"""Files out of the store: joined from their pieces, proven, whole or not there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from registry import objects
from registry.errors import CorruptWeights, MissingWeights, RegistryError, UnsafeWeights
from registry.pointers import DVC_LIMIT, read_dir
from registry.tensorstore.keeping import Stored, failed
from registry.tensorstore.pairing import Pairs, Rooms
from registry.tensorstore.recipe import HINT, LIMIT, NAME, Made, Piece, Recipe, read
from security import storing
from security.errors import Refused, WriteFailed

MOST = 1 << 42  # bytes of all files, where the caller sets no bound
PART, WINDOW = 4 << 20, 16 << 20  # bytes that are read, and at work, at once
LARGE = 1 << 20  # a piece from here on is read by a thread of its own
MAX_JOBS = 4
Progress = Callable[[str, int], None]


def recipe_of(stored: Stored, cache: Path) -> Recipe:
    """Read the recipe of a stored folder; every object it names must be in the listing.

    Raises MissingWeights, CorruptWeights, PointerError, ReleaseError.
    """
    path = objects.dvc_object(cache, stored.listing, folder=True)
    members = read_dir(objects.read(path, stored.listing, DVC_LIMIT), "a tensor store")
    named = {member.path: member.digest for member in members}
    if NAME not in named:
        raise UnsafeWeights(f"the DVC folder {stored.listing} is no tensor store", HINT)
    data = objects.read(objects.dvc_object(cache, named[NAME]), named[NAME], LIMIT)
    if stored.recipe and hashlib.sha256(data).hexdigest() != stored.recipe:
        raise CorruptWeights(
            f"the recipe {named[NAME]} of the tensor store {stored.listing} is not the one stored",
            HINT,
        )
    recipe, known = read(data), set(named.values())
    for file in recipe.files:
        for digest, _, _ in file.pieces:
            if digest not in known:
                raise UnsafeWeights(f"{file.path}: object {digest} is not in the listing", HINT)
    return recipe


def get(
    stored: Stored,
    cache: Path,
    target: Path,
    *,
    limit: int = MOST,
    jobs: int = 0,
    progress: Progress | None = None,
) -> tuple[Made, ...]:
    """Write all files of a stored folder below `target`; what fails leaves none of them.

    Each file's SHA-256 is proven, and with it every piece. Raises as `recipe_of`, UnsafeWeights for
    more than `limit` bytes, StoreFailed for what cannot be written.
    """
    recipe = recipe_of(stored, cache)
    if recipe.size > limit:
        raise UnsafeWeights(
            f"the files of the tensor store have {recipe.size:,} bytes, more than {limit:,}",
            "raise the limit in the policy, or shrink the model",
        )
    _all_there(recipe, cache)
    count = jobs or min(MAX_JOBS, os.cpu_count() or 1)
    written: list[Path] = []
    try:
        with (
            Pairs(count) as pairs,
            ThreadPoolExecutor(count) as lanes,
            ThreadPoolExecutor(2 * min(count, MAX_JOBS)) as each,
        ):
            rooms = Rooms()
            work = [
                each.submit(
                    _join, file, cache, target / file.path, lanes, pairs, rooms, progress, written
                )
                for file in recipe.files
            ]
            try:
                for future in work:
                    future.result()
            finally:
                for future in work:
                    future.cancel()
    except BaseException:
        for path in written:
            with suppress(OSError):
                path.unlink()
        raise
    return recipe.files


def _all_there(recipe: Recipe, cache: Path) -> None:
    seen = set[str]()
    for file in recipe.files:
        for digest, _, _ in file.pieces:
            if digest not in seen and not objects.is_at_hand(objects.dvc_object(cache, digest)):
                raise MissingWeights(
                    f"{file.path}: its object {digest} is not in the cache",
                    "fetch the folder again",
                )
            seen.add(digest)


def _join(
    file: Made,
    cache: Path,
    path: Path,
    lanes: ThreadPoolExecutor,
    pairs: Pairs,
    rooms: Rooms,
    progress: Progress | None,
    written: list[Path],
) -> None:
    sha256, at = pairs.new(), 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            storing.replacing(path, overwrite=False, durable=False) as fd,
            rooms.one(min(file.size, WINDOW)) as room,
        ):
            for group in _windows(file.pieces):
                view = room[: sum(length for _, _, length in group)]
                _read(file, group, cache, view, lanes)
                hashed = pairs.feed(sha256, view)
                storing.put(fd, view, at)
                hashed.result()
                at += len(view)
                if progress is not None:
                    progress(file.path, len(view))
            if sha256.hexdigest() != file.sha256:
                raise _wrong(file, cache)
        written.append(path)
    except (OSError, WriteFailed, Refused) as error:
        raise failed(path, error) from error


def _windows(pieces: tuple[Piece, ...]) -> Iterator[list[Piece]]:
    """Group pieces, at most WINDOW bytes in each group; a longer piece is taken in parts."""
    group, size = list[Piece](), 0
    for digest, start, length in pieces:
        for at in range(start, start + length, PART):
            part = min(PART, start + length - at)
            if size + part > WINDOW:
                yield group
                group, size = [], 0
            group.append((digest, at, part))
            size += part
    if group:
        yield group


def _read(
    file: Made, group: list[Piece], cache: Path, view: memoryview, lanes: ThreadPoolExecutor
) -> None:
    work, at = [], 0
    last, handle = "", -1  # small pieces that follow each other are mostly of one object
    try:
        for digest, start, length in group:
            part = view[at : at + length]
            at += length
            if length >= LARGE:
                work.append(lanes.submit(_one, file, cache, digest, start, part))
                continue
            if digest != last:
                if handle >= 0:
                    os.close(handle)
                    handle = -1
                last, handle = digest, _open(file, cache, digest)
            _fill(handle, part, start, file, digest)
        for future in work:
            future.result()
    finally:
        if handle >= 0:
            os.close(handle)


def _one(file: Made, cache: Path, digest: str, start: int, part: memoryview) -> None:
    handle = _open(file, cache, digest)
    try:
        _fill(handle, part, start, file, digest)
    finally:
        os.close(handle)


def _open(file: Made, cache: Path, digest: str) -> int:
    path = objects.dvc_object(cache, digest)
    try:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise MissingWeights(
            f"{file.path}: its object {digest} cannot be read ({error.strerror})",
            "fetch the folder again",
        ) from error


def _fill(handle: int, part: memoryview, start: int, file: Made, digest: str) -> None:
    done = 0
    while done < len(part):
        count = os.preadv(handle, [part[done:]], start + done)
        if not count:
            raise CorruptWeights(
                f"{file.path}: its object {digest} ends before byte {start + len(part):,}",
                "delete it from the cache and fetch the folder again",
            )
        done += count


def _wrong(file: Made, cache: Path) -> RegistryError:
    """Return the error that names the object which is not what its name says."""
    for digest in dict.fromkeys(digest for digest, _, _ in file.pieces):
        try:
            objects.prefix(objects.dvc_object(cache, digest), digest, 0)
        except RegistryError as error:
            return type(error)(f"{file.path}: {error.message}", error.hint)
    return CorruptWeights(f"{file.path}: its pieces do not make up its SHA-256 {file.sha256}", HINT)
