from __future__ import annotations

from pathlib import Path

import pytest

from registry.licenses.matching import match
from registry.licenses.metadata import Fields, claim
from registry.licenses.parted import joined
from tests.registry.licenses.test_texts import MIT

APACHE = (Path(__file__).parents[3] / "LICENSE").read_text()
BLOCK = "contemplating northern lighthouses somewhere beautifully and quietly\n" * 700
CLAUSE = "\nThe Software may not be used for commercial purposes.\n\n"
PARAGRAPHS = APACHE.split("\n\n")
HALF = len(PARAGRAPHS) // 2
EARLY, LATE = "\n\n".join(PARAGRAPHS[:HALF]) + "\n", "\n" + "\n\n".join(PARAGRAPHS[HALF:])


@pytest.mark.parametrize("between", [BLOCK + CLAUSE, CLAUSE + BLOCK, BLOCK + CLAUSE + BLOCK])
def test_a_licence_around_a_long_block_is_one(between: str) -> None:
    text = f"{EARLY}\n{between}{LATE}"
    assert len(match(text)) == 2
    (one,) = joined(text, match(text))
    assert (one.ids[0], one.dropped) == ("Apache-2.0", ())
    assert one.coverage > 0.98
    assert any("commercial purposes" in p.text for p in one.added)
    assert "besides" in claim(Fields(expression="Apache-2.0"), (text.encode(),)).reason


@pytest.mark.parametrize(
    "text",
    [
        f"{EARLY}\n{BLOCK}{EARLY}",
        f"{LATE}\n{BLOCK}{EARLY}",
        f"{EARLY}\n{BLOCK}{MIT}",
        f"{APACHE}\n{BLOCK}{APACHE}",
        f"{EARLY}\n{BLOCK}{LATE[2500:]}",
    ],
    ids=["early-twice", "turned", "other", "whole-twice", "some-gone"],
)
def test_what_is_no_whole_licence_stays_in_parts(text: str) -> None:
    found = match(text)
    assert joined(text, found) == found
