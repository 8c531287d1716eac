"""The small files of a staged release that MLflow shows; the weights stay where they are."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from registry.errors import ReleaseError

LARGEST = 20_000_000  # bytes of one file
MOST = 200  # files
CARDS = ("README.md", "MODEL_CARD.md")
SIGNATURES = ("model.sig", "model.intoto.jsonl")
PLOTS = (".svg", ".png")


@dataclass(frozen=True, slots=True)
class Shown:
    """A file, and the folder of the run's artifacts that it goes to ("" for the top)."""

    path: Path
    folder: str


def shown(staged: Path) -> tuple[Shown, ...]:
    """Return what to upload of a published folder: card, plots, documents, signatures.

    Raises ReleaseError for what is no plain file, or too large to be one of these.
    """
    named = [(staged / name, "") for name in CARDS]
    named += [(staged / name, "signatures") for name in SIGNATURES]
    folder = staged / "release"
    if folder.is_dir() and not folder.is_symlink():
        for path in sorted(folder.iterdir()):
            named.append((path, "plots" if path.suffix in PLOTS else "release"))
    found = [Shown(path, place) for path, place in named if _is_there(path)]
    if len(found) > MOST:
        raise ReleaseError(f"{staged}: more than {MOST} files to show", "stage the release again")
    return tuple(found)


def _is_there(path: Path) -> bool:
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > LARGEST:
        what = f"{path}: no plain file of at most {LARGEST:,} bytes"
        raise ReleaseError(what, "stage the release again")
    return True
