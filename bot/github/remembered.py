"""Answers kept with their ETag: GitHub does not count a question whose answer did not change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from bot.github.transport import Reply

ROOM = 16_000_000  # characters of all answers kept
LARGEST = 1_000_000  # characters of one


class Remembered:
    """The answers asked for last, in memory only. Each question still goes to GitHub."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Reply] = OrderedDict()
        self._held = 0

    def ask(self, question: Hashable, send: Callable[[str], Reply]) -> Reply:
        """Return the answer; `send` is given the ETag we know ("" for none), and may say 304.

        The question names with whose rights it is asked: nobody is told what another may see.
        """
        with self._lock:
            known = self._kept.get(question)
        reply = send(known.headers["etag"] if known else "")
        if known is not None and reply.status == 304:
            reply = known
        self._keep(question, reply)
        return reply

    def _keep(self, question: Hashable, reply: Reply) -> None:
        with self._lock:
            old = self._kept.pop(question, None)
            self._held -= len(old.text) if old else 0
            if reply.status == 200 and reply.headers.get("etag") and len(reply.text) <= LARGEST:
                self._kept[question] = reply
                self._held += len(reply.text)
            while self._held > self._room:
                _, oldest = self._kept.popitem(last=False)
                self._held -= len(oldest.text)
