from __future__ import annotations

import random
import textwrap
from collections.abc import Iterable
from pathlib import Path

import pytest

from lab.data import grams, leaks
from lab.data.grams import Index
from lab.data.items import Item, needles
from lab.data.leaks import Leak, search
from lab.data.records import Record

NAMES = Path(__file__).parents[3] / "registry/manifests/popular.txt"
WORDS = [w for w in NAMES.read_text().split() if w.isalpha()][:4_000]
LONG = "which of the nine old bridges over the river was the first one to be built of stone"
SHORT = "name the second highest mountain of the southern alps"  # 9 words
TINY = "capital of southern atlantis"  # 4 words


def index(*texts: str | tuple[str, ...], n: int = 13) -> Index:
    items = [Item("s", str(i), (t,) if isinstance(t, str) else t) for i, t in enumerate(texts)]
    return Index(needles(items, n), n)


def found(what: Index, *texts: str, prose: bool = False) -> tuple[Leak, ...]:
    return search(what, (Record(n, (text,), prose=prose) for n, text in enumerate(texts, 1)))


@pytest.mark.parametrize(
    "text",
    [
        LONG,
        f"He asked: “{LONG.upper()}?” and left",
        "\n> ".join(textwrap.wrap(LONG, 11)),
        LONG.replace("bridges", "brid-\n  # ges"),
        LONG.replace(" ", "\u00a0"),
        f"{LONG}: {LONG}",
    ],
)
def test_an_item_is_found_however_it_is_written(text: str) -> None:
    (leak,) = found(index(SHORT, LONG), "nothing here", text)
    assert (leak.source, leak.id, leak.share, leak.line) == ("s", "1", 1.0, 2)
    assert leak.quote == "which of the nine old bridges over the"


def test_an_item_over_several_records_is_found() -> None:
    (leak,) = found(index(LONG), *textwrap.wrap("before it all " + LONG + " after it", 15))
    assert leak.share == 1.0
    assert leak.line == 2


@pytest.mark.parametrize("batch", [1, 5, 13, 40])
def test_batches_hide_nothing(monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    monkeypatch.setattr(leaks, "BATCH", batch)
    texts = [f"line {n} says nothing of what is asked" for n in range(9)]
    texts[4] += " " + LONG
    (leak,) = found(index(LONG, SHORT), *texts)
    assert (leak.share, leak.line) == (1.0, 5)


def test_part_of_an_item_is_measured() -> None:
    half = " ".join(LONG.split()[:13])
    (leak,) = found(index(LONG), half + " was all they asked")
    assert leak.share == pytest.approx(13 / 18)
    assert not found(index(LONG), " ".join(LONG.split()[:12]))


@pytest.mark.parametrize(
    ("items", "text"),
    [
        (("the",), "the"),
        (("the", "a"), "the a the a the a"),
        (("one two three",), "one two three"),
        ((" ".join(["ha"] * 40),), " ".join(["ha"] * 60)),
        ((" ".join(map(str, range(40))),), " ".join(map(str, range(60)))),
        (("",), ""),
        (((),), ""),
        ((TINY,), f"the {TINY} is lost"),
    ],
)
def test_items_that_say_nothing_match_nothing(
    items: tuple[str | tuple[str, ...], ...], text: str
) -> None:
    assert not found(index(*items), text)


def test_short_items_are_found_whole() -> None:
    assert found(index(SHORT), f"so {SHORT.title()}, he said")[0].share == 1.0
    assert not found(index(SHORT), " ".join(SHORT.split()[:8]))
    (leak,) = found(index(TINY), f"the {TINY}", "Capital of Southern\nAtlantis?")
    assert (leak.line, leak.quote) == (2, TINY)


def test_the_question_is_found_without_its_answers() -> None:
    asked = index((SHORT, "aoraki", "tasman and some further words of an answer"))
    (leak,) = found(asked, SHORT)
    assert 0 < leak.share < 1


def test_what_many_items_share_is_their_template() -> None:
    template = "answer the following question by a single letter and nothing else at all please"
    asked = index(*(f"{template}{'' if n else ' indeed'} {n}" for n in range(20)))
    assert not found(asked, template)
    whole = index(*(f"{template}{n}" for n in range(20)))
    assert (asked.unjudged, whole.unjudged) == (0, 0)
    assert index("yes", "no", template).unjudged == 2
    few = index(template + " one", template + " two")  # too few to call it that
    assert found(few, template)


def test_collisions_are_no_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    monkeypatch.setattr(grams, "hashed", lambda some: np.ones(len(some), np.uint64))
    monkeypatch.setattr(leaks, "hashed", lambda some: np.ones(len(some), np.uint64))
    asked = index(LONG)
    other = " ".join(random.Random(1).sample(WORDS, 60))
    assert not found(asked, other)
    assert found(asked, LONG)


def test_the_line_of_prose_is_exact() -> None:
    rows = [f"line {n} of the text, broken at a hy-\nphen" for n in range(500)]
    text = "\n".join(rows)
    broken = "\n".join(textwrap.wrap(LONG, 30))
    (leak,) = found(index(LONG), "x\n", text + "\n" + broken + "\nthe end", prose=True)
    assert leak.line == 2 + 1000


def test_a_digest_names_what_is_looked_for() -> None:
    assert index(LONG).digest == index(LONG).digest
    assert len({index(LONG).digest, index(SHORT).digest, index(LONG, n=12).digest}) == 3


def _planted(count: int, docs: int) -> tuple[Index, Iterable[Record], dict[int, str]]:
    chance = random.Random(5)
    items = [" ".join(chance.choices(WORDS, k=chance.randint(8, 60))) for _ in range(count)]
    where: dict[int, str] = {}
    texts = [" ".join(chance.choices(WORDS, k=80)) for _ in range(docs)]
    for number in range(0, count, 2):
        line = chance.randrange(docs)
        while line + 1 in where:
            line = chance.randrange(docs)
        wrapped = textwrap.wrap(items[number], chance.randint(20, 70), break_long_words=False)
        texts[line] += chance.choice(["\n", "\n> ", "\n// "]).join(["", *wrapped, ""])
        where[line + 1] = str(number)
    return index(*items), [Record(n, (t,)) for n, t in enumerate(texts, 1)], where


def test_planted_leaks_are_found_and_nothing_else() -> None:
    asked, data, where = _planted(400, 2_000)
    assert {leak.line: leak.id for leak in search(asked, data)} == where
