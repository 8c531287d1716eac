"""A metric against a fixed limit, before and after. Pure."""

from __future__ import annotations

from typing import Literal

Standing = Literal["kept", "broken", "pre-existing", "recovered"]


def against_limit(
    base: float, head: float, bound: float, better: Literal["higher", "lower"]
) -> Standing:
    """Say whether head keeps the limit, and if not, whether the change broke it.

    A metric that is beyond its limit at base already is not this change's fault. What is not a
    number keeps no limit.
    """
    before, after = (
        value >= bound if better == "higher" else value <= bound for value in (base, head)
    )
    if after:
        return "kept" if before else "recovered"
    return "broken" if before else "pre-existing"
