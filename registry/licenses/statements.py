"""What a project says of its own licence: pyproject.toml and the front matter of cards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from registry.documents import ALIASES, DocumentError, load_toml, load_yaml, text_of
from registry.licenses.expressions import LicenseError, is_unstated, leaves, normalise
from registry.licenses.metadata import Fields, claim, named

CARD_LIMIT = 200_000  # bytes of a card that may be front matter
PYPROJECT_LIMIT = 5_000_000  # bytes
CARDS = ("readme.md", "model_card.md", "modelcard.md", "dataset_card.md")
# As loosely as the model hubs read it: after blank lines, and with any kind of line end.
_OPENING = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,1000}+---[ \t]*[\r\n]")
_CLOSING = re.compile(rb"[\r\n]---[ \t]*(?:[\r\n]|\Z)")


@dataclass(frozen=True, slots=True)
class Statement:
    """A licence that a file states on a line; `license` is "" where `reason` says it is unclear."""

    license: str = ""
    line: int = 0
    reason: str = ""


def is_card(path: str) -> bool:
    """Whether a file of this name may be a model or dataset card."""
    return path.rsplit("/", 1)[-1].lower() in CARDS


def in_pyproject(data: bytes) -> Statement | None:
    """Return what pyproject.toml states, None for nothing. Raises DocumentError."""
    document = load_toml(data, limit=PYPROJECT_LIMIT)
    project, tool = _table(document, "project"), _table(document, "tool")
    classifiers = project.get("classifiers")
    texts = classifiers if isinstance(classifiers, list) else []
    stated = tuple(c for c in texts if isinstance(c, str) and c.startswith("License ::"))
    license = project.get("license", _table(tool, "poetry").get("license"))
    if isinstance(license, str) and "project" in document and "license" in project:
        fields = Fields(expression=license, classifiers=stated)
    else:
        text = license.get("text", "") if isinstance(license, dict) else license
        fields = Fields(field=text if isinstance(text, str) else "", classifiers=stated)
    if not fields.expression and not fields.field and not stated:
        return None
    line = _line(text_of(data, limit=PYPROJECT_LIMIT), license is not None)
    said = claim(fields)
    return Statement(said.license, line, said.reason)


def in_card(data: bytes) -> Statement | None:
    """Return what a card's front matter states, None for nothing. Raises DocumentError."""
    opening = _OPENING.match(data)
    if opening is None:
        return None
    # Only the front matter is decoded: a bound may have cut the text after it in two.
    closing = _CLOSING.search(data, opening.end() - 1)
    if closing is None:
        if len(data) >= CARD_LIMIT:
            raise DocumentError("front matter has no end", 1)
        return None
    front = data[: closing.start() + 1]
    document = load_yaml(front, limit=CARD_LIMIT, aliases=ALIASES)
    value = document.value
    if not isinstance(value, dict) or "license" not in value:
        return None
    stated = _card_license(value["license"], value.get("license_name"))
    return replace(stated, line=document.line(("license",)))


def _card_license(value: Any, name: Any) -> Statement:
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, str) and item.strip() for item in items):
        return Statement(reason="its `license` is empty or not text")
    try:
        expressions = [_card_id(item, name) for item in items]
    except LicenseError as error:
        return Statement(reason=str(error))
    if len(expressions) > 1:
        return Statement(reason="its `license` is a list: it does not say whether all or any apply")
    return Statement(expressions[0])


def _card_id(text: str, name: Any) -> str:
    if text.strip().lower() == "other":
        if not isinstance(name, str) or not name.strip():
            raise LicenseError("`license: other` without `license_name` names no licence")
        return normalise("LicenseRef-" + "-".join(name.split()))
    found = named(text)
    if any(is_unstated(leaf) for leaf in leaves(found)):
        raise LicenseError(f"`license: {text.strip():.40}` names no licence")
    return found


def _table(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _line(text: str, has_key: bool) -> int:
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip().strip("\"',")
        key = bare.partition("=")[0].strip().strip("\"'")
        if key == "license" if has_key else bare.startswith("License ::"):
            return number
    return 1
