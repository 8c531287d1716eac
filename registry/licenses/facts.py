"""Licence facts of packages from what is at hand: the policy, installed metadata, wheels, a cache.

Metadata is read, never imported; a wheel is listed, never unpacked; nothing is fetched.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from registry.licenses.cache import load
from registry.licenses.metadata import METADATA_LIMIT, Claim, claim, fields_of, texts_of
from registry.licenses.wheel import UNREADABLE, members


@dataclass(frozen=True, slots=True)
class Fact:
    """A package's licence and where it was read; `source` is "" where nothing is at hand."""

    license: str = ""
    source: str = ""
    version: str = ""
    reason: str = ""


Holding = tuple[str, Callable[[], Claim], str]  # version, how to read its claim, source
Shelf = dict[str, list[Holding]]


@dataclass(frozen=True)
class Library:
    """Everything at hand. `stated` (the policy's own facts) is asked first, `cache` last.

    `environments` are folders of installed distributions, `wheels` folders of wheel files.
    """

    stated: Mapping[str, str]
    environments: tuple[Path, ...] = ()
    wheels: tuple[Path, ...] = ()
    cache: Path | None = None

    def fact(self, name: str, specifier: str) -> Fact:
        """Return what is known of a package in a version that the specifier admits."""
        if name in self.stated:
            return Fact(self.stated[name], "policy")
        vague, other = Fact(), ""
        for shelf in self._shelves:
            holdings = shelf.get(name, [])
            other = other or next((version for version, _, _ in holdings), "")
            for version, read, source in _admitted(holdings, specifier):
                said = read()
                found = Fact(said.license, source, version, said.reason)
                if found.license:
                    return found
                vague = vague if vague.source else found
        if vague.source:
            return vague
        admits = f", which '{specifier}' does not admit" if specifier else ""
        return Fact(reason=f"only {other} is at hand{admits}" if other else "no metadata at hand")

    @cached_property
    def _shelves(self) -> tuple[Shelf, ...]:
        installed = (p for folder in self.environments for p in _listing(folder, "*.dist-info"))
        wheels = (p for folder in self.wheels for p in _listing(folder, "*.whl"))
        return (
            _shelf((p, partial(_installed, p), "installed") for p in installed),
            _shelf((p, partial(_wheel, p), "wheel") for p in wheels),
            _cached(self.cache),
        )


def _listing(folder: Path, pattern: str) -> list[Path]:
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def _shelf(items: Iterable[tuple[Path, Callable[[], Claim], str]]) -> Shelf:
    shelf: Shelf = {}
    for path, read, source in items:
        # A wheel has tags after its version; a metadata folder may have "-" in its name.
        stem = path.stem if path.suffix != ".whl" else "-".join(path.stem.split("-")[:2])
        name, found, version = stem.rpartition("-")
        if found:
            shelf.setdefault(canonicalize_name(name), []).append((version, read, source))
    return shelf


def _cached(path: Path | None) -> Shelf:
    shelf: Shelf = {}
    for entry in load(path) if path else ():
        read = partial(Claim, entry.license, entry.reason)
        item = (entry.version, read, f"cache of {entry.fetched}")
        shelf.setdefault(entry.name, []).append(item)
    return shelf


def _admitted(holdings: list[Holding], specifier: str) -> list[Holding]:
    """Return the holdings in versions that the specifier admits, newest first."""
    try:
        wanted = SpecifierSet(specifier)
        versions = [(Version(h[0]), h) for h in holdings]
    except (InvalidSpecifier, InvalidVersion):
        # Not PEP 440: only the very same text is the same version.
        return [h for h in holdings if specifier.lstrip("= ") == h[0]]
    admitted = [pair for pair in versions if wanted.contains(pair[0], prereleases=True)]
    return [h for _, h in sorted(admitted, key=lambda pair: pair[0], reverse=True)]


def _installed(folder: Path) -> Claim:
    def read(name: str, limit: int) -> bytes | None:
        path = folder / name
        try:
            if not path.resolve().is_relative_to(folder.resolve()) or path.stat().st_size > limit:
                return None
            return path.read_bytes()
        except OSError:
            return None

    return _claim(read)


def _wheel(path: Path) -> Claim:
    try:
        with zipfile.ZipFile(path) as wheel:
            folder = "-".join(path.stem.split("-")[:2]) + ".dist-info"
            return _claim(members(wheel, folder))
    except UNREADABLE:
        return Claim(reason="its wheel cannot be read")


def _claim(read: Callable[[str, int], bytes | None]) -> Claim:
    data = read("METADATA", METADATA_LIMIT)
    if data is None:
        return Claim(reason="its metadata is missing or too large")
    fields = fields_of(data)
    return claim(fields, texts_of(fields, read))
