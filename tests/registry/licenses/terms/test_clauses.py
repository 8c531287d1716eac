"""Which clauses a text is said to hold: a truth table of 67 texts, and sentences added to them."""

from __future__ import annotations

import gzip
import json
import time
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.licenses.terms.clauses import QUOTE, clauses, tags
from tests.registry.licenses.terms.sentences import SEEN, UNSEEN
from tests.registry.licenses.terms.truth import MISSED, TABLE, TOO_MUCH

AUDIT = Path(__file__).parents[5] / "shared/data/audit"
SPDX = AUDIT / "spdx/spdx-licenses.json.gz"
needs_texts = pytest.mark.skipif(not SPDX.exists(), reason="the licence texts are not at hand")
# Nearly every text has these, and nothing follows from them.
COMMON = frozenset(("warranty", "termination", "patent"))


def _text(name: str) -> str:
    listed = _listed()
    if name in listed:
        return listed[name]
    return (AUDIT / "ai-licenses" / f"{name}.txt").read_text()


@cache
def _listed() -> dict[str, str]:
    listed = json.loads(gzip.decompress(SPDX.read_bytes()))
    return {id: entry["text"] for id, entry in listed.items() if id in TABLE}


@needs_texts
@pytest.mark.parametrize("name", TABLE)
def test_a_text_of_the_table(name: str) -> None:
    held = tags(_text(name)) - COMMON
    true = set(TABLE[name].split())
    assert true - held == set(MISSED.get(name, "").split())
    assert held - true == set(TOO_MUCH.get(name, "").split())


def test_how_much_of_the_table_is_right() -> None:
    true = sum(len(held.split()) for held in TABLE.values())
    missed = sum(len(held.split()) for held in MISSED.values())
    wrong = sum(len(held.split()) for held in TOO_MUCH.values())
    found = true - missed
    assert found / true >= 0.90
    assert found / (found + wrong) >= 0.97


def _rates(rows: tuple[tuple[str, str], ...]) -> tuple[float, float]:
    found = missed = wrong = 0
    for sentence, held in rows:
        true, said = set(held.split()), set(tags(sentence)) - COMMON
        found += len(true & said)
        missed += len(true - said)
        # A sentence that limits the field of use in other words, or that holds a notice, may.
        wrong += len(said - true - {"notice", "field_of_use"})
    return found / (found + missed), found / (found + wrong)


def test_sentences_that_the_patterns_were_made_with() -> None:
    recall, precision = _rates(tuple((text, held) for text, held in SEEN if held != "warranty"))
    assert recall >= 0.97
    assert precision >= 0.93


def test_sentences_they_were_not_made_with() -> None:
    recall, precision = _rates(UNSEEN)
    assert recall >= 0.83
    assert precision >= 0.86


@pytest.mark.parametrize(
    ("sentence", "tag"),
    [
        # The GPL's alternative for those who got no source; read as "noncommercial" it forbids all.
        (
            "This alternative is allowed only occasionally and noncommercially, and only if you "
            "received the object code with such an offer.",
            "noncommercial",
        ),
        ("for any purpose, both commercial and non-commercial", "noncommercial"),
        ("does not impose any restrictions on outputs used to train models", "output_training"),
        ("You may not modify the work except as this License says.", "no_derivatives"),
    ],
)  # fmt: skip
def test_a_negated_sentence_is_there_and_marked(sentence: str, tag: str) -> None:
    marked = [found for found in clauses(sentence) if found.tag == tag]
    assert [found.negated for found in marked] == [True]
    assert tag not in tags(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Permission to deal in the Software without any restriction, and without limitation.",
        "Copyright (c) 2023 The Regents of the University of California, Beijing and Berlin.",
        "This Agreement is governed by the laws of the European Union's member states.",
        "The Software is not designed or intended for nuclear or military use.",
        "It is for any use, not only commercial use.",
        "It is for any purpose, not only research purposes.",
        "Free for use without restriction, for commercial purposes and military purposes.",
    ],
)
def test_what_restricts_nothing(sentence: str) -> None:
    assert not tags(sentence) & {
        "noncommercial", "research_only", "use_restrictions", "territory", "field_of_use",
    }  # fmt: skip


def test_without_limitation_excepts_nothing() -> None:
    assert "no_distribution" in tags("You may not, without limitation, redistribute the weights.")
    assert "no_derivatives" in tags("You may not modify, without limiting the above, the weights.")
    assert "no_distribution" not in tags("You may not redistribute it without this notice.")


def test_cannot_is_a_not() -> None:
    assert tags("Recipients cannot reverse engineer the weights.") == {"reverse_engineering"}


def test_a_quote_is_bounded_whatever_it_holds() -> None:
    (found,) = clauses(f"You may not use this {'x' * 5_000} for commercial purposes.")
    assert len(found.quote) == QUOTE


def test_a_list_item_is_read_with_what_introduces_it() -> None:
    text = (
        "You will not, and will not permit others to:\n\na. use it for\n(i) any commercial purposes"
    )
    (found,) = [found for found in clauses(text) if found.tag == "noncommercial"]
    assert found.line == 1 and "any commercial purposes" in found.quote


def test_the_line_is_that_of_the_sentence() -> None:
    text = (
        "# Title\n#\n# Permission is granted.\n# You may not use this\n# for commercial purposes.\n"
    )
    (found,) = [found for found in clauses(text) if found.tag == "noncommercial"]
    assert found.line == 4
    assert found.quote.startswith("You may not use this")


@pytest.mark.parametrize(
    "text",
    [
        "not " * 125_000,
        "x" * 500_000,
        "\n" * 500_000,
        '"' * 500_000,
        ". a" * 130_000,
        ("a" + " " * 300) * 1_600,
        ("not " * 59 + "military ") * 2_000,
        "outputs improve " * 30_000,
        "commercial use must " * 25_000,
    ],
    ids=lambda text: text[:12],
)
def test_a_hostile_text_costs_what_any_other_does(text: str) -> None:
    before = time.process_time()
    quarter = clauses(text[: len(text) // 4])
    middle = time.process_time()
    whole = clauses(text)
    spent = time.process_time() - middle
    assert spent < 6 * (middle - before) + 0.5  # four times the text; seconds, with room
    assert len(whole) <= 4 * len(quarter) + 8
    assert all(len(found.quote) <= QUOTE for found in whole)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="not comercial use.;:\n'’a1 ‮\x00", max_size=400))
def test_any_text_is_read(text: str) -> None:
    for found in clauses(text):
        assert 1 <= found.line <= text.count("\n") + 1
        assert found.quote in " ".join(text.split())
