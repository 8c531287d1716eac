"""What the child takes out of a checkpoint, and what it refuses. Torch's own files throughout."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from lab.errors import ModelError
from lab.recipes import checkpoint
from lab.recipes.checkpoint import DTYPES, convert, main, select, untie

ONE, TWO = torch.ones(2, 3), torch.arange(4.0)


def converted(tmp_path: Path, value: object, key: str = "", copy: bool = False) -> dict[str, Any]:
    torch.save(value, tmp_path / "model.bin")
    return convert(tmp_path / "model.bin", tmp_path / "out.safetensors", key, copy)


CHECKPOINTS: list[tuple[str, Any, str, set[str], list[str]]] = [
    ("plain", {"a": ONE, "b": TWO}, "", {"a", "b"}, []),
    ("ordered", OrderedDict(a=ONE), "", {"a"}, []),
    ("with numbers", {"a": ONE, "step": 3}, "", {"a"}, ["step"]),
    ("in state_dict", {"state_dict": {"a": ONE}, "epoch": 1}, "", {"a"}, ["epoch"]),
    ("in model", {"model": {"a": ONE}, "optimizer": {"b": TWO}}, "", {"a"}, ["optimizer"]),
    ("by its key", {"ema": {"a": ONE}, "model": {"b": TWO}}, "ema", {"a"}, ["model"]),
    ("parameters", {"a": torch.nn.Parameter(ONE.clone())}, "", {"a"}, []),
]


@pytest.mark.parametrize(
    ("value", "key", "names", "left"), [c[1:] for c in CHECKPOINTS], ids=[c[0] for c in CHECKPOINTS]
)
def test_tensors_are_found(
    tmp_path: Path, value: object, key: str, names: set[str], left: list[str]
) -> None:
    done = converted(tmp_path, value, key)
    assert {t[0] for t in done["tensors"]} == names and done["left"] == left
    assert load_file(tmp_path / "out.safetensors").keys() == names


REFUSED: list[tuple[str, Any, str, str]] = [
    ("a list", [ONE], "", "holds a list"),
    ("one tensor", ONE, "", "holds a Tensor"),
    ("no tensors", {"a": 1, "b": "x"}, "", "holds no tensors"),
    ("another key", {"a": ONE}, "ema", "no entry 'ema'"),
    ("names that are numbers", {1: ONE}, "", "names are no text"),
    ("sparse", {"a": torch.eye(3).to_sparse()}, "", "sparse"),
    ("complex of 128 bits", {"a": torch.zeros(2, dtype=torch.complex128)}, "", "complex128"),
    ("the header's own name", {"__metadata__": ONE}, "", "__metadata__"),
]


@pytest.mark.parametrize(
    ("value", "key", "reason"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_what_is_no_set_of_tensors_is_refused(
    tmp_path: Path, value: object, key: str, reason: str
) -> None:
    with pytest.raises(ModelError, match=reason):
        converted(tmp_path, value, key)


class Call:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("called",)


def test_code_is_not_run_even_where_no_scan_looked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelError, match="plain tensors"):
        converted(tmp_path, {"a": ONE, "b": Call()})
    assert "called" not in capsys.readouterr().out


def test_a_shared_tensor_is_stored_once_and_said(tmp_path: Path) -> None:
    value = {"embed": ONE, "head": ONE, "other": ONE.clone()}
    done = converted(tmp_path, value)
    assert done["tied"] == [("head", "embed")]
    with safe_open(tmp_path / "out.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt", "head": "embed"}
        assert set(file.keys()) == {"embed", "other"}
    done = converted(tmp_path, value, copy=True)
    assert done["tied"] == [] and len(load_file(tmp_path / "out.safetensors")) == 3


def test_parts_of_one_memory_are_copied_apart(tmp_path: Path) -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    value = {"whole": whole, "row": whole[1], "turned": whole.t(), "none": whole[:0]}
    converted(tmp_path, value)
    found = load_file(tmp_path / "out.safetensors")
    assert found.keys() == value.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in value.items())


@pytest.mark.parametrize("name", [n for n in DTYPES if hasattr(torch, n)])
def test_every_dtype_keeps_its_bytes(tmp_path: Path, name: str) -> None:
    kind = getattr(torch, name)
    size = kind.itemsize
    data = torch.arange(2 if name == "bool" else 16 * size, dtype=torch.uint8)
    stored = data.to(torch.bool) if name == "bool" else data.view(kind)
    done = converted(tmp_path, {"t": stored})
    with safe_open(tmp_path / "out.safetensors", "pt") as file:
        assert file.get_slice("t").get_dtype() == done["tensors"][0][1]
        assert torch.equal(file.get_tensor("t").view(torch.uint8), stored.view(torch.uint8))


def test_the_door_of_the_child(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"a": ONE}, tmp_path / "m.bin")
    answer = tmp_path / "answer.json"
    options = json.dumps({"key": "", "copy": False})
    assert main([str(tmp_path / "m.bin"), options, str(answer)]) == 0
    assert json.loads(answer.read_text())["tensors"][0][:3] == ["a", "F32", [2, 3]]
    assert capsys.readouterr().out == "1/1\n"
    (tmp_path / "m.bin").write_bytes(b"nothing")
    assert main([str(tmp_path / "m.bin"), options, str(answer)]) == 0
    assert json.loads(answer.read_text()).keys() == {"failure", "hint"}
    assert main([]) == checkpoint.USAGE


def test_names_are_cut_and_kept_in_order() -> None:
    tensors, left = select(
        {"state_dict": {"b": ONE, "a": TWO}, **{f"k{n}": n for n in range(3)}}, ""
    )
    assert list(tensors) == ["b", "a"] and left == ["k0", "k1", "k2"]
    kept, tied = untie({"late": ONE, "early": ONE}, copy=False)
    assert list(kept) == ["late"] and tied == {"early": "late"}
