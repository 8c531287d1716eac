"""Weights are mapped from their file, not copied."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.errors import ModelError
from lab.model.folder import inspect
from lab.model.load import load
from lab.model.probe import refuse_bad_numbers


def mapped(path: Path) -> Iterator[range]:
    """Yield the addresses at which this process has a file mapped."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.endswith(str(path)):
            start, end = line.split()[0].split("-")
            yield range(int(start, 16), int(end, 16))


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's list of mappings")
@pytest.mark.parametrize("half", [False, True])
def test_tensors_stay_in_the_file(llama: Path, tmp_path: Path, half: bool) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "model"
    shutil.copytree(llama, folder)
    path = folder / "model.safetensors"
    if half:
        found = {name: tensor.bfloat16() for name, tensor in load_file(str(path)).items()}
        save_file(found, str(path), {"format": "pt"})
    model = load(inspect(folder), "cpu")
    assert model.dtype == ("bfloat16" if half else "float32")
    places = list(mapped(path))
    assert places
    for name, tensor in model.module.named_parameters():
        assert any(tensor.data_ptr() in place for place in places), name


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "float8_e4m3fn"])
@pytest.mark.parametrize("place", [0, 7, 63])
def test_bad_numbers_are_found_in_every_dtype(dtype: str, place: int) -> None:
    import torch

    module: Any = torch.nn.Module()
    numbers = torch.ones(64)
    module.weight = torch.nn.Parameter(numbers.to(getattr(torch, dtype)), requires_grad=False)
    module.whole = torch.nn.Parameter(torch.ones(3, dtype=torch.int8), requires_grad=False)
    module.none = torch.nn.Parameter(torch.ones(0), requires_grad=False)
    refuse_bad_numbers(module)
    numbers[place] = float("nan")
    module.weight = torch.nn.Parameter(numbers.to(getattr(torch, dtype)), requires_grad=False)
    with pytest.raises(ModelError, match="'weight' holds NaN or infinity"):
        refuse_bad_numbers(module)


def test_pieces_are_all_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr("lab.model.probe._CHUNK", 10)
    module: Any = torch.nn.Module()
    for place in range(25):
        numbers = torch.ones(5, 5)
        numbers.view(-1)[place] = float("nan")
        module.weight = torch.nn.Parameter(numbers.to(torch.float8_e5m2), requires_grad=False)
        with pytest.raises(ModelError, match="NaN"):
            refuse_bad_numbers(module)
