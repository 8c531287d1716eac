"""Tables and plots of two models on the same items."""

from __future__ import annotations

from dataclasses import dataclass

from bot.exhibit import Exhibit, Histogram, Interval, IntervalPlot, ScatterPlot, Table
from lab.compare import UNIT, Comparison
from lab.gate import Decision
from lab.protocol import TaskScores

MAX_POINTS = 2000
BINS = 20


@dataclass(frozen=True, slots=True)
class Compared:
    """A task's verdict, and (base, head) of its items in nats: all, or evenly chosen."""

    decision: Decision
    points: tuple[tuple[float, float], ...]

    @property
    def comparison(self) -> Comparison:
        """Return what the verdict rests on. Only tasks with scored items are compared."""
        assert self.decision.comparison is not None
        return self.decision.comparison


def compared(decision: Decision, base: TaskScores, head: TaskScores) -> Compared:
    """Keep of two models' scores what the plots show: at most MAX_POINTS, evenly chosen."""
    step = -(-len(base.items) // MAX_POINTS)
    pairs = list(zip(base.items, head.items, strict=True))[::step]
    return Compared(decision, tuple((b.nll, h.nll) for b, h in pairs))


def exhibits(tasks: tuple[Compared, ...], verdicts: tuple[str, ...]) -> tuple[Exhibit, ...]:
    """Return every table and plot; `verdicts` are one word for each task."""
    if not tasks:
        return ()
    shown: list[Exhibit] = [_overview(tasks, verdicts), _intervals(tasks, verdicts)]
    for task in tasks:
        if not task.comparison.identical:
            shown += [_scatter(task), _histogram(task), _changed(task)]
    return tuple(shown)


def _overview(tasks: tuple[Compared, ...], verdicts: tuple[str, ...]) -> Table:
    rows = [
        (
            c.task,
            f"{c.n:,}",
            f"{c.base:.4f}",
            f"{c.head:.4f}",
            f"{c.difference:+.4f}",
            f"{c.accuracy.base:.1%} → {c.accuracy.head:.1%}" if c.accuracy else "",
            verdict,
        )
        for c, verdict in zip((t.comparison for t in tasks), verdicts, strict=True)
    ]
    columns = ("suite", "items", "base", "head", "change", "accuracy", "verdict")
    title = f"Base and head on the same items ({UNIT}, lower is better)"
    return Table(title, columns, tuple(rows))


def _intervals(tasks: tuple[Compared, ...], verdicts: tuple[str, ...]) -> IntervalPlot:
    shown = tuple(
        Interval(d.task, d.low, t.comparison.difference, d.high, verdict)
        for t, d, verdict in zip(tasks, (t.decision for t in tasks), verdicts, strict=True)
    )
    level = 100 * tasks[0].decision.confidence
    note = f"Head minus base with its {level:.4g} % interval; above zero is worse."
    return IntervalPlot("Difference between head and base", UNIT, shown, note)


def _scatter(task: Compared) -> ScatterPlot:
    note = "Negative log-likelihood in nats; above the diagonal the item got harder for head."
    if len(task.points) < task.comparison.n:
        note += f" {len(task.points):,} of {task.comparison.n:,} items shown."
    return ScatterPlot(f"{task.comparison.task}: each item", "base", "head", task.points, note)


def _histogram(task: Compared) -> Histogram:
    changes = [head - base for base, head in task.points]
    low, high = min(changes), max(changes)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    width = (high - low) / BINS
    counts = [0] * BINS
    for change in changes:
        counts[min(BINS - 1, int((change - low) / width))] += 1
    edges = tuple(low + width * number for number in range(BINS + 1))
    title = f"{task.comparison.task}: change of each item"
    return Histogram(title, "head minus base, nats", edges, tuple(counts))


def _changed(task: Compared) -> Table:
    rows = tuple(
        (item.id, f"{item.base:.3f}", f"{item.head:.3f}", f"{item.head - item.base:+.3f}")
        for item in task.decision.changed
    )
    title = f"{task.comparison.task}: items that changed most (nats)"
    return Table(title, ("item", "base", "head", "difference"), rows)
