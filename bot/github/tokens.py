"""Installation tokens, kept until shortly before they end: never on disk, never in a repr."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

SPARE = 60.0  # seconds a token must still hold to be used for a request


@dataclass(frozen=True, slots=True, repr=False)
class Minted:
    """A token, and the tick at which it ends."""

    token: str
    ends: float


class Tokens:
    """`mint` makes a token of (installation, repository); `ticks` is a clock that only counts."""

    def __init__(self, mint: Callable[[int, int], Minted], ticks: Callable[[], float]) -> None:
        self._mint = mint
        self._ticks = ticks
        self._lock = threading.Lock()
        self._kept: dict[tuple[int, int], Minted] = {}

    def get(self, installation: int, repo: int, seconds: float = SPARE) -> str:
        """Return a token of an installation, for one repository (0: all), that holds so long."""
        now = self._ticks()
        with self._lock:
            self._kept = {key: token for key, token in self._kept.items() if token.ends > now}
            known = self._kept.get((installation, repo))
        if known is None or known.ends - now < seconds:
            known = self._mint(installation, repo)  # two threads may mint at once: no harm
            with self._lock:
                self._kept[installation, repo] = known
        return known.token

    def forget(self, installation: int, repo: int, token: str) -> None:
        """Drop a token that GitHub no longer accepts."""
        with self._lock:
            known = self._kept.get((installation, repo))
            if known is not None and known.token == token:
                del self._kept[installation, repo]
