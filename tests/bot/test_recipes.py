"""`modelwarden recipe convert`, with the sandbox that this machine has."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors import safe_open
from safetensors.torch import load_file

from bot import converting, sandbox
from bot.converting import NEEDED, Options, Undecided, Unfit, Unsafe
from bot.errors import UsageError
from bot.recipecli import recipe
from bot.sandbox import Limits, SandboxFailed
from lab.recipes import checkpoint
from modelwarden import ROOT
from security.errors import Refused, Unreadable

needs_walls = pytest.mark.skipif(
    bool(sandbox.probe().missing(NEEDED)), reason="no sandbox with walls works here"
)
MODEL = {"embed.weight": torch.randn(10, 4), "norm.bias": torch.zeros(4, dtype=torch.bfloat16)}


class Evil:
    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.canary}",)


def saved(path: Path, value: object, **more: Any) -> Path:
    path.parent.mkdir(exist_ok=True)
    torch.save(value, path, **more)
    return path


def run(*words: object) -> Result:
    """Run the command; what it raises is what main() turns into a line and an exit code."""
    done = CliRunner().invoke(recipe, ["convert", *map(str, words)], standalone_mode=False)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def same(path: Path, expected: dict[str, torch.Tensor]) -> None:
    found = load_file(path)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


@needs_walls
@pytest.mark.parametrize("legacy", [False, True])
def test_a_file_is_converted_and_compared(tmp_path: Path, legacy: bool) -> None:
    source = saved(tmp_path / "m.bin", MODEL, _use_new_zipfile_serialization=not legacy)
    done = run(source, tmp_path / "out.safetensors", "--format", "json")
    found = json.loads(done.output)
    assert done.return_value == 0 and found["files"][0]["names"] == sorted(MODEL)
    same(tmp_path / "out.safetensors", MODEL)
    with safe_open(tmp_path / "out.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}
    with pytest.raises(Refused, match="there already"):
        run(source, tmp_path / "out.safetensors")
    run(source, tmp_path / "out.safetensors", "--force")
    assert {path.name for path in tmp_path.iterdir()} == {"m.bin", "out.safetensors"}


@needs_walls
def test_a_folder_is_converted_shards_index_and_all(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    parts = {name: {name: tensor} for name, tensor in MODEL.items()}
    mapping = {}
    for number, (name, part) in enumerate(parts.items(), 1):
        shard = f"pytorch_model-{number:05}-of-00002.bin"
        saved(folder / shard, part)
        mapping[name] = shard
    index = {"metadata": {"total_size": 1}, "weight_map": mapping}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    (folder / "config.json").write_text("{}")
    (folder / "README.md").write_text("# Model")
    (folder / "chat_template.jinja").write_text("{{ ''.__class__.__mro__ }}")
    (folder / "sub").mkdir()
    secret = tmp_path / "secret"
    secret.write_text("{}")
    (folder / "generation_config.json").symlink_to(secret)
    (folder / "LICENSE").symlink_to("README.md")
    saved(folder / "optimizer.pt", {"a": 1})
    done = run(folder, tmp_path / "new")
    new = tmp_path / "new"
    assert sorted(path.name for path in new.iterdir()) == [
        "LICENSE", "README.md", "config.json", "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors", "model.safetensors.index.json",
    ]  # fmt: skip
    made = json.loads((new / "model.safetensors.index.json").read_text())["weight_map"]
    assert {name: load_file(new / shard)[name].shape for name, shard in made.items()} == {
        name: tensor.shape for name, tensor in MODEL.items()
    }
    assert not any(path.is_symlink() for path in new.iterdir())
    for left in ("optimizer.pt", "chat_template.jinja", "sub", "generation_config.json"):
        assert f"left out: {left}" in done.output
    with pytest.raises(Refused, match="there already"):
        run(folder, new)


def leaves_nothing(tmp_path: Path, *kept: Path) -> None:
    assert set(tmp_path.iterdir()) == set(kept)


@needs_walls
def test_code_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    source = saved(tmp_path / "m.bin", MODEL | {"x": Evil(canary)})
    with pytest.raises(Unsafe, match=r"m\.bin is not converted: .*system.*byte") as raised:
        run(source, tmp_path / "out.safetensors")
    assert raised.value.exit_code == 1 and raised.value.hint
    leaves_nothing(tmp_path, source)


@needs_walls
def test_what_cannot_be_judged_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "m.bin"
    source.write_bytes(b"\x80\x04\x95" + b"\xff" * 40)
    with pytest.raises(Undecided) as raised:
        run(source, tmp_path / "out.safetensors")
    assert raised.value.exit_code == 3
    leaves_nothing(tmp_path, source)


@needs_walls
def test_a_hostile_shard_stops_the_folder_before_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    saved(folder / "a.bin", MODEL)
    (folder / "b.bin").write_bytes(pickle.dumps(Evil(tmp_path / "canary")))
    with pytest.raises(Unsafe, match=r"b\.bin"):
        run(folder, tmp_path / "new")
    leaves_nothing(tmp_path, folder)


BAD: list[tuple[str, Any, str]] = [
    ("no tensors", {"a": 1}, "holds no tensors"),
    ("a list", [torch.ones(1)], "holds a list"),
]


@needs_walls
@pytest.mark.parametrize(("value", "reason"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_holds_no_weights_is_said(tmp_path: Path, value: object, reason: str) -> None:
    source = saved(tmp_path / "m.bin", value)
    with pytest.raises(Unfit, match=rf"m\.bin: it {reason}") as raised:
        run(source, tmp_path / "out.safetensors")
    assert raised.value.exit_code == 2 and raised.value.hint
    leaves_nothing(tmp_path, source)


@needs_walls
def test_an_index_that_is_wrong_stops_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    saved(folder / "pytorch_model-00001-of-00002.bin", MODEL)
    index = folder / "pytorch_model.bin.index.json"
    for text, reason in (
        ("{", "index"),
        ('{"weight_map": {}}', "names no shards"),
        ('{"weight_map": {"a": "../x.bin"}}', "outside its folder"),
        ('{"weight_map": {"a": "gone.bin"}}', "gone.bin is not there"),
    ):
        index.write_text(text)
        with pytest.raises(Unfit, match=reason):
            run(folder, tmp_path / "new")
    leaves_nothing(tmp_path, folder)


@needs_walls
def test_one_tensor_in_two_files_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    saved(folder / "a.pt", MODEL)
    saved(folder / "b.pt", MODEL)
    with pytest.raises(Unfit, match=r"is in a\.safetensors and in b\.safetensors"):
        run(folder, tmp_path / "new")
    leaves_nothing(tmp_path, folder)


def test_places_that_are_not_there(tmp_path: Path) -> None:
    source = saved(tmp_path / "m.bin", MODEL)
    for words, reason in (
        ((tmp_path / "gone.bin", tmp_path / "o.safetensors"), "no such file"),
        ((source, tmp_path / "gone" / "o.safetensors"), "cannot be written"),
        ((source, tmp_path / "o.bin"), "cannot be written"),
    ):
        if not sandbox.probe().missing(NEEDED):
            with pytest.raises(UsageError, match=reason):
                run(*words)
    with pytest.raises(Unreadable):
        converting.scan(tmp_path)


def test_without_walls_nothing_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    none = sandbox.Protection("plain", ("time",))
    monkeypatch.setattr(sandbox, "probe", lambda: none)
    source = saved(tmp_path / "m.bin", MODEL)
    with pytest.raises(SandboxFailed, match="network and filesystem") as raised:
        run(source, tmp_path / "out.safetensors")
    assert "bubblewrap" in raised.value.hint
    leaves_nothing(tmp_path, source)


LIES = {
    "other bytes": "data[-1] ^= 1",
    "other tensors": "answer['tensors'].pop()",
    "other metadata": "answer['tied'] = [['a', 'embed.weight']]",
    "tail": "data += b'x'",
    "other digest": "answer['tensors'][0][3] = 'ab'",
    "no answer": "answer = []",
    "shape of text": "answer['tensors'][0][2] = 'x'",
    "header of 2^60": "data[:8] = (2**60).to_bytes(8, 'little')",
    "nothing": "data = b''",
    "a link": "link = '/etc/passwd'",
    "a pipe": "link = 'pipe'",
}
CHILD = """
import json, os, sys
from pathlib import Path
target = Path(sys.argv[-1])
weights = target.with_name("weights.safetensors")
data = bytearray(Path({good!r}, "weights.safetensors").read_bytes())
answer, link = json.loads(Path({good!r}, "answer.json").read_text()), ""
{lie}
if link == "pipe":
    os.mkfifo(weights)
elif link:
    weights.symlink_to(link)
else:
    weights.write_bytes(data)
target.write_text(json.dumps(answer))
"""


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an honest child leaves."""
    folder = tmp_path_factory.mktemp("good")
    source = saved(folder / "m.bin", MODEL)
    options = json.dumps({"key": "", "copy": False})
    checkpoint.main([str(source), options, str(folder / "answer.json")])
    return folder


def lied(
    tmp_path: Path, good: Path, lie: str, monkeypatch: pytest.MonkeyPatch
) -> converting.Written:
    script = tmp_path / "child.py"
    script.write_text(CHILD.format(good=str(good), lie=lie))
    real = sandbox.run

    def hostile(words: Any, *, inputs: Any, **more: Any) -> Any:
        return real((str(script), *words[2:]), inputs=(*inputs, script, good), **more)

    monkeypatch.setattr(sandbox, "run", hostile)
    return converting.convert(
        good / "m.bin", tmp_path / "o.safetensors", Options(), overwrite=False,
        progress=lambda done, total: None,
    )  # fmt: skip


@needs_walls
def test_a_child_that_does_not_lie_is_believed(
    tmp_path: Path, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lied(tmp_path, good, "", monkeypatch).names == tuple(sorted(MODEL))
    same(tmp_path / "o.safetensors", MODEL)


@needs_walls
@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_child_that_lies_gives_nothing(
    tmp_path: Path, good: Path, lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SandboxFailed):
        lied(tmp_path, good, lie, monkeypatch)
    leaves_nothing(tmp_path, tmp_path / "child.py")


@needs_walls
def test_a_model_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    source = saved(tmp_path / "m.bin", MODEL)
    with pytest.raises(Unreadable, match="changed while"):
        converting.convert(
            source, tmp_path / "o.safetensors", Options(), overwrite=False,
            progress=lambda done, total: source.touch(),
        )  # fmt: skip
    leaves_nothing(tmp_path, source)


def test_the_weights_a_child_leaves_are_bounded(tmp_path: Path) -> None:
    script = tmp_path / "child.py"
    script.write_text(
        "import sys, pathlib\n"
        "p = pathlib.Path(sys.argv[-1]); p.with_name('w').write_bytes(b'x' * 2000)\n"
        "p.write_text('{}')\n"
    )
    seen: list[bytes] = []

    def take(answer: bytes, folder: int) -> None:
        seen.append(answer)
        os.close(sandbox.pick(folder, "w", 2_000))
        with pytest.raises(SandboxFailed, match="over 1,999"):
            sandbox.pick(folder, "w", 1_999)
        with pytest.raises(SandboxFailed, match="no readable gone"):
            sandbox.pick(folder, "gone", 10)

    limits = Limits(20, 512 << 20, 100, 2_000)
    sandbox.run((str(script),), inputs=(script,), limits=limits, take=take)
    assert seen == [b"{}"]
    small = Limits(20, 512 << 20, 100, 1_000)
    with pytest.raises(SandboxFailed):
        sandbox.run((str(script),), inputs=(script,), limits=small)


@needs_walls
@pytest.mark.parametrize(
    ("value", "code", "line"), [("evil", 1, "is not converted"), ({"a": 1}, 2, "holds no tensors")]
)
def test_the_command_ends_with_one_line_a_remedy_and_its_code(
    tmp_path: Path, value: object, code: int, line: str
) -> None:
    canary = tmp_path / "canary"
    source = saved(tmp_path / "m.bin", Evil(canary) if value == "evil" else value)
    done = subprocess.run(
        [sys.executable, "-I", ROOT / "modelwarden.py", "recipe", "convert", source,
         tmp_path / "o.safetensors"], capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == code and line in done.stderr and not done.stdout
    assert len(done.stderr.splitlines()) == 2 and "Traceback" not in done.stderr
    leaves_nothing(tmp_path, source)
