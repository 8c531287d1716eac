"""Cards of models and data: the front matter's licence, base models and data sets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from registry.assets import keys
from registry.assets.configs import use_of
from registry.assets.values import Stated, Told, Use
from registry.bom.values import Kind, Tie
from registry.documents import ALIASES, Document, DocumentError, load_yaml
from registry.licenses.statements import CARD_LIMIT, in_card

_LINE = re.compile(rb"\r\n?|\n")
# Keys that only the card of a data set has (hub-docs, dataset cards).
_DATA_KEYS = ("dataset_info", "task_categories", "task_ids", "size_categories", "source_datasets",
              "annotations_creators", "language_creators", "configs", "pretty_name")  # fmt: skip
_MODEL_KEYS = ("base_model", "library_name", "pipeline_tag", "model-index", "base_model_relation")


def told(data: bytes, name: str) -> Told:
    """Read a card called `name`; a README without front matter says nothing."""
    try:
        front = _front(data)
        document = load_yaml(front, limit=CARD_LIMIT, aliases=ALIASES) if front else Document(None)
        stated = in_card(data[:CARD_LIMIT])
    except DocumentError as error:
        return Told(trouble=error.message, line=error.line)
    value = document.value
    if value is None:
        return Told()
    if not isinstance(value, dict):
        return Told(trouble="the front matter is no mapping", line=1)
    makes = _makes(value, name)
    given = value.get("license_link")
    link = given if isinstance(given, str) and len(given) <= 300 else ""
    said = None
    if stated is not None:
        said = Stated(stated.license, stated.line, stated.reason, link)
    return Told(makes, tuple(dict.fromkeys(_uses(document, makes))), said)


def _front(data: bytes) -> bytes:
    """Return the lines between the dashes as lines of the file; b"" where there are none."""
    data = data[:CARD_LIMIT].removeprefix(b"\xef\xbb\xbf")
    lines = _LINE.split(data)
    start = next((n for n, line in enumerate(lines[:1_000]) if line.strip()), 0)
    if not lines or lines[start].rstrip() != b"---":
        return b""
    for number in range(start + 1, len(lines)):
        if lines[number].rstrip(b" \t") == b"---":
            return b"\n".join([b""] * (start + 1) + lines[start + 1 : number] + [b""])
    if len(data) >= CARD_LIMIT:
        raise DocumentError("front matter has no end", 1)
    return b""


def _makes(value: dict[Any, Any], name: str) -> str:
    if name.lower() == "dataset_card.md":
        return "data"
    if any(key in value for key in _MODEL_KEYS):
        return "model"
    data = any(key in value for key in _DATA_KEYS)
    return "data" if data and "datasets" not in value else "model"


def _uses(document: Document, makes: str) -> Iterator[Use]:
    value: dict[Any, Any] = document.value
    for key, kind, tie in _ties(value, makes):
        given = value.get(key)
        for index, item in enumerate(given if isinstance(given, list) else [given]):
            if not isinstance(item, str):
                continue
            path = (key, index) if isinstance(given, list) else (key,)
            if key == "source_datasets":
                item = item.removeprefix("extended|")
            # On a card every name is one of the hub's, with or without an organisation.
            use = use_of(item, tie, kind, document.line(path), key, firm=True, bare=True)
            if use is None and kind == "model" and item.strip():
                use = _bare(item, tie, kind, document.line(path), key)
            if use is not None and use.name not in ("original", "extended"):
                yield use


def _ties(value: dict[Any, Any], makes: str) -> Iterator[tuple[str, Kind, Tie]]:
    if makes == "data":
        yield "source_datasets", "data", "vendors"
        return
    relation = value.get("base_model_relation")
    tie: Tie = "finetunes"
    if isinstance(relation, str) and relation in keys.RELATIONS:
        tie = keys.RELATIONS[relation]
    elif isinstance(value.get("base_model"), list) and len(value["base_model"]) > 1:
        tie = "merges"  # as the hub reads several base models without a relation
    yield "base_model", "model", tie
    yield "datasets", "data", "trains_on"


def _bare(item: str, tie: Tie, kind: Kind, line: int, key: str) -> Use | None:
    from registry.assets.names import hub

    name = hub(item)
    return Use(tie, kind, name, line, key) if name else None
