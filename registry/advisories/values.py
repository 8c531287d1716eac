"""An advisory as values: which versions of which package, how bad, under which names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["low", "moderate", "high", "critical", "unknown"]
# From least to most; what nobody has rated weighs as high, so it never slips below a bound.
WEIGHT = {"low": 0, "moderate": 1, "high": 2, "unknown": 2, "critical": 3}


@dataclass(frozen=True, slots=True)
class Span:
    """Versions from `introduced` ("0" is the first) up to one end, or without end.

    `fixed` is the first version outside, `last` the last one inside; at most one is set.
    """

    introduced: str
    fixed: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class Affected:
    """Versions of one package, by canonical name.

    `vague` is "", or the bound up to which a range cannot be understood ("*": all of it).
    """

    name: str
    spans: tuple[Span, ...] = ()
    versions: tuple[str, ...] = ()
    vague: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A project's word that an advisory does not affect it; `expires` is YYYY-MM-DD."""

    author: str
    expires: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Advisory:
    """One OSV document. `modified` is as written; `statement` makes it a "not affected"."""

    id: str
    aliases: tuple[str, ...] = ()
    summary: str = ""
    severity: Severity = "unknown"
    malware: bool = False
    modified: str = ""
    affected: tuple[Affected, ...] = ()
    statement: Statement | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Its id and aliases."""
        return (self.id, *self.aliases)


@dataclass(frozen=True, slots=True)
class Entry:
    """All that is said of one package by advisories that are aliases of each other.

    `group` is the best known of `ids`: a CVE id, then a GHSA id. `versions` are keys of
    `versions.key`, only those that no span holds.
    """

    group: str
    ids: tuple[str, ...]
    severity: Severity
    malware: bool
    summary: str
    spans: tuple[Span, ...] = ()
    versions: tuple[str, ...] = ()
    vague: str = ""
