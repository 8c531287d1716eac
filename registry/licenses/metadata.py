"""What licence a package's own metadata states; contradiction and vagueness are not an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from registry.licenses.expressions import LicenseError, covers, leaves, normalise, same
from registry.licenses.names import CLASSIFIERS, FIELDS
from registry.licenses.texts import TEXT_LIMIT, identify

METADATA_LIMIT = 2_000_000  # bytes of one METADATA file
MAX_FILES = 64  # licence files of one package that are looked at
_FIELD_LINE = 200  # a longer License field holds a licence text
_POINTERS = ("see license", "see licence", "license", "licence", "file: license", "unknown", "none")
_NO_LICENCE = ("License", "License :: OSI Approved")


@dataclass(frozen=True, slots=True)
class Claim:
    """The licence expression that metadata states, or "" and the reason why it states none."""

    license: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fields:
    """The metadata fields that speak of the licence."""

    expression: str = ""
    field: str = ""
    classifiers: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def fields_of(data: bytes) -> Fields:
    """Read the fields of a METADATA file."""
    from packaging.metadata import parse_email

    raw, unparsed = parse_email(data)
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

    files = texts("license_files")[:MAX_FILES]
    return Fields(text("license_expression"), text("license"), texts("classifiers"), files)


def texts_of(fields: Fields, read: Callable[[str, int], bytes | None]) -> tuple[str, ...]:
    """Return the licence texts a package ships; `read(path, limit)` is in its metadata folder."""
    found = []
    for name in fields.files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name:
            continue
        data = read(f"licenses/{name}", TEXT_LIMIT) or read(name, TEXT_LIMIT)
        if data is not None:
            found.append(data.decode("utf-8", "replace"))
    return tuple(found)


def claim(fields: Fields, texts: Sequence[str] = ()) -> Claim:
    """Weigh what the fields and the shipped licence texts say."""
    try:
        if fields.expression:
            stated = normalise(fields.expression)
        else:
            stated = _merged(_field(fields.field), _classifiers(fields.classifiers))
        return Claim(_with_text(stated, texts))
    except LicenseError as error:
        return Claim(reason=str(error))


def named(text: str) -> str:
    """Return the expression that a licence's common name or expression stands for."""
    plain = " ".join(text.lower().replace(",", " ").split())
    return FIELDS.get(plain) or normalise(text)


def _field(text: str) -> str:
    text = text.strip()
    plain = text.lower().removesuffix(".txt").removesuffix(".md").removesuffix(" file")
    if not text or plain in _POINTERS:
        return ""
    if "\n" in text or len(text) > _FIELD_LINE:
        ids = identify(text)
        if not ids:
            raise LicenseError("its License field holds a text that is no licence we know")
        return ids[0]
    try:
        return named(text)
    except LicenseError as error:
        raise LicenseError(f"its License field is '{text:.80}'") from error


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
        narrower = narrow(stated, classifier)
        if not narrower:
            raise LicenseError(f"its License field says {stated}, its classifier {classifier}")
        stated = narrower
    return stated


def _with_text(stated: str, texts: Sequence[str]) -> str:
    # Several files are bundles of what is vendored: they say nothing about the whole.
    ids = identify(texts[0]) if len(texts) == 1 else ()
    if not stated:
        if not ids:
            raise LicenseError("its metadata states no licence")
        return ids[0]
    if not ids:
        return stated
    narrower = next((n for id in ids if (n := narrow(stated, id))), "")
    if not narrower:
        raise LicenseError(f"its metadata says {stated}, its licence file is {ids[0]}")
    return narrower


def narrow(stated: str, other: str) -> str:
    """Return the more exact of two statements about one thing, "" where they disagree."""
    if same(stated, other) or covers(other, stated):
        return stated
    if covers(stated, other):
        return other
    parts = [leaf.split(" WITH ")[0] for leaf in leaves(stated)]
    several = len(parts) > 1 or parts[0] != stated
    return stated if several and any(p == other or covers(other, p) for p in parts) else ""
