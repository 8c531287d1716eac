"""From items to rows of token ids that a model reads, each row scored at its end. No torch."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from lab.errors import ModelError
from lab.protocol import Kind, Task
from lab.tokens import Encoded, Tokens

# Long enough for what text can tell, short enough that memory stays bounded whatever a
# configuration claims.
TEXT_WINDOW = 2048
ROW_LIMIT = 32_768


@dataclass(frozen=True, slots=True)
class Row:
    """Token ids of which the last `scored` are scored, given all before them."""

    item: int
    choice: int
    ids: array[int]
    scored: int


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of a task; `bytes` and `lossless` are of each item's right answer."""

    rows: tuple[Row, ...]
    bytes: tuple[int, ...]
    lossless: tuple[bool, ...]


def rows_of(task: Task, tokens: Tokens, window: int) -> Rows:
    """Lay out a task for a model that reads `window` tokens. Raises ModelError."""
    if not task.items:
        return Rows((), (), ())
    if task.kind is Kind.TEXT:
        return _text_rows(task, tokens, min(window, TEXT_WINDOW))
    return _choice_rows(task, tokens, min(window, ROW_LIMIT))


def _text_rows(task: Task, tokens: Tokens, window: int) -> Rows:
    start = array("q", tokens.opening or (() if tokens.lead is None else (tokens.lead,)))
    rows, sizes, lossless = [], [], []
    texts = [item.choices[0] for item in task.items]
    for number, encoded in enumerate(tokens.encode(texts)):
        ids = start + encoded.ids
        scored = len(encoded.ids) - (not start)
        if scored < 1:
            raise _unscorable(task, number, "has no token to score")
        # Without a token to begin with, the first one is only read, and so are its bytes.
        text = texts[number] if start else texts[number][encoded.first :]
        rows += [Row(number, 0, part, n) for part, n in windows(ids, scored, window)]
        sizes.append(max(1, len(text.encode())))
        lossless.append(encoded.lossless)
    return Rows(tuple(rows), tuple(sizes), tuple(lossless))


def windows(ids: array[int], scored: int, window: int) -> Iterator[tuple[array[int], int]]:
    """Cut a long row so that each of its last `scored` tokens is scored once.

    Every window but the first is full: it reads as much of what came before as it can.
    """
    end = min(len(ids), window + 1)
    done = len(ids) - scored
    while True:
        yield ids[max(0, end - window - 1) : end], end - done
        if end == len(ids):
            return
        done, end = end, min(len(ids), end + window)


def _choice_rows(task: Task, tokens: Tokens, window: int) -> Rows:
    rows, sizes, lossless = [], [], []
    contexts = tokens.encode([item.context for item in task.items])
    wholes = tokens.encode([i.context + c for i in task.items for c in i.choices])
    for number, (item, context) in enumerate(zip(task.items, contexts, strict=True)):
        for choice in range(len(item.choices)):
            whole = next(wholes)
            row = _choice_row(number, choice, tokens, context, whole)
            if row is None:
                raise _unscorable(task, number, f"choice {choice} has no token to score")
            if len(row.ids) - 1 > window:
                reason = f"has {len(row.ids) - 1:,} tokens, the model reads {window:,}"
                raise _unscorable(task, number, reason)
            rows.append(row)
            if choice == item.answer:
                sizes.append(len(item.choices[choice].encode()))
                lossless.append(whole.lossless)
    return Rows(tuple(rows), tuple(sizes), tuple(lossless))


def _choice_row(
    number: int, choice: int, tokens: Tokens, context: Encoded, whole: Encoded
) -> Row | None:
    # Tokens may join across the border, so what is scored begins where the two first differ.
    shared = common(context.ids, whole.ids)
    start = array("q", tokens.opening)
    if not start and not shared and tokens.lead is not None:
        start = array("q", (tokens.lead,))
    ids = start + whole.ids
    scored = len(whole.ids) - max(shared, 0 if start else 1)
    return Row(number, choice, ids, scored) if scored > 0 else None


def common(left: array[int], right: array[int]) -> int:
    """Return how many tokens two rows both begin with."""
    size = min(len(left), len(right))
    if left[:size] == right[:size]:
        return size
    return next(n for n in range(size) if left[n] != right[n])


def _unscorable(task: Task, number: int, reason: str) -> ModelError:
    message = f"{task.name}: item {task.items[number].id!r:.80} {reason}"
    return ModelError(message, "take the item out of the suite, or score it with another model")
