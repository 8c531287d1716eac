"""What measuring took, as measurements: seconds, memory, energy."""

from __future__ import annotations

from collections.abc import Iterator

from lab.metrics.measure import Measurement
from lab.protocol import ModelScores, TaskScores


def usage_table(scores: ModelScores) -> tuple[Measurement, ...]:
    """Return the figures of every task, without those that nobody took (0).

    Joules are signed "metered" or "estimate"; nothing here has an interval.
    """
    return tuple(
        Measurement(
            task.task,
            metric,
            float(value),
            None,
            None,
            len(task.items),
            0.0,
            higher_is_better=metric == "tokens_per_second",
            signature=signature,
        )
        for task in scores.tasks
        for metric, value, signature in _figures(task)
        if value > 0
    )


def _figures(task: TaskScores) -> Iterator[tuple[str, float, str]]:
    used = task.usage
    if used.clock > 0:
        yield "tokens_per_second", used.tokens / used.clock, ""
    yield "cpu_seconds", used.cpu, ""
    yield "gpu_seconds", used.gpu, ""
    yield "peak_memory", used.peak, "bytes"
    yield "joules", used.joules, "metered" if used.metered else "estimate"
