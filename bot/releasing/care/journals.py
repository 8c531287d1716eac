"""Releases that were begun on this machine: their staging folders, and what their journals tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from registry.errors import Lost
from registry.release import journal

MOST = 10_000  # folders that are looked at
DEPTH = 12  # an artifact's name has parts


@dataclass(frozen=True, slots=True)
class Begun:
    """One staging folder. `tensors` is what it keeps by tensor, "" as long as nobody knows."""

    folder: Path
    artifact: str
    version: str
    commit: str
    tensors: str


def found(git_dir: Path) -> tuple[Begun, ...]:
    """Return every release that was begun here. Raises ReleaseError for a journal that is none."""
    begun = []
    for folder in _folders(git_dir / "modelwarden" / "releases", 0):
        story = journal.read(folder)
        if story is None:
            continue
        told = {name: text for _, step in story.steps for name, text in step.said}
        kept = f"{told['tensors']}.{told.get('recipe', '')}" if "tensors" in told else ""
        bound = story.bound
        begun.append(Begun(folder, bound.artifact, bound.version, bound.commit, kept))
    return tuple(begun)


def at_work(begun: Begun) -> bool:
    """Whether a process works on it now. Raises ReleaseError, StoreFailed."""
    story = journal.read(begun.folder)
    if story is None:
        return False
    try:
        with journal.opened(begun.folder, story.bound):
            return False
    except Lost:
        return True


def _folders(folder: Path, depth: int) -> Iterator[Path]:
    if (folder / journal.NAME).is_file():
        yield folder
        return
    if depth < DEPTH and folder.is_dir() and not folder.is_symlink():
        for path in sorted(folder.iterdir())[:MOST]:
            yield from _folders(path, depth + 1)
