"""What the parent of a judging child hears: bounded lines of a process that read hostile files."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from bot.errors import CouldNotTell, Missing, TooLarge
from bot.report.neutral import harmless
from bot.serve import order as orders
from bot.serve.order import Order
from bot.verdict import Outcome, Verdict
from security import strictjson

POLL = 0.2  # seconds between two looks at whether it is still wanted
GRACE = 1.0  # seconds between the last word of a child and its end
_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

Fetch = Callable[[tuple[str, ...]], None]


class JudgeFailed(CouldNotTell):
    """The child did not hand out a report that can be used."""


def ended(child: subprocess.Popen[bytes], seconds: float) -> str | None:
    """Say how the child ended, without reaping it: its number still names its group."""
    until = time.monotonic() + seconds
    flags = os.WEXITED | os.WNOWAIT | os.WNOHANG
    while (found := os.waitid(os.P_PID, child.pid, flags)) is None:
        if time.monotonic() >= until:
            return None
        time.sleep(0.01)
    if found.si_code == os.CLD_EXITED:
        return f"with exit code {found.si_status}"
    return f"by {signal.Signals(found.si_status).name}"


@dataclass(slots=True)
class Hearing:
    """What goes to and fro between the parent and one child, all of it bounded."""

    order: Order
    objects: Fetch
    on_verdict: Callable[[Verdict], None]
    say: Callable[[str], None]
    cancelled: Callable[[], bool]
    total: int = 0
    requests: int = 0
    looked: float = 0.0
    rest: bytearray = field(default_factory=bytearray)
    asked: Future[str] | None = None

    def listen(self, child: subprocess.Popen[bytes], fetcher: ThreadPoolExecutor) -> bytes:
        """Return the report's JSON. Raises JudgeFailed."""
        assert child.stdout is not None and child.stdin is not None
        until = time.monotonic() + self.order.minutes * 60
        awake, wake = socket.socketpair()
        with awake, wake, selectors.DefaultSelector() as selector:
            selector.register(child.stdout, selectors.EVENT_READ)
            selector.register(awake, selectors.EVENT_READ)
            while True:
                self._wanted(until)
                ready = [key.fileobj for key, _ in selector.select(POLL)]
                if awake in ready:
                    awake.recv(1)
                    self._answer(child)
                if child.stdout not in ready:
                    continue
                data = os.read(child.stdout.fileno(), 1 << 16)
                if not data:
                    how = ended(child, GRACE) or "without a word"
                    raise JudgeFailed(f"the judging process ended {how}", self._advice())
                for line in self._lines(data):
                    report = self._hear(line, fetcher, wake)
                    if report is not None:
                        return report

    def _advice(self) -> str:
        return f"it may use {self.order.memory / (1 << 30):.2g} GiB; make the change smaller"

    def _wanted(self, until: float) -> None:
        if time.monotonic() < self.looked + POLL:
            return
        self.looked = time.monotonic()
        if self.cancelled():
            raise JudgeFailed("cancelled", "run it again if it is still wanted")
        if time.monotonic() > until:
            minutes = f"{self.order.minutes:g} minutes"
            raise JudgeFailed(f"not judged within {minutes}; stopped", "make the change smaller")

    def _lines(self, data: bytes) -> list[bytes]:
        self.total += len(data)
        self.rest += data
        if b"\n" not in data:
            whole: list[bytes] = []
        else:
            *whole, last = bytes(self.rest).split(b"\n")
            self.rest = bytearray(last)
        bound = orders.REPORT_LINE if self.rest[:1] == orders.REPORT else orders.LINE
        if self.total > orders.TOTAL or len(self.rest) > bound:
            raise JudgeFailed("the judging process says too much", "make the change smaller")
        return whole

    def _hear(self, line: bytes, fetcher: ThreadPoolExecutor, wake: socket.socket) -> bytes | None:
        kind, data = line[:1], line[1:]
        if kind == orders.REPORT:
            return data
        value = _parsed(data)
        if kind == orders.FAILED:
            message, _, hint = _texts(value, 1)[0].rpartition("; ")
            raise JudgeFailed(message[: orders.TEXT], hint[: orders.TEXT])
        if kind == orders.SAY:
            self.say(harmless(_texts([value], 1)[0])[: orders.TEXT])
        elif kind == orders.VERDICT:
            self.on_verdict(_verdict(value))
        elif kind == orders.NEED:
            self._ask(value, fetcher, wake)
        else:
            raise JudgeFailed("the judging process speaks in tongues", "report this")
        return None

    def _ask(self, value: Any, fetcher: ThreadPoolExecutor, wake: socket.socket) -> None:
        self.requests += 1
        if not isinstance(value, list) or len(value) > orders.MAX_IDS or self.asked is not None:
            raise JudgeFailed("the judging process asks for too much", "report this")
        ids = _texts(value, len(value))
        if not all(map(_ID.fullmatch, ids)) or self.requests > orders.MAX_REQUESTS:
            raise JudgeFailed("the judging process asks for too much", "report this")
        self.asked = fetcher.submit(self._fetch, tuple(ids))
        self.asked.add_done_callback(lambda done: _ring(wake))

    def _fetch(self, ids: tuple[str, ...]) -> str:
        """Return "", or what is wrong with one of these; raise what is wrong with the way to them.

        A check may take a file that is not there for a file that is bad: while GitHub does not
        answer, nothing is judged at all.
        """
        try:
            self.objects(ids)
        except (Missing, TooLarge) as error:
            return f"{error.message}; {error.hint}"[: orders.TEXT]
        return ""

    def _answer(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdin is not None and self.asked is not None
        answer, self.asked = self.asked.result(), None
        with contextlib.suppress(BrokenPipeError):  # that it ended is seen on the other pipe
            child.stdin.write(json.dumps(answer).encode() + b"\n")
            child.stdin.flush()


def _ring(wake: socket.socket) -> None:
    with contextlib.suppress(OSError):
        wake.send(b"!")


def _parsed(data: bytes) -> Any:
    try:
        return strictjson.loads(data, limit=orders.LINE, depth=4)
    except strictjson.StrictJSONError as error:
        raise JudgeFailed(
            f"the judging process speaks in tongues: {error}", "report this"
        ) from error


def _texts(value: Any, count: int) -> list[str]:
    if not isinstance(value, list) or len(value) != count:
        raise JudgeFailed("the judging process speaks in tongues", "report this")
    if not all(isinstance(text, str) for text in value):
        raise JudgeFailed("the judging process speaks in tongues", "report this")
    return value


def _verdict(value: Any) -> Verdict:
    if isinstance(value, list) and len(value) == 3:
        check, outcome, seconds = value
        good = isinstance(check, str) and _SLUG.fullmatch(check) and isinstance(seconds, float)
        if good and outcome in list(Outcome) and 0 <= seconds < 1e9:
            return Verdict(check, Outcome(outcome), seconds=seconds)
    raise JudgeFailed("the judging process speaks in tongues", "report this")
