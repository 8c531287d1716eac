"""The same model has one fingerprint however it is filed; another one has another."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lab.errors import ModelError
from lab.model import folder
from lab.model.folder import inspect

Change = Callable[[Path], None]
EMBEDDING = "model.embed_tokens.weight"


def edit(name: str, **changes: Any) -> Change:
    def change(folder: Path) -> None:
        value = json.loads((folder / name).read_text())
        value.update(changes)
        (folder / name).write_text(json.dumps(value))

    return change


def reordered(name: str) -> Change:
    def change(folder: Path) -> None:
        value = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(dict(reversed(value.items())), indent=7))

    return change


def tensors(change: Callable[[dict[str, Any]], object], **metadata: str) -> Change:
    def rewrite(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        path = str(folder / "model.safetensors")
        found = {name: tensor.clone() for name, tensor in load_file(path).items()}
        change(found)
        save_file(found, path, {"format": "pt", **metadata})

    return rewrite


def resharded(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    found = load_file(str(folder / "model.safetensors"))
    (folder / "model.safetensors").unlink()
    places = {name: f"part{number % 3}.safetensors" for number, name in enumerate(sorted(found))}
    for file in set(places.values()):
        some = {name: found[name] for name, place in places.items() if place == file}
        save_file(some, str(folder / file), {"format": "pt"})
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def one_bit(folder: Path) -> None:
    path = folder / "model.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def swapped(found: dict[str, Any]) -> None:
    left, right = "model.layers.0.self_attn.k_proj.weight", "model.layers.0.self_attn.q_proj.weight"
    found[left], found[right] = found[right], found[left]


def write(name: str, text: str) -> Change:
    def change(folder: Path) -> None:
        (folder / name).write_text(text)

    return change


SAME: Mapping[str, Change] = {
    "shards": resharded,
    "metadata": tensors(lambda t: None, note="saved again"),
    "readme": write("README.md", "not part of the model"),
    "config order": reordered("config.json"),
    "tokenizer order": reordered("tokenizer.json"),
    "saved by": edit("config.json", transformers_version="4.0", _name_or_path="there"),
    "dtype": edit("config.json", dtype="float16", torch_dtype="bfloat16"),
    "tokenizer from": edit("tokenizer_config.json", name_or_path="there", is_local=True),
}
OTHER: Mapping[str, Change] = {
    "one bit": one_bit,
    "swapped": tensors(swapped),
    "renamed": tensors(lambda t: t.update(x=t.pop(EMBEDDING))),
    "shape": tensors(lambda t: t.update({EMBEDDING: t[EMBEDDING].view(32, 320)})),
    "type": tensors(lambda t: t.update({EMBEDDING: t[EMBEDDING].view(dtype=_int32())})),
    "config": edit("config.json", rms_norm_eps=1e-5),
    "odd dtype": edit("config.json", dtype="nonsense"),
    "quantised dtype": edit("config.json", quantization_config={}),
    "tokenizer": edit("tokenizer.json", normalizer={"type": "Lowercase"}),
    "bos": edit("tokenizer_config.json", bos_token="</s>"),
    "template": edit("tokenizer_config.json", chat_template="{{ messages }}"),
    "template file": write("chat_template.jinja", "{{ messages }}"),
    "head alike, not tied": tensors(lambda t: t.update({"lm_head.weight": t[EMBEDDING].clone()})),
}


def _int32() -> Any:
    import torch

    return torch.int32


@pytest.mark.parametrize("name", SAME)
def test_same(llama: Path, tmp_path: Path, name: str) -> None:
    assert changed(llama, tmp_path, SAME[name])[0] == inspect(llama).fingerprint


@pytest.mark.parametrize("name", OTHER)
def test_other(llama: Path, tmp_path: Path, name: str) -> None:
    assert changed(llama, tmp_path, OTHER[name])[0] != inspect(llama).fingerprint


def changed(folder: Path, where: Path, *changes: Change) -> tuple[str, ...]:
    """Return the fingerprint after each change to a copy of the folder."""
    copy = where / "copy"
    shutil.copytree(folder, copy)
    found = []
    for change in changes:
        change(copy)
        found.append(inspect(copy).fingerprint)
    return tuple(found)


def test_dtype_counts_where_loading_reads_it(llama: Path, tmp_path: Path) -> None:
    quantised = edit("config.json", quantization_config={})
    before, after = changed(llama, tmp_path, quantised, edit("config.json", dtype="float16"))
    assert before != after


def test_tied_copy_adds_nothing(llama: Path, tmp_path: Path) -> None:
    def tie(folder: Path) -> None:
        edit("config.json", tie_word_embeddings=True)(folder)
        tensors(lambda t: t.pop("lm_head.weight"))(folder)

    without, copied, other = changed(
        llama,
        tmp_path,
        tie,
        tensors(lambda t: t.update({"lm_head.weight": t[EMBEDDING].clone()})),
        tensors(lambda t: t.update({"lm_head.weight": t[EMBEDDING] + 1})),
    )
    assert without == copied != other


def test_copy_of_one_of_two_embeddings_counts(llama: Path, tmp_path: Path) -> None:
    def two(folder: Path) -> None:
        edit("config.json", tie_word_embeddings=True)(folder)
        tensors(lambda t: t.update({"a.embed_tokens.weight": t.pop("lm_head.weight")}))(folder)

    copy = tensors(lambda t: t.update({"lm_head.weight": t["a.embed_tokens.weight"].clone()}))
    without, copied = changed(llama, tmp_path, two, copy)
    assert without != copied


@pytest.mark.parametrize("text", ["[" * 5_000 + "]" * 5_000, '{"a": NaN}', '{"a": 1, "a": 1}', "{"])
def test_hostile_tokenizer(llama: Path, tmp_path: Path, text: str) -> None:
    with pytest.raises(ModelError, match="tokenizer cannot be read"):
        changed(llama, tmp_path, write("tokenizer.json", text))


@pytest.mark.parametrize(
    ("count", "shards", "words"),
    [
        (30, 1, "more than 50 tensors"),
        (60, 0, "more than 50 tensors"),
        (1, 9, "headers of the weights take more than 400 bytes"),
    ],
)
def test_a_flood_of_tensors_is_refused(
    llama: Path,
    tmp_path: Path,
    count: int,
    shards: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing in a sandbox reads headers: without a bound they fill the machine's memory."""
    monkeypatch.setattr(folder, "TENSOR_LIMIT", 50)
    if shards > 1:
        monkeypatch.setattr(folder, "HEADER_LIMIT", 400)
    names = [f"part{number}.safetensors" for number in range(shards + 1)]

    def flood(place: Path) -> None:
        (place / "model.safetensors").unlink()
        for name in names:
            tensor = {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}
            header = json.dumps({f"{name}{n}": tensor for n in range(count)}).encode()
            (place / name).write_bytes(len(header).to_bytes(8, "little") + header)
        index = {"weight_map": {name: name for name in names}}
        (place / "model.safetensors.index.json").write_text(json.dumps(index))

    with pytest.raises(ModelError, match=words):
        changed(llama, tmp_path, flood)


def test_a_tokenizer_beyond_any_is_not_parsed(
    llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "TOKENIZER_LIMIT", 1_000)
    with pytest.raises(ModelError, match=r"has 1,001 bytes, more than 1,000"):
        changed(llama, tmp_path, write("tokenizer.json", "[" * 1_001))
