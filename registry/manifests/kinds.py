"""What kind of difference lies between two requirements, or two sets of sources."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from packaging.version import InvalidVersion, Version

from registry.manifests.requirement import Manifest, Option, Requirement

SOURCES = (
    "--index-url",
    "--extra-index-url",
    "--find-links",
    "--trusted-host",
    "index",
    "file host",
    "channel",
)


class Kind(StrEnum):
    """One way in which a requirement differs; several may hold."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"  # to another file or group, and it differs as well
    RANGE = "pin to range"
    LOOSENED = "loosened"
    PINNED = "pinned"
    SOURCE = "other source"
    MUTABLE = "mutable reference"
    UNHASHED = "hash lost"
    EXTRA = "extra added"
    LESS = "extra dropped"
    MARKER = "marker changed"


@dataclass(frozen=True, slots=True)
class Source:
    """An index, host or channel that only one side names. `after`: the head does."""

    path: str
    option: Option
    after: bool
    is_lock: bool

    @property
    def kind(self) -> Literal["index added", "index dropped"]:
        """What happened to it."""
        return "index added" if self.after else "index dropped"


def between(before: Requirement, after: Requirement, *, moved: bool) -> tuple[Kind, ...]:
    """Return the kinds of a requirement that was `before` and is `after`."""
    found = [Kind.CHANGED] if before.specifier != after.specifier else []
    if loss := loosened(before, after):
        found += [Kind.RANGE, Kind.LOOSENED] if loss.startswith("the pin") else [Kind.LOOSENED]
    elif after.version and not before.version and not before.url:
        found.append(Kind.PINNED)
    if before.url != after.url or before.index != after.index:
        found.append(Kind.SOURCE)
    if mutable(after) and before.url != after.url:
        found.append(Kind.MUTABLE)
    if before.hashed and not after.hashed:
        found.append(Kind.UNHASHED)
    found += [Kind.EXTRA] if set(after.extras) - set(before.extras) else []
    found += [Kind.LESS] if set(before.extras) - set(after.extras) else []
    found += [Kind.MARKER] if before.marker != after.marker else []
    found += [Kind.MOVED] if moved else []
    return tuple(found) or (Kind.CHANGED,)


def mutable(requirement: Requirement) -> bool:
    """Whether it comes from a branch, tag or short id, which can be moved."""
    return requirement.is_vcs and not requirement.commit


def loosened(before: Requirement, after: Requirement) -> str:
    """Say what was let go between two specifiers, "" where nothing was."""
    if before.url or after.url:
        return ""
    old, new = before.specifier, after.specifier or "any version"
    if before.version and not after.version:
        return f"the pin {old} became {new}"
    if before.has_ceiling and not after.has_ceiling:
        return f"the upper bound of {old} was dropped ({new})"
    if before.has_floor and not after.has_floor:
        return f"the lower bound of {old} was dropped ({new})"
    if _has(before, ("~=", "~", "^")) and not _has(after, ("~=", "~", "^", "==")):
        return f"{old} became the range {new}"
    if _is_below(_floor(after), _floor(before)):
        return f"the lower bound of {old} went down ({new})"
    barred = _clauses(before, "!=") - _clauses(after, "!=")
    if barred and not after.version and not _moved_past(barred, after):
        return f"versions that {old} kept out are let in ({new})"
    return ""


def _has(requirement: Requirement, signs: tuple[str, ...]) -> bool:
    return any(c.strip().startswith(signs) for c in requirement.specifier.split(","))


def _clauses(requirement: Requirement, sign: str) -> set[str]:
    clauses = (c.strip() for c in requirement.specifier.split(","))
    return {c[len(sign) :].strip() for c in clauses if c.startswith(sign)}


def _floor(requirement: Requirement) -> Version | None:
    found = []
    for sign in (">=", ">", "~="):
        for text in _clauses(requirement, sign):
            try:
                found.append(Version(text.lstrip("=")))
            except InvalidVersion:
                return None
    return max(found, default=None)


def _is_below(one: Version | None, other: Version | None) -> bool:
    return one is not None and other is not None and one < other


def _moved_past(barred: set[str], after: Requirement) -> bool:
    """Whether the new lower bound keeps out what was kept out by name."""
    floor = _floor(after)
    try:
        return floor is not None and all(Version(b.rstrip(".*")) < floor for b in barred)
    except InvalidVersion:
        return False


def sources(
    before: Iterable[tuple[str, Manifest]], after: Iterable[tuple[str, Manifest]]
) -> tuple[Source, ...]:
    """Return the sources that only one side names, in any of its files; added ones first."""
    old, new = _named(before), _named(after)
    added = [new[key] for key in new if key not in old]
    dropped = [old[key] for key in old if key not in new]
    return (
        *(Source(path, option, True, lock) for path, option, lock in added),
        *(Source(path, option, False, lock) for path, option, lock in dropped),
    )


def source_key(option: Option) -> tuple[str, str]:
    """Return what makes a source: an index is the same one whatever option names it."""
    name = "--trusted-host" if option.name == "--trusted-host" else ""
    return name, option.value.rstrip("/")


def _named(
    manifests: Iterable[tuple[str, Manifest]],
) -> dict[tuple[str, str], tuple[str, Option, bool]]:
    found: dict[tuple[str, str], tuple[str, Option, bool]] = {}
    for path, manifest in manifests:
        for option in manifest.options:
            if option.name in SOURCES and option.value:
                found.setdefault(source_key(option), (path, option, manifest.is_lock))
    return found
