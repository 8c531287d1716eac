"""How bad an advisory is: from its CVSS vectors, else from its publisher's word."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from registry.advisories.values import Severity

LENGTH = 300  # characters of one vector
_WORDS: dict[str, Severity] = {
    "low": "low",
    "moderate": "moderate",
    "medium": "moderate",
    "high": "high",
    "important": "high",
    "critical": "critical",
}


@lru_cache(maxsize=20_000)
def of_vector(vector: str) -> Severity:
    """Return the rating of a CVSS vector, 2.0 to 4.0; "unknown" where it is none.

    CVSS 3.1, section 5, names the ratings; "none" (0.0) counts as low, and version 2 is rated by
    the same bounds.
    """
    import cvss
    from cvss.exceptions import CVSSError

    if len(vector) > LENGTH:
        return "unknown"
    try:
        if vector.startswith("CVSS:4"):
            return _rated(float(cvss.CVSS4(vector).base_score))
        if vector.startswith("CVSS:3"):
            return _rated(float(cvss.CVSS3(vector).base_score))
        return _rated(float(cvss.CVSS2(vector).base_score))
    except (CVSSError, KeyError, ValueError, TypeError):
        return "unknown"


def _rated(score: float) -> Severity:
    if score >= 9:
        return "critical"
    if score >= 7:
        return "high"
    return "moderate" if score >= 4 else "low"


def of_word(word: Any) -> Severity:
    """Return what a publisher's word for a severity means."""
    return _WORDS.get(word.strip().lower(), "unknown") if isinstance(word, str) else "unknown"


def worst(found: Iterable[Severity]) -> Severity:
    """Return the worst rating that somebody gave, "unknown" where nobody gave any."""
    order: tuple[Severity, ...] = ("critical", "high", "moderate", "low")
    given = set(found)
    return next((one for one in order if one in given), "unknown")
