"""The judging child: it reads a stranger's files and holds no secret.

`modelwarden.py _judge ORDER LIFE`: a file with the order, and a pipe that ends with the parent.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import BinaryIO

GRACE = 1.0  # seconds from asking it to end to ending it
BATCH = 2_000  # objects asked for at once before the checks begin
AHEAD = 20_000  # objects asked for before the checks begin, at most


def main(words: Sequence[str]) -> int:
    """Judge what the order says; everything that is found goes to standard output."""
    order, life = Path(words[0]), int(words[1])
    guard(life)
    # The parent alone hears what we say: nothing that a library prints gets in between.
    pipe = os.fdopen(os.dup(1), "wb", buffering=0)
    for descriptor in (1, 2):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
    line = Line(pipe)
    try:
        from bot.serve.judge import run

        line.send(b"R", run(order.read_bytes(), line))
    except Exception as error:  # noqa: BLE001 - the door of this process: one line, no traceback
        line.send(b"F", [_why(error)])
        return 3
    return 0


def guard(life: int) -> None:
    """Fork a process that ends our whole group when the parent has gone, however busy we are."""
    judge = os.getpid()
    signal.signal(signal.SIGTERM, _end)
    if os.fork():
        os.close(life)
        return
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for descriptor in (0, 1, 2):
        os.close(descriptor)
    os.read(life, 1)
    os.kill(judge, signal.SIGTERM)
    time.sleep(GRACE)
    os.killpg(0, signal.SIGKILL)


def _end(number: int, frame: FrameType | None) -> None:
    """End at once, and first what has a session of its own: the sandboxes."""
    process = sys.modules.get("bot.process")
    if process is not None:
        process.stop_all()
    os.killpg(0, signal.SIGKILL)


def bound(memory: int) -> None:
    """Limit our memory. Softly: a sandbox below us has a limit of its own, which may be higher."""
    for name, value in ((resource.RLIMIT_DATA, memory), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(name)
        resource.setrlimit(name, (value if hard < 0 else min(value, hard), hard))


def _why(error: Exception) -> str:
    # Without memory for its stack a thread cannot start, which Python calls something else.
    if isinstance(error, MemoryError) or str(error) == "can't start new thread":
        return "judging needs more memory than it may use; make the change smaller"
    message, hint = getattr(error, "message", ""), getattr(error, "hint", "")
    if message:
        return f"{message}; {hint}"
    return f"judging broke ({type(error).__name__}: {error}); please report this"


class Line:
    """The pipes to the parent: what we say, and the one question we may ask."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe, self._answers = pipe, sys.stdin.buffer
        self._lock = threading.Lock()

    def send(self, kind: bytes, value: object) -> None:
        """Say one thing."""
        data = memoryview(kind + json.dumps(value, allow_nan=False).encode() + b"\n")
        with self._lock:
            while data:
                data = data[self._pipe.write(data) :]

    def ask(self, ids: Sequence[str]) -> str:
        """Ask for objects; return "" once they are there, or why they are not."""
        self.send(b"N", list(ids))
        answer = self._answers.readline(10_000)
        if not answer.endswith(b"\n"):  # the parent has gone
            os.killpg(0, signal.SIGKILL)
        return str(json.loads(answer))


class Objects:
    """What a world without contents asks for them; one request at a time, for all who wait."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._turn, self._note = threading.Lock(), threading.Lock()
        self._wanted: dict[str, None] = {}
        self._failed: dict[str, str] = {}

    def ahead(self, ids: Sequence[str]) -> None:
        """Ask for many before they are needed; what does not come is asked for again by name."""
        for start in range(0, min(len(ids), AHEAD), BATCH):
            if self._line.ask(ids[start : start + BATCH]):
                return

    def __call__(self, ids: tuple[str, ...]) -> None:
        """Bring these objects. Raises Missing with the reason where they do not come."""
        from bot.errors import Missing

        with self._note:
            self._wanted.update(dict.fromkeys(ids))
        with self._turn:
            with self._note:
                asked, self._wanted = tuple(self._wanted), {}
            if asked and (why := self._line.ask(asked)):
                each = asked if len(asked) > 1 else ()
                found = {name: self._line.ask((name,)) for name in each} or {asked[0]: why}
                self._failed.update({name: why for name, why in found.items() if why})
        for name in ids:
            if name in self._failed:
                message, _, hint = self._failed[name].rpartition("; ")
                raise Missing(message, hint)
