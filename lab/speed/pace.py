"""Time two models against each other: both read and write the same text, in turn.

The order is base, head, head, base, then the other way about, so whatever slows the machine for
a while slows both. On a CPU the seconds are those that one thread computed: the clock would
count other programs, and several threads their waiting for each other. On a GPU they are the
time between two events on the device.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lab.errors import model_errors
from lab.model.load import Model
from lab.model.memory import peak
from lab.protocol import Pace, PaceScores
from lab.speed.slowdown import Latency, latency_of

BUDGET = 120.0  # seconds that a comparison may take
LEAST_ROUNDS = 10
_SIZES = ((16, 2), (64, 4), (256, 8))  # tokens read and written, by what the budget allows
_LEAST = 0.02  # seconds of one timing: shorter ones repeat what they time
_TEXT = (
    "The keeper of the light walked down to the harbour before dawn, counted the boats that had "
    "come home in the night, and wrote their names, the weather and the hour into a long book. "
) * 24
_HINT = "check that it runs and generates in transformers"
_Run = Callable[[], None]


@dataclass(frozen=True, slots=True)
class _Work:
    """What one model does in a round."""

    read: _Run
    write: _Run | None

    def whole(self) -> None:
        """Read, then write."""
        self.read()
        if self.write:
            self.write()


def pace(base: Model, head: Model, asked: Pace, *, budget: float = BUDGET) -> PaceScores:
    """Time head against base, in fewer rounds (at least 10) where the budget needs it.

    Models that write nothing (classifiers) have no `decode`. Raises ModelError.
    """
    with _quiet(threads=1), model_errors("a model fails while it is timed", _HINT):
        size, cost = _size(base, head, budget)
        left, right = _works(base, head, size)
        rounds = min(asked.rounds, max(LEAST_ROUNDS, int(budget / cost)))
        clock = _clock(base.device)
        # One after the other: whoever runs first after a change of work pays for it.
        prefill = _rounds(left.read, right.read, clock, rounds)
        decode: tuple[tuple[float, float], ...] = ()
        if left.write and right.write:
            decode = _rounds(left.write, right.write, clock, rounds)
        return PaceScores(
            prefill=prefill,
            decode=decode,
            peak=(peak(base, left.whole), peak(head, right.whole)),
            written=size[1] if decode else 0,
        )


def latency(model: Model, requests: int = 20, *, budget: float = BUDGET) -> Latency:
    """Time requests to one model by the clock: each reads a text, then writes."""
    with _quiet(threads=0), model_errors("the model fails while it is timed", _HINT):
        size, cost = _size(model, model, budget)
        work, _ = _works(model, model, size)
        count = min(requests, max(LEAST_ROUNDS, int(budget / cost)))
        clock = _clock(model.device, wall=True)
        reads = [clock(work.read) for _ in range(count)]
        writes = [clock(work.write) for _ in range(count)] if work.write else []
    return latency_of(tuple(reads), tuple(writes), size[1])


def _rounds(
    base: _Run, head: _Run, clock: Callable[[_Run], float], rounds: int
) -> tuple[tuple[float, float], ...]:
    """Return the seconds of (base, head): base, head, head, base, and the other way about.

    The noise of a busy machine lasts for milliseconds: the shorter what is timed in turn, the
    more of it both sides share.
    """
    times = max(1, round(_LEAST / 2 / min(clock(base), clock(head))))
    found = []
    for number in range(rounds):
        outer, inner = (head, base) if number % 2 else (base, head)
        ends = middle = 0.0
        for _ in range(times):
            ends += clock(outer)
            middle += clock(inner) + clock(inner)
            ends += clock(outer)
        pair = (middle, ends) if number % 2 else (ends, middle)
        found.append((pair[0] / (2 * times), pair[1] / (2 * times)))
    return tuple(found)


def _size(base: Model, head: Model, budget: float) -> tuple[tuple[int, int], float]:
    """Return the largest size whose fewest rounds fit the budget, and seconds of a round."""
    clock = _clock(base.device)
    cost = growth = 0.0
    chosen = _SIZES[0]
    for size in _SIZES:
        growth = size[0] / chosen[0]
        if cost * growth * LEAST_ROUNDS > budget:
            break
        chosen, runs = (
            size,
            [w for work in _works(base, head, size) for w in (work.read, work.write)],
        )
        for run in filter(None, runs):
            run()  # the first run allocates, and picks kernels
        cost = sum(max(_LEAST, 2 * clock(run)) for run in runs if run)
    return chosen, cost


def _works(base: Model, head: Model, size: tuple[int, int]) -> tuple[_Work, _Work]:
    """Cut the text so that both models read all of it, however their tokenizers split it."""
    whole = [list(next(m.tokens.encode([_TEXT])).ids) for m in (base, head)]
    limits = [
        max(1, min(size[0], m.window - size[1] - len(m.tokens.opening))) for m in (base, head)
    ]
    share = min(1.0, *(n / max(1, len(ids)) for n, ids in zip(limits, whole, strict=True)))
    text = _TEXT[: max(1, int(share * len(_TEXT)))]
    left, right = (_work(m, text, n, size[1]) for m, n in zip((base, head), limits, strict=True))
    return left, right


def _work(model: Model, text: str, limit: int, written: int) -> _Work:
    import torch

    module: Any = model.module
    ids = [*model.tokens.opening, *next(model.tokens.encode([text])).ids[:limit]] or [0]
    tokens = torch.tensor([ids], device=model.device)
    prompt = tokens[:, : max(1, len(ids) // 4)]
    options: dict[str, Any] = {"logits_to_keep": 1} if model.trims else {}
    if module.config.is_encoder_decoder:
        options["decoder_input_ids"] = tokens[:, :1]

    def read() -> None:
        module(input_ids=tokens, **options)

    def write() -> None:
        module.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=written,
            min_new_tokens=written,
            do_sample=False,
            num_beams=1,
            use_cache=True,
            pad_token_id=0,
        )

    return _Work(read, write if module.can_generate() else None)


def _clock(device: str, *, wall: bool = False) -> Callable[[_Run], float]:
    """Return what times a run on this device."""
    if not device.startswith("cuda"):
        # Where CPU time is limited, that of the process moves in ticks of milliseconds.
        now = time.perf_counter if wall else time.thread_time

        def on_cpu(run: _Run) -> float:
            start = now()
            run()
            return now() - start

        return on_cpu
    import torch

    def on_gpu(run: _Run) -> float:
        stream = torch.cuda.current_stream(device)
        event: Any = torch.cuda.Event
        start, end = event(enable_timing=True), event(enable_timing=True)
        start.record(stream)
        run()
        end.record(stream)
        end.synchronize()
        return float(start.elapsed_time(end)) / 1000

    return on_gpu


@contextmanager
def _quiet(threads: int) -> Iterator[None]:
    """Keep the garbage collector out of the seconds, and other threads where a number is given."""
    import torch

    before, collects = torch.get_num_threads(), gc.isenabled()
    torch.set_num_threads(threads or before)
    gc.collect()
    gc.disable()
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)
        if collects:
            gc.enable()
