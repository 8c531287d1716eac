"""The body of a request, read while it comes: bounded in bytes, in time and over all requests."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request

SECONDS = 10.0  # GitHub itself waits no longer for an answer
HELD = 256 << 20  # bytes of all bodies being read at once


class Unread(Exception):
    """The body was not taken; `status` is what the sender is told, `word` what is counted."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(word)
        self.status, self.word = status, word


class Reader:
    """Reads bodies of at most `limit` bytes each, `held` bytes of all of them together."""

    def __init__(self, limit: int, *, seconds: float = SECONDS, held: int = HELD) -> None:
        self._limit, self._seconds = limit, seconds
        self._left = held

    async def read(self, request: Request) -> bytes:
        """Return the body. Raises Unread."""
        length = request.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length) > self._limit:
            raise Unread(413, "too_large")
        taken: list[bytes] = []
        try:
            async with asyncio.timeout(self._seconds):
                await self._gather(request, taken)
        except TimeoutError:
            raise Unread(408, "slow") from None
        except ClientDisconnect:
            raise Unread(400, "cut_off") from None
        finally:
            self._left += sum(map(len, taken))
        return b"".join(taken)

    async def _gather(self, request: Request, taken: list[bytes]) -> None:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > self._limit:
                raise Unread(413, "too_large")
            if len(chunk) > self._left:
                raise Unread(503, "busy")
            self._left -= len(chunk)
            taken.append(chunk)
