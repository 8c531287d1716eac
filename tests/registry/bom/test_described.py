"""What a configuration says of a model's shape; dates; the number of a bill."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.bom.described import LIMIT, NOTHING, hyperparameters, identity, moment
from registry.bom.values import Bom, Component
from registry.errors import ReleaseError
from tests.registry.bom.given import DESCRIBED

BOM = Bom("a", "2026-10-01T12:00:00Z", (Component("a", "package", "a"),))


def test_only_what_is_listed_is_told() -> None:
    config = b"""{"hidden_size": 64, "model_type": "ll\\u0007ama", "auto_map": {"A": "x.py"},
      "_name_or_path": "/home/me", "rope_theta": 1e4, "tie_word_embeddings": true,
      "vocab_size": null, "num_hidden_layers": [2], "rms_norm_eps": Infinity}"""
    assert hyperparameters(config) == (
        ("model_type", "ll\\x07ama"),
        ("hidden_size", "64"),
        ("rms_norm_eps", "Infinity"),
        ("rope_theta", "10000.0"),
        ("tie_word_embeddings", "true"),
    )


@pytest.mark.parametrize(
    "config", [b"", b"[]", b"{", b"\xff", b"null", b'{"r": ' + b"9" * 5_000 + b"}", b"[" * 10**6]
)
def test_a_configuration_that_is_none(config: bytes) -> None:
    with pytest.raises(ReleaseError, match=r"config\.json: "):
        hyperparameters(config)


def test_a_configuration_that_is_too_long() -> None:
    with pytest.raises(ReleaseError, match="more than"):
        hyperparameters(b" " * (LIMIT + 1))


@given(st.binary(max_size=200))
def test_any_bytes(config: bytes) -> None:
    try:
        found = hyperparameters(config)
    except ReleaseError as error:
        assert error.message.isprintable()
    else:
        assert all(value.isprintable() for _, value in found)


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("2026-10-01T12:00:00Z", "2026-10-01T12:00:00Z"),
        ("2026-10-01T01:00:00.5+02:00", "2026-09-30T23:00:00Z"),
    ],
)
def test_dates(date: str, said: str) -> None:
    assert moment(date) == said


@pytest.mark.parametrize("date", ["", "now", "2026-10-01", "0001-01-01T00:00:00+14:00", "\x00"])
def test_dates_that_are_none(date: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        moment(date)
    assert caught.value.message.isprintable()


def test_the_number_of_a_bill_is_of_its_content() -> None:
    one = identity(BOM, NOTHING)
    assert UUID(one).version == 5
    assert one == identity(replace(BOM), replace(NOTHING))
    others = {
        identity(replace(BOM, subject="b"), NOTHING),
        identity(BOM, DESCRIBED),
        identity(BOM, replace(DESCRIBED, measurements=())),
    }
    assert len(others | {one}) == 4
