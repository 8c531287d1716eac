"""A task's configuration: its YAML file with everything that it includes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lab.errors import SuiteError
from lab.harness.files import Files, inside
from lab.harness.syntax import Entry, Function, parse

INCLUDE_LIMIT = 32  # files
TRUST = "run it on your own machine with --trust-code if you trust it"


@dataclass(frozen=True, slots=True)
class Config:
    """Keys with their values and places; `file` is the one that was asked for."""

    entries: tuple[Entry, ...]
    file: str

    @property
    def folder(self) -> str:
        """The folder of the file, from the root; "" for the root."""
        return self.file.rpartition("/")[0]

    @property
    def sources(self) -> tuple[str, ...]:
        """The files that the keys come from."""
        return tuple(dict.fromkeys(entry.file for entry in self.entries))

    def get(self, key: str) -> Any:
        """Return a key's value; None where it is absent."""
        return next((entry.value for entry in self.entries if entry.key == key), None)

    def string(self, key: str, default: str | None = None) -> str | None:
        """Return a key's string, or the default. Raises SuiteError."""
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, str):
            return value
        raise self.error(key, "is not a string", f"write {key} as a string")

    def mapping(self, key: str) -> dict[str, Any]:
        """Return a key's mapping, {} where it is absent. Raises SuiteError."""
        value = self.get(key)
        if value is None:
            return {}
        if isinstance(value, dict) and all(isinstance(name, str) for name in value):
            return value
        raise self.error(key, "is not a mapping", f"write {key} as names with values")

    def mappings(self, key: str) -> list[dict[str, Any]] | None:
        """Return a key's list of mappings, None where it is absent. Raises SuiteError."""
        value = self.get(key)
        if value is None or (isinstance(value, list) and all(isinstance(v, dict) for v in value)):
            return value
        raise self.error(key, "is not a list of mappings", "write each as names with values")

    def error(self, key: str, message: str, hint: str) -> SuiteError:
        """Return the error that something is wrong with a key."""
        entry = next((entry for entry in self.entries if entry.key == key), None)
        file, line = (entry.file, entry.line) if entry else (self.file, 0)
        return SuiteError(f"{key}: {message}", hint, file=file, line=line)

    def code(self, key: str, function: Function) -> SuiteError:
        """Return the error that a key needs Python that is not to be run."""
        return self.error(key, f"needs Python ({function.name:.80})", TRUST)

    def override(self, values: dict[str, Any], key: str) -> Config:
        """Return the configuration with some values in place, which stand at `key`."""
        place = next((entry for entry in self.entries if entry.key == key), None)
        file, line = (place.file, place.line) if place else (self.file, 0)
        found = {entry.key: entry for entry in self.entries}
        found |= {name: Entry(name, value, file, line) for name, value in values.items()}
        return Config(tuple(found.values()), self.file)


def load(path: str, files: Files) -> Config:
    """Read a file and what it includes; later keys win, the file's own last."""
    return Config(tuple(_entries(path, files, (), {}).values()), path)


def _entries(
    path: str, files: Files, chain: tuple[str, ...], done: dict[str, dict[str, Entry]]
) -> dict[str, Entry]:
    if path in chain:
        trail = " -> ".join((*chain[chain.index(path) :], path))
        raise SuiteError(f"includes itself: {trail}", "remove one include", file=path)
    if len(done) + len(chain) >= INCLUDE_LIMIT:
        raise SuiteError(f"more than {INCLUDE_LIMIT} includes", "include fewer files", file=path)
    if path in done:
        return done[path]
    own = {entry.key: entry for entry in parse(files.read(path), path)}
    include = own.pop("include", None)
    merged: dict[str, Entry] = {}
    if include is not None:
        for name in include.value if isinstance(include.value, list) else [include.value]:
            merged |= _entries(_target(name, include), files, (*chain, path), done)
    done[path] = merged | own
    return done[path]


def _target(name: object, include: Entry) -> str:
    target = inside(include.file.rpartition("/")[0], name) if isinstance(name, str) else None
    if target is None:
        raise SuiteError(
            f"include: {name!r:.120} is not a path within the root",
            "write a relative path that stays in the repository or folder",
            file=include.file,
            line=include.line,
        )
    return target
