"""Tiny real models with a tokenizer trained on the spot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TEXT = (
    "The keeper of the lamp walks the shore at dusk and counts the boats. ",
    "Rain fell on the harbour; nobody minded, for the nets were full of silver. ",
    "Whoever mends the sail decides where the boat may go, said the old woman.\n",
    "Número, café, naïve: accents too, and 12 + 30 = 42 for good measure.\n",
)
VOCABULARY = 320


def make_tokenizer(folder: Path, *, bos: bool = True) -> None:
    """Train a byte-level BPE tokenizer and write it to the folder."""
    import transformers
    from tokenizers import ByteLevelBPETokenizer

    wrapper: Any = transformers.PreTrainedTokenizerFast

    trained = ByteLevelBPETokenizer()
    names = ["<s>", "</s>"] if bos else []
    trained.train_from_iterator(
        TEXT, VOCABULARY, special_tokens=names, show_progress=False, min_frequency=1
    )
    specials = {"bos_token": "<s>", "eos_token": "</s>"} if bos else {}
    wrapped = wrapper(tokenizer_object=trained._tokenizer, **specials)
    wrapped.save_pretrained(str(folder))


# What each architecture calls its measures; the rest is as small as it goes.
_SMALL = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
}
_NAMES = {
    "gpt2": {"hidden_size": "n_embd", "num_hidden_layers": "n_layer",
             "num_attention_heads": "n_head", "max_position_embeddings": "n_positions",
             "intermediate_size": "n_inner"},
    "bloom": {"num_hidden_layers": "n_layer", "num_attention_heads": "n_head",
              "max_position_embeddings": "seq_length"},
    "opt": {"intermediate_size": "ffn_dim"},
}  # fmt: skip


def make_model(folder: Path, kind: str = "llama", *, seed: int = 0, **changes: Any) -> Path:
    """Write a random model of two layers, wide enough in its weights to prefer some tokens."""
    import torch
    import transformers

    logging: Any = transformers.utils.logging
    logging.disable_progress_bar()
    torch.manual_seed(seed)
    names = _NAMES.get(kind, {})
    config = transformers.CONFIG_MAPPING[kind](
        **{
            **{names.get(name, name): value for name, value in _SMALL.items()},
            "initializer_range": 0.2,
            "bos_token_id": None,
            "eos_token_id": None,
            **changes,
        }
    )
    auto: Any = transformers.AutoModelForCausalLM
    module = auto.from_config(config)
    module.save_pretrained(str(folder))
    make_tokenizer(folder)
    return folder


def surround(folder: Path, before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """Let the tokenizer put special tokens ("<s>", "</s>") around every text."""
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    text = {"Sequence": {"id": "A", "type_id": 0}}
    names = {"<s>": 0, "</s>": 1}
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [
            *({"SpecialToken": {"id": name, "type_id": 0}} for name in before),
            text,
            *({"SpecialToken": {"id": name, "type_id": 0}} for name in after),
        ],
        "pair": [text, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {
            name: {"id": name, "ids": [number], "tokens": [name]} for name, number in names.items()
        },
    }
    path.write_text(json.dumps(tokenizer))


LABELS = ("negative", "neutral", "Positive")
_PAIR_NAMES = {
    "t5": {"hidden_size": "d_model", "intermediate_size": "d_ff", "num_hidden_layers": "num_layers",
           "num_attention_heads": "num_heads", "max_position_embeddings": "n_positions"},
    "bart": {"hidden_size": "d_model"},
    "mbart": {"hidden_size": "d_model"},
}  # fmt: skip


def make_classifier(folder: Path, kind: str = "bert", *, seed: int = 0, **changes: Any) -> Path:
    """Write a random classifier of three labels, whose tokenizer surrounds texts."""
    import torch
    import transformers

    logging: Any = transformers.utils.logging
    logging.disable_progress_bar()
    torch.manual_seed(seed)
    names = _NAMES.get(kind, _PAIR_NAMES.get(kind, {}))
    config = transformers.CONFIG_MAPPING[kind](
        **{
            **{names.get(name, name): value for name, value in _SMALL.items()},
            "initializer_range": 0.2,
            "id2label": dict(enumerate(LABELS)),
            "label2id": {name: number for number, name in enumerate(LABELS)},
            "bos_token_id": 0,
            "eos_token_id": 1,
            "pad_token_id": 2,
            "decoder_start_token_id": 0,
            **changes,
        }
    )
    auto: Any = transformers.AutoModelForSequenceClassification
    auto.from_config(config).save_pretrained(str(folder))
    make_tokenizer(folder)
    surround(folder, ("<s>",), ("</s>",))
    return folder


def make_pair_model(folder: Path, kind: str = "t5", *, seed: int = 0, **changes: Any) -> Path:
    """Write a random encoder-decoder, whose tokenizer ends texts with EOS."""
    import torch
    import transformers

    logging: Any = transformers.utils.logging
    logging.disable_progress_bar()
    torch.manual_seed(seed)
    names = _PAIR_NAMES[kind]
    measures: dict[str, Any] = {names.get(name, name): value for name, value in _SMALL.items()}
    if kind == "t5":
        measures["d_kv"] = 8
    else:
        measures |= {"encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
                     "decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64,
                     "init_std": 0.2}  # fmt: skip
    config = transformers.CONFIG_MAPPING[kind](
        **{
            **measures,
            "bos_token_id": 0,
            "eos_token_id": 1,
            "pad_token_id": 0,
            "decoder_start_token_id": 0,
            **changes,
        }
    )
    auto: Any = transformers.AutoModelForSeq2SeqLM
    auto.from_config(config).save_pretrained(str(folder))
    make_tokenizer(folder)
    surround(folder, ("<s>",) if kind != "t5" else (), ("</s>",))
    return folder
