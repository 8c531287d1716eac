"""Models on the same items in turn: a part of every task on one, then the same part on the other.

So both are measured by one process under one load. With a gate, scoring ends at the first look
(lab/deciding/gate.py) at which the answer is clear; with a budget, after the part in which it
ran out. What is known of a model from an earlier run is not scored again, and a model of which
all is known is not even loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from lab.deciding.gate import judge
from lab.errors import DeviceError, LabError, ModelError
from lab.items.order import schedule
from lab.model.folder import ModelFiles
from lab.model.load import Model, settle
from lab.protocol import Gate, ModelScores, Pace, PaceScores, Task, TaskScores, Usage
from lab.scoring.plain import Progress
from lab.scoring.score import Scorer, scorer
from lab.scoring.shards import join, replicas, score_sharded
from lab.speed.pace import latency
from lab.speed.pace import pace as compare_pace
from lab.speed.slowdown import Latency
from lab.speed.usage import Meter, together

PARTS = 16  # of a task, or of the way to the next look, where a budget may end it

Tell = Callable[[str, int, int], None]  # model, items done, items in all


@dataclass(frozen=True, slots=True)
class Subject:
    """A model to score: its name in the answer, its files, and what is known of it already."""

    name: str
    files: ModelFiles
    known: ModelScores | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The scores of every model, in their order; the times of two, or of one alone, if asked."""

    scores: tuple[ModelScores, ...]
    pace: PaceScores | None = None
    latency: Latency | None = None


def run(
    subjects: Sequence[Subject],
    tasks: Sequence[Task],
    *,
    device: str = "auto",
    gate: Gate | None = None,
    pace: Pace | None = None,
    budget: float = 0.0,
    tell: Tell | None = None,
) -> Found:
    """Score every model on every task. Raises ModelError, which names the model.

    `budget` is the seconds of CPU, or of GPU where there is one, that scoring may take.
    """
    distinct = {s.files.fingerprint: s for s in reversed(subjects)}
    if len(distinct) < len(subjects):  # the same files give the same scores
        once = run([*reversed(distinct.values())], tasks, device=device, budget=budget, tell=tell)
        of = {scores.fingerprint: scores for scores in once.scores}
        return Found(tuple(replace(of[s.files.fingerprint], model=s.name) for s in subjects))
    sides = [Side(subject, tasks, device, tell) for subject in subjects]
    for part in _parts(sides, tasks, gate, budget):
        for number, count in part:
            for side in sides:
                side.advance(number, count)
        if budget and sum(side.seconds for side in sides) >= budget:
            break
    scores = tuple(side.scores() for side in sides)
    if pace is None or len(sides) > 2:
        return Found(scores)
    base, *head = (side.models()[0] for side in sides)
    if not head:
        return Found(scores, latency=latency(base))
    try:
        return Found(scores, pace=compare_pace(base, head[0], pace))
    except ModelError as error:
        raise ModelError(error.message, error.hint, subjects[1].name) from error


def _parts(
    sides: Sequence[Side], tasks: Sequence[Task], gate: Gate | None, budget: float
) -> Iterator[list[tuple[int, int]]]:
    """Yield which tasks to score next, and up to which item."""
    whole = [(n, len(task.items)) for n, task in enumerate(tasks)]
    looks = _looks(sides, tasks, gate) if gate is not None and len(sides) == 2 else iter([whole])
    yield from _in_steps(looks) if budget else looks


def _in_steps(looks: Iterator[list[tuple[int, int]]]) -> Iterator[list[tuple[int, int]]]:
    """Yield the way to each look in parts, so that a budget can end it anywhere."""
    done: dict[int, int] = {}
    for look in looks:
        for left in reversed(range(PARTS)):
            yield [(n, count - (count - done.get(n, 0)) * left // PARTS) for n, count in look]
        done.update(look)


def _looks(
    sides: Sequence[Side], tasks: Sequence[Task], gate: Gate
) -> Iterator[list[tuple[int, int]]]:
    looks = [schedule(task, gate) for task in tasks]
    open_ = set(range(len(tasks)))
    for look in range(max(map(len, looks), default=0)):
        yield [(n, looks[n][look]) for n in sorted(open_) if look < len(looks[n])]
        base, head = (side.scores().tasks for side in sides)
        settled = [decision.settled for decision in judge(tasks, base, head, gate)]
        open_ = {n for n in open_ if not settled[n]}


class Side:
    """One model's way through all tasks."""

    def __init__(
        self, subject: Subject, tasks: Sequence[Task], device: str, tell: Tell | None
    ) -> None:
        self._subject, self._tasks, self._device, self._tell = subject, tasks, device, tell
        known = {task.task: task for task in subject.known.tasks} if subject.known else {}
        self._known = [known.get(task.name, TaskScores(task.name, ())) for task in tasks]
        self._counts = [0] * len(tasks)
        self._parts: dict[int, _Part] = {}
        self._models: tuple[Model, ...] = ()
        self.seconds = 0.0

    def advance(self, number: int, count: int) -> None:
        """Score a task up to its item `count`; what is known of it costs nothing."""
        known = len(self._known[number].items)
        if count > known:
            try:
                self._score(number, known, count)
            except DeviceError:
                raise
            except LabError as error:
                raise ModelError(error.message, error.hint, self._subject.name) from error
        self._counts[number] = count
        self._progress(0)

    def _score(self, number: int, known: int, count: int) -> None:
        if number not in self._parts:
            task = self._tasks[number]
            self._parts[number] = _Part(self.models(), replace(task, items=task.items[known:]))
        start = max(self._counts[number], known)
        usage = self._parts[number].take(
            count - start, lambda done, rows: self._progress((count - start) * done // rows)
        )
        self.seconds += usage.gpu or usage.cpu

    def models(self) -> tuple[Model, ...]:
        """Return the model on each of its devices, loaded now if it was not before."""
        if not self._models:
            settle(threads=0)  # imports torch: not before a model is needed
            self._models = replicas(self._subject.files, self._device)
        return self._models

    def scores(self) -> ModelScores:
        """Return what there is so far."""
        tasks = tuple(map(self._scores, range(len(self._tasks))))
        if self._subject.known and not self._models:
            return replace(self._subject.known, model=self._subject.name, tasks=tasks)
        model = self.models()[0]
        return ModelScores(
            model=self._subject.name,
            fingerprint=model.fingerprint,
            parameters=model.parameters,
            architecture=model.architecture,
            device=", ".join(one.device for one in self.models()),
            dtype=model.dtype,
            tasks=tasks,
        )

    def _scores(self, number: int) -> TaskScores:
        known = self._known[number]
        first = known.items[: self._counts[number]]
        if number not in self._parts:
            return replace(known, items=first)
        found = self._parts[number].scores()
        usage = together([known.usage, found.usage]) if first else found.usage
        return replace(found, items=first + found.items, usage=usage)

    def _progress(self, more: int) -> None:
        if self._tell:
            total = sum(len(task.items) for task in self._tasks)
            self._tell(self._subject.name, min(total, sum(self._counts) + more), total)


class _Part:
    """One model on what is not known of one task."""

    def __init__(self, models: tuple[Model, ...], task: Task) -> None:
        self._models, self._task = models, task
        # Several devices share pieces of fixed size, so that their number moves no score.
        self._scorer: Scorer | None = scorer(models[0], task) if len(models) == 1 else None
        self._found: list[TaskScores] = []
        self._done = 0

    def take(self, count: int, progress: Progress) -> Usage:
        """Score `count` more items."""
        if self._scorer is None:
            rest = replace(self._task, items=self._task.items[self._done : self._done + count])
            found = score_sharded(self._models, rest, progress=progress)
        else:
            meter, before = Meter(self._models[0].device), self._scorer.read
            items = self._scorer.take(count, progress)
            usage = meter.read(self._scorer.read - before)
            found = TaskScores(self._task.name, items, self._scorer.level, self._scorer.gap, usage)
        self._found.append(found)
        self._done += count
        return found.usage

    def scores(self) -> TaskScores:
        """Return all that was taken."""
        return join(self._found)
