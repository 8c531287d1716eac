"""A model's tokenizer, as its tokenizer.json says; no torch, no code of the model's own."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.errors import model_errors
from lab.model.folder import TOKENIZER, ModelFiles

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_BATCH = 1_000  # encodings are large: keep only the ids of what came before
_MARGIN = 32  # characters: what is written after a text changes no token that far before its end


@dataclass(frozen=True, slots=True)
class Encoded:
    """The ids of a text; `first` is how many of its characters the first token covers.

    `lossless` is whether decoding gives the text back, apart from space at either end.
    """

    ids: array[int]
    first: int
    lossless: bool


@dataclass(frozen=True, slots=True)
class Tokens:
    """A tokenizer and how its texts begin.

    `opening` are the special tokens it puts before any text; `lead`, on which the first token
    of a text is conditioned, is the last of these, else BOS, else EOS, else None. `highest`
    is its highest id, `end` that of EOS.
    """

    tokenizer: Tokenizer
    opening: tuple[int, ...]
    lead: int | None
    highest: int
    end: int | None = None

    def encode(self, texts: Sequence[str]) -> Iterator[Encoded]:
        """Yield the encoding of each text, without special tokens around it."""
        for start in range(0, len(texts), _BATCH):
            batch = list(texts[start : start + _BATCH])
            with model_errors("the tokenizer fails", "check that it loads in transformers"):
                # Offsets cost time and serve only where the first token goes unscored.
                if self.lead is None:
                    found = self.tokenizer.encode_batch(batch, add_special_tokens=False)
                else:
                    found = self.tokenizer.encode_batch_fast(batch, add_special_tokens=False)
                ids = [encoding.ids for encoding in found]
                back = self.tokenizer.decode_batch(ids, skip_special_tokens=False)
            for text, encoding, tokens, decoded in zip(batch, found, ids, back, strict=True):
                first = encoding.offsets[0][1] if tokens else 0
                yield Encoded(array("q", tokens), first, decoded.strip() == text.strip())

    def opened(self, text: str, sample: Sequence[str]) -> Opened:
        """Return what encodes texts that begin with this one, faster where that is exact.

        It is where a space before the text's end parts the tokens of the text itself, and of the
        sample of such texts, without changing any.
        """
        whole = Opened(self, 0, Encoded(array("q"), 0, lossless=True))
        cut = text.rfind(" ", 0, max(0, len(text) - _MARGIN))
        if cut < 1 or self.lead is None:
            return whole
        [start] = self.encode([text[:cut]])
        parted = Opened(self, cut, start)
        texts = (text, *sample)
        return parted if list(parted.encode(texts)) == list(self.encode(texts)) else whole


@dataclass(frozen=True, slots=True)
class Opened:
    """Encodes texts of which the first `cut` characters are the same, and these only once."""

    tokens: Tokens
    cut: int
    start: Encoded

    def encode(self, texts: Sequence[str]) -> Iterator[Encoded]:
        """Yield the encoding of each text, as Tokens.encode does."""
        start = self.start
        for rest in self.tokens.encode([text[self.cut :] for text in texts]):
            first = start.first if start.ids else rest.first
            yield Encoded(start.ids + rest.ids, first, start.lossless and rest.lossless)


def read_tokens(files: ModelFiles) -> Tokens:
    """Read tokenizer.json. Raises ModelError."""
    from tokenizers import Tokenizer

    with model_errors("the tokenizer cannot be read", "save it anew with save_pretrained"):
        tokenizer = Tokenizer.from_file(str(files.folder / TOKENIZER))
        # A tokenizer file may ask to cut or pad what it reads; scores are of the whole text.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        sample = tokenizer.encode("a")
        known = tokenizer.get_vocab(with_added_tokens=True).values()
    plain = sample.special_tokens_mask
    opening = tuple(sample.ids[: plain.index(0)]) if 0 in plain else ()
    begin, end = _special(tokenizer, files, "bos_token"), _special(tokenizer, files, "eos_token")
    lead = opening[-1] if opening else end if begin is None else begin
    return Tokens(tokenizer, opening, lead, max((*known, *opening), default=-1), end)


def _special(tokenizer: Tokenizer, files: ModelFiles, name: str) -> int | None:
    """Return the id of a special token, as the tokenizer's configuration names it."""
    token, config = files.tokenizer_config().get(name), files.config()
    text = token.get("content") if isinstance(token, dict) else token
    found = tokenizer.token_to_id(text) if isinstance(text, str) else config.get(f"{name}_id")
    if type(found) is int and 0 <= found < 2**32 and tokenizer.id_to_token(found) is not None:
        return found
    return None
