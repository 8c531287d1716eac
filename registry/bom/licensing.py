"""What a bill says of a licence: an SPDX id, an expression, a name of its own, or nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from registry.licenses.expressions import LIMIT, LicenseError, is_unstated, normalise
from registry.licenses.names import FAMILIES, HUB_IDS
from registry.licenses.texts import spdx_ids

NOASSERTION = "NOASSERTION"
_WORD = re.compile(r"[^\s()]+")


@dataclass(frozen=True, slots=True)
class Said:
    """A licence as bills write it.

    `how` is id (one of SPDX's), expression (of SPDX ids), name (a licence that SPDX does not
    know) or unknown. `text` is as CycloneDX writes it, `expression` as SPDX does: valid, with
    LicenseRef names for what SPDX does not list. Both are NOASSERTION where nothing is known.
    """

    how: Literal["id", "expression", "name", "unknown"]
    text: str
    expression: str


UNKNOWN = Said("unknown", NOASSERTION, NOASSERTION)


@lru_cache(maxsize=4096)
def said(licence: str) -> Said:
    """Read what is said of a licence. What is no expression, or in part unstated, is unknown."""
    if licence in _listed():
        return Said("id", licence, licence)
    if not licence or len(licence) > LIMIT:
        return UNKNOWN
    try:
        text = normalise(licence)
    except LicenseError:
        return UNKNOWN
    if any(is_unstated(word) for word in _WORD.findall(text)):
        return UNKNOWN  # "MIT AND other" does not say what may be done
    if text in _listed():
        return Said("id", text, text)
    expression = _WORD.sub(lambda word: _reference(word[0]), text)
    if " " not in text and (expression != text or text.startswith("LicenseRef-")):
        return Said("name", text, expression)
    return Said("expression", expression, expression)


def _reference(word: str) -> str:
    # The hubs' own ids are no SPDX ids: openrail++ becomes LicenseRef-openrail-plus-plus.
    if word not in _others():
        return word
    return "LicenseRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", word.replace("+", "-plus"))


@cache
def _listed() -> frozenset[str]:
    return frozenset(spdx_ids()) - _others()


@cache
def _others() -> frozenset[str]:
    return frozenset((*HUB_IDS, *FAMILIES))
