"""Finds secrets and personal data in text, in time that grows with the text alone.

The text is read in pieces that end where a line does, a long line in windows that overlap: what
is longer than OVERLAP cannot be found across their ends. `finding.py` says which rules may
match a piece; each pattern is bounded and begins at a boundary, so none is tried twice on a run.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from security.secrets.catalog import RULES
from security.secrets.finding import Finder, best
from security.secrets.judging import VALID
from security.secrets.placeholders import entropy
from security.secrets.spaces import Spaces
from security.secrets.values import Found, Hit, Kind, Rule

PIECE = 16_384  # bytes looked at in one call
OVERLAP = 4_096  # bytes beyond a piece that a match may reach into; the longest match is shorter
MARGIN = 64  # bytes around a piece in which an anchor or what comes before it may lie
NEWLINE = ord("\n")
MAX_HITS = 1_000  # values of one rule that are told one by one; the rest is counted
ENOUGH = 20_000  # values of one rule after which it is not looked for any further
CREDIT = 200  # bytes before an address in which its line may name an author
_KEY = b"modelwarden/secrets/1"
_CREDITS = re.compile(
    rb"(?i)copyright|\(c\)|author|maintainer|contributor|contact|mailto:|correspond|-by:|@param"
)
_Match = tuple[int, int, int, str, str]  # start, end, index of the rule, head, doubt


def mark(value: bytes) -> str:
    """Return the keyed hash by which a value is known again, 32 hexadecimal digits."""
    return hashlib.blake2b(value, key=_KEY, digest_size=16).hexdigest()


def scan(data: bytes, finder: Finder | None = None) -> Found:
    """Return what is found in a text, and how many values of a rule are beyond MAX_HITS.

    That number is at least what it says once a rule was met ENOUGH times.
    """
    counts: dict[int, int] = {}
    kept: list[_Match] = []
    for match in _matches(data, finder or best()[1], counts):
        counts[match[2]] = counts.get(match[2], 0) + 1
        if counts[match[2]] <= MAX_HITS:
            kept.append(match)
    more = ((RULES[i].id, n - MAX_HITS) for i, n in sorted(counts.items()) if n > MAX_HITS)
    return Found(tuple(_hits(data, _apart(kept))), tuple(more))


def _hits(data: bytes, matches: list[_Match]) -> Iterator[Hit]:
    line, begin, at = 1, 0, 0
    for start, end, index, head, doubt in matches:
        if new := data.count(b"\n", at, start):
            line, begin = line + new, data.rfind(b"\n", at, start) + 1
        at = start
        rule = RULES[index]
        credited = rule.kind is Kind.PERSONAL and bool(
            _CREDITS.search(data, max(begin, start - CREDIT), start)
        )
        value = data[start:end]
        yield Hit(rule.id, line, start - begin + 1, len(value), mark(value), head, doubt, credited)


def _apart(matches: list[_Match]) -> list[_Match]:
    """Leave out what overlaps a match of an earlier rule, as far as it was kept itself."""
    starts: list[int] = []
    kept: list[_Match] = []
    for match in sorted(matches, key=lambda m: (m[2], m[0])):
        place = bisect_right(starts, match[0])
        before = place > 0 and kept[place - 1][1] > match[0]
        after = place < len(starts) and starts[place] < match[1]
        if not before and not after:
            starts.insert(place, match[0])
            kept.insert(place, match)
    return kept


def _matches(data: bytes, finder: Finder, counts: dict[int, int]) -> Iterator[_Match]:
    """Yield what matches and is valid, each once; `counts` says how often each rule was met."""
    last: dict[int, int] = {}
    for start, end, whole in _pieces(data):
        stop = min(len(data), end + OVERLAP)
        # Where a line was cut, a match may begin before the piece and end behind it.
        low = start if start == 0 or data[start - 1] == NEWLINE else max(0, start - MARGIN)
        rules = finder(data[low : end if whole else stop])
        if rules:
            spaces = Spaces(data[start : min(end + MARGIN, len(data))])
            for index in (i for i in rules if counts.get(i, 0) < ENOUGH):
                for match in sorted(_located(index, data, spaces, start, end)):
                    if match[0] >= last.get(index, 0):
                        last[index] = match[1]
                        yield match


def _pieces(data: bytes) -> Iterator[tuple[int, int, bool]]:
    """Yield where each piece begins and ends, and whether it ends where a line does."""
    start = 0
    while start < len(data):
        end = min(start + PIECE, len(data))
        cut = end if end == len(data) else data.rfind(b"\n", start, end) + 1
        yield start, cut or end, cut > 0
        start = cut or end


@dataclass(frozen=True, slots=True)
class _Compiled:
    whole: re.Pattern[bytes]
    run: re.Pattern[bytes] | None  # what `left` holds: no match begins inside such a run
    back: bytes  # the characters of `back`


@cache
def _compiled(index: int) -> _Compiled:
    rule = RULES[index]
    left = f"(?<![{rule.left}])" if rule.left else ""
    right = f"(?![{rule.right}])" if rule.right else ""
    flag, pattern = ("(?i)", rule.pattern[4:]) if rule.pattern[:4] == "(?i)" else ("", rule.pattern)
    every = bytes(range(256))
    return _Compiled(
        re.compile(f"{flag}{left}(?:{pattern}){right}".encode()),
        re.compile(f"[{rule.left}]*+".encode()) if rule.left else None,
        b"".join(re.findall(f"[{rule.back}]".encode(), every)) if rule.back else b"",
    )


def _located(index: int, data: bytes, spaces: Spaces, start: int, end: int) -> Iterator[_Match]:
    rule, compiled = RULES[index], _compiled(index)
    groups = compiled.whole.groups
    for match in _candidates(rule, compiled, data, spaces.of(rule.space), start, end):
        first, last = match.span(groups)
        value = data[first:last].decode("latin-1")
        if rule.entropy and entropy(value) < rule.entropy:
            continue
        doubt = VALID[rule.valid](value)
        if doubt is not None:
            head = next((a for a in rule.anchors if value.startswith(a)), "")
            yield first, last, index, "" if rule.kind is Kind.PERSONAL else head, doubt


def _candidates(
    rule: Rule, compiled: _Compiled, data: bytes, text: bytes, start: int, end: int
) -> Iterator[re.Match[bytes]]:
    """Yield the matches whose anchor is in the piece; `text` is the piece in the rule's space."""
    stop = min(len(data), end + OVERLAP)
    for anchor in rule.anchors:
        literal = anchor.encode()
        limit = end - start + len(literal) - 1
        at = text.find(literal, 0, limit)
        while at >= 0:
            place = start + at
            begin = place
            if rule.back:
                near = data[max(0, place - rule.reach) : place]
                begin -= len(near) - len(near.rstrip(compiled.back))
            found = compiled.whole.match(data, begin, stop)
            if found:
                yield found
            after = max(found.end() if found else 0, place + 1)
            if compiled.run and (run := compiled.run.match(data, place, stop)):
                after = max(after, run.end())
            at = text.find(literal, after - start, limit)
