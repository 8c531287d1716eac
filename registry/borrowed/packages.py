"""What installed packages ask to be passed on with them: their licence and its texts.

Metadata is read, never imported.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from registry.licenses.facts import Library

MAX_BYTES = 50_000_000  # of all texts together
_FILE, _MOST = 1_000_000, 200  # bytes of one text, and texts of one package
_NAMES = ("LICENSE", "LICENCE", "COPYING", "NOTICE", "AUTHORS")
_RULE = "-" * 78


@dataclass(frozen=True, slots=True)
class Shipped:
    """A package: its licence, "" with a `reason` where unclear, and the texts it ships."""

    name: str
    version: str
    license: str = ""
    reason: str = ""
    texts: tuple[str, ...] = ()


def shipped(wanted: Iterable[tuple[str, str]], library: Library) -> tuple[Shipped, ...]:
    """Return each (canonical name, version) with what is installed of it, sorted by name.

    What is not installed in that version says so, and has no text.
    """
    at_hand: dict[tuple[str, str], Path] = {}
    for folder in library.environments:
        for path in sorted(folder.glob("*.dist-info")):
            name, _, version = path.stem.rpartition("-")
            at_hand.setdefault((canonicalize_name(name), version), path)
    found, left = [], MAX_BYTES
    for name, version in sorted(set(wanted)):
        place = at_hand.get((name, version))
        fact = library.fact(name, f"=={version}")
        texts = tuple(_texts(place)) if place and left > 0 else ()
        left -= sum(map(len, texts))
        reason = fact.reason if place else "not installed"
        found.append(Shipped(name, version, fact.license, reason, tuple(dict.fromkeys(texts))))
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


def _texts(folder: Path) -> Iterator[str]:
    """Yield the licence files beside the metadata, and those below `licenses` (PEP 639)."""
    home = folder.resolve()
    beside = (p for p in folder.glob("*") if p.name.upper().startswith(_NAMES))
    for path in sorted((*beside, *(folder / "licenses").rglob("*")))[:_MOST]:
        try:
            inside = path.resolve().is_relative_to(home) and path.is_file()
            if inside and path.stat().st_size <= _FILE:
                yield _printable(path.read_bytes().decode("utf-8", "replace"))
        except OSError:
            continue  # a file that went away, or that nobody may read: it is left out


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c in "\n\t" else " " for c in text.replace("\r", ""))
