"""The licence files of the installed packages that state an expression: does the text agree?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from registry.licenses.matching import match, references


def installed() -> tuple[int, int, list[str]]:
    """Return, of licence files of installed packages that state an expression, how many agree."""
    tried, agree, others = 0, 0, []
    for name, text, stated in stated_files():
        found = {id for one in match(text) for id in one.ids}
        found |= {id for said, _ in references(text) for id in leaves_of(said)}
        families = tuple(f"{id}-" for id in found if id.islower())
        family = any(id.lower().startswith(families) for id in stated if families)
        right = bool(stated & found) or family
        tried += 1
        agree += right
        others += [] if right else [f"{name}: {stated} {sorted(found)[:4]}"]
    return tried, agree, others


def stated_files() -> Iterator[tuple[str, str, set[str]]]:
    """Yield name, text and stated ids of the licence files of installed packages."""
    for package in distributions():
        stated = leaves_of(str(package.metadata.json.get("license_expression", "")))
        for file in package.files or () if stated else ():
            top = len(file.parts) <= 3 and ".dist-info" in file.parts[0]
            if not (top and re.match(r"(?i)licen[cs]e|copying", file.name)):
                continue
            text = Path(str(file.locate())).read_text(errors="replace")
            yield f"{package.name}/{file.name}", text, stated


def leaves_of(expression: str) -> set[str]:
    """Return the ids in an expression."""
    return set(re.findall(r"[A-Za-z0-9][A-Za-z0-9.+-]*", expression)) - {"OR", "AND", "WITH"}
