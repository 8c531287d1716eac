"""One read of a file for all that is done with it: its digests, its scan, its sealed copy."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from security.hashing import LEFT_OUT
from security.hashing.digests import algorithm
from security.hashing.sinks import Sink
from security.hashing.walk import File, stamp
from security.hashing.working import Plan
from security.manifest import SHA256, Entry, Manifest
from security.paths import IGNORED, canonical, is_ignored
from security.scan.source import Source, of_descriptor
from security.seal import folders
from security.seal.header import BLOCK, Recipient
from security.seal.reading import Opened, reading
from security.seal.sealing import replacing_sealed, seal_opened
from security.seal.stream import Progress, Tap


def seal_measured(
    source: Path,
    target: Path,
    recipients: Sequence[Recipient],
    *,
    path: str = "",
    header_size: int = BLOCK,
    jobs: int = 0,
    progress: Progress | None = None,
    overwrite: bool = False,
    tensors: bool = True,
    taps: Sequence[Tap] = (),
    judge: Callable[[Source], None] | None = None,
) -> Entry:
    """Seal a file and return the entry of its plaintext, with the digests of its `tensors`.

    `path` is the entry's, the file's name if empty. `taps` see all bytes in order, each piece
    only until they return. `judge` reads the same open file, by then in the page cache, before
    the target appears: what it raises keeps the target from appearing.
    Raises as `sealing.seal`.
    """
    with replacing_sealed(target, overwrite=overwrite) as fd, reading(source) as opened:
        file = File(canonical(path or source.name), b"", stamp(os.fstat(opened.fd)))
        seal = partial(seal_opened, recipients=recipients, header_size=header_size, jobs=jobs)
        return _measured(file, opened, fd, partial(seal, progress=progress), tensors, taps, judge)


def seal_folder_measured(
    source: Path,
    target: Path,
    recipients: Sequence[Recipient],
    *,
    header_size: int = BLOCK,
    jobs: int = 0,
    progress: Progress | None = None,
    overwrite: bool = False,
    tensors: bool = True,
    judge: Callable[[Source], None] | None = None,
) -> Manifest:
    """Seal a folder, and return the manifest of its plaintext as `hashing.measure` would.

    What a signature never covers but the signature itself stays out. `judge` as above; it is called
    from several threads. Raises as `folders.seal_folder`.
    """
    entries: list[Entry] = []

    def each(file: File, opened: Opened, fd: int, threads: int) -> None:
        seal = partial(seal_opened, recipients=recipients, header_size=header_size, jobs=threads)
        entries.append(_measured(file, opened, fd, seal, tensors, (), judge))

    folders.seal_folder(
        source, target, recipients, ignored=IGNORED, jobs=jobs, progress=progress,
        overwrite=overwrite, each=each,
    )  # fmt: skip
    covered = (entry for entry in entries if not is_ignored(entry.path, LEFT_OUT))
    return Manifest(tuple(sorted(covered, key=lambda entry: entry.path)), LEFT_OUT)


def _measured(
    file: File,
    opened: Opened,
    fd: int,
    seal: Callable[..., None],
    tensors: bool,
    taps: Sequence[Tap],
    judge: Callable[[Source], None] | None,
) -> Entry:
    plan, sink = Plan(algorithm(SHA256), tensors=tensors), list[Sink]()

    def tap(data: memoryview) -> None:
        if not sink:
            sink.append(plan.sink(file, data))
        sink[0].feed(data)
        for other in taps:
            other(data)

    seal(opened, fd, tap=tap)
    if judge:
        judge(of_descriptor(file.path, opened.fd))
    return sink[0].entries()[0]
