"""What a model writes: transformers' own generation, greedily, on rows of like length.

Nothing that comes with the model has a say in how it writes (no sampling, no penalty, no
forced token) but for the tokens that end a text. A context is cut on the left, as
lm-evaluation-harness does, where it leaves no room to write (or, of an encoder-decoder, where
the encoder cannot read it all).

In float32 a text depends on its context alone, but where two tokens are equally likely to the
last digit. In half precision, rows that are read together move a likelihood by more than that.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lab.errors import ModelError
from lab.model.load import Model
from lab.protocol import Item, Task
from lab.scoring.padding import can_pad
from lab.scoring.plain import Progress
from lab.scoring.rows import ROW_LIMIT

if TYPE_CHECKING:
    import torch

_TAIL = 64  # tokens in which a stop string is looked for
_PROOF = 2  # rows that are read both padded and alone: the shortest is padded most
_SAMPLE = 256  # logits that are compared
_TOLERANCE = 1e-4  # standard deviations of the logits
_CPU_CACHE = 2**28  # bytes of keys and values of one batch, unless the weights are far larger
_GPU_CACHE = 2**32
_ROWS = 32  # in one batch: more take no less time each
_LOGITS = 2**27  # numbers in the logits of a batch


class Writer:
    """Writes the continuations of contexts."""

    def __init__(self, model: Model, task: Task, batch_tokens: int = 0) -> None:
        self._model, self._task, self._batch_tokens = model, task, batch_tokens
        self._until = tuple(text for text in task.generation.until if text)
        self._encodes = model.family == "seq2seq"
        window, tokens = min(model.window, ROW_LIMIT), task.generation.tokens
        if tokens >= window:
            message = f"{task.name}: asks for {tokens:,} tokens, the model reads {window:,}"
            raise ModelError(message, "ask for fewer tokens, or measure a model that reads more")
        self._room = window if self._encodes else window - tokens
        self._ends = _ends(model)
        self._padded: bool | None = None
        self.read = 0

    def write(self, items: Sequence[Item], progress: Progress | None = None) -> list[str]:
        """Return what the model writes after each item's context. Raises what it raises."""
        rows = self._rows(items)
        if self._padded is None:
            self._padded = self._can_pad()
        texts: dict[int, str] = {}
        for batch in self._batches(rows):
            texts.update(zip(batch, self._texts([rows[n] for n in batch]), strict=True))
            if progress:
                progress(len(texts), len(rows))
        return [texts[n] for n in range(len(rows))]

    def _rows(self, items: Sequence[Item]) -> list[array[int]]:
        tokens = self._model.tokens
        # An encoder may be used to a token at the end as well.
        texts = [item.context for item in items]
        found = tokens.tokenizer.encode_batch_fast(texts, add_special_tokens=self._encodes)
        opening = array("q", () if self._encodes else tokens.opening)
        rows = []
        for item, encoding in zip(items, found, strict=True):
            row = opening + array("q", encoding.ids)
            if not row and tokens.lead is not None:
                row = array("q", (tokens.lead,))
            if not row:
                message = f"{self._task.name}: item {item.id!r:.80} has no context to go on from"
                raise ModelError(message, "give it a prompt, or the tokenizer a BOS token")
            rows.append(row[-self._room :])
        return rows

    def _batches(self, rows: Sequence[array[int]]) -> Iterator[list[int]]:
        """Put rows of like length together, the longest first: what is too large fails at once."""
        order = sorted(range(len(rows)), key=lambda n: -len(rows[n]))
        limit = self._batch_tokens or _batch_tokens(self._model)
        while order:
            longest = len(rows[order[0]])
            count = limit // (longest + self._task.generation.tokens) if self._padded else 1
            count = min(count, _ROWS)
            if not self._model.trims:
                count = min(count, _LOGITS // self._model.vocabulary // longest)
            batch, order = order[: max(1, count)], order[max(1, count) :]
            yield batch

    def _texts(self, rows: Sequence[array[int]]) -> list[str]:
        tokenizer = self._model.tokens.tokenizer
        start = 1 if self._encodes else max(map(len, rows))
        stops = _Stops(tokenizer, self._until, start, len(rows))
        found = self._generate(rows, self._task.generation.tokens, [stops] if self._until else [])
        written = []
        for ids, end in zip(found[:, start:].tolist(), stops.ends, strict=True):
            last = next((n for n, token in enumerate(ids) if token in self._ends), len(ids))
            written.append(ids[: min(end or last, last)])
        self.read += sum(map(len, rows)) + sum(map(len, written))
        texts = tokenizer.decode_batch(written, skip_special_tokens=True)
        return [_before(text, self._until) for text in texts]

    def _generate(
        self, rows: Sequence[array[int]], tokens: int, stops: Sequence[Any], **more: Any
    ) -> Any:
        """Run transformers' own generation, greedily.

        Rows are padded where they are not continued: on the left, but for an encoder.
        """
        import torch
        import transformers

        module, length = self._model.module, max(map(len, rows))
        ids = torch.zeros((len(rows), length), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for number, row in enumerate(rows):
            start = 0 if self._encodes else length - len(row)
            ids[number, start : start + len(row)] = torch.tensor(row)
            mask[number, start : start + len(row)] = 1
        made: Any = transformers
        # Anew: where this one is silent, transformers listens to what came with the model.
        module.generation_config = made.GenerationConfig(
            do_sample=False,
            pad_token_id=0,
            eos_token_id=sorted(self._ends) or None,
            decoder_start_token_id=getattr(module.config, "decoder_start_token_id", None),
        )
        with torch.inference_mode():
            return module.generate(
                input_ids=ids.to(module.device),
                attention_mask=mask.to(module.device),
                max_new_tokens=tokens,
                stopping_criteria=list(stops),
                **more,
            )

    def _can_pad(self) -> bool:
        """Whether padding leaves what the model says of a row as it is."""
        items = sorted(self._task.items, key=lambda item: len(item.context))
        last = len(items) - 1
        chosen = dict.fromkeys(items[n * last // (_PROOF - 1)] for n in range(_PROOF))
        rows = self._rows(tuple(chosen))

        def read(numbers: Sequence[int]) -> list[list[float]]:
            found = self._generate(
                [rows[n] for n in numbers],
                2,
                (),
                # Both must read the same second token.
                prefix_allowed_tokens_fn=lambda *_: [0],
                output_logits=True,
                return_dict_in_generate=True,
            )
            return _sample(found.logits)

        return can_pad(self._model, [len(row) for row in rows], read, _TOLERANCE)


def _sample(logits: Sequence[torch.Tensor]) -> list[list[float]]:
    """Return of each row some of its logits, in units of their standard deviation."""
    import torch

    both = torch.stack([one.double() for one in logits], 1)
    both = (both - both.mean(-1, keepdim=True)) / both.std(-1, keepdim=True).clamp(min=1e-6)
    step = max(1, both.shape[-1] // _SAMPLE)
    return [[float(n) for n in row] for row in both[:, :, ::step].flatten(1).tolist()]


class _Stops:
    """Stops each row once it holds a stop string; `ends` says after how many tokens, 0 for never.

    What is decoded is the last tokens of each row: strings of more than these are only cut off.
    """

    def __init__(self, tokenizer: Any, until: Sequence[str], start: int, rows: int) -> None:
        self._tokenizer, self._until, self._start = tokenizer, until, start
        longest = max((len(text.encode()) for text in until), default=0)
        self._tail = min(_TAIL, longest + 2)
        self.ends = [0] * rows

    def __call__(self, ids: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        import torch

        going = [n for n, end in enumerate(self.ends) if not end]
        tails = ids[going, max(self._start, ids.shape[1] - self._tail) :].tolist()
        # Special tokens count: many a stop string is one.
        texts = self._tokenizer.decode_batch(tails, skip_special_tokens=False)
        for number, text in zip(going, texts, strict=True):
            if any(stop in text for stop in self._until):
                self.ends[number] = ids.shape[1] - self._start
        return torch.tensor([end > 0 for end in self.ends], device=ids.device)


def _batch_tokens(model: Model) -> int:
    """Return for how many tokens the keys and values of every layer may be kept."""
    config, size = model.module.config.get_text_config(), model.module.dtype.itemsize
    width, layers = getattr(config, "hidden_size", 4_096), getattr(config, "num_hidden_layers", 32)
    cache = _CPU_CACHE if model.device == "cpu" else _GPU_CACHE
    return int(max(cache, model.parameters * size // 4) // (2 * layers * width * size))


def _before(text: str, until: Sequence[str]) -> str:
    for stop in until:
        text = text.partition(stop)[0]
    return text


def _ends(model: Model) -> frozenset[int]:
    """Return the ids that end a text, as the configurations of model and tokenizer say."""
    found = getattr(model.module.config.get_text_config(), "eos_token_id", None)
    said = found if isinstance(found, list | tuple) else (found,)
    ids = (*said, model.tokens.end)
    return frozenset(i for i in ids if type(i) is int and 0 <= i < model.vocabulary)
