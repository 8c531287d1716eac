"""The webhook's door: verified, durable, acknowledged. Nothing else happens in the request."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.errors import TooLarge
from bot.github.errors import Forged, Malformed
from bot.github.webhook import LIMIT, admit, verify
from bot.serve.body import Reader, Unread
from bot.serve.errors import StoreError
from bot.serve.records import Records
from bot.serve.telemetry import Telemetry

WRITERS = 32  # threads; those that wait for the disk are written together

_STATUS = {Forged: 401, TooLarge: 413, Malformed: 400, StoreError: 503}
_WORD = {Forged: "forged", TooLarge: "too_large", Malformed: "malformed", StoreError: "not_stored"}


def _nothing() -> None:
    return None


@dataclass(slots=True)
class Hook:
    """Takes deliveries. `wake` tells the intake that something new is there."""

    records: Records
    secrets: tuple[str, ...]
    telemetry: Telemetry
    wake: Callable[[], None] = _nothing
    limit: int = LIMIT
    clock: Callable[[], float] = time.time
    reader: Reader | None = None
    _writers: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(WRITERS))

    async def __call__(self, request: Request) -> Response:
        """Answer one request to /webhook."""
        began = time.perf_counter()
        event = request.headers.get("x-github-event", "")
        try:
            new = await self._take(request)
        except (Forged, Malformed, TooLarge, StoreError) as error:
            word, status = _WORD[type(error)], _STATUS[type(error)]
            if isinstance(error, StoreError):
                self.telemetry.error("database")
            answer = _refused(word, status)
        except Unread as error:
            word, answer = error.word, _refused(error.word, error.status)
        else:
            word = "accepted" if new else "seen"
            answer = JSONResponse({"accepted": True if new else "seen"}, 202)
        self.telemetry.delivery(event, word)
        self.telemetry.acknowledged(time.perf_counter() - began)
        return answer

    async def _take(self, request: Request) -> bool:
        headers: Mapping[str, str] = request.headers
        admit(headers, limit=self.limit)
        if self.reader is None:
            self.reader = Reader(self.limit)
        body = await self.reader.read(request)

        def store() -> bool:  # a large body takes time to be held against its signature
            now = self.clock()
            delivery = verify(headers, body, self.secrets, limit=self.limit, now=now)
            new = self.records.accept(delivery)
            if new:
                self.wake()
            return new

        return await anyio.to_thread.run_sync(store, limiter=self._writers)


def _refused(word: str, status: int) -> Response:
    # The rest of the body was not read: nothing that follows it is a request of its own.
    headers = {"connection": "close"}
    if status == 503:
        headers["retry-after"] = "30"
    return JSONResponse({"accepted": False, "why": word}, status, headers)
