"""What the Hugging Face hub takes in a card's front matter, and how we say it there.

A front matter with another licence, language or model id than these is refused on upload
(hub-docs, modelcard.md and repositories-licenses.md).
"""

from __future__ import annotations

import re

from registry.licenses.names import HUB_IDS, UNSTATED

_SPDX_IDS = """
afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0
cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0
cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 cc-by-sa-3.0
cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0 ecl-2.0 epl-1.0
epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 gpl-2.0 gpl-3.0 isc lgpl-2.1 lgpl-3.0 lppl-1.3c mit mpl-2.0
ms-pl ncsa ofl-1.1 osl-3.0 postgresql unlicense wtfpl zlib
"""
_FAMILIES = ("bsd", "c-uda", "cc", "gfdl", "gpl", "lgpl", "odbl", "odc-by", "pddl")
LICENCES = frozenset((*_SPDX_IDS.split(), *_FAMILIES, *HUB_IDS))
# Metrics that the hub calls otherwise than lab/metrics/catalog.py.
METRICS = {"mcc": "matthews_correlation", "brier": "brier_score", "chrf++": "chrf"}
RELATIONS = ("adapter", "finetune", "merge", "quantized")

_LANGUAGE = re.compile(r"[a-z]{2,3}|code|multilingual")
_TAGGED = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){1,4}")
_MODEL = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]{0,95}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_ADDRESS = re.compile(
    r"https://[A-Za-z0-9][A-Za-z0-9.-]{0,252}(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]{0,500})?"
)


def licence(expression: str) -> tuple[str, str]:
    """Return the hub's id of a licence and, where that is "other", a name for it.

    "unknown" where none is stated. The hub has no id for a choice of licences, nor for "or
    any later version": those are "other".
    """
    if not expression.strip() or expression.strip() in UNSTATED:
        return "unknown", ""
    known = expression.strip().lower()
    for name in (known, known.removesuffix("-only")):
        if name in LICENCES:
            return name, ""
    name = re.sub(r"[^a-z0-9.]+", "-", known.removeprefix("licenseref-"))[:100].strip("-.")
    return "other", name or "see-card"


def languages(codes: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return those that are ISO 639 codes, and those that are BCP 47 tags with more in them."""
    unique = tuple(dict.fromkeys(codes))
    plain = tuple(code for code in unique if _LANGUAGE.fullmatch(code))
    return plain, tuple(code for code in unique if _TAGGED.fullmatch(code))


def is_repository(name: str) -> bool:
    """Whether this may name a model or data set on the hub."""
    return _MODEL.fullmatch(name) is not None and "--" not in name and ".." not in name


def is_slug(name: str) -> bool:
    """Whether this may name a task (`pipeline_tag`) or a library."""
    return len(name) <= 60 and _SLUG.fullmatch(name) is not None


def address(text: str) -> str:
    """Return an https address of plain characters, "" where this is none."""
    return text if _ADDRESS.fullmatch(text) else ""
