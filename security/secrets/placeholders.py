"""Values that stand for none: made up, reserved for examples, or too regular to be random."""

# ruff: noqa: SIM905 - many words read best as words

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

# Words of a value that its author did not mean to be one.
_WORDS = tuple(
    "example placeholder changeme change_me change-me your_ your- yourtoken yourkey mytoken my_"
    " mypass dummy redacted insert replace todo xxxx **** .... 00000000 12345 abc123 abcdef test"
    " fake sample default secret_key password passwd no-key not-a none null undefined <your"
    " env. environ getenv process. config. secrets. vault: base64: foobar hunter2 letmein qwerty"
    " ${ {{ <% %( self. args. "
    .split()
)  # fmt: skip
# Only a token with a form of its own says nothing but these.
_CERTAIN = ("example", "placeholder", "changeme", "redacted", "xxxxxxxx", "00000000", "your_",
            "********", "dummy", "1234567890", "abcdefgh")  # fmt: skip
_PASSWORDS = frozenset(("string", "password", "passwd", "secret", "root", "admin", "user", "pass"))


def entropy(value: str) -> float:
    """Return the Shannon entropy of the characters of a value, in bits per character."""
    counts = Counter(value).values()
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts)


def made_up(value: str) -> bool:
    """Whether a token with a form of its own is plainly an example."""
    low = value.lower()
    return any(word in low for word in _CERTAIN)


def stands_for_one(value: str) -> bool:
    """Whether a value in an assignment is a name, an expression or an example."""
    low = value.lower()
    template = low[:1] in "{[<(%$"
    return template or low in _PASSWORDS or any(word in low for word in _WORDS)


def random(value: str) -> bool:
    """Whether letters, capitals and digits change places as often as chance has it."""
    digits = sum(c.isdigit() for c in value)
    if digits < 2 or digits == len(value):
        return False
    classes = [0 if c.isdigit() else 1 if c.islower() else 2 for c in value if c.isalnum()]
    changes = sum(a != b for a, b in pairwise(classes))
    return changes * 5 >= len(classes)


def mixed(value: str) -> bool:
    """Whether a password has letters and digits, as people are made to choose them."""
    return any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
