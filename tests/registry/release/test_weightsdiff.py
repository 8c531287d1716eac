from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from lab.tensors.values import Kind
from registry.errors import MissingWeights, RegistryError, UnsafeWeights
from registry.release.weightsdiff import between
from security.errors import InvalidSafetensors

Tensors = dict[str, np.ndarray[Any, Any]]
BASE: Tensors = {f"layer.{n}": np.full((4, 8), n + 1, np.float32) for n in range(4)}


def folder(place: Path, files: dict[str, Tensors], index: dict[str, str] | None = None) -> Path:
    place.mkdir()
    for name, tensors in files.items():
        (place / name).write_bytes(save(tensors))
    if index is not None:
        text = json.dumps({"weight_map": index})
        (place / "model.safetensors.index.json").write_text(text)
    return place


def test_two_folders_are_compared_without_a_check(tmp_path: Path) -> None:
    after = dict(BASE)
    after["layer.1"] = BASE["layer.1"] * 1.5
    after["new"] = np.zeros(3, np.float32)
    del after["layer.3"]
    old = folder(tmp_path / "old", {"model.safetensors": BASE})
    # Cut into shards, and beside a file that is none of them: what is compared is the model.
    one = {k: v for k, v in after.items() if k < "layer.2"}
    two = {k: v for k, v in after.items() if k >= "layer.2"}
    shards = {"m-1.safetensors": one, "m-2.safetensors": two, "x.safetensors": BASE}
    named = dict.fromkeys(one, "m-1.safetensors") | dict.fromkeys(two, "m-2.safetensors")
    new = folder(tmp_path / "new", shards, named)
    found = between(old, new)
    assert {(s.name, s.kind) for s in found.shifts} == {
        ("layer.1", Kind.CHANGED), ("layer.3", Kind.REMOVED), ("new", Kind.ADDED)
    }  # fmt: skip
    (changed,) = (s for s in found.shifts if s.kind is Kind.CHANGED)
    assert changed.numbers is not None
    assert (changed.numbers.relative, changed.numbers.share) == (0.5, 1.0)
    assert (found.tensors, found.same) == (4, 2)


def test_a_file_that_is_one_is_not_read(tmp_path: Path) -> None:
    old = folder(tmp_path / "old", {"a.safetensors": BASE, "b.safetensors": {"x": BASE["layer.0"]}})
    new = folder(tmp_path / "new", {"b.safetensors": {"x": BASE["layer.1"]}})
    os.link(old / "a.safetensors", new / "a.safetensors")
    found = between(old, new)
    assert [s.name for s in found.shifts] == ["x"]
    assert found.tensors == 1 and found.read < 1_000


def test_what_is_beyond_the_limit_is_said(tmp_path: Path) -> None:
    old = folder(tmp_path / "old", {"model.safetensors": BASE})
    new = folder(tmp_path / "new", {"model.safetensors": {k: v * 2 for k, v in BASE.items()}})
    assert {s.doubt for s in between(old, new, limit=1).shifts} == {
        "beyond the 1 bytes that are compared"
    }


@pytest.mark.parametrize(
    ("what", "error", "says"),
    [
        ("nowhere", MissingWeights, "No such file"),
        ("empty", MissingWeights, "holds no safetensors"),
        ("missing", MissingWeights, "names 'm-2.safetensors', which is not there"),
        ("above", RegistryError, "index"),
        ("index", UnsafeWeights, "index"),
        ("link", UnsafeWeights, "model.safetensors"),
        ("pipe", UnsafeWeights, "no regular file"),
        ("cut", InvalidSafetensors, "."),
        ("twice", InvalidSafetensors, "is in a.safetensors and in b.safetensors"),
    ],
)
def test_refuses(tmp_path: Path, what: str, error: type[Exception], says: str) -> None:
    old = folder(tmp_path / "old", {"model.safetensors": BASE})
    new = tmp_path / "new"
    if what == "missing":
        folder(new, {"m-1.safetensors": BASE}, {"a": "m-1.safetensors", "b": "m-2.safetensors"})
    elif what == "above":
        folder(new, {}, {"a": "../old/model.safetensors"})
    elif what == "twice":
        folder(new, {"a.safetensors": BASE, "b.safetensors": BASE})
    elif what != "nowhere":
        folder(new, {})
    if what == "index":
        (new / "model.safetensors.index.json").write_text("[")
    elif what == "link":
        (new / "model.safetensors").symlink_to(old / "model.safetensors")
    elif what == "pipe":
        os.mkfifo(new / "model.safetensors")
    elif what == "cut":
        (new / "model.safetensors").write_bytes(save(BASE)[:-1])
    for pair in ((old, new), (new, old)):
        with pytest.raises(error, match=says):
            between(*pair)


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, registry.release.weightsdiff\n"
        "assert not {'numpy', 'torch', 'mlflow', 'dvc'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=True)
