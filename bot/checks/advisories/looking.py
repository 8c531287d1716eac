"""Holds the packages of changed manifests, before and after, against the advisories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)

from bot.checks.advisories.evidence import STRENGTH, Hit, How, Place
from bot.checks.advisories.local import excuse
from registry.advisories.matching import admits, affects, fix, newest, specifiers, undecided
from registry.advisories.values import Advisory, Entry
from registry.manifests import Manifest, Requirement

MAX_EXCLUDED = 8  # versions in a remedy
MAX_VERSIONS = 50  # versions and ranges of one package that are looked up, in all files
MAX_HITS = 20_000
MAX_FIXES = 500  # remedies that are worked out
MAX_UNRESOLVED = 200  # places that are remembered
Lookup = Callable[[str], Sequence[Entry]]


@dataclass(slots=True)
class Look:
    """One look at the manifests of one side; every package counts once for each version."""

    lookup: Lookup
    statements: Sequence[Advisory]
    pinned: frozenset[str]
    hits: dict[tuple[str, ...], Hit] = field(default_factory=dict)
    unresolved: list[Place] = field(default_factory=list)
    excused: set[tuple[str, str, str, str]] = field(default_factory=set)
    packages: set[tuple[str, ...]] = field(default_factory=set)
    resolved: set[tuple[str, ...]] = field(default_factory=set)
    beyond: list[Place] = field(default_factory=list)
    _versions: Counter[str] = field(default_factory=Counter)
    _fixes: dict[tuple[str, str], str] = field(default_factory=dict)

    def at(self, path: str, manifest: Manifest) -> None:
        """Look at every requirement of a manifest."""
        for requirement in manifest.requirements:
            if concerns(requirement):
                self._one(path, requirement)

    def _one(self, path: str, wanted: Requirement) -> None:
        version = wanted.version or _version_of(wanted)
        what = (wanted.ecosystem, wanted.name, version or wanted.specifier or wanted.url)
        if what in self.packages:
            return  # told where it stands first
        self.packages.add(what)
        self._versions[wanted.name] += 1
        if self._versions[wanted.name] > MAX_VERSIONS or len(self.hits) > MAX_HITS:
            if not self.beyond:
                text = f"more than {MAX_VERSIONS} versions of {wanted.name}, or too many advisories"
                self.beyond.append(Place(path, wanted.line, text))
            return
        place = (path, wanted.line, wanted.name)
        if wanted.ecosystem != "pypi":
            self._left(place, what, f"a {wanted.ecosystem} package")
        elif version:
            self.resolved.add(what)
            self._pinned(place, version)
        elif wanted.url:
            self._left(place, what, "its URL names no version")
        else:
            self._range(place, what, wanted)

    def _pinned(self, place: tuple[str, int, str], version: str) -> None:
        known = self.lookup(place[2])
        for entry in known:
            if affects(entry, version):
                self._hit(place, version, "pinned", entry, known)
            elif undecided(entry, version):
                self._hit(place, version, "undecided", entry, known)

    def _range(self, place: tuple[str, int, str], what: tuple[str, ...], r: Requirement) -> None:
        known, range_ = self.lookup(r.name), specifiers(r.specifier)
        if range_ is None:
            self._left(place, what, "its range is not one of PEP 440")
            for entry in known:
                if entry.malware:
                    self._hit(place, r.specifier, "undecided", entry, known)
            return
        if r.name in self.pinned:
            self.resolved.add(what)  # a lock says which version; it is judged where it changes
        else:
            self._left(place, what, "a range that no lock resolves")
            for entry, whole in newest(range_, known):
                self._hit(place, r.specifier, "only" if whole else "newest", entry, known)
        for entry in admits(range_, [e for e in known if e.malware]):
            self._hit(place, r.specifier, "admits", entry, known)

    def _left(self, place: tuple[str, int, str], what: tuple[str, ...], why: str) -> None:
        path, line, name = place
        if len(self.unresolved) < MAX_UNRESOLVED:
            self.unresolved.append(Place(path, line, f"{name or what[2]}: {why}"))

    def _hit(
        self,
        place: tuple[str, int, str],
        asked: str,
        how: How,
        entry: Entry,
        known: Sequence[Entry],
    ) -> None:
        path, line, name = place
        pinned = how == "pinned"
        if not (pinned and entry.malware):  # nobody can say that malware does no harm
            said = excuse(self.statements, name, entry, asked if pinned else "")
            if said is not None and said.statement is not None:
                self.excused.add((entry.group, name, said.statement.author, said.statement.expires))
                return
        key = (name, entry.group, asked if pinned else "")
        there = self.hits.get(key)
        if there is not None and STRENGTH[there.how] >= STRENGTH[how]:
            return
        fixed = self._fixed(name, asked, known) if pinned else ""
        if how == "admits":
            fixed = _excluding(entry, asked)
        self.hits[key] = Hit(path, line, name, asked, how, entry.group, entry.ids, entry.severity,
                             entry.malware, entry.summary, fixed)  # fmt: skip

    def _fixed(self, name: str, version: str, known: Sequence[Entry]) -> str:
        if (name, version) not in self._fixes:
            few = len(self._fixes) < MAX_FIXES
            self._fixes[(name, version)] = fix(known, version) if few else ""
        return self._fixes[(name, version)]


def _excluding(entry: Entry, asked: str) -> str:
    """Return the clauses that keep a range clear of malware, "" where they would be too many."""
    range_ = specifiers(asked)
    inside = [v for v in entry.versions if range_ is not None and v in range_]
    few = not entry.spans and 0 < len(inside) <= MAX_EXCLUDED
    return ",".join(f"!={version}" for version in inside) if few else ""


def concerns(requirement: Requirement) -> bool:
    """Whether it may be a package that somebody published, not a folder of the project.

    An archive at hand was published where its name says which version it is.
    """
    named = (requirement.ecosystem, requirement.name) != ("conda", "python")
    return named and (not requirement.is_local or bool(_version_of(requirement)))


def since(base: Iterable[Hit], head: Iterable[Hit]) -> Iterator[Hit]:
    """Yield the hits of the head, marked as old where the base has them no less."""
    before: dict[tuple[str, str], int] = {}
    malware: set[tuple[str, str]] = set()
    for hit in base:
        key = (hit.name, hit.group)
        before[key] = max(before.get(key, -1), STRENGTH[hit.how])
        if hit.malware and hit.how == "pinned":
            malware.add((hit.name, hit.asked))
    for hit in head:
        old = before.get((hit.name, hit.group), -1) >= STRENGTH[hit.how]
        if hit.malware and hit.how == "pinned":  # another version of it is another attack
            old = (hit.name, hit.asked) in malware
        yield replace(hit, old=old)


def _version_of(requirement: Requirement) -> str:
    """Return the version that the file of a direct URL names, or ""."""
    if not requirement.url or requirement.is_vcs:
        return ""
    try:
        file = unquote(urlsplit(requirement.url).path.rpartition("/")[2])
        if file.endswith(".whl"):
            return str(parse_wheel_filename(file)[1])
        return str(parse_sdist_filename(file)[1])
    except (InvalidWheelFilename, InvalidSdistFilename, ValueError):
        return ""
