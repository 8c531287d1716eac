"""Numbers of releases: SemVer 2.0.0 or CalVer, the next one, and which part of it changes why.

Their order is that of security.trust.releases.rank, which verifiers use.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from registry.errors import Blocked, ReleaseError
from registry.release.interface import Interface
from security.trust.releases import rank

Bump = Literal["none", "patch", "minor", "major"]
Scheme = Literal["semver", "calver"]
FIRST = "1.0.0"
# SemVer 2.0.0, its own regular expression, with numbers of at most 18 digits as `rank` takes them.
_NUMBER = r"(0|[1-9][0-9]{0,17})"
_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-({_IDENTIFIER}(?:\.{_IDENTIFIER})*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?",
    re.ASCII,
)
_PRE = re.compile(r"[a-z]{1,20}")
_LIMIT = 100  # characters
_ORDER = ("none", "patch", "minor", "major")
_HINTS = {
    "semver": "write MAJOR.MINOR.PATCH, such as 1.4.0 or 2.0.0-rc.1 (no leading v)",
    "calver": "write YEAR.MONTH.COUNT, such as 2026.11.1 (no leading v or zero)",
}


@dataclass(frozen=True, slots=True)
class Version:
    """A version in its three numbers; `pre` ("rc.1") comes before it, `build` says nothing."""

    major: int
    minor: int
    patch: int
    pre: str = ""
    build: str = ""

    def __str__(self) -> str:
        numbers = f"{self.major}.{self.minor}.{self.patch}"
        return (
            numbers + (f"-{self.pre}" if self.pre else "") + (f"+{self.build}" * bool(self.build))
        )


def parse(text: str, scheme: Scheme = "semver") -> Version:
    """Read a version strictly. Raises ReleaseError."""
    found = _SEMVER.fullmatch(text) if len(text) <= _LIMIT else None
    if not found:
        raise ReleaseError(f"{text!r:.120} is not a version of {scheme}", _HINTS[scheme])
    major, minor, patch = (int(number) for number in found.groups()[:3])
    if scheme == "calver" and not (1970 <= major <= 9999 and 1 <= minor <= 12 and patch):
        what = f"{text} is not a version of calver: no year, month and count"
        raise ReleaseError(what, _HINTS[scheme])
    return Version(major, minor, patch, found[4] or "", found[5] or "")


def next(
    previous: str, bump: Bump, scheme: Scheme = "semver", day: date | None = None, pre: str = ""
) -> str:
    """Return the version that follows ("" for the first); `pre` ("rc") makes it a pre-release.

    `day` is the commit's, for calver. After a pre-release comes what it announced, unless more
    has changed. Raises Blocked for a bump of none, and where the result would not be greater.
    """
    if bump == "none":
        raise Blocked(
            "nothing of the model, its card or its code changed since the last release",
            "merge a change first; to publish the last release again: release run --resume",
        )
    if pre and not _PRE.fullmatch(pre):
        raise ReleaseError(f"{pre!r:.40} is no name of pre-releases", "use alpha, beta or rc")
    old = parse(previous) if previous else None  # a project may have changed its scheme
    if scheme == "semver":
        base = _by_bump(old, bump) if old else parse(FIRST)
    elif day is not None:
        base = _by_date(old, day)
    else:
        raise ReleaseError("calver without the date of the commit", "name the version itself")
    found = str(_prereleased(base, old, pre) if pre else base)
    if old is not None and rank(found) <= rank(previous):
        raise Blocked(
            f"{found} would not come after {previous}",
            "release a later commit, or name a greater version",
        )
    return found


def suggest(before: Interface | None, after: Interface) -> tuple[Bump, tuple[str, ...]]:
    """Return which number changes since a release (None: the first), and why, a line each.

    Whatever a user's code could notice in how it calls the model is major, other numbers out of
    the same interface are minor, what is only said or built around them is patch.
    """
    if before is None:
        return "major", ("first release",)
    bump, reasons = "none", list[str]()
    for each, why in before.changes(after):
        bump = max(bump, each, key=_ORDER.index)
        reasons.append(f"{each}: {why}")
    reasons.sort(key=lambda line: -_ORDER.index(line.partition(":")[0]))
    return _bump(bump), tuple(reasons) or ("nothing changed",)


def _bump(text: str) -> Bump:
    bumps: Mapping[str, Bump] = {"patch": "patch", "minor": "minor", "major": "major"}
    return bumps.get(text, "none")


def _by_bump(old: Version, bump: Bump) -> Version:
    """Return the next release: of a pre-release, the one it announced if that is far enough."""
    early = bool(old.pre)
    match bump:
        case "major":
            ahead = early and not old.minor and not old.patch
            return Version(old.major + (not ahead), 0, 0)
        case "minor":
            ahead = early and not old.patch
            return Version(old.major, old.minor + (not ahead), 0)
        case _:
            return Version(old.major, old.minor, old.patch + (not early))


def _by_date(old: Version | None, day: date) -> Version:
    if old is None or (old.major, old.minor) < (day.year, day.month):
        return Version(day.year, day.month, 1)
    if (old.major, old.minor) > (day.year, day.month):
        raise Blocked(
            f"the commit is of {day.year}.{day.month}, the last release is {old}",
            "release a commit that was made since, or name the version itself",
        )
    return Version(old.major, old.minor, old.patch + (not old.pre))


def _prereleased(base: Version, old: Version | None, pre: str) -> Version:
    """Return the first pre-release of this name, or the next one of those there are."""
    count = 0
    if (
        old
        and old.pre
        and (old.major, old.minor, old.patch) == (base.major, base.minor, base.patch)
    ):
        name, _, number = old.pre.partition(".")
        count = int(number) if name == pre and number.isdecimal() else 0
    return Version(base.major, base.minor, base.patch, f"{pre}.{count + 1}")
