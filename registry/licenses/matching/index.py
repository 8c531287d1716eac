"""The shipped index of known texts: hashed words in their order and places, never the texts."""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from security import strictjson

FILE = Path(__file__).with_name("index.bin")
SHINGLE = 4  # words
MOST = 64_000_000  # bytes of the index, unpacked
_HEADER_MOST = 4_000_000
_DENSE = 300  # words; of longer texts one shingle in 4 is kept, of those over _LONG one in 8
_LONG = 1200
_MASK = (1 << 16 * SHINGLE) - 1
_TYPES = "QHIQIHH"  # vocabulary, sequences, ends of them, shingles, ends of postings, texts, places


@dataclass(frozen=True, slots=True)
class Text:
    """A known text; words are numbers of the vocabulary, `shingles` how many are in the index.

    `optional` are ranges of words that may be absent, `names` where a holder may be named.
    """

    ids: tuple[str, ...]
    family: str
    words: tuple[int, ...]
    shingles: int
    optional: tuple[tuple[int, int], ...]
    names: frozenset[int]

    @property
    def spare(self) -> int:
        """How many of the words may be absent."""
        return sum(b - a for a, b in self.optional)


@dataclass(frozen=True)
class Index:
    """All known texts. `places` maps a shingle to where its postings are, in `texts` and `at`.

    `names` are what licences are called, as `references.plain_name` has it, with the id.
    """

    vocabulary: dict[int, int]
    titles: frozenset[int]
    names: dict[int, str]
    entries: tuple[tuple[Any, ...], ...]
    sequences: array[int]
    ends: array[int]
    places: dict[int, int]
    postings: array[int]
    texts: array[int]
    at: array[int]

    def text(self, number: int) -> Text:
        """Return the known text of this number."""
        ids, family, shingles, optional, names = self.entries[number]
        start = self.ends[number - 1] if number else 0
        words = tuple(self.sequences[start : self.ends[number]])
        ranges = tuple((a, b) for a, b in optional)
        return Text(tuple(ids), family, words, shingles, ranges, frozenset(names))

    def numbers(self, words: Iterable[str]) -> list[int]:
        """Return each word's number; 0 where no known text has the word."""
        known = {word: self.vocabulary.get(digest(word), 0) for word in set(words)}
        return [known[word] for word in words]

    def is_title(self, words: tuple[str, ...]) -> bool:
        """Whether these words are what a licence is called."""
        return len(words) <= 24 and digest("".join(words)) in self.titles


def digest(word: str) -> int:
    """Return the 64-bit digest that stands for a word."""
    return int.from_bytes(blake2b(word.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def shingles(words: list[int]) -> list[int]:
    """Return the shingle that ends at each word; unknown words make none that is known."""
    key, found = 0, []
    for word in words:
        key = (key << 16 | word) & _MASK
        found.append(key)
    return found


def is_kept(key: int, length: int) -> bool:
    """Whether a shingle of a text of so many words is in the index."""
    return length <= _DENSE or key % 2147483647 % (4 if length <= _LONG else 8) == 0


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
    return zlib.compress(sizes + b"".join(blocks), 9)


@cache
def load() -> Index:
    """Return the shipped index."""
    unpacker = zlib.decompressobj()
    data = memoryview(unpacker.decompress(FILE.read_bytes(), MOST))
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
    vocabulary, sequences, ends, keys, postings, texts, at = arrays
    return Index(
        vocabulary={word: number for number, word in enumerate(vocabulary, 1)},
        titles=frozenset(header["titles"]),
        names={int(name): id for name, id in header["names"].items()},
        entries=tuple(tuple(entry) for entry in header["entries"]),
        sequences=sequences,
        ends=ends,
        places=dict(zip(keys, range(len(keys)), strict=True)),
        postings=postings,
        texts=texts,
        at=at,
    )
