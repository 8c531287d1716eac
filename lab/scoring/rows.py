"""From items to rows of token ids that a model reads, each row scored at its end. No torch."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lab.errors import ModelError
from lab.model.tokens import Encoded, Opened, Tokens
from lab.protocol import Item, Kind, Task

# Long enough for what text can tell, short enough that memory stays bounded whatever a
# configuration claims.
TEXT_WINDOW = 2048
ROW_LIMIT = 32_768
SAMPLE = 8  # items whose tokens are checked against those of their whole text


@dataclass(frozen=True, slots=True)
class Row:
    """Token ids of which the last `scored` are scored, given all before them.

    The first `header` of them are those that many rows begin with, 0 if none.
    """

    item: int
    choice: int
    ids: array[int]
    scored: int
    header: int = 0


@dataclass(frozen=True, slots=True)
class RowScore:
    """The negative log-likelihood of what is scored; `greedy`: each of its tokens the likeliest."""

    nats: float
    greedy: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of some items; `bytes` and `lossless` are of each item's right answer."""

    rows: tuple[Row, ...]
    bytes: tuple[int, ...]
    lossless: tuple[bool, ...]


def rows_of(task: Task, tokens: Tokens, window: int) -> Rows:
    """Lay out a whole task. Raises ModelError."""
    return Layout(task, tokens, window).rows(0, len(task.items))


class Layout:
    """Lays out the items of a task, a few at a time, for a model that reads `window` tokens."""

    def __init__(self, task: Task, tokens: Tokens, window: int) -> None:
        self._task, self._tokens = task, tokens
        self._window = min(window, TEXT_WINDOW if task.kind is Kind.TEXT else ROW_LIMIT)
        self._common = "" if task.kind is Kind.TEXT else _begun_by_all(task.items)
        self._header: array[int] | None = None
        self._opened: Opened | None = None

    def rows(self, start: int, count: int) -> Rows:
        """Lay out `count` items from `start` on. Raises ModelError."""
        items = self._task.items[start : start + count]
        if self._task.kind is Kind.TEXT:
            return self._texts(items)
        laid = self._choices(items)
        return replace(laid, rows=self._headed(laid.rows))

    def _texts(self, items: Sequence[Item]) -> Rows:
        tokens = self._tokens
        start = array("q", tokens.opening or (() if tokens.lead is None else (tokens.lead,)))
        rows, sizes, lossless = [], [], []
        texts = [item.choices[0] for item in items]
        for number, encoded in enumerate(tokens.encode(texts)):
            ids = start + encoded.ids
            scored = len(encoded.ids) - (not start)
            if scored < 1:
                raise self._unscorable(items[number], "has no token to score")
            # Without a token to begin with, the first one is only read, and so are its bytes.
            text = texts[number] if start else texts[number][encoded.first :]
            rows += [Row(number, 0, part, n) for part, n in windows(ids, scored, self._window)]
            sizes.append(max(1, len(text.encode())))
            lossless.append(encoded.lossless)
        return Rows(tuple(rows), tuple(sizes), tuple(lossless))

    def _choices(self, items: Sequence[Item]) -> Rows:
        rows, sizes, lossless = [], [], []
        if self._opened is None:
            sample = [i.context + c for i in items[:SAMPLE] for c in (i.choices[0], i.choices[-1])]
            self._opened = self._tokens.opened(self._common, sample)
        contexts = self._opened.encode([item.context for item in items])
        wholes = self._opened.encode([i.context + c for i in items for c in i.choices])
        for number, (item, context) in enumerate(zip(items, contexts, strict=True)):
            for choice in range(len(item.choices)):
                whole = next(wholes)
                row = _choice_row(number, choice, self._tokens, context, whole)
                if row is None:
                    raise self._unscorable(item, f"choice {choice} has no token to score")
                if len(row.ids) - 1 > self._window:
                    reason = f"has {len(row.ids) - 1:,} tokens, the model reads {self._window:,}"
                    raise self._unscorable(item, reason)
                rows.append(row)
                if choice == item.answer:
                    sizes.append(len(item.choices[choice].encode()))
                    lossless.append(whole.lossless)
        return Rows(tuple(rows), tuple(sizes), tuple(lossless))

    def _headed(self, rows: tuple[Row, ...]) -> tuple[Row, ...]:
        """Mark the header in the items whose rows all begin with it."""
        if not rows:
            return rows
        if self._header is None:
            [encoded] = self._tokens.encode([self._common])
            self._header = array("q", self._tokens.opening) + encoded.ids
            # Its last tokens join with what follows: those that all begin with remain.
            self._header = self._header[: min(begun(self._header, row) for row in rows)]
        size = len(self._header)
        short = {row.item for row in rows if begun(self._header, row) < size}
        return tuple(r if r.item in short else replace(r, header=size) for r in rows)

    def _unscorable(self, item: Item, reason: str) -> ModelError:
        message = f"{self._task.name}: item {item.id!r:.80} {reason}"
        return ModelError(message, "take it out of the suite, or score it with another model")


def begun(header: array[int], row: Row) -> int:
    """Return how many tokens of the header the row begins with, of those that it only reads."""
    return min(common(header, row.ids), len(row.ids) - row.scored - 1)


def alike(rows: Sequence[Row]) -> list[list[int]]:
    """Return the numbers of the rows, those read alike together, the longest first."""
    same: dict[bytes, list[int]] = {}
    for number, row in enumerate(rows):
        same.setdefault(row.ids[:-1].tobytes(), []).append(number)
    # The longest first: what does not fit into memory fails at once.
    return sorted(same.values(), key=lambda n: (-len(rows[n[0]].ids), rows[n[0]].scored))


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


def _begun_by_all(items: Sequence[Item]) -> str:
    """Return what all contexts begin with."""
    contexts = [item.context for item in items] or [""]
    first, last = min(contexts), max(contexts)
    size = min(len(first), len(last))
    return first[: next((n for n in range(size) if first[n] != last[n]), size)]


def common(left: array[int], right: array[int]) -> int:
    """Return how many tokens two rows both begin with."""
    size = min(len(left), len(right))
    if left[:size] == right[:size]:
        return size
    return next(n for n in range(size) if left[n] != right[n])
