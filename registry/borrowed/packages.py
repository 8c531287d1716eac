"""What installed packages ask to be passed on with them: their licence and its texts.

Metadata is read, never imported.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from registry.licenses.metadata import METADATA_LIMIT, claim, fields_of, texts_of

MAX_BYTES = 50_000_000  # of all texts together
_FILE = 1_000_000  # bytes of one text that the metadata does not name
_NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS")
_RULE = "-" * 78


@dataclass(frozen=True, slots=True)
class Shipped:
    """A package at hand: its licence, "" with a `reason` where unclear, and the texts it ships."""

    name: str
    version: str
    license: str = ""
    reason: str = ""
    texts: tuple[str, ...] = ()


def shipped(wanted: Iterable[tuple[str, str]], folders: Iterable[Path]) -> tuple[Shipped, ...]:
    """Return each (name, version) as it is installed in one of the folders, sorted by name.

    What is installed nowhere in that version says so, and has no text. A version "" is any.
    """
    at_hand: dict[tuple[str, str], Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.dist-info")):
            name, _, version = path.stem.rpartition("-")
            at_hand.setdefault((canonicalize_name(name), version), path)
            at_hand.setdefault((canonicalize_name(name), ""), path)
    found, left = [], MAX_BYTES
    for name, version in sorted(set(wanted)):
        place = at_hand.get((name, version))
        one = _read(name, version, place) if place else Shipped(name, version, "", "not installed")
        left -= sum(map(len, one.texts))
        found.append(one if left > 0 else Shipped(name, version, one.license, "texts left out"))
    return tuple(found)


def document(packages: Iterable[Shipped]) -> str:
    """Return all of them as one text to ship beside a bundle or a container."""
    parts = []
    for one in packages:
        said = one.license or f"unknown: {one.reason}"
        head = f"{one.name} {one.version}".rstrip() + f"\nLicence: {said}\n"
        texts = [textwrap.indent(text.strip("\n"), "    ", _always) for text in one.texts]
        parts.append("\n".join([_RULE, head, *(f"{text}\n" for text in texts)]))
    return "\n".join(parts)


def _always(line: str) -> bool:
    return bool(line.strip())


def _read(name: str, version: str, folder: Path) -> Shipped:
    def read(path: str, limit: int) -> bytes | None:
        file = folder / path
        try:
            inside = file.resolve().is_relative_to(folder.resolve())
            if not inside or not file.is_file() or file.stat().st_size > limit:
                return None
            return file.read_bytes()
        except OSError:
            return None

    data = read("METADATA", METADATA_LIMIT)
    if data is None:
        return Shipped(name, version, "", "its metadata is missing or too large")
    fields = fields_of(data)
    texts = texts_of(fields, read)
    said = claim(fields, texts)
    named = {Path(file).name for file in fields.files} if texts else set()
    more = [t.decode("utf-8", "replace") for f in _others(folder, named) if (t := read(f, _FILE))]
    every = dict.fromkeys(_printable(text) for text in (*texts, *more))
    return Shipped(name, version, said.license, said.reason, tuple(every))


def _others(folder: Path, named: set[str]) -> Iterator[str]:
    """Yield texts beside the metadata that it does not name."""
    for path in sorted(folder.iterdir())[:200]:
        if path.name.upper().startswith(_NAMES) and path.name not in named:
            yield path.name


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c in "\n\t" else " " for c in text.replace("\r", ""))
