"""What a dependency manifest says: requirements and options, each on its line."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

HEX = frozenset("0123456789abcdef")
VCS = ("git", "hg", "svn", "bzr")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One package a manifest asks for, or a lock holds.

    `name` is canonical (PEP 503), "" where only a URL is given; `raw` is as written.
    `specifier` is normalised ("<2,>=1"), or kept as written where PEP 440 refuses it; a lock
    says "==VERSION". `url` is a direct URL, a VCS URL ("git+https://host/x@REF") or a local
    path. `index` is where a lock found it. `group` is "", or which part of the manifest
    holds it: "extra:NAME", "group:NAME", "build".
    """

    name: str
    raw: str
    line: int
    specifier: str = ""
    extras: tuple[str, ...] = ()
    marker: str = ""
    url: str = ""
    index: str = ""
    hashed: bool = False
    group: str = ""
    ecosystem: str = "pypi"

    @property
    def version(self) -> str:
        """The one version it is pinned to, or ""."""
        operator = "===" if self.specifier.startswith("===") else "=="
        version = self.specifier.removeprefix(operator).strip()
        exact = self.specifier.startswith("==") and not version.endswith("*")
        return version if exact and "," not in version else ""

    @property
    def is_vcs(self) -> bool:
        """Whether it comes from a version control system."""
        scheme, plus, _ = self.url.partition("+")
        return self.url.startswith("git:") or (bool(plus) and scheme.lower() in VCS)

    @property
    def is_local(self) -> bool:
        """Whether it is a path rather than something fetched."""
        return bool(self.url) and (self.url.startswith("file:") or "://" not in self.url)

    @property
    def commit(self) -> str:
        """The full commit id a VCS URL is fixed to, or "": every other reference can move."""
        parts = urlsplit(self.url) if self.is_vcs else None
        if parts is None:
            return ""
        named = parts.path.rpartition("@")[2] if "@" in parts.path else ""
        revision = (parse_qs(parts.query).get("rev") or [named])[0]
        return next((r for r in (parts.fragment, revision) if is_commit(r)), "")


@dataclass(frozen=True, slots=True)
class Option:
    """A line that steers the installer, by its long name: "--extra-index-url", "channel"."""

    name: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that no reader can make sense of; what it asks for is not known."""

    message: str
    line: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything one file says. `is_lock`: it fixes versions instead of asking for them."""

    kind: str
    requirements: tuple[Requirement, ...] = ()
    options: tuple[Option, ...] = ()
    problems: tuple[Problem, ...] = ()
    is_lock: bool = False


def is_commit(text: str) -> bool:
    """Whether this is a full SHA-1 or SHA-256 id."""
    return len(text) in (40, 64) and set(text.lower()) <= HEX
