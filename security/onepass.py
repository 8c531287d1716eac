"""One read of a file for all that is done with it: its digests, its scan, its sealed copy."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from security.hashing.digests import algorithm
from security.hashing.sinks import Sink
from security.hashing.walk import File, stamp
from security.hashing.working import Plan
from security.manifest import SHA256, Entry
from security.paths import canonical
from security.scan.source import Source, of_descriptor
from security.seal.header import BLOCK, Recipient
from security.seal.reading import reading
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
    taps: Sequence[Tap] = (),
    judge: Callable[[Source], None] | None = None,
) -> Entry:
    """Seal a file and return the entry of its plaintext, with the digests of its tensors.

    `path` is the entry's, the file's name if empty. `taps` see all bytes in order, each piece
    only until they return. `judge` reads the same open file, by then in the page cache, before
    the target appears: what it raises keeps the target from appearing.
    Raises as `sealing.seal`.
    """
    with replacing_sealed(target, overwrite=overwrite) as fd, reading(source) as opened:
        file = File(canonical(path or source.name), b"", stamp(os.fstat(opened.fd)))
        plan, sink = Plan(algorithm(SHA256), tensors=True), list[Sink]()

        def tap(data: memoryview) -> None:
            if not sink:
                sink.append(plan.sink(file, data))
            sink[0].feed(data)
            for other in taps:
                other(data)

        seal_opened(
            opened, fd, recipients, header_size=header_size, jobs=jobs, tap=tap, progress=progress
        )
        if judge:
            judge(of_descriptor(opened.name, opened.fd))
    return sink[0].entries()[0]
