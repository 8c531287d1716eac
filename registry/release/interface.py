"""What of a model its users depend on, from the files of its folder, and what of it changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lab.model.fingerprint import tokenizer_json
from lab.model.vocabulary import tokens
from security.manifest import Entry
from security.paths import ATTESTATIONS, SIGNATURE

Change = tuple[Literal["patch", "minor", "major"], str]
# Keys of config.json by what they say; all others are settings of the computation.
_SHAPE = (
    "model_type", "hidden_size", "n_embd", "d_model", "num_hidden_layers", "n_layer", "num_layers",
    "num_attention_heads", "n_head", "num_key_value_heads", "head_dim", "intermediate_size",
    "num_experts", "num_local_experts", "is_encoder_decoder", "tie_word_embeddings",
)  # fmt: skip
_OUTPUT = ("vocab_size", "num_labels", "id2label", "label2id", "problem_type", "vision_config",
           "audio_config")  # fmt: skip
_SPECIAL = ("bos", "eos", "pad", "unk", "sep", "cls", "mask", "decoder_start", "additional_special")
_CONTEXT = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length", "n_ctx")
_TYPES = ("dtype", "torch_dtype")
_SOURCE = ("_name_or_path", "name_or_path", "transformers_version", "_commit_hash", "is_local",
           "tokenizer_file", "vocab_file", "special_tokens_map_file")  # fmt: skip
_TEMPLATE = "chat_template"
_WEIGHTS = (".safetensors", ".safetensors.index.json", ".gguf", ".onnx")
_PARSED = ("config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
_TOKENIZER = ("special_tokens_map.json", "vocab.json", "merges.txt", "added_tokens.json",
              "vocab.txt", "spiece.model", "tokenizer.model")  # fmt: skip
_PROSE = (".md", ".rst", ".pdf", ".svg", ".png", ".jpg")
_TITLES = ("license", "licence", "notice", "citation", "readme", "copying")
_OURS = ("release/", SIGNATURE, ATTESTATIONS)  # what a release adds to the folder


@dataclass(frozen=True, slots=True)
class Interface:
    """A model as its users see it. Digests are SHA-256 in hex; "" or 0 is what it has not.

    `shape` and `output` are (key, value) of its configuration, `settings` a digest of the rest;
    `weights` a digest of what is stored, however it is filed; `code` that of the project's own.
    """

    architecture: str
    shape: tuple[tuple[str, str], ...] = ()
    output: tuple[tuple[str, str], ...] = ()
    vocabulary: str = ""
    tokens: int = 0
    tokenizer: str = ""
    special: tuple[tuple[str, str], ...] = ()
    template: str = ""
    context: int = 0
    dtype: str = ""
    settings: str = ""
    weights: str = ""
    others: str = ""
    card: str = ""
    code: str = ""

    def changes(self, new: Interface) -> Iterator[Change]:
        """Yield what is other in `new`, and which number of a version that changes."""
        if self.architecture != new.architecture:
            yield "major", f"the architecture is {new.architecture}, was {self.architecture}"
        yield from _pairs("major", "", self.shape, new.shape)
        yield from _pairs("major", "", self.output, new.output)
        if self.vocabulary != new.vocabulary:
            count = f"{self.tokens:,} -> {new.tokens:,} tokens" if self.tokens != new.tokens else ""
            yield "major", "the vocabulary changed" + (f": {count}" if count else "")
        elif self.tokenizer != new.tokenizer:
            yield "major", "the tokenizer splits text by other rules"
        yield from _pairs("major", "the special token ", self.special, new.special)
        if self.template != new.template:
            yield "major", "the chat template changed"
        if self.context != new.context:
            less = new.context < self.context
            words = f"takes {new.context:,} tokens at once, took {self.context:,}"
            yield ("major" if less else "minor"), words
        if self.dtype != new.dtype:
            yield "minor", f"the weights are stored as {new.dtype}, were as {self.dtype}"
        if self.weights != new.weights:
            yield "minor", "the weights changed"
        if self.settings != new.settings:
            yield "minor", "settings of the computation in config.json changed"
        if self.others != new.others:
            yield "minor", "other files of the model changed"
        if self.card != new.card:
            yield "patch", "the card or other documents changed"
        if self.code != new.code:
            yield "patch", "the project's code changed"


def interface_of(
    config: Mapping[str, Any],
    tokenizer: bytes,
    settings: Mapping[str, Any],
    template: bytes,
    files: Iterable[Entry],
    *,
    dtype: str = "",
    weights: str = "",
    code: str = "",
) -> Interface:
    """Return the interface of a model from its files, as lab.model.folder reads them. No torch.

    `settings` is tokenizer_config.json; `weights` a digest of the tensors if there is one that does
    not depend on how they are filed, else that of the files counts. Raises ModelError for a
    tokenizer that is no JSON.
    """
    inner = config.get("text_config")  # of a model that also sees or hears
    config = {**(inner if isinstance(inner, dict) else {}), **config}
    parsed = tokenizer_json(tokenizer) if tokenizer else None
    known = tokens(parsed)
    said = {k for k in config if _is_special(k)}
    said.update(_SHAPE, _OUTPUT, _CONTEXT, _TYPES, _SOURCE, ("architectures", "text_config"))
    rules = {k: v for k, v in settings.items() if k not in (*_SOURCE, _TEMPLATE)}
    kinds = _sorted(files)
    context = [config[key] for key in _CONTEXT if type(config.get(key)) is int]
    templates = [template.decode("utf-8", "replace"), settings.get(_TEMPLATE) or ""]
    return Interface(
        architecture=_names(config.get("architectures")) or "unknown",
        shape=_chosen(config, _SHAPE),
        output=_chosen(config, _OUTPUT),
        vocabulary=_digest(known) if known else "",
        tokens=len(known),
        tokenizer=_digest([parsed, rules, _of(kinds["tokenizer"])]),
        special=_special(config, settings),
        template=_digest(templates) if any(templates) else "",
        context=context[0] if context else 0,
        dtype=dtype or next((str(config[key]) for key in _TYPES if config.get(key)), ""),
        settings=_digest({k: v for k, v in config.items() if k not in said}),
        weights=weights or _of(kinds["weights"]),
        others=_of(kinds["others"]),
        card=_of(kinds["prose"]),
        code=code,
    )


def _sorted(files: Iterable[Entry]) -> Mapping[str, list[Entry]]:
    """Return files by what they are; those that were parsed, and our own, are none of these."""
    found: dict[str, list[Entry]] = {k: [] for k in ("weights", "tokenizer", "prose", "others")}
    for file in files:
        name = file.path.rpartition("/")[2].lower()
        if file.path.startswith(_OURS) or file.path in _PARSED:
            continue
        if name.endswith(_WEIGHTS):
            found["weights"].append(file)
        elif name in _TOKENIZER:
            found["tokenizer"].append(file)
        elif name.endswith(_PROSE) or name.startswith(_TITLES):
            found["prose"].append(file)
        else:
            found["others"].append(file)
    return found


def _pairs(
    bump: Literal["major"],
    what: str,
    old: tuple[tuple[str, str], ...],
    new: tuple[tuple[str, str], ...],
) -> Iterator[Change]:
    before, after = dict(old), dict(new)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            now, was = after.get(name, "not set"), before.get(name, "not set")
            yield bump, f"{what}{name} is {now:.60}, was {was:.60}"


def _chosen(config: Mapping[str, Any], names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, _text(config[name])) for name in sorted(names) if name in config)


def _special(config: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    found = {k: _text(v) for k, v in config.items() if _is_special(k)}
    for name, value in settings.items():
        if _is_special(name):  # a token is its text, or an object that holds it
            value = value.get("content", value) if isinstance(value, dict) else value
            found[name] = _text(value)
    return tuple(sorted((name, text) for name, text in found.items() if text != "null"))


def _is_special(name: str) -> bool:
    return name.endswith(("_token", "_token_id", "_tokens")) and name.startswith(_SPECIAL)


def _names(value: object) -> str:
    return ", ".join(map(_text, value)) if isinstance(value, list) else _text(value or "")


def _text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return "".join(c if c.isprintable() else "?" for c in text)


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _of(files: Iterable[Entry]) -> str:
    found = sorted((each.path, each.digest) for each in files)
    return _digest(found) if found else ""
