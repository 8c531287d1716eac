"""The command line in this process, and a small model to sign and seal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot import cli


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


Warden = Callable[..., Done]


@pytest.fixture
def warden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Warden:
    """Run `modelwarden WORDS` in tmp_path with its own state, as a user would."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*words: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["modelwarden", *map(str, words)])
        capsys.readouterr()
        code = cli.main()
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Done(code, said.out, said.err)

    return run


def tensors(values: dict[str, bytes]) -> bytes:
    """Return a safetensors file of one-byte tensors."""
    header, at = {}, 0
    for name, data in values.items():
        header[name] = {"dtype": "U8", "shape": [len(data)], "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"".join(values.values())


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder as models come: weights, a configuration, a card."""
    folder = tmp_path / "tiny"
    (folder / "tokenizer").mkdir(parents=True)
    weights = {"embed": os.urandom(50_000), "head": os.urandom(20_000), "norm": bytes(100)}
    (folder / "model.safetensors").write_bytes(tensors(weights))
    (folder / "config.json").write_text('{"architectures": ["LlamaForCausalLM"]}')
    (folder / "README.md").write_text("# Tiny\n")
    (folder / "tokenizer" / "vocab.txt").write_text("a\nb\n")
    return folder


@pytest.fixture
def key(warden: Warden, tmp_path: Path) -> Path:
    """A P-256 key without a passphrase; its public key is beside it."""
    assert warden("keys", "generate", "release.key", "--no-passphrase").code == 0
    return tmp_path / "release.key"
