"""The program in which pickles are tried: it imports nothing that a pickle names.

It is started with a clean environment and forks once per stream. Speaks the messages of
security.scan.wire on descriptor 0; bytes of the stream are asked for as they are needed.
"""

from __future__ import annotations

import copyreg
import fcntl
import gc
import io
import os
import resource
import signal
import socket
import sys
import time
from typing import Any

CHUNK = 1 << 20
SENT = 4096  # storages in one message


class Feed(io.RawIOBase):
    """The stream, as the process that asked gives it piece by piece."""

    def __init__(self, wire: socket.socket, size: int) -> None:
        self.wire, self.size, self.at = wire, size, 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be sought in."""
        return True

    def tell(self) -> int:
        """Return the offset."""
        return self.at

    def seek(self, at: int, whence: int = 0) -> int:
        """Go to an offset. Raises ValueError outside of the stream."""
        at += (0, self.at, self.size)[whence]
        if not 0 <= at <= self.size:
            raise ValueError("the stream ends before")
        self.at = at
        return at

    def readinto(self, buffer: Any) -> int:
        """Fill as much of a buffer as one piece may hold."""
        view = memoryview(buffer)[: max(0, min(CHUNK, self.size - self.at))]
        if view:
            send(self.wire, {"at": self.at, "count": len(view)})
            fill(self.wire, view)
            self.at += len(view)
        return len(view)


def try_one(wire: socket.socket, allowed: dict[str, str], order: dict[str, Any]) -> None:
    """Read one stream and say what was found."""
    signal.setitimer(signal.ITIMER_PROF, order["seconds"])  # what it does then, is end us
    for what, limit in (
        (resource.RLIMIT_AS, order["memory"]),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    size = order["size"]
    run = Run(allowed, io.BufferedReader(Feed(wire, size), CHUNK))
    run.stream(size)
    found, claims = list(run.found.values()), [run.claims]
    if run.error not in ("", "limit", "enough") and not any(entry["calls"] for entry in found):
        slow = Run(allowed, io.BufferedReader(Feed(wire, size), CHUNK), slow=True)
        slow.stream(size)
        found += slow.found.values()
        claims.append(slow.claims)
    if run.arrays:
        run = Run(allowed, io.BufferedReader(Feed(wire, size), 4096), exact=True)
        run.stream(size)
        found += run.found.values()
        claims.append(run.claims)
    sizes = list(dict.fromkeys(size for one in claims for size in one.sizes))
    for at in range(0, len(sizes), SENT):
        send(wire, {"claims": sizes[at : at + SENT]})
    odd = [what for one in claims for what in one.odd]
    ending = {"whole": run.whole, "end": run.start, "error": run.error}
    ending |= {"magic": run.magic, "met": run.imports, "seconds": time.process_time(), "odd": odd}
    send(wire, {"found": found, **ending})


def main(lifeline: int) -> None:
    """Serve streams until the other side is gone."""
    # When the process that started us ends, however it ends, the kernel ends our whole group.
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    for what in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(what, (0, 0))
    for table in ("_extension_registry", "_inverted_registry", "_extension_cache"):
        getattr(copyreg, table).clear()
    gc.disable()  # a pickle's objects die with their process
    wire = socket.socket(fileno=0)
    allowed = receive(wire)
    while True:
        try:
            order = receive(wire)
        except EOFError:
            return
        child = os.fork()
        if not child:
            status = 1
            try:
                try_one(wire, allowed, order)
                status = 0
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        if status:  # it may have left half a message: this wire is of no more use
            os._exit(100 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else 99)


if __name__ == "__main__":
    # Isolated as it was started, it finds but the standard library: we say where the rest of it
    # lies, and forget that again.
    sys.path.insert(0, __file__.rpartition("/security/scan/")[0])
    from security.scan.stream import Run
    from security.scan.wire import fill, receive, send

    del sys.path[0]
    main(int(sys.argv[1]))
