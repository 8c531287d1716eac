from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.model.folder import inspect
from lab.model.vocabulary import vocabulary_change

SAME = "tokenizer differs: 320 tokens: "


def more(tokenizer: dict[str, Any]) -> None:
    tokenizer["added_tokens"].append({"id": 320, "content": "<new>"})


def swap(tokenizer: dict[str, Any]) -> None:
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]


def rename(tokenizer: dict[str, Any]) -> None:
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary["new"] = vocabulary.pop("a")


def unigram(tokenizer: dict[str, Any]) -> None:
    tokenizer["model"] = {"type": "Unigram", "vocab": [["<s>", 0.0], ["</s>", 0.0], ["x", -1.0]]}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda t: t.update(version=t.pop("version")), ""),
        (more, "tokenizer differs: 320 -> 321 tokens: 1 added"),
        (swap, SAME + "2 given another id"),
        (rename, SAME + "1 added, 1 removed"),
        (lambda t: t["model"]["merges"].reverse(), SAME + "the same tokens, but other rules"),
        (unigram, "tokenizer differs: 320 -> 3 tokens: 317 removed, 1 given another id"),
        (lambda t: t.update(model=None, added_tokens=None), "tokenizer differs: 320 -> 0 tokens"),
        (lambda t: t.update(model={"vocab": [1, []]}, added_tokens=[1, {}]), "320 -> 0 tokens"),
    ],
)
def test_change(llama: Path, tmp_path: Path, change: Callable[[Any], None], line: str) -> None:
    shutil.copytree(llama, tmp_path / "head")
    path = tmp_path / "head" / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    change(tokenizer)
    path.write_text(json.dumps(tokenizer))
    found = vocabulary_change(inspect(llama), inspect(tmp_path / "head"))
    assert line in found
    assert bool(found) == bool(line)
    assert "\n" not in found
