"""What the scan of changed files comes to, in real repositories; no sample ever runs."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import save

from bot.cache import Cache
from bot.checks import weights
from bot.checks.weights import Settings
from bot.cli import cli
from bot.errors import Missing
from bot.finding import Finding
from bot.repository import GitWorld
from tests.bot.checks.weights.test_diffs import put
from tests.gitrepo import Repo


class Evil:
    """A pickle that would write a file named by the test."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.canary}",)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


def evil(canary: Path) -> bytes:
    return pickle.dumps(Evil(canary))


def torch_zip(**tensors: Any) -> bytes:
    import torch

    out = io.BytesIO()
    torch.save(OrderedDict(tensors), out)
    return out.getvalue()


def harmless() -> bytes:
    import torch

    return torch_zip(a=torch.ones(3, 4), b=torch.zeros(2))


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def check(repo: Repo, files: dict[str, bytes | str], **settings: Any) -> list[Finding]:
    base = repo.commit({"a.txt": "x"})
    head = repo.commit(files)
    chosen = Settings(**settings)
    with GitWorld(repo.path) as world:
        return list(weights.judge(weights.collect(world.change(base, head), world, chosen), chosen))


def told(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(f.rule.removeprefix("weights/"), str(f.severity)) for f in findings]


@pytest.mark.parametrize("name", ["m/w.bin", "m/w.safetensors", "m/data", "m/w.txt"])
def test_a_pickle_is_refused_with_what_it_would_call(repo: Repo, canary: Path, name: str) -> None:
    [finding] = check(repo, {name: evil(canary)})
    assert told([finding]) == [("pickle", "failure")] and finding.location.path == name
    assert "system" in finding.message and "(byte " in finding.message
    assert "modelwarden recipe convert" in finding.remedy
    assert not canary.exists()


@pytest.mark.parametrize(
    ("settings", "hostile", "expected"),
    [
        ({}, False, "failure"),
        ({"pickles": "refuse"}, False, "failure"),
        ({"pickles": "scan"}, False, "warning"),
        ({"pickles": "scan"}, True, "failure"),
    ],
)
def test_the_policy_says_what_becomes_of_a_harmless_pickle(
    repo: Repo, canary: Path, settings: dict[str, Any], hostile: bool, expected: str
) -> None:
    data = zipped({"w/data.pkl": evil(canary)}) if hostile else harmless()
    found = check(repo, {"m/w.bin": data}, **settings)
    assert told(found) == [("pickle", expected)]
    assert not canary.exists()


def test_a_pickle_that_cannot_be_judged_blocks(repo: Repo) -> None:
    broken = b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x00" + b"\x8c\x02os" * 5
    found = check(repo, {"w.pkl": broken}, pickles="scan")
    assert found and {f.severity.value for f in found} <= {"unknown", "failure"}


TEMPLATE = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
ESCAPE = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
TEXTS = [
    ("plain template", {"m/config.json": "{}", "m/chat_template.jinja": TEMPLATE}, []),
    ("template that escapes", {"m/config.json": "{}", "m/chat_template.jinja": ESCAPE},
     [("hostile", "failure")]),
    ("in the tokenizer's configuration",
     {"m/tokenizer_config.json": json.dumps({"chat_template": ESCAPE})}, [("hostile", "failure")]),
    ("in a file of its own", {"m/chat_template.json": json.dumps({"chat_template": ESCAPE})},
     [("hostile", "failure")]),
    ("template of a web site", {"web/page.jinja": ESCAPE}, []),
    ("configuration of another tool", {"package.json": '{"auto_map": {"a": "b.C"}}'}, []),
    ("code is said once", {"m/config.json": json.dumps({"auto_map": {"AutoModel": "net.Net"}})},
     [("executable-config", "failure")]),
    ("adapter without revision", {"m/adapter_config.json": json.dumps(
        {"base_model_name_or_path": "org/llm"})}, [("undecided", "warning")]),
    ("adapter of a host path", {"m/adapter_config.json": json.dumps(
        {"base_model_name_or_path": "../../etc"})}, [("hostile", "failure")]),
]  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), [t[1:] for t in TEXTS], ids=[t[0] for t in TEXTS])
def test_texts_of_models_are_judged(
    repo: Repo, files: dict[str, bytes | str], expected: list[tuple[str, str]]
) -> None:
    assert told(check(repo, files)) == expected


def test_files_that_are_two_things_at_once_block(repo: Repo, canary: Path) -> None:
    good = save({"a": np.ones(4, np.float32)})
    found = check(repo, {"m/model.safetensors": good + zipped({"data.pkl": evil(canary)})})
    assert any(f.severity.value in ("failure", "unknown") for f in found)
    [finding] = check(repo, {"m/x.dat": zipped({"a/b.bin": evil(canary)})})
    assert finding.severity.value == "failure" and "system" in finding.message
    assert not canary.exists()


@pytest.mark.parametrize("place", ["lfs", "dvc"])
def test_objects_are_scanned_where_they_are_at_hand(repo: Repo, canary: Path, place: str) -> None:
    repo.write({".gitignore": ".dvc\n"})
    name = "m/model.safetensors" + ("" if place == "lfs" else ".dvc")
    found = check(repo, {name: put(repo, evil(canary), place)})
    assert ("pickle", "failure") in told(found)
    assert place.upper() in found[0].message and "system" in found[0].message
    assert not canary.exists()


def test_the_command_names_call_offset_and_remedy(repo: Repo, canary: Path) -> None:
    """Through the engine, whose checks run in threads that end before the process does."""
    base = repo.commit({"a.txt": "x"})
    head = repo.commit({"w.bin": evil(canary), "v.pt": evil(canary)})
    line = ["check", "--repo", str(repo.path), "--base", base, "--head", head, "--only", "weights"]
    done = CliRunner().invoke(cli, line, standalone_mode=False)
    assert done.return_value == 1 and done.output.count("weights/pickle") >= 1
    assert "system" in done.output and "recipe convert" in " ".join(done.output.split())
    assert not canary.exists()


def test_a_judgement_is_remembered_by_blob(repo: Repo, canary: Path, tmp_path: Path) -> None:
    base = repo.commit({"a.txt": "x"})
    head = repo.commit({"w.bin": evil(canary) + b"x" * 6_000_000})
    found: list[weights.Evidence] = []
    for _ in range(2):
        with GitWorld(repo.path, Cache(tmp_path / "kept.db")) as world:
            change = world.change(base, head)
            if found:
                world.export = None  # type: ignore[method-assign, assignment]
            found.append(weights.collect(change, world, Settings()))
    assert found[0] == found[1] and found[0].files[0].scanned


def test_what_could_not_be_read_is_not_judged(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({"a.txt": "x"})
    head = repo.commit({"w.onnx": b"GGUF" + b"\xff" * 6_000_000})

    def gone(blob: str, target: Path, limit: int) -> None:
        raise Missing("object is not in this clone", "fetch it")

    with GitWorld(repo.path, Cache(tmp_path / "kept.db")) as world:
        world.export = gone  # type: ignore[method-assign]
        with pytest.raises(Missing):
            weights.collect(world.change(base, head), world, Settings())


def test_of_a_big_text_only_the_first_bytes_are_read(repo: Repo) -> None:
    base = repo.commit({"a.txt": "x"})
    head = repo.commit({"big.txt": b"words and more words\n" * 400_000})
    with GitWorld(repo.path) as world:
        world.export = None  # type: ignore[method-assign, assignment]
        assert weights.collect(world.change(base, head), world, Settings()).files == ()
