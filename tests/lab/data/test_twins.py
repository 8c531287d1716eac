from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lab.data import twins as module
from lab.data.kept import PART, divided, joined
from lab.data.records import Record
from lab.data.sketch import documents, rows_of, shingles, sketch
from lab.data.twins import Twins, jaccard, shelves_of, twins
from lab.errors import NoReader

pytest.importorskip("rensa")
NAMES = Path(__file__).parents[3] / "registry/manifests/popular.txt"
WORDS = [w for w in NAMES.read_text().split() if w.isalpha()][:4_000]


def text(seed: int, words: int = 60) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def compared(
    after: Sequence[Sequence[str]],
    before: Sequence[Sequence[str]] = (),
    stays: Sequence[Sequence[str]] = (),
    threshold: float = 0.8,
) -> Twins:
    def file(texts: Sequence[str]) -> list[Record]:
        return [Record(n, (text,)) for n, text in enumerate(texts, 1)]

    held = [file(texts) for texts in (*stays, *after)]

    def fetch(shelf: int, rows: frozenset[int]) -> dict[int, Any]:
        found = [w for row, (_, w) in enumerate(documents(held[shelf])) if row in rows]
        return dict(zip(sorted(rows), shingles(found), strict=True))

    made = [[sketch(file(t), threshold) for t in group] for group in (stays, after, before)]
    return twins(shelves_of(*made), threshold, fetch)


def lines(found: Twins) -> list[tuple[int, int, int, int, bool]]:
    return [
        (t.new.shelf, t.new.line, t.old.shelf, t.old.line, t.likeness == 1.0) for t in found.found
    ]


def near(seed: int) -> str:
    words = text(seed).split()
    words[20] = "changed"
    return " ".join(words)


def test_the_same_words_and_nearly_the_same() -> None:
    found = compared([[text(1), text(2), text(1).upper() + "!", near(2), text(3)]])
    assert lines(found) == [(0, 3, 0, 1, True), (0, 4, 0, 2, False)]
    assert found.found[1].likeness == pytest.approx(55 / 61, abs=0.001)


def test_only_what_is_added_counts() -> None:
    old = [text(1), near(1), text(1)]
    assert not lines(compared([[*old, text(2)]], [old]))
    assert lines(compared([[*old, text(1)]], [old])) == [(0, 4, 0, 1, True)]
    assert not lines(compared([[text(5)], old], [old]))  # a record that moves is not added
    assert lines(compared([[near(1)]], stays=[[text(9), text(1)]])) == [(1, 1, 0, 2, False)]
    assert not lines(compared([[text(4)]], stays=[[text(1), text(1)]]))


def test_short_records_are_not_compared() -> None:
    assert not lines(compared([["yes", "no", "yes", "not at all", "not at all", "", ""]]))
    assert lines(compared([["what is this then"] * 2])) == [(0, 2, 0, 1, True)]


def test_the_threshold_counts() -> None:
    words = text(1).split()
    words[10] = words[30] = words[50] = "changed"
    other = " ".join(words)  # 49 of 58 shingles: a likeness of 0.731
    assert not lines(compared([[text(1), other]]))
    assert lines(compared([[text(1), other]], threshold=0.7)) == [(0, 2, 0, 1, False)]


@pytest.mark.parametrize(("threshold", "rows"), [(0.5, 3), (0.8, 6), (0.95, 9), (1.0, 9)])
def test_bands_suit_the_threshold(threshold: float, rows: int) -> None:
    assert rows_of(threshold) == rows


def test_likeness_is_jaccard_of_shingles() -> None:
    one, other = shingles([b"a b c d".split(), b"b c d e".split()])
    assert jaccard(one, other) == pytest.approx(1 / 3)
    assert jaccard(one, one) == 1.0
    (none,) = shingles([[]])
    assert jaccard(none, none) == 0.0


def test_bands_share_as_the_likeness_says() -> None:
    # The library's signatures, held against the share of equal values that theory gives.
    one = sketch([Record(1, (text(7, 400),))], 0.8).bands
    other = sketch([Record(1, (text(8, 400),))], 0.8).bands
    assert not (one == other).any()
    assert (one == sketch([Record(1, (text(7, 400),))], 0.8).bands).all()


def test_planted_duplicates_are_found_and_nothing_else() -> None:
    texts = [text(seed, 60 + seed % 60) for seed in range(1_500)]
    planted = []
    for seed in range(300):
        words = texts[seed].split()
        words[random.Random(seed).randrange(len(words))] = "changed"
        planted.append(" ".join(words))
    found = compared([texts + planted])
    pairs = {(t.old.line, t.new.line) for t in found.found}
    assert pairs == {(n + 1, n + 1_501) for n in range(300)}


def test_many_alike_stay_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    alike = [text(1, 200) + f" number {n} {n}" for n in range(400)]
    found = compared([alike])
    assert len(found.found) == 399
    assert not found.partial
    monkeypatch.setattr(module, "PAIRS", 50)
    assert compared([alike]).partial


def test_sketches_are_kept_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sketch([Record(n, (text(n, 10),)) for n in range(25)], 0.8)
    monkeypatch.setattr("lab.data.kept.PART", 10)
    parts = divided(whole)
    again = joined(parts)
    assert len(parts) == parts[0].parts == 3
    assert (again.lines == whole.lines).all()
    assert (again.digests == whole.digests).all()
    assert (again.bands == whole.bands).all()
    assert len(joined(divided(sketch([], 0.8))).lines) == 0
    assert PART * (4 * 21 + 16) * 4 / 3 < 4_000_000  # what the cache takes


def test_prose_is_one_document() -> None:
    pieces = [Record(1, (text(1, 30),), prose=True), Record(4, (text(2, 30),), prose=True)]
    ((line, found),) = documents([*pieces, Record(9, trouble="bad")])
    assert line == 1
    assert len(found) == 60


def test_without_the_library_it_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rensa", None)
    with pytest.raises(NoReader, match="rensa"):
        sketch([Record(1, (text(1),))], 0.8)
