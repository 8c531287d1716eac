"""setup.cfg: the lists that setuptools reads there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.utils import canonicalize_name

from registry.documents import DocumentError, text_of
from registry.manifests.pep508 import requirement
from registry.manifests.requirement import Item, Manifest, Option, Problem, Requirement, manifest

_SECTION = re.compile(r"\[([^\]]+)\]")
_KEY = re.compile(r"([^:=\s][^:=]*?)[ \t]*[:=](.*)$")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_GROUPS = {"install_requires": "", "setup_requires": "build", "tests_require": "group:tests"}
Row = tuple[int, str]
Table = dict[tuple[str, str], list[Row]]


def read_setup_cfg(data: bytes) -> Manifest:
    """Read a setup.cfg. Raises DocumentError."""
    table = _table(text_of(data, limit=len(data)))
    own = canonicalize_name("".join(text for _, text in table.get(("metadata", "name"), ())))
    return manifest("setup-cfg", (i for i in _items(table) if not _is_own(i, own)))


def _table(text: str) -> Table:
    """Return the values by section and key, each row with its line, as configparser parts them."""
    table: Table = {}
    section, rows = "", list[Row]()
    for number, row in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        said = row.strip()
        if not said or said[0] in "#;":
            continue
        if row[0] in " \t":
            rows.append((number, said))
        elif match := _SECTION.match(row):
            section, rows = match[1], []
        elif match := _KEY.match(row):
            said = match[1].strip()
            plain = said if section.startswith("options.") else said.lower().replace("-", "_")
            key = (section, plain)
            if key in table:
                raise DocumentError(f"duplicate key {key[1][:80]!r}", number)
            rows = table[key] = [(number, match[2].strip())] if match[2].strip() else []
        else:
            raise DocumentError("neither a section nor a value", number)
    return table


def _items(table: Table) -> Iterator[Item]:
    for (section, key), rows in table.items():
        if section == "options" and key in _GROUPS:
            yield from _listed(rows, _GROUPS[key])
        elif section == "options.extras_require":
            yield from _listed(rows, f"extra:{key}")


def _listed(rows: list[Row], group: str) -> Iterator[Item]:
    for line, text in rows:
        if text.startswith("file:"):
            for name in text[5:].split(","):
                yield Option("--requirement", name.strip(), line)
            continue
        if text.startswith("attr:"):
            yield Problem("a list that only running the project can tell", line)
            continue
        pieces = [text] if len(rows) > 1 or ";" not in text else _semicolons(text)
        for piece in pieces:
            if said := _COMMENT.sub("", piece).strip():
                yield requirement(said, line, group=group)


def _semicolons(text: str) -> list[str]:
    # A list on one line is parted by semicolons, which leaves no room for markers.
    parts = [p.strip() for p in text.split(";") if p.strip()]
    markers = ("python_version", "sys_platform", "platform_", "os_name", "extra", "implementation")
    return [text] if any(p.startswith(markers) for p in parts[1:]) else parts


def _is_own(item: Item, own: str) -> bool:
    return isinstance(item, Requirement) and bool(own) and item.name == own and bool(item.extras)
