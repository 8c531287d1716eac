"""Folders that must be refused, each for its own reason and without a path of the host."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab.errors import ModelError, one_line
from lab.model.folder import inspect
from lab.model.load import load
from tests.lab.models import make_model, make_tokenizer

Damage = Callable[[Path], None]


def edit(name: str, **changes: Any) -> Damage:
    def damage(folder: Path) -> None:
        value = json.loads((folder / name).read_text())
        value.update(changes)
        (folder / name).write_text(json.dumps(value))

    return damage


def tensors(change: Callable[[dict[str, Any]], object]) -> Damage:
    def damage(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        path = str(folder / "model.safetensors")
        found = {name: tensor.clone() for name, tensor in load_file(path).items()}
        change(found)
        save_file(found, path, {"format": "pt"})

    return damage


def write(name: str, data: bytes) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(data)

    return damage


def remove(name: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).unlink()

    return damage


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'true'\ntR.")


def cut(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def sharded(names: dict[str, str]) -> Damage:
    def damage(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        index = {"metadata": {}, "weight_map": names}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    return damage


def more_tokens(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["added_tokens"].append(
        {
            "id": 320,
            "content": "<new>",
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
    )
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


def not_causal(folder: Path) -> None:
    import torch
    import transformers

    torch.manual_seed(0)
    settings: dict[str, Any] = {
        "vocab_size": 320,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 64,
        "is_decoder": True,
    }
    module: Any = transformers.BertLMHeadModel(transformers.BertConfig(**settings))
    module.save_pretrained(str(folder))
    edit("config.json", is_decoder=False)(folder)


def architectures(*names: str) -> Damage:
    return edit("config.json", architectures=list(names))


def untied(found: dict[str, Any]) -> None:
    found["lm_head.weight"] = found["model.embed_tokens.weight"] + 1


def tied(change: Callable[[dict[str, Any]], object]) -> Damage:
    def damage(folder: Path) -> None:
        edit("config.json", tie_word_embeddings=True)(folder)
        tensors(change)(folder)

    return damage


def twice(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    (folder / "a.safetensors").write_bytes(data)
    (folder / "b.safetensors").write_bytes(data)
    sharded({"x": "a.safetensors", "y": "b.safetensors"})(folder)


Q_PROJ = "model.layers.0.self_attn.q_proj.weight"
REFUSED: tuple[tuple[str, Damage, str], ...] = (
    ("no config", remove("config.json"), "config.json is missing"),
    ("bad config", write("config.json", b"{"), "config.json is not plain JSON"),
    ("duplicate", write("config.json", b'{"a": 1, "a": 2}'), "duplicate key"),
    ("list", write("config.json", b"[]"), "config.json is not a JSON object"),
    ("own code", edit("config.json", auto_map={"AutoModel": "x.Y"}), "code of its own"),
    ("nested code", edit("config.json", t={"auto_map": {"AutoModel": "x.Y"}}), "code of its own"),
    ("no type", edit("config.json", model_type="nope"), "model_type 'nope'"),
    ("not a model", edit("config.json", model_type=["llama"]), "model_type"),
    ("not for text", edit("config.json", model_type="vit"), "no language model and no classifier"),
    ("bad value", edit("config.json", hidden_size="wide"), "config.json cannot be used"),
    ("zero heads", edit("config.json", num_attention_heads=0), "config.json"),
    ("no context", edit("config.json", max_position_embeddings=1), "max_position_embeddings is 1"),
    ("no tokenizer", remove("tokenizer.json"), "tokenizer.json is missing"),
    ("bad tokenizer", write("tokenizer.json", b"{}"), "tokenizer cannot be read"),
    ("big tokenizer", more_tokens, "ids go up to 320, the model has 320 embeddings"),
    ("bad settings", write("tokenizer_config.json", b"]"), "tokenizer_config.json is not plain"),
    ("no weights", remove("model.safetensors"), "no weights"),
    ("pickle", pickled, "only pickled weights"),
    ("cut", cut, "model.safetensors: "),
    ("empty", write("model.safetensors", b""), "too short"),
    ("huge", write("model.safetensors", (2**60).to_bytes(8, "little") + b"{}"), "header of"),
    ("adapter", write("adapter_config.json", b"{}"), "an adapter"),
    ("lost shard", sharded({"a": "model-00001-of-00002.safetensors"}), "shard .* is missing"),
    ("shard outside", sharded({"a": "../x.safetensors"}), "names a shard '../x.safetensors'"),
    ("shard pickle", sharded({"a": "x.bin"}), "names a shard"),
    ("no shard", sharded({}), "names 0 shards"),
    ("missing", tensors(lambda t: t.pop(Q_PROJ)), f"'{Q_PROJ}' is missing"),
    ("extra", tensors(lambda t: t.update(x=t[Q_PROJ] + 1)), "'x' is in the weights but not"),
    ("shape", tensors(lambda t: t.update({Q_PROJ: t[Q_PROJ][:8].clone()})), "another shape"),
    ("nan", tensors(lambda t: t[Q_PROJ][0, 0].fill_(float("nan"))), "NaN or infinity"),
    ("inf", tensors(lambda t: t[Q_PROJ][3, 5].fill_(float("-inf"))), "NaN or infinity"),
    ("overflow", tensors(lambda t: t["model.norm.weight"].fill_(3e38)), "NaN or infinite"),
    ("looks ahead", not_causal, "not causal"),
    ("base only", architectures("LlamaModel"), "names 'LlamaModel': none that"),
    ("no architecture", architectures(), "names nothing: none"),
    ("two kinds", architectures("LlamaForCausalLM", "LlamaForSequenceClassification"), "than one"),
    ("other family", architectures("LlamaForSequenceClassification"), "'score.weight' is missing"),
    ("untied", tied(untied), "are tied in config.json but differ"),
    ("no head", tensors(lambda t: t.pop("lm_head.weight")), "'lm_head.weight' is missing"),
    ("two shards", twice, "is in two shards"),
    ("no tensor", tensors(lambda t: t.clear()), "hold no tensor"),
    ("template", write("chat_template.jinja", b"x" * 10_000_001), "chat_template.jinja has"),
)


@pytest.mark.parametrize(("damage", "words"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_refused(llama: Path, tmp_path: Path, damage: Damage, words: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(llama, folder)
    damage(folder)
    with pytest.raises(ModelError, match=words) as caught:
        load(inspect(folder), "cpu")
    said = caught.value.message
    assert str(tmp_path) not in said
    assert "\n" not in said
    assert "/" not in said.replace("../x", "")
    assert len(said) < 500
    assert caught.value.hint


def test_no_code_of_the_folder_runs(llama: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(llama, folder)
    trap = "import pathlib; pathlib.Path(__file__).with_name('ran').touch()\n"
    for name in ("modeling_llama.py", "tokenization.py", "generate.py", "sitecustomize.py"):
        (folder / name).write_text(trap)
    (folder / "custom_generate").mkdir()
    (folder / "custom_generate" / "generate.py").write_text(trap)
    edit("tokenizer_config.json", auto_map={"AutoTokenizer": ["tokenization.T", None]})(folder)
    load(inspect(folder), "cpu")
    assert not list(folder.rglob("ran"))


def test_shards_load_like_one_file(llama: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "model"
    shutil.copytree(llama, folder)
    found = load_file(str(folder / "model.safetensors"))
    (folder / "model.safetensors").unlink()
    names = sorted(found)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, some in parts.items():
        save_file({n: found[n] for n in some}, str(folder / file), {"format": "pt"})
    index = {"weight_map": {n: file for file, some in parts.items() for n in some}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    left, right = load(inspect(llama), "cpu"), load(inspect(folder), "cpu")
    for a, b in zip(left.module.parameters(), right.module.parameters(), strict=True):
        assert torch.equal(a, b)
    assert left.fingerprint == right.fingerprint


def test_dtype_is_the_stored_one(tmp_path: Path) -> None:
    folder = make_model(tmp_path)
    tensors(lambda t: t.update({n: x.bfloat16() for n, x in t.items()}))(folder)
    model = load(inspect(folder), "cpu")  # config.json still says float32
    assert (model.dtype, model.architecture) == ("bfloat16", "LlamaForCausalLM")
    assert not model.module.training


def test_how_texts_begin(llama: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(llama, folder)
    begin = load(inspect(folder), "cpu").tokens
    assert (begin.opening, begin.lead) == ((), 0)
    edit("tokenizer_config.json", bos_token=None)(folder)
    assert load(inspect(folder), "cpu").tokens.lead == 1  # EOS
    template = {
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": "<s>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
        ],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}},
    }
    edit("tokenizer.json", post_processor=template)(folder)
    begin = load(inspect(folder), "cpu").tokens
    assert (begin.opening, begin.lead) == ((0,), 0)
    make_tokenizer(folder, bos=False)
    assert load(inspect(folder), "cpu").tokens.lead is None


def test_tokenizer_neither_cuts_nor_pads(llama: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(llama, folder)
    cutting = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    edit("tokenizer.json", truncation=cutting)(folder)
    tokens = load(inspect(folder), "cpu").tokens
    [encoded] = tokens.encode(["The keeper of the lamp"])
    assert encoded.lossless


def test_lossy_tokenizer_is_seen(llama: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(llama, folder)
    edit("tokenizer.json", normalizer={"type": "Lowercase"})(folder)
    tokens = load(inspect(folder), "cpu").tokens
    assert [e.lossless for e in tokens.encode(["Upper", "lower"])] == [False, True]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("bad\nmore"), "ValueError: bad"),
        (OSError("no file /srv/secret/model.bin here"), "OSError: no file <path> here"),
        (KeyError(), "KeyError"),
        (ValueError("a\x1b[31mb"), "ValueError: a [31mb"),
        (ValueError("x" * 9_000), "ValueError: " + "x" * 288),
    ],
)
def test_one_line(error: Exception, line: str) -> None:
    assert one_line(error) == line
