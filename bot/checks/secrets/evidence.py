"""What the check keeps of a change: where values stand and their marks, never the values."""

from __future__ import annotations

from dataclasses import dataclass

from security.secrets import Found, Hit

NOTHING = Found()


@dataclass(frozen=True, slots=True)
class Scanned:
    """What the added lines of one file hold; `size` counts their bytes."""

    found: Found = NOTHING
    size: int = 0
    binary: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A file of the head (or what its pointer names), a file of an earlier commit, or a message.

    `old` are the marks of values that the base had already, in any file that changed.
    """

    path: str
    hits: tuple[Hit, ...]
    more: tuple[tuple[str, int], ...] = ()
    commit: str = ""
    old: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Places with hits; unread files with the reason; what was read, by what, and what not.

    `baseline` are the identifiers of values that the base accepts; `doubt` says why its file or
    the history could not be read.
    """

    places: tuple[Place, ...] = ()
    messages: tuple[Place, ...] = ()
    passing: tuple[Place, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    baseline: tuple[str, ...] = ()
    doubt: tuple[tuple[str, str], ...] = ()
    files: int = 0
    size: int = 0
    binaries: int = 0
    unseen: tuple[tuple[str, str], ...] = ()
    pointers: int = 0
    engine: str = ""
