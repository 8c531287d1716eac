"""Which kinds of clause a text holds, for texts nobody has reviewed: added and unknown ones.

This is a reader of sentences, not of law: it says where to look. Of 270 clauses in the 67 texts of
tests/registry/licenses/terms/truth.py it finds 250 and says 3 too many; of 24 in sentences it was
not made with (sentences.py) it finds 20 and says 3 too many. So no tag is no permission, and a
licence with reviewed facts is judged by those alone. The cost is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from registry.licenses.terms.cues import CUES
from registry.licenses.terms.values import Tag

SENTENCE = 160  # words; a longer one is read in pieces that share their last words
SHARED = 60  # words of a piece that the next one has again, so no cue falls between two
WORD = 32  # characters of a word that are looked at
AROUND = 8  # words before and after what is quoted, of the same sentence
QUOTE = 400  # characters of a quote
_TOKEN = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d{1,2}|[a-z]|[ivx]{2,4}")
_END = re.compile(r"[.!?][\"'”’)\]]*\s|[.!?][\"'”’)\]]*$|。")
# Words that deny nothing, or except nothing; the letters keep every offset where it is.
_HARMLESS = (
    ("not limited to", "nqt limited to"),
    ("without limitation", "withqut limitation"),
    ("without limiting", "withqut limiting"),
    ("whether or not", "whether or nqt"),
    ("not only", "nqt only"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A sentence that says something of the kind `tag`, on a 1-based line.

    `quote` is as the text says it, in one line, bounded. `negated` sentences use the words of
    that kind for its contrary ("for commercial and non-commercial use"): they restrict nothing.
    """

    tag: Tag
    quote: str
    line: int
    negated: bool = False


def clauses(text: str) -> tuple[Found, ...]:
    """Return what each sentence says, in the order of the text; negated ones are marked."""
    found: dict[tuple[Tag, int, int, bool], Found] = {}
    line, counted = 1, 0
    for sentence in _sentences(text):
        start = sentence[0][1]
        line += text.count("\n", counted, start)
        counted = start
        for tag, first, last, negated in _read([word for word, *_ in sentence]):
            begin, end = sentence[first][1], sentence[last][2]
            at = line + text.count("\n", start, begin)
            said = Found(tag, _quote(text, begin, end), at, negated)
            found.setdefault((tag, begin, end, negated), said)
    return tuple(found.values())


def tags(text: str) -> frozenset[Tag]:
    """Return the kinds of clause the text holds, without what is negated."""
    return frozenset(found.tag for found in clauses(text) if not found.negated)


def _sentences(text: str) -> Iterator[list[tuple[str, int, int]]]:
    """Yield each sentence as (word, start, end); list items stay with what introduces them."""
    words: list[tuple[str, int, int]] = []
    for match in _TOKEN.finditer(text):
        if words and _ends(text, words[-1][0], words[-1][2], match.start()):
            yield words
            words = []
        elif len(words) >= SENTENCE:
            yield words
            words = words[-SHARED:]
        word = match.group()[:WORD].lower()
        for part in ("can", "not") if word == "cannot" else (word,):
            words.append((part, match.start(), match.end()))
    if words:
        yield words


def _ends(text: str, word: str, end: int, start: int) -> bool:
    gap = text[end : min(start, end + 200)]
    if _END.match(gap) or (gap.lstrip(" \"'”’)]*_").startswith((".", "!", "?")) and "\n" in gap):
        return not _NUMBER.fullmatch(word)  # "a." and "2." only number what follows
    return gap.count("\n") > 1 and not gap.lstrip(" *_").startswith((":", ";", ","))


def _read(words: list[str]) -> Iterator[tuple[Tag, int, int, bool]]:
    """Yield the tag, its first and its last word, and whether it is negated."""
    held = frozenset(words)
    line = ""
    for cue in CUES:
        if held.isdisjoint(cue.words):
            continue
        line = line or _joined(words)
        if match := cue.holds.search(line):
            first = line.count(" ", 0, match.start() + 1) - 1
            last = line.count(" ", 0, match.end() - 1) - 1
            yield (
                cue.tag,
                max(0, min(first - AROUND, len(words) - 1)),
                max(0, min(last + AROUND, len(words) - 1)),
                bool(cue.unless and cue.unless.search(line)),
            )


def _joined(words: list[str]) -> str:
    line = f" {' '.join(words)} "
    for phrase, harmless in _HARMLESS:
        line = line.replace(phrase, harmless)
    return line


def _quote(text: str, begin: int, end: int) -> str:
    return " ".join(text[begin : min(end, begin + QUOTE)].split())
