"""What was found of other people's work in a change."""

from __future__ import annotations

from dataclasses import dataclass

from registry.borrowed.values import Entry

OWN = "own"  # a header that leaves the licence to the project's own file


@dataclass(frozen=True, slots=True)
class Mark:
    """Added lines that name a licence or a holder.

    `licenses` are expressions, `holders` the names of copyright lines. `altered` are words within
    a known text that it has not, `beside` words right after it that take something away, each
    with its line. Lines are 1-based.
    """

    line: int
    licenses: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    altered: tuple[tuple[int, str], ...] = ()
    beside: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one file; `more` says that not all of it was looked at.

    `lost` is the first added line that is in an encoding nobody can tell, 0 for none.
    """

    found: tuple[Mark, ...] = ()
    more: bool = False
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Pasted:
    """A mark in a file, with the holders that are not the project's, and the entry for it.

    `outbound` is what the file is published under.
    """

    path: str
    mark: Mark
    foreign: tuple[str, ...]
    outbound: str = ""
    entry: Entry | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of other people's files without an entry, `first` the first that was added.

    `license` is that of its licence text, "" where there is none or it may be the project's own.
    """

    path: str
    first: str
    count: int
    license: str = ""
    outbound: str = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """An entry that the change touches. `digest` is what is there, "" for nothing.

    `fresh` where what the entry says is new, `touched` where the change alters its files.
    `trouble` says why it could not be compared, `said` are the ids of its licence text here.
    """

    entry: Entry
    digest: str
    fresh: bool = False
    touched: bool = False
    trouble: str = ""
    lost_text: bool = False
    said: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that could not be read, and why; `invalid` is the register or NOTICE itself."""

    path: str
    line: int
    why: str
    invalid: bool = False


@dataclass(frozen=True, slots=True)
class Stale:
    """The generated part of NOTICE that is not as it should be, on a line."""

    path: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything the check found. `outbound` is what the code is published under, `weights` they.

    `entries` counts those of the register, `files` the changed files that were looked at.
    """

    outbound: str = ""
    weights: str = ""
    pasted: tuple[Pasted, ...] = ()
    folders: tuple[Folder, ...] = ()
    registered: tuple[Registered, ...] = ()
    dropped: tuple[Entry, ...] = ()
    unread: tuple[Unread, ...] = ()
    stale: tuple[Stale, ...] = ()
    entries: int = 0
    files: int = 0
