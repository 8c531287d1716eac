"""What is told of MLflow, objects and claims that differ from a ledger: literals alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from registry.mlflow import Known
from registry.release import drift
from registry.release.drift import Needed
from registry.release.ledger import Ledger
from tests.ledgers import NOW, A, claim, ledger, out, promote, root, withdraw

MADE = ledger(*out("1.0.0", "1.1.0"), promote("1.1.0"))
DOCUMENT = "document of {}"
WANTED = {"champion": "1.1.0", "challenger": "", "previous": ""}


def known(version: str, number: int, **more: str) -> Known:
    said = {"root": root(version), "document": root(DOCUMENT.format(version))} | more
    return Known(version, number, **said)  # type: ignore[arg-type]


GOOD = [known("1.0.0", 1), known("1.1.0", 2)]
POINTING = {"champion": "1.1.0"}


def told(there: list[Known], pointing: dict[str, str], made: Ledger = MADE) -> list[str]:
    return [one.what for one in drift.registered(made, A, there, pointing, WANTED)]


@pytest.mark.parametrize(
    ("there", "pointing", "said"),
    [
        (GOOD, POINTING, []),
        (GOOD[1:], POINTING, ["acme/small 1.0.0 is missing"]),
        ([known("1.0.0", 1, root="0" * 64), GOOD[1]], POINTING, ["has the root 000000000000"]),
        ([known("1.0.0", 1, document=""), GOOD[1]], POINTING, ["the document none"]),
        ([known("1.0.0", 1, status="FAILED_REGISTRATION"), GOOD[1]], POINTING, ["FAILED"]),
        ([*GOOD, known("1.0.0", 3)], POINTING, ["2 times: versions 1, 3"]),
        ([*GOOD, known("9.0.0", 3)], POINTING, ["version 3 says it is acme/small 9.0.0"]),
        (GOOD, {}, ["champion of acme/small points at nothing, not at 1.1.0"]),
        (GOOD, {"champion": "1.0.0"}, ["points at 1.0.0, not at 1.1.0"]),
        (GOOD, {"champion": ""}, ["points at something else, not at 1.1.0"]),
        (GOOD, POINTING | {"challenger": "1.0.0"}, ["points at 1.0.0, not at nothing"]),
        (GOOD, POINTING | {"production": "1.0.0"}, []),  # nobody's business
    ],
)  # fmt: skip
def test_mlflow(there: list[Known], pointing: dict[str, str], said: list[str]) -> None:
    found = told(there, pointing)
    assert len(found) == len(said), found
    assert all(part in what for part, what in zip(said, found, strict=True)), found


def test_a_version_that_is_being_released_is_nobodys_forgery() -> None:
    made = ledger(*out("1.0.0"), claim("1.1.0"))
    assert told([known("1.0.0", 1), known("1.1.0", 2)], POINTING, made) == []


def test_what_is_withdrawn_is_said_there_too() -> None:
    made = ledger(*out("1.0.0"), withdraw("1.0.0"))
    (found,) = drift.registered(made, A, [known("1.0.0", 1)], {}, dict.fromkeys(WANTED, ""))
    assert found.repair == ("withdrawn", "acme/small 1.0.0")
    assert not list(
        drift.registered(made, A, [known("1.0.0", 1, withdrawn="x")], {}, dict.fromkeys(WANTED, ""))
    )


@pytest.mark.parametrize(
    ("size", "there", "said"),
    [
        (5, {"a": 5}, ""), (-1, {"a": 5}, ""), (5, {"a": -1}, ""),
        (5, {}, "is missing"), (-1, {"b": 5}, "is missing"), (5, {"a": 4}, "has 4 bytes, not 5"),
        (0, {"a": 1}, "has 1 bytes, not 0"),
    ],
)  # fmt: skip
def test_objects(size: int, there: dict[str, int], said: str) -> None:
    found = list(drift.objects("remote x", [Needed("a", size, "v1")], there, ()))
    assert bool(found) == bool(said)
    assert all(said in one.what and one.repair is None for one in found)
    assert all(
        one.repair == ("object", "a")
        for one in drift.objects("remote x", [Needed("a", size, "v1")], there, {"a"})
    )


def test_a_claim_is_old_after_a_day() -> None:
    made = ledger(*out("1.0.0"), claim("1.1.0"))
    since = NOW + timedelta(minutes=2)
    assert not list(drift.claims(made, since + timedelta(days=1)))
    (found,) = drift.claims(made, since + timedelta(days=1, seconds=1))
    assert "acme/small 1.1.0" in found.what and found.repair is None
