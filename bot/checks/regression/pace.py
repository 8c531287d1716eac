"""What the paired times of two models come to under the policy."""

from __future__ import annotations

from collections.abc import Iterator

from bot.checks.regression import rules
from bot.finding import Finding, Location
from lab.speed.slowdown import Judgement, Verdict

_NAMES = {"prefill": "reading", "decode": "writing", "memory": "memory"}


def findings_of(pace: tuple[Judgement, ...], where: Location) -> Iterator[Finding]:
    """Yield a finding for what got slower or larger, or could not be told."""
    for one in pace:
        name = _NAMES[one.quantity]
        if one.verdict in (Verdict.SLOWER, Verdict.LARGER):
            yield rules.SLOWER.at(f"{name} {one.verdict}: {one.reason}", where)
        if one.verdict is Verdict.INCONCLUSIVE:
            yield rules.PACE_UNCLEAR.at(f"{name}: {one.reason}", where)
