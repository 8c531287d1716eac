from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.licenses.expressions import (
    LIMIT,
    LicenseError,
    covers,
    leaves,
    normalise,
    same,
    weigh,
)
from registry.licenses.names import CLASSIFIERS, FIELDS

HUB = Path(__file__).parents[4] / "shared/data/audit/hf-license-ids.json"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mit", "MIT"),
        ("  MIT \n OR   isc ", "MIT OR ISC"),
        ("MIT and (apache-2.0 or isc)", "MIT AND (Apache-2.0 OR ISC)"),
        ("GPL-3.0", "GPL-3.0-only"),
        ("GPL-2.0+", "GPL-2.0-or-later"),
        ("Apache-2.0 WITH LLVM-exception", "Apache-2.0 WITH LLVM-exception"),
        (
            "MIT OR GPL-2.0-only with Classpath-exception-2.0 AND ISC",
            "MIT OR (GPL-2.0-only WITH Classpath-exception-2.0 AND ISC)",
        ),
        ("LicenseRef-Acme-1.0 OR MIT", "LicenseRef-Acme-1.0 OR MIT"),
        ("DocumentRef-a:LicenseRef-b", "DocumentRef-a:LicenseRef-b"),
        ("gemma", "gemma"),
        ("Llama3.1", "llama3.1"),
        ("openrail++", "openrail++"),
        ("noassertion", "NOASSERTION"),
        ("gpl", "gpl"),  # a family: no version is guessed
        ("OpenMDW-1.0", "OpenMDW-1.0"),
        ("Apache-2.0+", "Apache-2.0+"),
        ("(" * 400 + "MIT" + ")" * 400, "MIT"),
        ("mpl-2.0-no-copyleft-exception", "MPL-2.0-no-copyleft-exception"),
    ],
)
def test_reads(text: str, expected: str) -> None:
    assert normalise(text) == expected
    assert normalise(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n ",
        "MIT/Apache-2.0",
        "MIT,Apache-2.0",
        "MIT, Apache-2.0",
        "MIT|ISC",
        "Apache License, Version 2.0",
        "MIT AND",
        "AND",
        "or MIT",
        "WITH",
        "MIT WITH",
        "MIT WITH MIT",
        "MIT WITH (LLVM-exception)",
        "(MIT) WITH LLVM-exception",
        "LLVM-exception",
        "MIT ISC",
        "MIT License",
        "()",
        "(MIT",
        "MIT)",
        "(or MIT",
        ")MIT(",
        "MIT (ISC)",
        "NOT MIT",
        "MIT & ISC",
        "МІТ",
        "MIT\0",
        "no-such-licence",
        "MIT OR no-such-licence",
        "(" * 5000,
        "MIT" + " OR MIT" * LIMIT,
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(LicenseError) as caught:
        normalise(text)
    assert len(str(caught.value)) < 200
    assert "\n" not in str(caught.value)


PIECES = ["MIT", "AND", "or", "With", "(", ")", "LLVM-exception", "+", "/", ",", "GPL-2.0", "é", ""]


@given(st.lists(st.sampled_from(PIECES), max_size=9), st.sampled_from([" ", "", "\n"]))
def test_any_text_is_read_or_refused(pieces: list[str], glue: str) -> None:
    try:
        found = normalise(glue.join(pieces))
    except LicenseError:
        return
    assert normalise(found) == found
    assert same(found, glue.join(pieces))


@given(st.text(max_size=60))
def test_no_text_crashes_it(text: str) -> None:
    try:
        normalise(text)
    except LicenseError as error:
        assert "\n" not in str(error)


def test_or_takes_the_best_and_and_the_worst() -> None:
    ranks = {"MIT": 0, "ISC": 1, "GPL-2.0-only WITH Classpath-exception-2.0": 3}
    table = {
        "MIT": 0,
        "MIT OR ISC": 0,
        "MIT AND ISC": 1,
        "MIT AND (ISC OR GPL-2.0 WITH Classpath-exception-2.0)": 1,
        "MIT OR (ISC AND GPL-2.0 WITH Classpath-exception-2.0)": 0,
        "GPL-2.0 WITH Classpath-exception-2.0 AND MIT": 3,
    }
    assert {e: weigh(e, ranks.__getitem__) for e in table} == table


def test_leaves_keep_exceptions() -> None:
    expression = "MIT OR (Apache-2.0 WITH LLVM-exception AND MIT)"
    assert leaves(expression) == ("MIT", "Apache-2.0 WITH LLVM-exception")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("MIT OR ISC", "isc or mit", True),
        ("MIT OR (ISC OR 0BSD)", "0BSD OR ISC OR MIT", True),
        ("MIT AND (ISC OR 0BSD)", "(0BSD OR ISC) AND MIT", True),
        ("MIT OR MIT", "MIT", True),
        ("MIT OR ISC", "MIT AND ISC", False),
        ("GPL-2.0", "GPL-2.0-or-later", False),
    ],
)
def test_same(one: str, other: str, expected: bool) -> None:
    assert same(one, other) is expected


def test_families_cover_their_members_alone() -> None:
    assert covers("bsd", "BSD-3-Clause")
    assert covers("apache", "Apache-2.0")
    assert not covers("gpl", "LGPL-2.1-only")
    assert not covers("MIT", "MIT-0")


def test_our_own_tables_hold_expressions() -> None:
    for value in (*CLASSIFIERS.values(), *FIELDS.values()):
        assert normalise(value) == value


@pytest.mark.skipif(not HUB.exists(), reason="the list of hub ids is not at hand")
def test_every_hub_id_is_a_licence() -> None:
    for row in json.loads(HUB.read_text()):
        assert normalise(row["id"]).lower().startswith(row["id"])
