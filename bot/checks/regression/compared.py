"""Two models on the same tasks, as far as findings and plots need to know of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.deciding.compare import Comparison
from lab.deciding.gate import Decision, judge
from lab.deciding.sliced import SliceDecision, judge_slices
from lab.items.slices import slices
from lab.metrics.changes import MetricChange, changes
from lab.metrics.measure import summarise
from lab.protocol import Gate, ModelScores, Task, TaskScores
from lab.record import record

MAX_POINTS = 2000

Versions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """The record of one side's measurement: its digest, and what it says."""

    title: str
    digest: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """A task's verdict and what it rests on.

    `points` are (base, head) of its items in nats: all, or evenly chosen. `records` are those
    of base and head; `notes` say what was left out.
    """

    decision: Decision
    metrics: tuple[MetricChange, ...]
    slices: tuple[SliceDecision, ...]
    points: tuple[tuple[float, float], ...]
    records: tuple[Recorded, Recorded]
    notes: tuple[str, ...] = ()

    @property
    def comparison(self) -> Comparison:
        """Return what the verdict rests on. Only tasks with scored items are compared."""
        assert self.decision.comparison is not None
        return self.decision.comparison

    def metric(self, name: str) -> MetricChange | None:
        """Return a metric over all items of the task."""
        return next((m for m in self.metrics if m.metric == name and not m.slice), None)


def compare_models(
    tasks: Sequence[Task], base: ModelScores, head: ModelScores, gate: Gate, versions: Versions
) -> tuple[Compared, ...]:
    """Judge all tasks together, and gather what is shown of each. Raises LabError."""
    decisions = judge(tasks, base.tasks, head.tasks, gate)
    cuts = [slices(task) for task in tasks]
    parts = judge_slices(tasks, base.tasks, head.tasks, gate, [cut.slices for cut in cuts])
    return tuple(
        Compared(
            decision=decision,
            metrics=changes(task, before, after, 2 * gate.alpha),
            slices=tuple(part for part in parts if part.task == task.name),
            points=_points(before, after),
            records=(
                _recorded(base, task, before, versions),
                _recorded(head, task, after, versions),
            ),
            notes=cut.skipped,
        )
        for decision, task, cut, before, after in zip(
            decisions, tasks, cuts, base.tasks, head.tasks, strict=True
        )
    )


def _points(base: TaskScores, head: TaskScores) -> tuple[tuple[float, float], ...]:
    step = -(-len(base.items) // MAX_POINTS)
    pairs = list(zip(base.items, head.items, strict=True))[::step]
    return tuple((before.nll, after.nll) for before, after in pairs)


def _recorded(model: ModelScores, task: Task, scores: TaskScores, versions: Versions) -> Recorded:
    found = record(model, task, scores, versions, summarise(task, scores))
    return Recorded(f"{model.model} on {task.name}", found.digest, found.facts)
