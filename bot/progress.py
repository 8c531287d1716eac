"""How far long work is, for a person at a terminal: one line, redrawn, gone at the end."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TextIO

from bot.quoting import printable

REDRAW = 0.25  # seconds between two drawings
SETTLED = 1.0  # seconds of work before the time left is guessed
NARROWEST, WIDEST = 8, 30  # characters of the bar
USUAL = 80  # columns of a terminal that does not say
_BLUE, _PLAIN = "\x1b[34m", "\x1b[0m"


class Bar:
    """A progress line: `bar(done, total)` as work goes on; on anything but a terminal, silent.

    `done` may fall back to begin the next part of the work. Use as a context manager, so that
    the line is gone whatever ends the work.
    """

    def __init__(
        self,
        label: str,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        environ: Mapping[str, str] = os.environ,
        columns: int = 0,
    ) -> None:
        self._label = printable(label)
        self._stream = stream or sys.stderr
        self._clock = clock
        self._columns = columns
        self._shown = _redraws(self._stream) and environ.get("TERM") != "dumb"
        self._colour = not environ.get("NO_COLOR")
        self._marks = _marks(self._stream)
        self._start = (0.0, 0)  # when this part began, and what was done by then
        self._last = (0, 0)  # done and total when last told
        self._drawn_at = -REDRAW
        self._line = 0  # columns that are drawn

    def __enter__(self) -> Bar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.clear()

    def __call__(self, done: int, total: int) -> None:
        """Draw how far the work is, a few times a second at most; clear it once all is done."""
        if not self._shown:
            return
        now = self._clock()
        if self._last[1] != total or done < self._last[0]:
            self._start = (now, done)
        self._last = (done, total)
        if done >= total:
            self.clear()
        elif now - self._drawn_at >= REDRAW:
            self._drawn_at = now
            self._draw(done, total, _left(done, total, now, self._start))

    def clear(self) -> None:
        """Take the line away."""
        if self._line:
            self._write("\r" + " " * self._line + "\r")
            self._line = 0

    def _draw(self, done: int, total: int, left: str) -> None:
        room = (self._columns or _columns(self._stream)) - 1
        tail = f"{done:,}/{total:,}{left}"
        label = self._label[: max(0, room - len(tail) - NARROWEST - 2)]
        size = min(WIDEST, room - len(label) - len(tail) - 2)
        text, painted = f"{label} {tail}"[:room], ""
        if size >= NARROWEST:
            full = self._marks[0] * (size * max(done, 0) // total)
            rest = self._marks[1] * (size - len(full))
            text = f"{label} {full}{rest} {tail}"
            painted = f"{label} {_BLUE}{full}{_PLAIN}{rest} {tail}" if self._colour else ""
        spaces = " " * (self._line - len(text))
        self._line = len(text)
        self._write(f"\r{painted or text}{spaces}")

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # a terminal that has gone does not end the work
            self._stream.write(text)
            self._stream.flush()


def _redraws(stream: TextIO | None) -> bool:
    return stream is not None and not stream.closed and stream.isatty()


def _columns(stream: TextIO) -> int:
    with suppress(OSError, ValueError):
        return os.get_terminal_size(stream.fileno()).columns or USUAL
    return USUAL


def _marks(stream: TextIO | None) -> str:
    """Return the characters of what is done and what is not, as the stream can write them."""
    with suppress(UnicodeError, LookupError):
        "█░".encode(getattr(stream, "encoding", None) or "ascii")
        return "█░"
    return "#-"


def _left(done: int, total: int, now: float, start: tuple[float, int]) -> str:
    """Say how long the rest takes at the pace so far, "" where it is too early to tell."""
    seconds, items = now - start[0], done - start[1]
    if seconds < SETTLED or items <= 0:
        return ""
    left = math.ceil(seconds / items * (total - done))
    if left < 60:
        return f", {left} s left"
    minutes, rest = divmod(left, 60)
    if minutes < 60:
        return f", {minutes} min {rest:02} s left"
    hours, minutes = divmod(minutes, 60)
    return f", {hours:,} h {minutes:02} min left"
