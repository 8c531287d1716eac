"""Tables and plots of two models on the same items."""

from __future__ import annotations

from collections.abc import Iterator

from bot.checks.regression.compared import Compared, Recorded
from bot.exhibit import Exhibit, Histogram, Interval, IntervalPlot, Record, ScatterPlot, Table
from lab.deciding.compare import UNIT
from lab.metrics.changes import MetricChange
from lab.speed.slowdown import Judgement, Verdict

BINS = 20


def exhibits(tasks: tuple[Compared, ...], pace: tuple[Judgement, ...]) -> tuple[Exhibit, ...]:
    """Return every table and plot of a comparison, and the records of its numbers."""
    if not tasks:
        return ()
    shown: list[Exhibit] = [
        _overview(tasks),
        _differences(tasks),
        *_metrics(tasks),
        *map(_all_metrics, tasks),
    ]
    if pace:
        shown.append(_pace(pace))
    for task in tasks:
        if not task.comparison.identical:
            shown += [_scatter(task), _histogram(task), _changed(task)]
    return (*shown, *(_record(one) for task in tasks for one in task.records))


def _overview(tasks: tuple[Compared, ...]) -> Table:
    rows = [
        (
            c.task,
            f"{d.n:,}" if d.n == d.planned else f"{d.n:,} of {d.planned:,}",
            f"{c.base:.4f}",
            f"{c.head:.4f}",
            f"{c.difference:+.4f}",
            f"{c.accuracy.base:.1%} → {c.accuracy.head:.1%}" if c.accuracy else "",
            f"{d.drift:.2g}",
            f"{d.detectable:.2g}",
            d.verdict.value,
        )
        for c, d in ((task.comparison, task.decision) for task in tasks)
    ]
    columns = ("suite", "items", "base", "head", "change", "accuracy", "drift p", "detectable",
               "verdict")  # fmt: skip
    title = f"Base and head on the same items ({UNIT}, lower is better)"
    return Table(title, columns, tuple(rows))


def _differences(tasks: tuple[Compared, ...]) -> IntervalPlot:
    """Show the quantity that decides, of suites and of their slices."""
    shown = []
    for task in tasks:
        c, d = task.comparison, task.decision
        shown.append(
            Interval(
                c.task, d.low, c.difference, d.high, d.verdict.value, c.base, c.head,
                task.records[1].digest,
            )
        )  # fmt: skip
        for part in task.slices:
            p = part.comparison
            label = f"{c.task}, {part.name} (n={p.n:,})"
            shown.append(
                Interval(label, part.low, p.difference, part.high, part.verdict.value,
                         p.base, p.head, task.records[1].digest)
            )  # fmt: skip
    level = 100 * tasks[0].decision.confidence
    note = f"Head minus base with its {level:.4g} % interval; above zero is worse."
    return IntervalPlot("Difference between head and base", UNIT, tuple(shown), note)


def _metrics(tasks: tuple[Compared, ...]) -> Iterator[IntervalPlot]:
    """Show every other metric of suites and slices: one plot for each, since units differ.

    Not perplexities, which are bits per byte on another scale; the tables hold them.
    """
    names = dict.fromkeys(m.metric for task in tasks for m in task.metrics)
    for name in names:
        if name == "bits_per_byte" or name.endswith("perplexity"):
            continue
        found = [(t, m) for t in tasks for m in t.metrics if m.metric == name]
        better = found[0][1].better
        level = 100 * tasks[0].decision.confidence
        note = f"Head minus base with its {level:.4g} % interval; {better} is better."
        shown = tuple(_interval(task, metric) for task, metric in found)
        yield IntervalPlot(f"{name}: head minus base", name, shown, note)


def _all_metrics(task: Compared) -> Table:
    rows = tuple(
        (m.slice, m.metric, f"{m.base:.4f}", f"{m.head:.4f}", f"{m.difference:+.4f}",
         "" if m.low is None or m.high is None else f"{m.low:+.4f} to {m.high:+.4f}", f"{m.n:,}")
        for m in task.metrics
    )  # fmt: skip
    columns = ("slice", "metric", "base", "head", "change", "interval", "items")
    return Table(f"{task.decision.task}: all metrics", columns, rows, task.records[1].digest)


def _interval(task: Compared, metric: MetricChange) -> Interval:
    part = f", {metric.slice} (n={metric.n:,})" if metric.slice else ""
    return Interval(
        label=f"{metric.task}{part}",
        low=metric.difference if metric.low is None else metric.low,
        estimate=metric.difference,
        high=metric.difference if metric.high is None else metric.high,
        verdict="" if metric.low is not None else "no interval",
        base=metric.base,
        head=metric.head,
        record=task.records[1].digest,
    )


def _pace(pace: tuple[Judgement, ...]) -> IntervalPlot:
    words = {Verdict.SLOWER: "regressed", Verdict.LARGER: "regressed"}
    shown = tuple(
        Interval(
            f"{one.quantity} ({one.verdict})",
            one.slowdown.low - 1,
            one.slowdown.ratio - 1,
            one.slowdown.high - 1,
            words.get(one.verdict, ""),
        )
        for one in pace
    )
    note = "Head over base, less one, of paired rounds; above zero is slower or larger."
    return IntervalPlot("Speed and memory", "share of base", shown, note)


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
    changed = task.decision.changed
    answers = any(item.base_output or item.head_output for item in changed)
    rows: tuple[tuple[str, ...], ...] = tuple(
        (item.id, f"{item.base:.3f}", f"{item.head:.3f}", f"{item.head - item.base:+.3f}")
        + ((item.base_output, item.head_output) if answers else ())
        for item in changed
    )
    columns: tuple[str, ...] = ("item", "base", "head", "difference")
    columns += ("base answered", "head answered") if answers else ()
    title = f"{task.comparison.task}: items that changed most (nats)"
    return Table(title, columns, rows, task.records[1].digest)


def _record(one: Recorded) -> Record:
    return Record(one.title, one.digest, one.facts)
