"""Configurations of training, merging, quantising and measuring: which assets they name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from registry.assets import keys, names
from registry.assets.fields import Field, read
from registry.assets.values import Told, Use
from registry.bom.values import Kind, Tie
from registry.documents import DocumentError

_HINT = re.compile(
    rb"base_model|model_name|model_id|model_path|pretrained|teacher|adapter_name|lora_model_dir"
    rb"|hf_model|draft_model|speculative_model|reward_model|judge_model|generator_model"
    rb"|peft_model_id|dataset|merge_method|models"
)
# Keys that only a configuration of ours has: such a file must be readable.
_CERTAIN = re.compile(
    rb"^[ \t]{0,40}(?:-[ \t]{1,8}|\{[ \t]{0,8})?[\"']?(?:base_model"
    rb"|base_model_name_or_path|model_name_or_path|teacher_model|teacher_model_name_or_path"
    rb"|merge_method|adapter_name_or_path)[\"']?"
    rb"[ \t]{0,8}:",
    re.MULTILINE,
)
_OF_A_MODEL = re.compile(rb"_name_or_path|model_type|architectures|transformers_version")
_MODEL_ARGS = re.compile(r"(?:^|,)\s*(pretrained|peft|model)=([^,\s]{1,300})")


def concerns(data: bytes) -> bool:
    """Whether the bytes hold any key that could name an asset."""
    return b"/" in data and _HINT.search(data) is not None


def told(data: bytes, *, is_json: bool) -> Told:
    """Read a configuration; one without a key of ours says nothing, readable or not.

    What cannot be read and has no key that is surely ours may be anything, and is passed over.
    """
    if not concerns(data):
        return Told()
    try:
        fields = read(data, is_json=is_json)
    except DocumentError as error:
        if _CERTAIN.search(data):
            return Told(trouble=error.message, line=error.line)
        return Told(skipped=error.message, line=error.line)
    tie, firm = _purpose({f.key for f in fields})
    uses = dict.fromkeys(u for f in fields for u in _uses(f, tie, firm=firm))
    ordered = tuple(sorted(uses, key=lambda use: use.line))
    return Told("weights" if firm and uses else "", ordered)


def adapter(data: bytes) -> Told:
    """Read adapter_config.json (peft): what the adapter was trained on top of."""
    return _saved(data, "base_model_name_or_path", "adapter")


def config(data: bytes) -> Told:
    """Read config.json (transformers): what the weights beside it were made from.

    Other programs have files of that name; one of theirs that cannot be read is passed over.
    """
    found = _saved(data, "_name_or_path", "model")
    if found.trouble and not _OF_A_MODEL.search(data.replace(b"\0", b"")):
        return Told(skipped=found.trouble, line=found.line)
    return found


def _saved(data: bytes, key: str, kind: Kind) -> Told:
    try:
        fields = read(data, is_json=True)
    except DocumentError as error:
        return Told(trouble=error.message, line=error.line)
    top = {f.key: f for f in fields if len(f.path) == 1}
    quantised = "quantization_config" in top and kind == "model"
    tie: Tie = "quantises" if quantised else "finetunes"
    uses = _named(top[key], tie, "model", firm=True, bare=True) if key in top else ()
    return Told(kind, tuple(uses))


def _purpose(found: set[str]) -> tuple[Tie, bool]:
    """Return what a model is used for in a file with these keys, and whether weights result."""
    if found & keys.MERGES:
        return "merges", True
    if found & keys.TRAINS:
        return "finetunes", True
    if found & keys.QUANTISES:
        return "quantises", True
    return ("evaluates_on", False) if found & keys.EVALUATES else ("embeds", False)


def _uses(field: Field, tie: Tie, *, firm: bool) -> Iterator[Use]:
    key = field.key
    anchor = next((k for k in field.path if k in keys.DATA), "")
    if key in keys.TIED:
        yield from _named(field, keys.TIED[key], "model", firm=firm, bare=False)
    elif key in keys.MODELS:
        yield from _named(field, tie, "model", firm=firm, bare=True)
    elif key == "model_args":
        for match in _MODEL_ARGS.finditer(field.text):
            found = Field(field.path, match[2], field.line)
            yield from _named(found, "evaluates_on", "model", firm=False, bare=True)
    elif key in ("model", "models") and (firm or tie == "evaluates_on"):
        # `model` alone is every program's word: it counts where weights are made or measured.
        yield from _named(field, tie, "model", firm=firm, bare=False)
    elif isinstance(anchor, str) and anchor:
        yield from _data(field, anchor, tie, firm=firm)


def _data(field: Field, anchor: str, tie: Tie, *, firm: bool) -> Iterator[Use]:
    own = keys.DATA[anchor]
    if tie == "quantises":
        own = "quantises"
    elif tie in ("evaluates_on", "embeds"):
        own = "evaluates_on"  # nothing here is trained
    parent = field.path[-2] if len(field.path) > 1 else ""
    if field.key in keys.DATA or field.key in keys.INNER:
        # In a task of lm-evaluation-harness `dataset_name` is the name of a configuration.
        whole = ("dataset_path",) if tie == "evaluates_on" else ("dataset_name", "dataset_id")
        firm = firm and own != "evaluates_on"
        yield from _named(field, own, "data", firm=firm, bare=field.key in whole)
    elif parent in ("dataset_mixer", "dataset_mixture"):
        mixed = Field(field.path[:-1], field.path[-1], field.line)  # {org/name: share}
        yield from _named(mixed, own, "data", firm=firm, bare=False)


def _named(field: Field, tie: Tie, kind: Kind, *, firm: bool, bare: bool) -> Iterator[Use]:
    for part in field.text.split(",")[:200] if kind == "data" else [field.text]:
        use = use_of(part, tie, kind, field.line, field.key, firm=firm, bare=bare)
        if use is not None:
            yield use


def use_of(
    text: str, tie: Tie, kind: Kind, line: int, key: str, *, firm: bool, bare: bool
) -> Use | None:
    """Return the use of what a text names, None where it names no asset.

    `bare` lets a name without an organisation count: for a model, only one of the hub's first.
    """
    text = text.strip()
    if not text or (kind == "data" and text in names.BUILDERS):
        return None
    if names.is_local(text):
        return Use(tie, kind, text, line, key, firm, sure=False) if len(text) <= 300 else None
    name = names.hub(text)
    if not name:
        return None
    if "/" not in name and not (bare and (kind == "data" or names.is_bare_model(name))):
        return None
    return Use(tie, kind, name, line, key, firm)
