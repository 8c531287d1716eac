"""Faults a test injects into the API."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

# Kinds that let the request take effect first, and then lose the answer.
AFTER = ("502-after-store", "drop-after-store", "call-after")
# Kinds that hang up after `then` was called; "call-soon" answers, and calls it a moment later.
CALLS = ("call-before", "call-after", "call-soon")
# The connection ends while half of an upload is sent; a half-way asset stays behind.
CUT = "cut"
KINDS = (
    CUT,
    "500", "502", "503", *AFTER[:2], "429-bare", "403-secondary", "403-secondary-bare",
    "403-primary", "401-expired", "slow", "drop", "garbage", *CALLS,
)  # fmt: skip
SOON = 0.01  # seconds
_SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try."


@dataclass(eq=False)
class Fault:
    """`hits` counts how often it struck; `times` how often it still will, after `skip` others."""

    method: str
    path: re.Pattern[str]
    kind: str
    times: int
    skip: int = 0
    then: Callable[[], None] | None = None
    hits: int = 0

    def __post_init__(self) -> None:
        assert self.kind in KINDS, f"{self.kind} is none of {KINDS}"

    def strikes(self, method: str, path: str) -> bool:
        fits = self.method in (method, "*") and bool(self.path.search(path))
        if self.times <= 0 or not fits:
            return False
        self.skip -= 1
        return self.skip < 0

    def call(self) -> None:
        assert self.then is not None
        self.then()


def answer(kind: str, reset: int, wait: int = 60) -> tuple[int, dict[str, str], object]:
    """Status, headers and body of a fault; a body of str is sent as HTML."""
    if kind in ("500", "502", "503"):
        return int(kind), {}, {"message": "Server Error"} if kind == "502" else "<html>Unicorn!"
    if kind == "502-after-store":
        return 502, {}, {"message": "Server Error"}
    if kind == "429-bare":
        return 429, {}, {"message": "Too many requests"}
    if kind == "403-secondary":
        return 403, {"Retry-After": str(wait)}, {"message": _SECONDARY}
    if kind == "403-secondary-bare":
        return 403, {}, {"message": _SECONDARY}
    if kind == "403-primary":
        spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
        return 403, spent, {"message": "API rate limit exceeded for installation."}
    if kind == "401-expired":
        return 401, {}, {"message": "Bad credentials"}
    assert kind == "garbage", kind
    return 200, {}, "<html>not what you asked for"
