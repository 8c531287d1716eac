"""Texts that begin alike are encoded faster, and to the same tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lab.model.tokens import Tokens
from tests.lab.models import TEXT, VOCABULARY

SHARED = "".join(TEXT)
ENDS = ("", " boat", "s", "\n\nmore", "  ", "é, and rain", " 12 + 30")
TEXTS = tuple(SHARED + end for end in ENDS)


def made(**parts: Any) -> Tokens:
    """Train a BPE tokenizer with these parts."""
    from tokenizers import Tokenizer, models, trainers

    tokenizer: Any = Tokenizer(models.BPE())
    for name, part in parts.items():
        setattr(tokenizer, name, part)
    trainer: Any = trainers.BpeTrainer(vocab_size=VOCABULARY, show_progress=False)
    tokenizer.train_from_iterator(TEXT * 3, trainer)
    return Tokens(tokenizer, (), 0, VOCABULARY)


def counted(tokens: Tokens, monkeypatch: pytest.MonkeyPatch, texts: Sequence[str]) -> int:
    """Return how many characters the tokenizer sees while it encodes texts that begin alike."""
    opened = tokens.opened(SHARED, TEXTS[:3])
    seen: list[int] = []
    encode = Tokens.encode

    def count(self: Tokens, texts: Sequence[str]) -> Any:
        seen.extend(map(len, texts))
        return encode(self, texts)

    with monkeypatch.context() as patched:
        patched.setattr(Tokens, "encode", count)
        found = list(opened.encode(texts))
    assert found == list(tokens.encode(texts))
    return sum(seen)


def test_what_begins_alike_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from tokenizers import decoders, pre_tokenizers

    tokens = made(
        pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=False), decoder=decoders.ByteLevel()
    )
    assert counted(tokens, monkeypatch, TEXTS) < 60 * len(TEXTS)


def test_a_tokenizer_that_minds_the_border_reads_the_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tokenizers import decoders, pre_tokenizers

    # It puts a mark before the first word of whatever it reads.
    tokens = made(
        pre_tokenizer=pre_tokenizers.Metaspace(prepend_scheme="always", split=False),
        decoder=decoders.Metaspace(),
    )
    assert counted(tokens, monkeypatch, TEXTS) == sum(map(len, TEXTS))


def test_nothing_shared_is_read_whole() -> None:
    from tokenizers import pre_tokenizers

    tokens = made(pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=False))
    for shared in ("", "a b", "x" * 100):
        assert tokens.opened(shared, ()).cut == 0


@pytest.mark.parametrize("lead", [None, 0])
def test_first_token_must_be_known_where_it_is_not_scored(lead: int | None) -> None:
    from tokenizers import pre_tokenizers

    tokens = made(pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=False))
    given = Tokens(tokens.tokenizer, (), lead, VOCABULARY)
    assert bool(given.opened(SHARED, TEXTS).cut) == (lead is not None)
