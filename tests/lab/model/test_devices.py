from __future__ import annotations

import pytest

from lab.errors import ModelError
from lab.model.devices import devices


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> int:
    import torch

    count = int(request.param)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    return count


@pytest.mark.parametrize(
    ("gpus", "asked", "meant"),
    [
        (0, "cpu", ("cpu",)),
        (0, "auto", ("cpu",)),
        (2, "cpu", ("cpu",)),
        (2, "auto", ("cuda:0", "cuda:1")),
        (2, "cuda", ("cuda:0", "cuda:1")),
        (4, "cuda:0, cuda:3", ("cuda:0", "cuda:3")),
        (1, "cuda:0", ("cuda:0",)),
    ],
    indirect=["gpus"],
)
def test_what_is_meant(gpus: int, asked: str, meant: tuple[str, ...]) -> None:
    assert devices(asked) == meant


@pytest.mark.parametrize(
    ("gpus", "asked"),
    [(0, "cuda"), (0, "cuda:0"), (2, "cuda:2"), (2, "cuda:0,cuda:0"), (2, "mps"), (2, "")],
    indirect=["gpus"],
)
def test_what_is_not_there(gpus: int, asked: str) -> None:
    with pytest.raises(ModelError, match="is not there"):
        devices(asked)
