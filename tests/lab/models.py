"""Tiny real models with a tokenizer trained on the spot."""

from __future__ import annotations

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
