"""What a rule about secrets is, and what a scan finds. No value found is ever kept: only marks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is found: a credential, or data about a person."""

    SECRET = "secret"
    PERSONAL = "personal"


WORD = "A-Za-z0-9"
TOKEN = "A-Za-z0-9_-"


class Space(StrEnum):
    """Where anchors are looked for: the text, or a copy of it with some characters made alike."""

    EXACT = "exact"
    LOWER = "lower"  # capitals of ASCII made small
    SHAPE = "shape"  # digits made 0, capitals A
    HEX = "hex"  # hexadecimal digits made 0


@dataclass(frozen=True, slots=True)
class Rule:
    """How one kind of value looks. `pattern` is in the syntax that RE2 and `re` share.

    The value is its first group, or all of it. A match begins at one of `anchors`, or with at
    most `reach` characters of the class `back` before it. `left` and `right` are classes of
    characters that may not touch a match; `left` holds what a run of values consists of, so that
    a long run is tried once. `finds` is a shorter pattern that any match holds, where RE2 would
    need many states for the whole. `valid` names what decides on a match, `entropy` is the least
    number of bits per character. `generic`: told by a label alone. `weak`: a reason to look, no
    more. `samples` are templates of values to find, `others` texts without any (`samples.py`).
    """

    id: str
    title: str
    pattern: str
    anchors: tuple[str, ...]
    space: Space = Space.EXACT
    back: str = ""
    reach: int = 0
    left: str = TOKEN
    right: str = TOKEN
    finds: str = ""
    valid: str = "token"
    entropy: float = 0.0
    kind: Kind = Kind.SECRET
    weak: bool = False
    generic: bool = False
    samples: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One value: its rule, 1-based line and column in bytes, and length in bytes.

    `mark` is a keyed hash, the same for the same value everywhere; `head` the public beginning
    that its rule fixes. `doubt` says what speaks against it, `credited` that its line names an
    author.
    """

    rule: str
    line: int
    column: int
    length: int
    mark: str
    head: str = ""
    doubt: str = ""
    credited: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a scan found, in order, and how many more values of a rule there are."""

    hits: tuple[Hit, ...] = ()
    more: tuple[tuple[str, int], ...] = ()
