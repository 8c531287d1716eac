"""One OSV document (schema 1.x) as an Advisory: strict where it matters, blind to the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from packaging.utils import canonicalize_name

from registry.advisories.errors import AdvisoryError
from registry.advisories.severity import of_vector, of_word, worst
from registry.advisories.values import Advisory, Affected, Severity, Span, Statement
from registry.advisories.versions import LENGTH, key, spans_of, widest
from registry.documents import DocumentError, load_json, load_yaml

LIMIT = 5_000_000  # bytes of one document
MAX_ITEMS = 20_000  # versions, or events, of one document
MAX_NAMES = 1_000  # aliases of one document, and packages
ECOSYSTEM = "pypi"
EMBEDDED_CODE = "CWE-506"  # how GitHub's database marks malware

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,99}")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,212}[a-z0-9])?")
_HINT = "see the OSV schema; import the others without it"


def read(data: bytes, *, yaml: bool = False, local: bool = False) -> Advisory | None:
    """Return what a document says of PyPI packages; None where it says nothing or is withdrawn.

    Only a project's own (`local`) may state that it is not affected. Raises AdvisoryError.
    """
    try:
        value = load_yaml(data, limit=LIMIT).value if yaml else load_json(data, limit=LIMIT)
    except DocumentError as error:
        raise AdvisoryError(error.message, _HINT) from error
    return advisory(value, local=local)


def advisory(value: Any, *, local: bool = False) -> Advisory | None:
    """Return what a parsed document says, as `read` does. Raises AdvisoryError."""
    if not isinstance(value, dict):
        raise AdvisoryError("not an object", _HINT)
    id_ = _id(value.get("id"))
    if value.get("withdrawn") is not None:
        return None
    packages = _list(value, "affected", MAX_NAMES)
    left = [MAX_ITEMS]
    affected = tuple(a for package in packages if (a := _affected(package, left)) is not None)
    if not affected:
        if local:
            hint = "name it under affected.package, with the ecosystem PyPI"
            raise AdvisoryError("it affects no PyPI package", hint)
        return None
    # Some publish an alias with a blank after it, or a sentence: that one joins nothing.
    said = (one.strip() for one in _list(value, "aliases", MAX_NAMES) if isinstance(one, str))
    aliases = tuple(dict.fromkeys(one for one in said if _ID.fullmatch(one)))
    specific = value.get("database_specific")
    specific = specific if isinstance(specific, dict) else {}
    malware = _is_malware(id_, aliases, specific)
    return Advisory(
        id_,
        tuple(one for one in aliases if one != id_),
        _text(value.get("summary")),
        _severity(value, packages, specific),
        malware,
        _stamp(value.get("modified")),
        tuple(_whole(a) for a in affected) if malware else affected,
        _statement(specific) if local else None,
    )


def _affected(value: Any, left: list[int]) -> Affected | None:
    package = value.get("package") if isinstance(value, dict) else None
    if not isinstance(package, dict):
        if isinstance(value, dict) and package is None:
            return None  # an advisory on commits alone
        raise AdvisoryError("an affected package is not an object", _HINT)
    ecosystem, name = package.get("ecosystem"), package.get("name")
    if not isinstance(ecosystem, str) or not isinstance(name, str):
        raise AdvisoryError("a package without a name or an ecosystem", _HINT)
    if ecosystem.lower() != ECOSYSTEM:
        return None
    canonical = canonicalize_name(name) if len(name) <= 4 * LENGTH else ""
    if not _NAME.fullmatch(canonical):
        raise AdvisoryError("a package with an impossible name", _HINT)
    spans: list[Span] = []
    bounds: set[str] = set()
    for range_ in _list(value, "ranges", MAX_ITEMS):
        found, bound = spans_of(_events(range_, left))
        spans += found
        bounds.add(bound)
    versions = _list(value, "versions", MAX_ITEMS)
    _spend(left, len(versions))
    if not all(isinstance(one, str) and 0 < len(one) <= LENGTH for one in versions):
        raise AdvisoryError("a version that is no short text", _HINT)
    keys = tuple(dict.fromkeys(key(one) for one in versions))
    return Affected(canonical, tuple(dict.fromkeys(spans)), keys, widest(bounds))


def _whole(affected: Affected) -> Affected:
    # Malware that names no version is malware in each.
    if affected.spans or affected.versions or affected.vague:
        return affected
    return replace(affected, spans=(Span("0"),))


def _events(value: Any, left: list[int]) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise AdvisoryError("a range without a type", _HINT)
    if value["type"] != "ECOSYSTEM":
        return  # commits and SEMVER say nothing of a package's versions here
    events = _list(value, "events", MAX_ITEMS)
    _spend(left, len(events))
    for event in events:
        if not isinstance(event, dict):
            raise AdvisoryError("an event that is no object", _HINT)
        for kind, text in event.items():
            if not isinstance(text, str) or not 0 < len(text) <= LENGTH:
                raise AdvisoryError("an event whose version is no short text", _HINT)
            if kind in ("introduced", "fixed", "last_affected"):
                yield kind, text


def _spend(left: list[int], count: int) -> None:
    left[0] -= count
    if left[0] < 0:
        raise AdvisoryError(f"more than {MAX_ITEMS:,} versions and events", _HINT)


def _list(value: dict[str, Any], name: str, limit: int) -> list[Any]:
    found = value.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise AdvisoryError(f"{name} is not a list", _HINT)
    if len(found) > limit:
        raise AdvisoryError(f"more than {limit:,} in {name}", _HINT)
    return found


def _id(value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise AdvisoryError("an id that is no short word", _HINT)
    return value


def _text(value: Any) -> str:
    # Shown to people: one printable line.
    text = " ".join(value[:400].split()) if isinstance(value, str) else ""
    return "".join(c if c.isprintable() else "?" for c in text)[:200]


def _stamp(value: Any) -> str:
    # YAML has dates of its own.
    if isinstance(value, datetime | date):
        return value.isoformat()
    return _text(value)[:40]


def _severity(value: dict[str, Any], packages: list[Any], specific: dict[str, Any]) -> Severity:
    lists = [_list(value, "severity", MAX_NAMES)]
    lists += [_list(p, "severity", MAX_NAMES) for p in packages if isinstance(p, dict)]
    scores = {s.get("score") for found in lists for s in found if isinstance(s, dict)
              if isinstance(s.get("score"), str)}  # fmt: skip
    rated = worst(of_vector(score) for score in scores)
    if rated != "unknown":
        return rated
    own = (p.get(k) for p in packages for k in ("database_specific", "ecosystem_specific"))
    said = [specific, *(one for one in own if isinstance(one, dict))]
    return worst(of_word(one.get("severity")) for one in said)


def _is_malware(id_: str, aliases: tuple[str, ...], specific: dict[str, Any]) -> bool:
    weaknesses = specific.get("cwe_ids")
    marked = isinstance(weaknesses, list) and EMBEDDED_CODE in weaknesses
    return marked or any(one.startswith("MAL-") for one in (id_, *aliases))


def _statement(specific: dict[str, Any]) -> Statement | None:
    status = specific.get("status")
    if status is None:
        return None
    if status != "not_affected":
        raise AdvisoryError("a status other than not_affected", "write status: not_affected")
    author, expires = _text(specific.get("author")), _stamp(specific.get("expires"))
    try:
        date.fromisoformat(expires)
    except ValueError as error:
        hint = "write expires: YYYY-MM-DD into database_specific"
        raise AdvisoryError("not_affected without a day on which it expires", hint) from error
    if not author:
        hint = "write author: NAME into database_specific"
        raise AdvisoryError("not_affected without an author", hint)
    return Statement(author, expires, _text(specific.get("justification")))
