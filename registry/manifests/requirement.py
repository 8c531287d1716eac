"""What a dependency manifest says: requirements and options, each on its line."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from registry.documents import DocumentError

HEX = frozenset("0123456789abcdef")
VCS = ("git", "hg", "svn", "bzr")
CEILINGS = ("==", "~=", "<", "^", "~")
ITEM_LIMIT = 20_000  # requirements and options of one manifest
FLOORS = ("==", "~=", ">", "^", "~")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One package a manifest asks for, or a lock holds.

    `name` is canonical (PEP 503), "" where only a URL is given; `raw` is as written.
    `specifier` is normalised ("<2,>=1"), or kept as written where PEP 440 refuses it; a lock
    says "==VERSION". `url` is a direct URL, a VCS URL ("git+https://host/x@REF") or a local
    path. `index` is where a lock found it. `hashes` are those of its files, "sha256:HEX",
    as written; `hashed` says that every file has one. `group` is "", or which part of the
    manifest holds it: "extra:NAME", "group:NAME", "build". `uploaded` is when the youngest of
    its files was, where a lock says so (UTC, RFC 3339).
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
    hashes: tuple[str, ...] = ()
    uploaded: str = ""

    @property
    def version(self) -> str:
        """The one version it is pinned to, or ""."""
        for clause in self.specifier.split(","):
            version = clause.lstrip("=").strip()
            if clause.startswith("==") and version and not version.endswith("*"):
                return version
        return ""

    @property
    def has_ceiling(self) -> bool:
        """Whether its versions are bounded above."""
        return any(c.strip().startswith(CEILINGS) for c in self.specifier.split(","))

    @property
    def has_floor(self) -> bool:
        """Whether its versions are bounded below."""
        return any(c.strip().startswith(FLOORS) for c in self.specifier.split(","))

    @property
    def is_vcs(self) -> bool:
        """Whether it comes from a version control system."""
        scheme, plus, _ = self.url.partition("+")
        return self.url.startswith("git:") or (bool(plus) and scheme.lower() in VCS)

    @property
    def is_local(self) -> bool:
        """Whether it is a path rather than something fetched."""
        remote = "://" in self.url and not self.url.lower().startswith("file:")
        return bool(self.url) and not remote and not self.is_vcs

    @property
    def commit(self) -> str:
        """The full commit id a VCS URL is fixed to, or "": every other reference can move."""
        path, _, _ = self.url.partition("#")
        revision = path.rpartition("@")[2]
        return revision if self.is_vcs and is_commit(revision) else ""


@dataclass(frozen=True, slots=True)
class Option:
    """A line that steers the installer, by its long name: "--extra-index-url", "channel".

    "source" has the value "NAME=INDEX": the package comes from the index of this name alone.
    """

    name: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that no reader can make sense of; what it asks for is not known."""

    message: str
    line: int


@dataclass(frozen=True, slots=True)
class Link:
    """One locked package needs another: `source` and `target` are places in the requirements.

    `source` is -1 for the project itself. `part` says which part of the source needs it ("",
    "extra:NAME", "group:NAME"), `extras` which of the target's own extras it needs.
    """

    source: int
    target: int
    part: str = ""
    extras: tuple[str, ...] = ()
    marker: str = ""


Item = Requirement | Option | Problem


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything one file says. `is_lock`: it fixes versions instead of asking for them.

    `links` are what its packages need of each other, where a lock says so; `roots` the places
    of the project's own packages in it.
    """

    kind: str
    requirements: tuple[Requirement, ...] = ()
    options: tuple[Option, ...] = ()
    problems: tuple[Problem, ...] = ()
    is_lock: bool = False
    links: tuple[Link, ...] = ()
    roots: tuple[int, ...] = ()


def manifest(kind: str, items: Iterable[Item], *, is_lock: bool = False) -> Manifest:
    """Sort items into a manifest. Raises DocumentError beyond ITEM_LIMIT."""
    found = list(itertools.islice(items, ITEM_LIMIT + 1))
    if len(found) > ITEM_LIMIT:
        raise DocumentError(f"more than {ITEM_LIMIT:,} dependencies", found[-1].line)
    return Manifest(
        kind,
        tuple(i for i in found if isinstance(i, Requirement)),
        tuple(i for i in found if isinstance(i, Option)),
        tuple(i for i in found if isinstance(i, Problem)),
        is_lock,
    )


def is_commit(text: str) -> bool:
    """Whether this is a full SHA-1 or SHA-256 id."""
    return len(text) in (40, 64) and set(text.lower()) <= HEX
