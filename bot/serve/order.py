"""What one judgement is asked for, and what the judging child and its parent say to each other.

The child prints lines: one letter, then JSON. The parent answers each `NEED` with one line.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from bot.people import People
from bot.policy import Waiver
from bot.report.read import LIMIT
from bot.serve.contract import Waived

SAY, VERDICT, NEED, REPORT, FAILED = b"S", b"V", b"N", b"R", b"F"
LINE = 400_000  # bytes of a line that is no report
REPORT_LINE = LIMIT + 1
TOTAL = 3 * LIMIT  # bytes of all lines together
MAX_IDS = 5_000  # objects of one request
MAX_REQUESTS = 5_000
TEXT = 500  # characters of a line for people


def waiver(waived: Waived) -> Waiver:
    """Return what somebody accepted by comment as the policy says such things."""
    reason = f"by {waived.login} in a comment: {waived.reason}"
    return Waiver.model_validate({"rule": waived.rule, "until": waived.until, "reason": reason})


@dataclass(frozen=True, slots=True)
class Order:
    """One change to judge, from a bare mirror.

    `checks` are run. `waiting` are only asked whether they apply; those that do are PENDING with
    `reason`. `waived` are waivers made by comment, `suites` the only suites to score (() for all),
    `device` replaces the policy's where it is not "". `variables` are names in our environment
    that the child gets too: what fetching weights needs. `memory` is in bytes.
    """

    git_dir: Path
    repository: str  # owner/name
    number: int
    author: str
    base: str
    head: str
    today: date
    checks: tuple[str, ...]
    waiting: tuple[str, ...] = ()
    reason: str = "not measured yet"
    waived: tuple[Waived, ...] = ()
    people: People | None = None
    plugins: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    minutes: float = 30.0
    suites: tuple[str, ...] = ()
    device: str = ""
    cache: Path | None = None
    memory: int = 4 << 30


def dump(order: Order) -> bytes:
    """Return the order as JSON."""
    data: bytes = _adapter().dump_json(order)
    return data


def load(data: bytes) -> Order:
    """Read what `dump` wrote."""
    order: Order = _adapter().validate_json(data)
    return order


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Order)
