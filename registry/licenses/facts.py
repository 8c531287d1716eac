"""Licence facts of packages from what is at hand: the policy, installed metadata, wheels, a cache.

Metadata is read, never imported; a wheel is listed, never unpacked; nothing is fetched.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from registry.licenses.cache import Entry, load
from registry.licenses.distinfo import METADATA_LIMIT, Claim, files_of, headers, texts_of
from registry.licenses.wheel import UNREADABLE, members

_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


@dataclass(frozen=True, slots=True)
class Fact:
    """A package's licence and where it was read; `source` is "" where nothing is at hand.

    `disagrees` says how the metadata differ from the text that is believed. `fetched` is the day
    an index said it, YYYY-MM-DD, "" for what is here.
    """

    license: str = ""
    source: str = ""
    version: str = ""
    reason: str = ""
    disagrees: str = ""
    fetched: str = ""


Memory = Callable[[str, Callable[[], Claim]], Claim]  # of a digest, or else made


def forget(key: str, make: Callable[[], Claim]) -> Claim:
    """A memory that keeps nothing."""
    return make()


class Holding(NamedTuple):
    """One version that is at hand, and how to read what it says."""

    version: str
    read: Callable[[Memory], Claim]
    source: str
    fetched: str = ""


Shelf = dict[str, list[Holding]]


@dataclass(frozen=True)
class Library:
    """Everything at hand. `stated` (the policy's own facts) is asked first, `cache` last.

    `environments` are folders of installed distributions, `wheels` folders of wheel files.
    `memory` remembers what was read, by a digest of it.
    """

    stated: Mapping[str, str]
    environments: tuple[Path, ...] = ()
    wheels: tuple[Path, ...] = ()
    cache: Path | None = None
    memory: Memory = forget

    @property
    def installed(self) -> tuple[str, ...]:
        """The names of the installed distributions."""
        return tuple(sorted(self._shelves[0]))

    def fact(self, name: str, specifier: str) -> Fact:
        """Return what is known of a package in a version that the specifier admits."""
        if name in self.stated:
            return Fact(self.stated[name], "policy")
        vague, other = Fact(), ""
        for shelf in self._shelves:
            holdings = shelf.get(name, [])
            other = other or next((held.version for held in holdings), "")
            for held in _admitted(holdings, specifier):
                found = self._read(held)
                if found.license:
                    return found
                vague = vague if vague.source else found
        if vague.source:
            return vague
        admits = f", which '{specifier}' does not admit" if specifier else ""
        return Fact(reason=f"only {other} is at hand{admits}" if other else "no metadata at hand")

    def _read(self, held: Holding) -> Fact:
        said = held.read(self.memory)
        return Fact(
            said.license, held.source, held.version, said.reason, said.disagrees, held.fetched
        )

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


def _shelf(items: Iterable[tuple[Path, Callable[[Memory], Claim], str]]) -> Shelf:
    shelf: Shelf = {}
    for path, read, source in items:
        # A wheel has tags after its version; a metadata folder may have "-" in its name.
        stem = path.stem if path.suffix != ".whl" else "-".join(path.stem.split("-")[:2])
        name, found, version = stem.rpartition("-")
        if found:
            shelf.setdefault(canonicalize_name(name), []).append(Holding(version, read, source))
    return shelf


def _cached(path: Path | None) -> Shelf:
    shelf: Shelf = {}
    for entry in load(path) if path else ():
        item = Holding(
            entry.version, partial(_kept, entry), f"cache of {entry.fetched}", entry.fetched
        )
        shelf.setdefault(entry.name, []).append(item)
    return shelf


def _kept(entry: Entry, memory: Memory) -> Claim:
    return Claim(entry.license, entry.reason)


def _admitted(holdings: list[Holding], specifier: str) -> list[Holding]:
    """Return the holdings in versions that the specifier admits, newest first."""
    if not specifier and len(holdings) <= 1:
        return holdings
    try:
        wanted = SpecifierSet(specifier)
        versions = [(Version(h.version), h) for h in holdings]
    except (InvalidSpecifier, InvalidVersion):
        # Not PEP 440: only the very same text is the same version.
        return [h for h in holdings if specifier.lstrip("= ") == h.version]
    admitted = [pair for pair in versions if wanted.contains(pair[0], prereleases=True)]
    return [h for _, h in sorted(admitted, key=lambda pair: pair[0], reverse=True)]


def _installed(folder: Path, memory: Memory) -> Claim:
    home = str(folder)

    def read(name: str, limit: int) -> bytes | None:
        parts = name.split("/")
        above = (f"{home}/{'/'.join(parts[:end])}" for end in range(1, len(parts)))
        try:
            if any(stat.S_ISLNK(os.lstat(path).st_mode) for path in above):
                return None
            # No link is followed, and nothing that is no file is waited for.
            handle = os.open(f"{home}/{name}", os.O_RDONLY | _NO_LINK)
            with os.fdopen(handle, "rb") as file:
                data = file.read(limit + 1)
        except (OSError, ValueError):
            return None
        return data if len(data) <= limit else None

    return _claim(read, memory)


def _wheel(path: Path, memory: Memory) -> Claim:
    try:
        with zipfile.ZipFile(path) as wheel:
            folder = "-".join(path.stem.split("-")[:2]) + ".dist-info"
            return _claim(members(wheel, folder), memory)
    except UNREADABLE:
        return Claim(reason="its wheel cannot be read")


def _claim(read: Callable[[str, int], bytes | None], memory: Memory) -> Claim:
    data = read("METADATA", METADATA_LIMIT)
    if data is None:
        return Claim(reason="its metadata is missing or too large")
    fields = headers(data)
    texts = texts_of(files_of(fields), read)
    digest = hashlib.sha256(fields)
    for text in texts:
        digest.update(hashlib.sha256(text).digest())

    def make() -> Claim:
        from registry.licenses.metadata import claim, fields_of

        return claim(fields_of(fields), texts)

    return memory(digest.hexdigest(), make)
