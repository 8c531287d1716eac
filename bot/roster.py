"""Who wrote the history of a commit: names and addresses as its commits state them, all typed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from bot import git

MAX_COMMITS = 100_000  # the newest ones; git reads them in about a second
MAX_AUTHORS = 50_000  # pairs of a name and an address


@dataclass(frozen=True, slots=True)
class Author:
    """One name with one address, among the authors of a history."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Roster:
    """The authors of a history, the newest first; `commits` of it were read, 0 where none is.

    `complete` is False where there is more of it than was read, or than this clone has.
    """

    authors: tuple[Author, ...] = ()
    commits: int = 0
    complete: bool = True


def read(folder: Path, commit: str, *, shallow: bool) -> Roster:
    """Read the authors of a commit's history, its own included. Raises RepositoryError."""
    seen: dict[bytes, None] = {}
    commits = 0
    words = ("log", "--encoding=UTF-8", f"--max-count={MAX_COMMITS + 1}", "--format=%ae%x00%an")
    with closing(git.lines(folder, *words, commit, "--")) as lines:
        for line in islice(lines, MAX_COMMITS):
            if line not in seen and len(seen) == MAX_AUTHORS:
                shallow = True  # as good as cut here
                break
            seen[line] = None
            commits += 1
        more = next(lines, None) is not None
    return Roster(tuple(map(_author, seen)), commits, complete=not (more or shallow))


def _author(line: bytes) -> Author:
    address, _, name = line.decode("utf-8", "replace").rstrip("\n").partition("\0")
    return Author(name.strip(), address.strip())
