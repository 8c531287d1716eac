"""A text as words that can be compared, each with its place: layout and spelling do not count."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

_SCRIPT = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"  # written without spaces: each sign is a word
_WORD = re.compile(rf"([{_SCRIPT}]|[^\W_{_SCRIPT}]+)")
# Marks that are words themselves: comments of batch and m4 files, tags and entities of HTML.
_LETTERS = re.compile(r"(?:REM|rem|dnl)\b")
_LETTER_MARKS = re.compile(r"^[ \t]*(?:REM|rem|dnl)\b", re.MULTILINE)
_TAG = re.compile(
    r"</?(?:p|br|hr|b|i|u|em|strong|a|li|ul|ol|h[1-6]|div|span|center|pre|code|tt|body|html|head"
    r"|table|tr|td|sup|blockquote)(?:[ \t][^<>]{0,200})?/?>"
    r"|&(?:quot|amp|lt|gt|nbsp|copy|apos|ldquo|rdquo|lsquo|rsquo|mdash|ndash|#\d{1,5});",
    re.IGNORECASE,
)
# Spellings that the matching guidelines of the SPDX list hold equal, and one scheme for addresses.
_SPELLINGS = """
    licence=license licences=licenses licenced=licensed licencing=licensing licencee=licensee
    sublicence=sublicense sublicences=sublicenses sublicenced=sublicensed
    sublicencing=sublicensing acknowledgement=acknowledgment acknowledgements=acknowledgments
    analogue=analog analyse=analyze artefact=artifact authorisation=authorization
    authorised=authorized calibre=caliber cancelled=canceled capitalisations=capitalizations
    catalogue=catalog categorise=categorize centre=center emphasised=emphasized favour=favor
    favourite=favorite fulfil=fulfill fulfilment=fulfillment initialise=initialize
    judgement=judgment labelling=labeling labour=labor maximise=maximize modelled=modeled
    modelling=modeling offence=offense optimise=optimize organisation=organization
    organise=organize practise=practice programme=program realise=realize recognise=recognize
    signalling=signaling utilisation=utilization whilst=while wilful=willful https=http
"""
_SAME: dict[str, str] = {}
for _pair in _SPELLINGS.split():
    _SAME[_pair.split("=")[0]] = _pair.split("=")[1]
# In ASCII, two tables and a cut at spaces give the words and what stands between them sooner.
_BETWEEN = {i: " " for i in range(128) if not chr(i).isalnum()}
_INSIDE = {i: " " if chr(i).isalnum() else "." for i in range(128)}
_DIVIDED = re.compile(r"-[ \t]*\r?\n")
_NUMBER = re.compile(r"\d{1,2}|[a-z]|[ivx]{1,4}")
_AFTER_NUMBER = frozenset(".)]:-")
_ENDS = '.;:,-–—•*)]}>"”'
_SINCE = re.compile(r"copyright|(?:19|20)\d\d")
_LINE_END = re.compile(r"\r\n|[\r\n\f\v\x85\u2028]")
_OTHER_END = re.compile(r"[\r\f\v\x85\u2028]")
_LEVELS = 4  # of "1.2.3.4"
_MARK_LINES = 0.5  # share of lines that must carry a letter mark for it to be one


@dataclass(frozen=True)
class Words:
    """The words of a text in order; `spans` are their places in `text`, as (start, end).

    `plain` is the text with spaces for marks that are words (REM, tags).
    """

    text: str
    plain: str
    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]

    def line(self, word: int) -> int:
        """Return the 1-based line on which a word begins."""
        return bisect_right(self._line_starts, self.spans[word][0])

    def lines(self, start: int, end: int) -> tuple[int, int]:
        """Return the first and last line of the words from `start` up to `end`."""
        return self.line(start), self.line(max(start, end - 1))

    def raw(self, start: int, end: int, *, plain: bool = False) -> str:
        """Return the words from `start` up to `end` as the text has them, with opening marks."""
        text = self.plain if plain else self.text
        first = self.spans[start][0]
        floor = self.spans[start - 1][1] if start else 0
        lead = text[max(floor, first - 4) : first]
        opening = len(lead) - len(lead.lstrip("\n\r"))
        return text[first - len(lead) + opening : self.spans[end - 1][1]]

    def numbered(self, likely: Iterable[int]) -> Iterator[int]:
        """Yield those of these words that `is_number` is worth asking of."""
        for word in likely:
            start, end = self.spans[word]
            if self.plain[end : end + 1] in _AFTER_NUMBER or self.plain[start - 1 : start] == ".":
                yield word

    def is_number(self, word: int, *, loose: bool = False) -> bool:
        """Whether a word numbers a paragraph: "1." or "(a)" where a sentence or line begins.

        `loose`: or anywhere, as where lines were joined.
        """
        plain, (start, end) = self.words[word], self.spans[word]
        if self.plain[end : end + 1] not in _AFTER_NUMBER and self.plain[start - 1 : start] != ".":
            return False
        if len(plain) > 4 or not _NUMBER.fullmatch(plain):
            return False
        if plain == "c" and self.words[word + 1 : word + 2] and _SINCE.match(self.words[word + 1]):
            return False  # (c) 2024
        # The second half of "3.1 Grant" numbers it too.
        for _ in range(_LEVELS):
            if not word or self.plain[self.spans[word - 1][1] : start] != ".":
                break
            word -= 1
            if not _NUMBER.fullmatch(self.words[word]):
                return False
            start, end = self.spans[word]
        after = self.plain[end : end + 1]
        if after not in _AFTER_NUMBER:
            return False
        if loose:
            return True
        before = self.plain[max(0, start - 80) : start].rstrip("([*_#-./%;>| \t")
        if not before or before[-1] in "\n\r" or before[-1] in _ENDS:
            return True
        return after == ")" and self.words[word - 1] in ("and", "or")

    @cached_property
    def _line_starts(self) -> list[int]:
        if _OTHER_END.search(self.text):
            return [0, *(m.end() for m in _LINE_END.finditer(self.text))]
        return [0, *accumulate(len(line) + 1 for line in self.text.split("\n"))][:-1]


def words_of(text: str, is_word: Callable[[str], bool] | None = None) -> Words:
    """Return the words of a text. "non-x" and "non x" are one word, "and/or" is "and".

    A word that a line's end divides is one if `is_word` says so of it.
    """
    plain = _without_marks(text)
    lower = plain.lower()
    if len(lower) != len(plain):  # letters whose small form is longer
        lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in plain)
    # What stands between words and the words take turns: their lengths are the places.
    parts = _parts(lower)
    words, places = parts[1::2], list(accumulate(map(len, parts)))
    if not _SAME.keys().isdisjoint(words):
        words = list(map(_SAME.get, words, words))
    spans = list(zip(places[0::2], places[1::2], strict=False))
    joins = _Joins(lower, places[0:-1:2], places[1::2], is_word)
    return Words(text, plain, *joins.joined(words, spans))


def _parts(lower: str) -> list[str]:
    if not lower.isascii():
        return _WORD.split(lower)
    words, between = lower.translate(_BETWEEN).split(), lower.translate(_INSIDE).split()
    if lower[:1].isalnum():
        between.insert(0, "")
    parts = [""] * (2 * len(words) + 1)
    parts[1::2] = words
    parts[0 : 2 * len(between) : 2] = between
    return parts


@dataclass(frozen=True)
class _Joins:
    """Which words of a text are one: "non-x", and those that a line's end divides."""

    plain: str
    starts: list[int]
    ends: list[int]
    is_word: Callable[[str], bool] | None

    def joined(
        self, words: list[str], spans: list[tuple[int, int]]
    ) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
        """Return the words and their places, with those that are one joined."""
        divided = self._divided()
        said: list[str] = []
        places: list[tuple[int, int]] = []
        done = 0
        for at in sorted({*self._ors(), *divided, *_every(words, "non"), *_every(words, "sub")}):
            if at < done:
                continue
            word, (start, end) = words[at], spans[at]
            if word == "or":
                if not (at and words[at - 1] == "and" and self.plain[start - 1] == "/"):
                    continue
                one: tuple[str, ...] = ()
                after = at + 1
            elif at + 1 < len(words) and self._is_one(word, words[at + 1], end, at in divided):
                one, after = (word + words[at + 1],), at + 2
                end = spans[at + 1][1]
            else:
                continue
            said += (*words[done:at], *one)
            places += (*spans[done:at], *((start, end) for _ in one))
            done = after
        return (*said, *words[done:]), (*places, *spans[done:])

    def _divided(self) -> set[int]:
        """Return the words of which the line's end may be no end."""
        if self.is_word is None:
            return set()
        found = set()
        for end in (m.start() for m in _DIVIDED.finditer(self.plain)):
            at = bisect_left(self.ends, end)
            if self.ends[at : at + 1] == [end] and not self.plain[end - 1].isdecimal():
                found.add(at)
        return found

    def _ors(self) -> Iterator[int]:
        """Yield where "or" may be that of "and/or"."""
        slash = self.plain.find("/or")
        while slash >= 0:
            yield bisect_left(self.starts, slash + 1)
            slash = self.plain.find("/or", slash + 3)

    def _is_one(self, word: str, after: str, end: int, divided: bool) -> bool:
        if word == "non" or (word == "sub" and self.plain[end : end + 1] == "-"):
            return True
        if not divided or self.is_word is None:
            return False
        # "end-user" is two words wherever it breaks.
        return self.is_word(word + after) and not (self.is_word(word) and self.is_word(after))


def _every(words: list[str], word: str) -> Iterator[int]:
    at = -1
    for _ in range(words.count(word)):
        at = words.index(word, at + 1)
        yield at


def _without_marks(text: str) -> str:
    if "<" in text or "&" in text:
        text = _TAG.sub(lambda m: " " * len(m[0]), text)
    if _LETTERS.search(text) and _LETTER_MARKS.search(text):
        lines = sum(1 for line in text.splitlines() if line.strip())
        if len(_LETTER_MARKS.findall(text)) >= lines * _MARK_LINES:
            text = _LETTER_MARKS.sub(lambda m: " " * len(m[0]), text)
    return text
