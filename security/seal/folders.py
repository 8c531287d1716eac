"""Seal and open whole folders: every file under its own relative path, with or without ".age"."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

from security.errors import Refused, Unreadable, WriteFailed
from security.seal.header import BLOCK, Identity, Recipient
from security.seal.parallel import usable
from security.seal.reading import reading, shown, unreadable
from security.seal.sealing import SUFFIX, open_opened, replacing_sealed, seal_opened
from security.seal.stream import Progress
from security.storing import replacing

MOST_FILES = 1_000_000
LARGE = 64 << 20  # bytes from which a file has all threads for itself

Work = Callable[[Path, Path, int], None]  # relative source, target, threads


def seal_folder(
    source: Path,
    target: Path,
    recipients: Sequence[Recipient],
    *,
    header_size: int = BLOCK,
    jobs: int = 0,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> tuple[str, ...]:
    """Seal every file of a folder to the same path with ".age"; return the new paths.

    On an error what this call has added is removed. Raises as `sealing.seal`; a link or a device
    in the folder is Unreadable.
    """
    _apart(source, target)
    with _folder(source) as root:
        files = _files(source, root)
        pairs = [(path, size, target / f"{path}{SUFFIX}") for path, size in files]

        def work(path: Path, place: Path, threads: int) -> None:
            with (
                replacing_sealed(place, overwrite=overwrite) as fd,
                reading(path, root=root) as opened,
            ):
                seal_opened(opened, fd, recipients, header_size=header_size, jobs=threads)

        _each(pairs, work, target, jobs=jobs, progress=progress, overwrite=overwrite)
    return tuple(f"{path}{SUFFIX}" for path, _ in files)


def open_folder(
    source: Path,
    target: Path,
    identities: Sequence[Identity],
    *,
    jobs: int = 0,
    progress: Progress | None = None,
    overwrite: bool = False,
    mode: int = 0o600,
) -> tuple[str, ...]:
    """Open every ".age" file of a folder to the same path without it; return the new paths.

    On an error what this call has added is removed. Raises as `sealing.open_sealed`.
    """
    _apart(source, target)
    with _folder(source) as root:
        files = [(path, size) for path, size in _files(source, root) if path.suffix == SUFFIX]
        if not files:
            raise Refused(f"{shown(source)} holds no {SUFFIX} file", "name a sealed folder")
        pairs = [(path, size, target / path.with_suffix("")) for path, size in files]

        def work(path: Path, place: Path, threads: int) -> None:
            with (
                replacing(place, mode=mode, overwrite=overwrite) as fd,
                reading(path, root=root, sealed=True) as opened,
            ):
                open_opened(source / path, opened, fd, identities, jobs=threads)

        _each(pairs, work, target, jobs=jobs, progress=progress, overwrite=overwrite, mode=0o700)
    return tuple(str(path.with_suffix("")) for path, _ in files)


def _each(
    pairs: Sequence[tuple[Path, int, Path]],
    work: Work,
    target: Path,
    *,
    jobs: int,
    progress: Progress | None,
    overwrite: bool,
    mode: int = 0o755,
) -> None:
    """Do large files one by one on all threads, then the small ones, each on one."""
    there = {place for _, _, place in pairs if os.path.lexists(place)}
    if there and not overwrite:
        raise Refused(f"{shown(min(there))} is there already", "say --force to replace it")
    total, done = sum(size for _, size, _ in pairs), 0
    made: list[Path] = []

    def one(pair: tuple[Path, int, Path], threads: int = 1) -> int:
        work(pair[0], pair[2], threads)
        return pair[1]

    def tell(size: int) -> None:
        nonlocal done
        done += size
        if progress:
            progress(done, total)

    try:
        for folder in sorted({place.parent for _, _, place in pairs} | {target}):
            made.extend(_make(folder, mode))
        for pair in (pair for pair in pairs if pair[1] >= LARGE):
            tell(one(pair, jobs))
        with ThreadPoolExecutor(usable(jobs), "files") as pool:
            small = [pool.submit(one, pair) for pair in pairs if pair[1] < LARGE]
            try:
                for future in small:
                    tell(future.result())
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    except BaseException:
        _undo([place for _, _, place in pairs if place not in there], made)
        raise


def _undo(files: Sequence[Path], folders: Sequence[Path]) -> None:
    for path in files:
        with suppress(OSError):
            path.unlink()
    for folder in reversed(folders):
        with suppress(OSError):
            folder.rmdir()


def _make(folder: Path, mode: int) -> list[Path]:
    """Make a folder with its parents; return those that were not there."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    missing.reverse()
    for place in missing:
        try:
            place.mkdir(mode)
        except OSError as error:
            raise WriteFailed(
                f"{shown(place)} cannot be made ({error.strerror})", "check the target folder"
            ) from error
    return missing


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        yield fd
    finally:
        os.close(fd)


def _files(source: Path, root: int) -> list[tuple[Path, int]]:
    """Return the relative paths and sizes of all files, in order. Raises Unreadable."""
    found: list[tuple[Path, int]] = []
    try:
        for folder, folders, names, fd in os.fwalk(".", dir_fd=root, onerror=_stop):
            for name in (*folders, *names):
                path = Path(folder) / name
                state = os.lstat(name, dir_fd=fd)
                if stat.S_ISREG(state.st_mode):
                    found.append((path, state.st_size))
                elif not stat.S_ISDIR(state.st_mode):
                    what = "a link" if stat.S_ISLNK(state.st_mode) else "no regular file"
                    raise Unreadable(f"{shown(source / path)} is {what}", "take it out")
            if len(found) > MOST_FILES:
                raise Unreadable(f"{shown(source)} has more than {MOST_FILES:,} files", "seal less")
    except OSError as error:
        raise unreadable(source / os.fsdecode(error.filename or ""), error) from error
    except RecursionError as error:
        raise Unreadable(f"{shown(source)} has folders too deep", "flatten it") from error
    return sorted(found)


def _stop(error: OSError) -> None:
    raise error


def _apart(source: Path, target: Path) -> None:
    if target.resolve().is_relative_to(source.resolve()):
        raise Refused(f"{shown(target)} lies in the folder it is made from", "name another folder")
