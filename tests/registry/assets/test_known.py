from __future__ import annotations

import datetime

import pytest

from registry.assets.known import known, table
from registry.licenses.expressions import is_unstated, normalise


def test_every_entry_names_a_licence_and_can_be_reached() -> None:
    reviewed, rows = table()
    assert datetime.date.fromisoformat(reviewed)
    for row in rows:
        assert row.why and "card" not in row.why  # no card was read for it
        assert "/" in row.name or "*" not in row.name
        assert not is_unstated(normalise(row.license)) and normalise(row.license) == row.license
        found = known(row.name.replace("*", ""))
        assert found is not None and found.license == row.license, row.name
    assert len({row.name.lower() for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("name", "license"),
    [
        ("meta-llama/Llama-2-7b-chat-hf", "llama2"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama3.1"),
        ("META-LLAMA/LLAMA-3.2-1B", "llama3.2"),
        ("Qwen/Qwen2.5-3B-Instruct", "LicenseRef-qwen-research"),
        ("Qwen/Qwen2.5-7B", "Apache-2.0"),
        ("google/gemma-2-9b-it", "gemma"),
        ("gpt2-xl", "MIT"),
        ("google-bert/bert-base-german-cased", "MIT"),
        ("google-bert/bert-base-uncased", "Apache-2.0"),
        ("Qwen/Qwen3-4B-Instruct-2507", "Apache-2.0"),
        ("microsoft/Phi-4-mini-instruct", "MIT"),
    ],
)
def test_well_known_models(name: str, license: str) -> None:
    found = known(name)
    assert found is not None and found.license == license


@pytest.mark.parametrize(
    "name",
    [
        "google/gemma", "someone/Llama-2-7b", "meta-llama/Llama-5-1B", "Qwen/Qwen2.5-VL-3B", "",
        "*",
        # A folder of anybody's, and relatives that others made or released otherwise.
        "gpt2-finetuned", "bert-base-german-cased", "bert-large-mine", "distilbert-base-mine",
        "FacebookAI/xlm-roberta-large-finetuned-conll03-english", "bigcode/starcoderdata",
        "mistralai/Mistral-Small-Instruct-2409", "tiiuae/falcon-180B", "tiiuae/falcon-7b2",
        "Qwen/Qwen2.5-7Bx", "microsoft/phi-4x",
    ],
)  # fmt: skip
def test_what_is_not_certain_is_not_known(name: str) -> None:
    assert known(name) is None
