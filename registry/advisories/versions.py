"""Order and equality of versions: PEP 440, and opaque strings where it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version

from registry.advisories.values import Span

LENGTH = 100  # characters of one version
UNBOUNDED = "*"  # nothing is clear
_RELEASE = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,9}")


@lru_cache(maxsize=100_000)
def parsed(text: str) -> Version | None:
    """Return the version, or None where PEP 440 refuses it."""
    if len(text) > LENGTH:
        return None
    try:
        return Version(text)
    except (InvalidVersion, ValueError):  # ValueError: thousands of digits
        return None


@lru_cache(maxsize=100_000)
def key(text: str) -> str:
    """Return what equal versions share; an opaque string is equal only to itself."""
    version = parsed(text)
    return text if version is None else canonicalize_version(version)


def holds(span: Span, version: Version) -> bool:
    """Whether the span holds this version."""
    start = parsed(span.introduced)
    if span.introduced != "0" and (start is None or version < start):
        return False
    if span.fixed:
        end = parsed(span.fixed)
        return end is not None and version < end
    if span.last:
        end = parsed(span.last)
        return end is not None and version <= end
    return True


def spans_of(events: Iterable[tuple[str, str]]) -> tuple[tuple[Span, ...], str]:
    """Return the spans that (kind, version) events make, and the bound of what is not clear.

    OSV schema, "Evaluation": events count in the order of their versions. Where PEP 440 refuses
    one ("2.6.0-NA"), there are no spans, and what is not clear ends with its release number.
    """
    known = list(events)
    order = [(Version("0.dev0") if text == "0" else parsed(text)) for _, text in known]
    if any(version is None for version in order):
        return (), _bound(known)
    ranked = sorted(range(len(known)), key=lambda i: order[i] or Version("0"))
    found: list[Span] = []
    start: str | None = None
    for kind, text in (known[i] for i in ranked):
        if kind == "introduced":
            start = text if start is None else start
        elif start is not None:
            found.append(Span(start, fixed=text) if kind == "fixed" else Span(start, last=text))
            start = None
    if start is not None:
        found.append(Span(start))
    return tuple(found), ""


def _bound(events: list[tuple[str, str]]) -> str:
    starts = {text for kind, text in events if kind == "introduced"}
    ends = [_RELEASE.match(text) for kind, text in events if kind != "introduced"]
    if starts != {"0"} or not ends or None in ends:
        return UNBOUNDED
    found = [Version(end[0]) for end in ends if end is not None]
    return str(max(found))


def unclear(bound: str, version: Version | None) -> bool:
    """Whether a version lies below the bound of what is not clear."""
    end = parsed(bound)
    return bool(bound) and (end is None or version is None or version.release <= end.release)


def widest(bounds: Iterable[str]) -> str:
    """Return the widest of several bounds of what is not clear."""
    given = {bound for bound in bounds if bound}
    known = [version for bound in given if (version := parsed(bound)) is not None]
    if len(known) < len(given):
        return UNBOUNDED
    return str(max(known)) if known else ""
