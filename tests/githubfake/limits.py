"""GitHub's limits: 5,000 requests an hour; 80 contents created a minute and 500 an hour."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import Any

from tests.githubfake.people import Clock

HOUR, MINUTE = 3600, 60


class Limits:
    """Counted by who asks, by the fake's clock. Tests may lower the figures.

    Times are told in the clock of whoever asks, who does not know of `advance`.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.primary = 5000
        self.content_minute = 80
        self.content_hour = 500
        self._windows: dict[str, tuple[float, int]] = {}
        self._contents: dict[str, deque[float]] = defaultdict(deque)

    def _window(self, key: str) -> tuple[float, int]:
        end, used = self._windows.get(key, (0.0, 0))
        now = self.clock.now()
        return (end, used) if now < end else (now + HOUR, 0)

    def headers(self, key: str) -> dict[str, str]:
        end, used = self._window(key)
        return {
            "X-RateLimit-Limit": str(self.primary),
            "X-RateLimit-Remaining": str(max(self.primary - used, 0)),
            "X-RateLimit-Reset": str(int(end - self.clock.offset)),
            "X-RateLimit-Used": str(used),
            "X-RateLimit-Resource": "core",
        }

    def body(self, key: str) -> dict[str, Any]:
        end, used = self._window(key)
        core = {"limit": self.primary, "used": used, "reset": int(end - self.clock.offset),
                "remaining": max(self.primary - used, 0)}  # fmt: skip
        return {"resources": {"core": core, "search": core, "graphql": core}, "rate": core}

    def spend(self, key: str) -> bool:
        """Count one request; False where the hour is spent."""
        end, used = self._window(key)
        self._windows[key] = (end, min(used + 1, self.primary))
        return used < self.primary

    def refund(self, key: str) -> None:
        """A 304 is free."""
        end, used = self._window(key)
        self._windows[key] = (end, max(used - 1, 0))

    def create(self, key: str) -> int:
        """Count one content; seconds to wait where that was too many, else 0."""
        now, made = self.clock.now(), self._contents[key]
        while made and made[0] <= now - HOUR:
            made.popleft()
        if len(made) >= self.content_hour:
            return int(made[0] + HOUR - now) + 1
        if len(made) >= self.content_minute and made[-self.content_minute] > now - MINUTE:
            return int(made[-self.content_minute] + MINUTE - now) + 1
        made.append(now)
        return 0
