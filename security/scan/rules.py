"""Every rule of a scan: what it means, and the safe way to do the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScanRule:
    """One kind of finding; both texts are one line."""

    name: str
    meaning: str
    remedy: str


_ALL = (
    ScanRule(
        "broken",
        "The file breaks its own format, or two readers may understand it differently.",
        "Write it again with the format's own library.",
    ),
    ScanRule(
        "limit",
        "The file asks for more than a scan may spend on it.",
        "Publish it without containers, as safetensors.",
    ),
)
RULES = {rule.name: rule for rule in _ALL}
