"""Which rules may match a piece of text: one pass of an RE2 set, or literals looked for in turn.

Both answer with at least the rules that do match, so what is found is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from security.secrets.catalog import RULES
from security.secrets.spaces import Spaces
from security.secrets.values import Rule, Space

Finder = Callable[[bytes], tuple[int, ...]]
_Anchor = tuple[Space, bytes]
_Step = tuple[Space, bytes, _Anchor | None, tuple[int, ...]]

MEMORY = 64 << 20  # bytes the automaton of the set may take
RE2, PLAIN = "google-re2", "re"


def finds(rule: Rule) -> str:
    """Return the pattern that any match of a rule holds."""
    return rule.finds or rule.pattern


@cache
def best() -> tuple[str, Finder]:
    """Return the name of the quickest finder that is installed, and the finder."""
    try:
        return RE2, with_re2()
    except ImportError:
        return PLAIN, with_literals()


def with_re2() -> Finder:
    """Return a finder by google-re2. Raises ImportError where it is absent."""
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes as they are
    options.max_mem = MEMORY
    options.never_capture = True
    options.log_errors = False
    found: Any = re2.Set.SearchSet(options)
    for rule in RULES:
        found.Add(finds(rule).encode())
    found.Compile()

    def find(text: bytes) -> tuple[int, ...]:
        return tuple(sorted(found.Match(text) or ()))

    return find


def with_literals() -> Finder:
    """Return a finder that needs nothing but `re`."""
    wanted: dict[_Anchor, list[int]] = {}
    for index, rule in enumerate(RULES):
        for anchor in rule.anchors:
            wanted.setdefault((rule.space, anchor.encode()), []).append(index)
    gates = {i: re.compile(finds(r).encode()) for i, r in enumerate(RULES) if _frequent(r)}
    steps = _steps(wanted)

    def find(text: bytes) -> tuple[int, ...]:
        spaces = Spaces(text)
        absent: set[_Anchor] = set()
        found: set[int] = set()
        for space, anchor, inner, rules in steps:
            if inner in absent or anchor not in spaces.of(space):
                absent.add((space, anchor))
            else:
                found.update(rules)
        return tuple(sorted(i for i in found if i not in gates or gates[i].search(text)))

    return find


def _steps(wanted: dict[_Anchor, list[int]]) -> tuple[_Step, ...]:
    """Return the anchors, the short before the long, each with one that it holds, or None.

    Where a short one is absent, the long ones around it need not be looked for.
    """
    steps: list[_Step] = []
    for space, anchor in sorted(wanted, key=lambda key: len(key[1])):
        shorter = (s[:2] for s in steps if s[0] is space and s[1] in anchor)
        steps.append((space, anchor, next(shorter, None), tuple(wanted[space, anchor])))
    return tuple(steps)


def _frequent(rule: Rule) -> bool:
    """Whether an anchor of one character is in most texts: looking for the pattern saves time."""
    return min(map(len, rule.anchors)) == 1
