"""Documents a project shows to people: which are there, in the folders GitHub looks in."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from bot.change import FOLDER, SYMLINK, TreeEntry
from bot.world import World

LINK_LIMIT = 4096  # bytes of a symlink's target
PLACES = (".github", "", "docs")

# What a document is called here -> names without extension, and where GitHub looks.
DOCUMENTS = {
    "README": (("README",), PLACES),
    "LICENSE": (("LICENSE", "LICENCE", "COPYING", "UNLICENSE"), ("",)),
    "CONTRIBUTING": (("CONTRIBUTING",), PLACES),
    "CODE_OF_CONDUCT": (("CODE_OF_CONDUCT",), PLACES),
    "SECURITY": (("SECURITY",), PLACES),
    "issue template": (("ISSUE_TEMPLATE",), PLACES),
    "pull request template": (("PULL_REQUEST_TEMPLATE",), PLACES),
    "model card": (("MODEL_CARD", "MODELCARD"), PLACES),
}


@dataclass(frozen=True, slots=True)
class Presence:
    """Where a document lies before and after the change; "" where there is none."""

    document: str
    before: str
    after: str


def find(world: World, commit: str) -> dict[str, TreeEntry]:
    """Return each document that is there and not empty; three folders are listed."""
    listings = {place: world.folder(commit, place) for place in PLACES}
    found: dict[str, TreeEntry] = {}
    for document, (names, places) in DOCUMENTS.items():
        for entry in (entry for place in places for entry in listings[place]):
            if document not in found and _named(entry, names) and _filled(world, commit, entry):
                found[document] = entry
    return found


def _named(entry: TreeEntry, names: tuple[str, ...]) -> bool:
    name = posixpath.basename(entry.path)
    stem = name.partition(".")[0].upper()
    plain = stem.replace("-", "_")
    # LICENSE-MIT beside LICENSE-APACHE is how two licences are given.
    return plain in names or (names[0] == "LICENSE" and stem.partition("-")[0] in names)


def _filled(world: World, commit: str, entry: TreeEntry) -> bool:
    if entry.mode == FOLDER:
        return entry.path.upper().endswith("_TEMPLATE") and bool(world.folder(commit, entry.path))
    if entry.mode == SYMLINK:
        link = world.prefix(entry.blob, LINK_LIMIT).decode("utf-8", "replace")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(entry.path), link))
        outside = target.startswith(("/", ".."))
        return not outside and world.entry(commit, target) is not None
    return entry.is_file and world.size(entry.blob) > 0
