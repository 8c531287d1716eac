"""Which words of a text need no known text to account for them: numbers, holders, titles."""

from __future__ import annotations

import re
from itertools import groupby

from registry.licenses.matching.align import Gap
from registry.licenses.matching.holders import is_name, without_statements
from registry.licenses.matching.index import Index
from registry.licenses.matching.words import Words

_ROMAN = ("ii", "iii", "iv", "vi", "vii", "viii", "ix", "xi", "xii", "xiii", "xiv", "xv")
NUMBERS = frozenset(
    (*map(str, range(100)), *(f"0{i}" for i in range(10)), *"abcdefghijklmnopqrstuvwxyz", *_ROMAN)
)
_RESERVED = ("all", "rights", "reserved")
_TITLE_WORDS = 12
_FEW = 3  # parts of a number
_LINE = 25  # words
_SLIDE = 40  # words
_YEAR = re.compile(r"(?:19|20)\d\d")
_ADDRESS = 200  # characters
_HOST = re.compile(r"(?:https?://|www\.)[\w.-]+/\S*$", re.IGNORECASE)
_SPACE = re.compile(r"\s")
_TITLE_END = re.compile(r"[.:\n\r]")
_SENTENCE_END = re.compile(r"[.;:!?)\]}>*#\n\r]")


class Explain:
    """Says of words of one text whether they are a difference."""

    def __init__(self, words: Words, index: Index) -> None:
        """`index` knows the titles."""
        self.words = words
        self._index = index

    def is_number(self, word: int, *, loose: bool = False) -> bool:
        """Whether a word numbers a paragraph."""
        return self.words.words[word] in NUMBERS and self.words.is_number(word, loose=loose)

    def are_numbers(self, start: int, end: int) -> bool:
        """Whether the words from `start` up to `end` are one number."""
        few = end - start <= _FEW
        return few and all(self.is_number(word, loose=True) for word in range(start, end))

    def left(self, start: int, end: int, *, named: bool = False) -> list[tuple[int, int]]:
        """Return the ranges of words from `start` up to `end` that are a difference.

        `named`: a holder may be named here.
        """
        if self.are_numbers(start, end):
            return []
        while start < end and self.is_number(start):
            start += 1
        while start < end and self.is_number(end - 1):
            end -= 1
        if start >= end or (named and is_name(self.words.words[start:end])):
            return []
        if self._in_path(start, end) or self._are_years(start, end):
            return []
        kept: list[int] = []
        for part in self._without_titles(start, end):
            kept += self._without_statements(*part)
        reserved = self._reserved(start, end)
        return _ranges([i for i in kept if i not in reserved and not self.is_number(i)])

    def _are_years(self, start: int, end: int) -> bool:
        """Whether the words are years among years."""
        words = self.words.words
        beside = (*words[max(0, start - 1) : start], *words[end : end + 1])
        years = all(_YEAR.fullmatch(word) for word in words[start:end])
        return years and any(_YEAR.fullmatch(word) for word in beside)

    def _in_path(self, start: int, end: int) -> bool:
        """Whether the words are in the path of one web address, whose host stands before them."""
        first, last = self.words.spans[start][0], self.words.spans[end - 1][1]
        before = self.words.plain[max(0, first - _ADDRESS) : first]
        host = _HOST.search(before)
        return host is not None and not _SPACE.search(self.words.plain[first:last])

    def _reserved(self, start: int, end: int) -> set[int]:
        words = self.words.words
        return {
            i
            for first in range(start, end)
            if words[first : first + 3] == _RESERVED
            for i in range(first, first + 3)
        }

    def turned(self, gap: Gap) -> list[Gap]:
        """Return the ways to read an insertion, where words at its ends are alike; best first."""
        if gap.first != gap.last or gap.start == gap.end:
            return [gap]
        words, found = self.words.words, [gap]
        size = gap.end - gap.start
        for step in range(1, min(_SLIDE, gap.start) + 1):
            if words[gap.start - step] != words[gap.end - step]:
                break
            found.append(_moved(gap, -step))
        for step in range(min(_SLIDE, len(words) - gap.end)):
            if words[gap.start + step] != words[gap.start + size + step]:
                break
            found.append(_moved(gap, step + 1))
        found.sort(key=lambda one: (not self._begins(one.start), abs(one.start - gap.start)))
        return found

    def _begins(self, word: int) -> bool:
        if not word:
            return True
        between = self.words.plain[self.words.spans[word - 1][1] : self.words.spans[word][0]]
        return bool(_SENTENCE_END.search(between))

    def _without_titles(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return the range without lines that are titles, and without a title it begins with."""
        words = self.words
        lines = [list(g) for _, g in groupby(range(start, end), key=words.line)]
        parts: list[tuple[int, int]] = []
        for line in lines:
            first, last = line[0], line[-1] + 1
            if self._index.is_title(words.words[slice(*self.whole_line(first))]):
                continue
            if self._begins(first) and words.words[first] != "copyright":
                first = self._title_end(first, last)
            if first < last:
                if parts and parts[-1][1] == first:
                    parts[-1] = (parts[-1][0], last)
                else:
                    parts.append((first, last))
        return parts

    def whole_line(self, word: int) -> tuple[int, int]:
        """Return the words of the line that a word is on, as far as a title may go."""
        line, start, end = self.words.line(word), word, word + 1
        last = len(self.words.words)
        while start and word - start < _LINE and self.words.line(start - 1) == line:
            start -= 1
        while end < last and end - word < _LINE and self.words.line(end) == line:
            end += 1
        return start, end

    def _title_end(self, start: int, end: int) -> int:
        words = self.words.words
        for last in range(min(end, start + _TITLE_WORDS), start, -1):
            if self._index.is_title(words[start:last]) and (last == end or self._ends(last)):
                return last
        return start

    def _ends(self, word: int) -> bool:
        # A title that other words follow on its line ends where a statement or sentence begins.
        between = self.words.plain[self.words.spans[word - 1][1] : self.words.spans[word][0]]
        return bool(_TITLE_END.search(between)) or self.words.words[word] == "copyright"

    def _without_statements(self, start: int, end: int) -> list[int]:
        raw = self.words.raw(start, end, plain=True)
        offset = self.words.spans[end - 1][1] - len(raw)
        kept = [(offset + a, offset + b) for a, b in without_statements(raw)]
        found, part = [], 0
        for word in range(start, end):
            place = self.words.spans[word][0]
            while part < len(kept) and kept[part][1] <= place:
                part += 1
            if part < len(kept) and kept[part][0] <= place:
                found.append(word)
        return found


def _moved(gap: Gap, by: int) -> Gap:
    return Gap(gap.start + by, gap.end + by, gap.first + by, gap.last + by)


def _ranges(positions: list[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for position in positions:
        if ranges and ranges[-1][1] == position:
            ranges[-1] = (ranges[-1][0], position + 1)
        else:
            ranges.append((position, position + 1))
    return ranges
