"""What a model is for, by transformers' own tables and what config.json says it was saved as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from lab.errors import ModelError

Family = Literal["causal", "seq2seq", "classifier"]

# What each is for, where it is asked for something else.
ONLY: Mapping[Family, str] = {
    "causal": "predicts tokens and knows no labels",
    "seq2seq": "predicts answers to a context, not texts by themselves",
    "classifier": "says labels and predicts no tokens",
}


def family_of(config: Mapping[str, Any]) -> tuple[Family, str]:
    """Return the family and the name of the class in transformers. Raises ModelError."""
    from transformers.models.auto import modeling_auto as auto

    tables: tuple[tuple[Family, Mapping[str, Any]], ...] = (
        ("causal", auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES),
        ("seq2seq", auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES),
        ("classifier", auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES),
    )
    kind = str(config.get("model_type"))
    offered = [(family, table[kind]) for family, table in tables if kind in table]
    if not offered:
        message = f"{kind!r:.60} has no language model and no classifier in transformers"
        raise ModelError(message, "measure a model that predicts tokens or classifies text")
    saved = config.get("architectures") or []
    named = [name for name in saved if isinstance(name, str)] if isinstance(saved, list) else []
    found = [(family, name) for family, name in offered if name in named]
    if not named and len(offered) == 1:
        found = offered
    if len(found) != 1:
        wanted = ", ".join(dict.fromkeys(name for _, name in offered))
        said = ", ".join(repr(name) for name in named[:3]) or "nothing"
        many = "more than one" if found else "none that can be scored"
        message = f"config.json: `architectures` names {said:.150}: {many}"
        raise ModelError(message, f"write one of these into `architectures`: {wanted}")
    return found[0]
