"""Seal and open whole folders: every file under its own relative path, with or without ".age"."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from security.errors import Refused, WriteFailed
from security.hashing.reading import opened as opened_as_found
from security.hashing.walk import File, Tree, walk
from security.seal.header import BLOCK, Identity, Recipient
from security.seal.parallel import Gate, usable
from security.seal.reading import Opened, reading, shown
from security.seal.sealing import SUFFIX, open_opened, replacing_sealed, seal_opened
from security.seal.stream import Progress
from security.storing import replacing

LARGE = 64 << 20  # bytes from which a file has all threads for itself

Work = Callable[[File, Path, int], None]  # from where, to where, with how many threads
Each = Callable[[File, Opened, int, int], None]  # found, open, target descriptor, threads


def seal_folder(
    source: Path,
    target: Path,
    recipients: Sequence[Recipient],
    *,
    ignored: tuple[str, ...] = (),
    header_size: int = BLOCK,
    jobs: int = 0,
    progress: Progress | None = None,
    overwrite: bool = False,
    each: Each | None = None,
) -> tuple[str, ...]:
    """Seal every file of a folder but the ignored to the same path with ".age"; return these.

    `each` seals one of them in another way. On an error what this call has added is removed.
    Raises as `sealing.seal`, and Unreadable or Malformed for a link, a device or a name that
    cannot be signed.
    """
    _apart(source, target)
    with Tree.of(source) as tree:
        pairs = [(f, target / f"{f.path}{SUFFIX}") for f in walk(tree, source, ignored)]
        if not pairs:
            raise Refused(f"{shown(source)}: no file in it to seal", "name the folder of a model")

        def work(file: File, place: Path, threads: int) -> None:
            with (
                replacing_sealed(place, overwrite=overwrite) as fd,
                reading(source / file.path, fd=_open(tree, file)) as opened,
            ):
                if each:
                    each(file, opened, fd, threads)
                else:
                    seal_opened(opened, fd, recipients, header_size=header_size, jobs=threads)

        _each(pairs, work, target, jobs=jobs, progress=progress, overwrite=overwrite)
    return tuple(f"{file.path}{SUFFIX}" for file, _ in pairs)


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
    with Tree.of(source) as tree:
        pairs = [
            (file, target / file.path.removesuffix(SUFFIX))
            for file in walk(tree, source, ())
            if file.path.endswith(SUFFIX) and not file.path.endswith(f"/{SUFFIX}")
        ]
        if not pairs:
            raise Refused(f"{shown(source)} holds no {SUFFIX} file", "name a sealed folder")

        def work(file: File, place: Path, threads: int) -> None:
            path = source / file.path
            with (
                replacing(place, mode=mode, overwrite=overwrite) as fd,
                reading(path, fd=_open(tree, file), sealed=True) as opened,
            ):
                open_opened(path, opened, fd, identities, jobs=threads)

        _each(pairs, work, target, jobs=jobs, progress=progress, overwrite=overwrite, mode=0o700)
    return tuple(file.path.removesuffix(SUFFIX) for file, _ in pairs)


def _open(tree: Tree, file: File) -> int:
    """Open a file as it was found, following no link; each thread through folders of its own."""
    with tree.copy() as own:
        return opened_as_found(own, file)


def _each(
    pairs: Sequence[tuple[File, Path]],
    work: Work,
    target: Path,
    *,
    jobs: int,
    progress: Progress | None,
    overwrite: bool,
    mode: int = 0o755,
) -> None:
    """Do large files one by one on all threads, then the small ones, each on one."""
    there = {place for _, place in pairs if os.path.lexists(place)}
    if there and not overwrite:
        raise Refused(f"{shown(min(there))} is there already", "say --force to replace it")
    total, done = sum(file.stamp.size for file, _ in pairs), 0
    made: list[Path] = []

    def one(pair: tuple[File, Path], threads: int = 1) -> int:
        work(*pair, threads)
        return pair[0].stamp.size

    gate = Gate()

    def gated(pair: tuple[File, Path]) -> int:
        if not gate.enter():
            return 0
        try:
            return one(pair)
        finally:
            gate.leave()

    def tell(size: int) -> None:
        nonlocal done
        done += size
        if progress:
            progress(done, total)

    try:
        for folder in sorted({place.parent for _, place in pairs} | {target}):
            made.extend(_make(folder, mode))
        for pair in (pair for pair in pairs if pair[0].stamp.size >= LARGE):
            tell(one(pair, jobs))
        with ThreadPoolExecutor(usable(jobs), "files") as pool:
            small = [pool.submit(gated, pair) for pair in pairs if pair[0].stamp.size < LARGE]
            try:
                for future in small:
                    tell(future.result())
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    except BaseException:
        gate.close()
        _undo([place for _, place in pairs if place not in there], made)
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


def _apart(source: Path, target: Path) -> None:
    real = Path(os.path.realpath(target))  # unlike resolve, it leaves a loop of links to others
    if real.is_relative_to(os.path.realpath(source)):
        raise Refused(f"{shown(target)} lies in the folder it is made from", "name another folder")
