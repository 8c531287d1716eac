"""What is said and measured of a model, beside its bill: for the cards within bills."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from lab.record import Record
from registry.bom.naming import plain
from registry.bom.values import Bom, Component
from registry.errors import ReleaseError
from registry.release.pages.about import About
from security.scan.plainjson import Pairs, load
from security.strictjson import StrictJSONError

LIMIT = 5_000_000  # bytes of a config.json
# What a configuration says of a model's size and shape. The list is closed: nothing else is told.
PARAMETERS = (
    "model_type", "torch_dtype", "dtype", "vocab_size", "hidden_size", "intermediate_size",
    "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "n_embd",
    "n_layer", "n_head", "n_positions", "max_position_embeddings", "hidden_act",
    "activation_function", "rms_norm_eps", "layer_norm_epsilon", "rope_theta", "sliding_window",
    "tie_word_embeddings", "num_local_experts", "num_experts_per_tok", "r", "lora_alpha",
    "lora_dropout", "peft_type",
)  # fmt: skip
_BOMS = uuid5(NAMESPACE_URL, "urn:modelwarden:bom")


@dataclass(frozen=True, slots=True)
class Described:
    """What people say of a model, what was measured, and its hyperparameters by name."""

    about: About = field(default_factory=About)
    measurements: tuple[Record, ...] = ()
    hyperparameters: tuple[tuple[str, str], ...] = ()


NOTHING = Described()


def hyperparameters(config: bytes) -> tuple[tuple[str, str], ...]:
    """Return what a config.json says of a model's shape, in a fixed order. Raises ReleaseError."""
    if len(config) > LIMIT:
        raise _unreadable(f"{len(config):,} bytes, more than {LIMIT:,}")
    try:
        found = load(config)
    except StrictJSONError as error:
        raise _unreadable(str(error)) from error
    if not isinstance(found, Pairs):
        raise _unreadable("not an object")
    told = dict(found)
    return tuple(
        (name, plain(value if isinstance(value, str) else json.dumps(value)))
        for name in PARAMETERS
        if isinstance(value := told.get(name), str | int | float)
    )


def model_of(bom: Bom) -> Component | None:
    """Return the model that the subject of a bill embeds, None where there is none."""
    held = {e.to for e in bom.edges if e.of == bom.subject and e.tie == "embeds"}
    return next((c for c in bom.components if c.ref in held and c.kind == "model"), None)


def identity(bom: Bom, described: Described) -> str:
    """Return the UUID of a bill: of its content alone, so the same in every run."""
    text = repr((bom, described))  # frozen values alone: their text is their content
    return str(uuid5(_BOMS, hashlib.sha256(text.encode()).hexdigest()))


def moment(date: str) -> str:
    """Return a date as bills write it: UTC, to the second. Raises ReleaseError."""
    try:
        found = datetime.fromisoformat(date)
        if found.tzinfo is None or found.year < 1000:
            raise ValueError("no time zone")
        return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError) as error:
        hint = "give the commit's date, as 2026-01-31T12:00:00Z"
        raise ReleaseError(f"the date of a bill: {plain(date, 80)!r} is none", hint) from error


def _unreadable(why: str) -> ReleaseError:
    return ReleaseError(f"config.json: {plain(why)}", "mend config.json, and commit it")
