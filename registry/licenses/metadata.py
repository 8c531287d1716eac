"""What licence a package's own metadata and texts state; vagueness is not an answer.

Where a text and the metadata disagree, the text is believed, and the disagreement is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from registry.errors import UnreadableText
from registry.licenses.distinfo import METADATA_LIMIT, Claim, headers
from registry.licenses.expressions import LicenseError, covers, leaves, normalise, same
from registry.licenses.matching import decoded
from registry.licenses.names import CLASSIFIERS, FIELDS
from registry.licenses.shipped import Shipped, listed, read

__all__ = [
    "METADATA_LIMIT",
    "Claim",
    "Fields",
    "claim",
    "fields_of",
    "from_mapping",
    "named",
    "narrow",
]
_FIELD_LINE = 200  # a longer License field holds a licence text
_POINTERS = ("see license", "see licence", "license", "licence", "file: license", "unknown", "none")
_NO_LICENCE = ("License", "License :: OSI Approved")
# Classifiers of versions that have none of their own.
_ALSO = {"LGPL-2.0-only": "LGPL-2.1-only", "LGPL-2.0-or-later": "LGPL-2.1-or-later"}
# Texts that hold those of other licences.
_HOLDS = {"Python-2.0": ("PSF-2.0",), "Python-2.0.1": ("PSF-2.0",)}


@dataclass(frozen=True, slots=True)
class Fields:
    """The metadata fields that speak of the licence."""

    expression: str = ""
    field: str = ""
    classifiers: tuple[str, ...] = ()


def fields_of(data: bytes) -> Fields:
    """Read the fields of a METADATA file."""
    from packaging.metadata import parse_email

    raw, unparsed = parse_email(headers(data))
    # A field given twice is not parsed: what it says is unclear, not absent.
    twice = {"license": " / ".join(unparsed.get("license", ()))}
    twice["license_expression"] = " / ".join(unparsed.get("license-expression", ()))
    return from_mapping({**raw, **{key: text for key, text in twice.items() if text}})


def from_mapping(raw: Mapping[str, Any]) -> Fields:
    """Read the fields of an index's JSON answer, or of parsed metadata."""

    def text(key: str) -> str:
        value = raw.get(key)
        return value if isinstance(value, str) else ""

    def texts(key: str) -> tuple[str, ...]:
        value = raw.get(key)
        items = value if isinstance(value, list) else []
        return tuple(item for item in items if isinstance(item, str))

    return Fields(text("license_expression"), text("license"), texts("classifiers"))


def claim(fields: Fields, texts: Sequence[bytes] = ()) -> Claim:
    """Weigh what the fields and the shipped licence texts say."""
    try:
        if fields.expression:
            stated = normalise(fields.expression)
        else:
            classified = _classifiers(fields.classifiers)
            stated = _merged(_field(fields.field, classified), classified)
        return _with_texts(stated, [partial(_shipped, text) for text in texts])
    except LicenseError as error:
        return Claim(reason="".join(c if c.isprintable() else " " for c in str(error)))


def named(text: str) -> str:
    """Return the expression that a licence's common name or expression stands for."""
    plain = " ".join(text.lower().replace(",", " ").split())
    return FIELDS.get(plain) or normalise(text)


def _shipped(data: bytes) -> Shipped:
    try:
        return read(decoded(data))
    except UnreadableText:
        return Shipped()


def _field(text: str, classifiers: tuple[str, ...]) -> str:
    text = text.strip()
    plain = text.lower().removesuffix(".txt").removesuffix(".md").removesuffix(" file")
    if not text or plain in _POINTERS:
        return ""
    if "\n" in text or len(text) > _FIELD_LINE:
        return _field_text(read(text), classifiers)
    try:
        return named(text)
    except LicenseError as error:
        raise LicenseError(f"its License field is '{text:.80}'") from error


def _field_text(said: Shipped, classifiers: tuple[str, ...]) -> str:
    if said.limits:
        raise LicenseError(f"its License field is {said.limits}")
    if not said.known:
        raise LicenseError("its License field holds a text that is no licence we know")
    if said.names or len(said.licences) == 1:
        return said.names or said.licences[0][0]
    for ids in said.licences:
        if any(_fits(id, classifier) for id in ids for classifier in classifiers):
            return ids[0]
    raise LicenseError(f"its License field holds several licences: {listed([said])}")


def _classifiers(classifiers: Sequence[str]) -> tuple[str, ...]:
    found = []
    for text in classifiers:
        if not text.startswith("License") or text in _NO_LICENCE:
            continue
        if text not in CLASSIFIERS:
            raise LicenseError(f"its classifier '{text:.100}' names no one licence")
        found.append(CLASSIFIERS[text])
    return tuple(dict.fromkeys(found))


def _merged(field: str, classifiers: tuple[str, ...]) -> str:
    if not classifiers:
        return field
    if not field and len(classifiers) > 1:
        raise LicenseError("its classifiers do not say whether all or any of them apply")
    stated = field or classifiers[0]
    for classifier in classifiers:
        narrower = _fits(stated, classifier)
        if not narrower:
            raise LicenseError(f"its License field says {stated}, its classifier {classifier}")
        stated = narrower
    return stated


def _fits(stated: str, classifier: str) -> str:
    also = _ALSO.get(classifier)
    return narrow(stated, classifier) or (narrow(stated, also) if also else "")


def _with_texts(stated: str, texts: Sequence[Callable[[], Shipped]]) -> Claim:
    if not stated:
        return Claim(_unstated([read() for read in texts]))
    said: list[Shipped] = []
    for text in texts:  # of a bundle no more is read than until one fits
        said.append(text())
        if len(texts) == 1 and said[0].limits:
            raise LicenseError(f"its licence file is {said[0].limits}")
        if narrower := next((n for id in _ids(said[-1]) if (n := narrow(stated, id))), ""):
            return Claim(narrower if len(texts) == 1 else stated)
    if not all(one.known for one in said) or not said:
        return Claim(stated)  # the text nobody knows may be the one that is meant
    if len(said) > 1 or len(said[0].licences) > 1:
        raise LicenseError(f"its metadata says {stated}, its licence files are {listed(said)}")
    license = said[0].names or said[0].licences[0][0]
    return Claim(license, disagrees=f"its metadata says {stated}, its licence file is {license}")


def _ids(said: Shipped) -> list[str]:
    ids = [id for licence in said.licences for id in licence]
    held = [id for outer in ids for id in _HOLDS.get(outer, ())]
    return [*ids, *held, *filter(None, (said.names,))]


def _unstated(texts: Sequence[Shipped]) -> str:
    limits = next((one.limits for one in texts if one.limits), "")
    if limits:
        raise LicenseError(f"its licence file is {limits}")
    if not texts or not all(one.known for one in texts):
        raise LicenseError("its metadata states no licence")
    found = {one.names or one.licences[0][0] for one in texts}
    if len(found) > 1 or any(len(one.licences) > 1 for one in texts):
        raise LicenseError(f"its metadata states no licence, its files hold {listed(texts)}")
    return found.pop()


def narrow(stated: str, other: str) -> str:
    """Return the more exact of two statements about one thing, "" where they disagree."""
    if same(stated, other) or covers(other, stated):
        return stated
    if covers(stated, other):
        return other
    parts = [leaf.split(" WITH ")[0] for leaf in leaves(stated)]
    several = len(parts) > 1 or parts[0] != stated
    return stated if several and any(p == other or covers(other, p) for p in parts) else ""
