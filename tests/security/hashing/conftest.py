"""Digests by both roads, and small models to take them of."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from security.hashing import digests

Make = Callable[[dict[str, bytes]], Path]


@pytest.fixture(params=["hashlib", "extension"])
def road(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run once with hashlib and once with the extension."""
    if request.param == "hashlib":
        monkeypatch.setattr(digests, "FAST", digests.PURE)
    elif not digests.FAST.paired:
        pytest.skip("the extension is not built here")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return what writes a model of these files."""

    def write(files: dict[str, bytes]) -> Path:
        root = tmp_path / "model"
        root.mkdir(exist_ok=True)
        for name, data in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return root

    return write


@pytest.fixture
def tensors() -> Callable[[dict[str, bytes]], bytes]:
    """Return what builds a safetensors file of byte tensors."""

    def build(found: dict[str, bytes]) -> bytes:
        header, at = {}, 0
        for name, data in found.items():
            offsets = [at, at + len(data)]
            header[name] = {"dtype": "U8", "shape": [len(data)], "data_offsets": offsets}
            at += len(data)
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + b"".join(found.values())

    return build


def descriptors() -> int:
    """Return how many files this process has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


@pytest.fixture(autouse=True)
def nothing_stays_open() -> object:
    """See after each test that every descriptor was closed again."""
    before = descriptors()
    yield
    assert descriptors() <= before
