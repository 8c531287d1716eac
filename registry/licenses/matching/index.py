"""The shipped index of known texts: hashed words in their order and places, never the texts.

A word of the vocabulary is a letter here, so that a text is a string: to find, count, cut and
compare it is what strings are fastest at.
"""

from __future__ import annotations

import gzip
import sys
from array import array
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import blake2b
from itertools import pairwise, repeat
from pathlib import Path
from struct import unpack_from
from typing import Any

from security import strictjson

FILE = Path(__file__).with_name("index.gz")
SHINGLE = 4  # words
MOST = 64_000_000  # bytes of the index, unpacked
UNKNOWN = "\0"  # the letter of a word that no known text has
MOST_WORDS = 0xD800 - 1  # letters before those that no text may hold
_HEADER_MOST = 4_000_000
_DENSE = 300  # words; of longer texts one shingle in 4 is kept, of those over _LONG one in 8
_LONG = 1200
_LEAST = 0.3  # share of a known text's shingles that make it worth a look
_LEAST_LONG = 0.12  # of a text of which half would be long
_MANY = 400  # shingles
_FEW = 8  # texts
_NATIVE = "utf-16-le" if sys.byteorder == "little" else "utf-16-be"
_TYPES = "QHIQHIH"  # vocabulary, sequences, their ends, shingles, their groups, ends, texts


@dataclass(frozen=True, slots=True)
class Text:
    """A known text; words are letters of the vocabulary, `shingles` how many are in the index.

    `optional` are ranges of words that may be absent, `names` where a holder may be named.
    """

    ids: tuple[str, ...]
    family: str
    words: str
    shingles: int
    optional: tuple[tuple[int, int], ...]
    names: frozenset[int]

    @property
    def spare(self) -> int:
        """How many of the words may be absent."""
        return sum(b - a for a, b in self.optional)


@dataclass(frozen=True)
class Index:
    """All known texts. `places` maps a shingle to its number, from 1 on, and `groups` that to which
    texts have it: those in `members` up to the end of their group. Most shingles share theirs.
    `names` are what licences are called, as `references.plain_name` has it, with the id.
    """

    vocabulary: dict[int, str]
    titles: frozenset[int]
    names: dict[int, str]
    entries: tuple[tuple[Any, ...], ...]
    sequences: str
    ends: array[int]
    places: dict[int, int]
    groups: array[int]
    members: array[int]
    limits: array[int]
    _letters: dict[str, str] = field(default_factory=dict)
    _own: dict[int, dict[int, int]] = field(default_factory=dict)
    _lanes: dict[int, int] = field(default_factory=dict)

    @cached_property
    def totals(self) -> list[int]:
        """How many shingles of each text are in the index."""
        return [entry[2] for entry in self.entries]

    @cached_property
    def least(self) -> list[float]:
        """How many of them make each text worth a look."""
        return [n * (_LEAST_LONG if n > _MANY else _LEAST) for n in self.totals]

    @cached_property
    def sizes(self) -> list[int]:
        """How many words each text has."""
        return [end - start for start, end in pairwise((0, *self.ends))]

    def text(self, number: int) -> Text:
        """Return the known text of this number."""
        ids, family, shingles, optional, names = self.entries[number]
        ranges = tuple((a, b) for a, b in optional)
        words = self._words(number)
        return Text(tuple(ids), family, words, shingles, ranges, frozenset(names))

    def own(self, number: int) -> dict[int, int]:
        """Return the numbers of a text's shingles, each with the word there it first ends on."""
        found = self._own.get(number)
        if found is None:
            first = kept(self._words(number))
            found = {self.places[key]: place for key, place in first.items()}
            self._own[number] = found
        return found

    def _words(self, number: int) -> str:
        return self.sequences[self.ends[number - 1] if number else 0 : self.ends[number]]

    def letters(self, words: Collection[str]) -> str:
        """Return each word's letter; UNKNOWN where no known text has the word."""
        # Only words that are known are kept: of others there is no end.
        for word in set(words).difference(self._letters):
            letter = self.vocabulary.get(digest(word))
            if letter is not None:
                self._letters[word] = letter
        return "".join(map(self._letters.get, words, repeat(UNKNOWN)))

    def count(self, found: Iterable[int]) -> list[int]:
        """Return how many of these shingles each text has.

        A group of many texts is one long number with 16 bits a text, so that adding it counts all.
        """
        limits, small, total = self.limits, [], 0
        for group, times in Counter(map(self.groups.__getitem__, found)).items():
            start, end = limits[group - 1], limits[group]
            if end - start > _FEW:
                total += self._lane(group) * times
            else:
                small.append((start, end, times))
        size = array("H").itemsize * len(self.entries)
        counts = array("H", total.to_bytes(size, sys.byteorder)).tolist()
        for start, end, times in small:
            for text in self.members[start:end]:
                counts[text] += times
        return counts

    def _lane(self, group: int) -> int:
        lane = self._lanes.get(group)
        if lane is None:
            bits = array("H", bytes(array("H").itemsize * len(self.entries)))
            for text in self.members[self.limits[group - 1] : self.limits[group]]:
                bits[text] = 1
            lane = self._lanes[group] = int.from_bytes(bits.tobytes(), sys.byteorder)
        return lane

    def is_title(self, words: tuple[str, ...]) -> bool:
        """Whether these words are what a licence is called."""
        return len(words) <= 24 and digest("".join(words)) in self.titles


def digest(word: str) -> int:
    """Return the 64-bit digest that stands for a word."""
    return int.from_bytes(blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def shingles(words: str) -> list[int]:
    """Return the shingle that begins at each word; unknown words make none that is known.

    A shingle is its letters, of 16 bits each, as one number.
    """
    data = words.encode("utf-16-be")
    found = [0] * max(0, len(words) - SHINGLE + 1)
    for step in range(min(SHINGLE, len(found))):
        count = (len(words) - step) // SHINGLE
        found[step::SHINGLE] = unpack_from(f">{count}Q", data, 2 * step)
    return found


def kept(words: str) -> dict[int, int]:
    """Return the shingles of a known text that are in the index, with the word each ends at."""
    rare = 1 if len(words) <= _DENSE else 4 if len(words) <= _LONG else 8
    found: dict[int, int] = {}
    for place, key in enumerate(shingles(words), SHINGLE - 1):
        if key % 2147483647 % rare == 0:
            found.setdefault(key, place)
    return found


def packed(header: bytes, arrays: tuple[array[int], ...]) -> bytes:
    """Return the index as a file: the header, then each array, with lengths before them."""
    parts = []
    for one, kind in zip(arrays, _TYPES, strict=True):
        native = array(kind, one)
        if sys.byteorder == "big":
            native.byteswap()
        parts.append(native.tobytes())
    blocks = [header, *parts]
    sizes = b"".join(len(block).to_bytes(4, "little") for block in blocks)
    return gzip.compress(sizes + b"".join(blocks), 9, mtime=0)


@cache
def load() -> Index:
    """Return the shipped index."""
    with gzip.open(FILE) as file:
        data = memoryview(file.read(MOST))
    count = len(_TYPES) + 1
    sizes = [int.from_bytes(data[4 * i : 4 * i + 4], "little") for i in range(count)]
    blocks, place = [], 4 * count
    for size in sizes:
        blocks.append(data[place : place + size])
        place += size
    header: dict[str, Any] = strictjson.loads(bytes(blocks[0]), limit=_HEADER_MOST)
    arrays = []
    for block, kind in zip(blocks[1:], _TYPES, strict=True):
        one = array(kind)
        one.frombytes(block)
        if sys.byteorder == "big":
            one.byteswap()
        arrays.append(one)
    vocabulary, sequences, ends, keys, groups, limits, members = arrays
    groups.insert(0, 0)  # shingles and groups count from 1
    limits.insert(0, 0)
    return Index(
        vocabulary={word: chr(number) for number, word in enumerate(vocabulary, 1)},
        titles=frozenset(header["titles"]),
        names={int(name): id for name, id in header["names"].items()},
        entries=tuple(tuple(entry) for entry in header["entries"]),
        sequences=sequences.tobytes().decode(_NATIVE),
        ends=ends,
        places=dict(zip(keys, range(1, len(keys) + 1), strict=True)),
        groups=groups,
        members=members,
        limits=limits,
    )
