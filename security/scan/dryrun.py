"""Pickles are tried in a process that knows nothing, may do nothing and ends with this one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from security.errors import Unavailable
from security.scan.allowed import table
from security.scan.claims import Claim
from security.scan.source import Source
from security.scan.values import Limits
from security.scan.wire import receive, send

PROGRAM = Path(__file__).with_name("child.py")
BASE_SECONDS, RATE = 0.4, 12e6  # CPU of one dry run: a base, and bytes per second beyond
BASE_MEMORY, GROWTH = 190 << 20, 24  # address space: a base, and bytes per byte of the stream
MAX_CLAIMS = 300_000  # storages that three readings of a stream may name
KEYS = ("whole", "end", "error", "magic", "met", "seconds")  # of an answer
PATIENCE = 300.0  # seconds without any word; the CPU limit ends it long before


@dataclass(frozen=True, slots=True)
class Import:
    """A name that a pickle asks for. `pickle` is the offset of that pickle, `nth` counts its
    imports from 1; `known` is a name that is allowed, but not what was done with it."""

    pickle: int
    nth: int
    module: str
    name: str
    calls: tuple[str, ...]
    known: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a dry run saw: names, how many pickles were whole, where the last whole one ends.

    `seconds` of CPU it took, all that it was given where it was ended. `odd` is what it says of
    its tensors that cannot be, `claims` what of their bytes.
    """

    found: tuple[Import, ...]
    whole: int
    end: int
    error: str
    magic: bool
    met: int
    seconds: float = 0.0
    odd: tuple[str, ...] = ()
    claims: tuple[Claim, ...] = ()


class Booth:
    """Runs pickles dry, one after the other; for one thread. The process starts when needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._wire: socket.socket | None = None
        self._lifeline = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> int:
        """End the process; return its exit status, 0 where none ran."""
        process, wire = self._process, self._wire
        self._process = self._wire = None
        if process is None or wire is None:
            return 0
        wire.close()
        try:
            return process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
        finally:
            os.close(self._lifeline)

    def run(self, source: Source, limits: Limits) -> Outcome:
        """Try every pickle of a stream. Raises Unreadable, Unavailable."""
        wire = self._wire or self._start()
        order = _order(source.size, limits)
        claims: list[Claim] = []
        try:
            send(wire, order)
            while True:
                message = receive(wire)
                if "found" in message:
                    return _outcome(message, tuple(claims))
                if "claims" in message and len(claims) <= MAX_CLAIMS:
                    claims += [Claim(*claim) for claim in message["claims"]]
                else:
                    _serve(wire, source, message)
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            return Outcome((), 0, 0, _reason(self.close()), False, -1, order["seconds"])
        except BaseException:
            self.close()
            raise

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        end, self._lifeline = os.pipe()
        with theirs, tempfile.TemporaryDirectory() as folder:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-B", str(PROGRAM), str(end)],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd=folder,  # gone when it runs: nothing can be found or left there
                    env={},
                    pass_fds=(end,),
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                os.close(self._lifeline)
                why = error.strerror or str(error)
                raise Unavailable(
                    f"{sys.executable} cannot be started ({why})", "free memory or processes"
                ) from error
            finally:
                os.close(end)
        ours.settimeout(PATIENCE)
        self._wire = ours
        send(ours, table())
        return ours


def _order(size: int, limits: Limits) -> dict[str, float]:
    return {
        "size": size,
        "seconds": min(limits.seconds, BASE_SECONDS + size / RATE),
        "memory": min(limits.memory, BASE_MEMORY + GROWTH * size),
    }


def _serve(wire: socket.socket, source: Source, message: dict[str, Any]) -> None:
    at, count = message["at"], message["count"]
    data = source.read(at, count)
    if len(data) != count or not 0 <= at < source.size:
        raise ValueError("asks for bytes that are not there")
    wire.sendall(data)


def _outcome(message: dict[str, Any], claims: tuple[Claim, ...]) -> Outcome:
    found = tuple(Import(**{**entry, "calls": tuple(entry["calls"])}) for entry in message["found"])
    said = {key: message[key] for key in KEYS}
    return Outcome(found, **said, odd=tuple(message["odd"]), claims=claims)


def _reason(status: int) -> str:
    """Say why a dry run ended without a word, by the status its process ended with."""
    if status == 100 + 27:  # SIGPROF
        return "limit: takes too long"
    return f"limit: ended the process that tried it (status {status})"
