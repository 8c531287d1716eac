"""Tasks in pieces of a fixed size, scored side by side and put together again.

A shard is the unit of scoring: what a model says of its items depends on nothing else. How
many devices or machines share the shards is therefore not to be seen in the scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from queue import SimpleQueue

from lab.model.devices import devices
from lab.model.folder import ModelFiles
from lab.model.load import Model, load
from lab.protocol import Item, Task, TaskScores
from lab.scoring.plain import Progress
from lab.scoring.score import score
from lab.speed.usage import Meter, together

ITEMS = 64
CHARACTERS = 250_000


def shards(task: Task, items: int = ITEMS, characters: int = CHARACTERS) -> tuple[Task, ...]:
    """Cut the task into runs of items, each at most so many and so long.

    A cluster whose items stand together stays together, whatever its size: they tend to share
    text, which is then read once. A task without items is one shard.
    """
    cut: list[tuple[Item, ...]] = []
    held: list[Item] = []
    length = 0
    for group in _groups(task.items):
        size = sum(_length(item) for item in group)
        if held and (len(held) + len(group) > items or length + size > characters):
            cut.append(tuple(held))
            held, length = [], 0
        held += group
        length += size
    cut.append(tuple(held))
    return tuple(replace(task, items=part) for part in cut)


def join(parts: Sequence[TaskScores]) -> TaskScores:
    """Put the scores of a task's shards together again, in their order."""
    gaps = [part.gap for part in parts if part.gap is not None]
    return TaskScores(
        task=parts[0].task,
        items=tuple(item for part in parts for item in part.items),
        # One shard read the fast way is enough for a reader to want to know.
        level="prefix" if any(part.level == "prefix" for part in parts) else "plain",
        gap=max(gaps, default=None),
        usage=together([part.usage for part in parts]),
    )


def replicas(files: ModelFiles, asked: str) -> tuple[Model, ...]:
    """Load the model onto every device meant (lab/model/devices.py). Raises ModelError."""
    return tuple(load(files, device) for device in devices(asked))


def score_sharded(
    models: Sequence[Model], task: Task, *, progress: Progress | None = None
) -> TaskScores:
    """Score the task on replicas of one model, each on a device of its own.

    The scores are the same, to the last bit, for any number of replicas on devices of one
    type. Raises what the first failing shard raises; the shards not yet begun are left.
    """
    free: SimpleQueue[Model] = SimpleQueue()
    for model in models:
        free.put(model)

    def run(shard: Task) -> TaskScores:
        model = free.get()
        try:
            return score(model.unproven(), shard)
        finally:
            free.put(model)

    meter = Meter(*(model.device for model in models))
    with ThreadPoolExecutor(len(models), thread_name_prefix="shard") as pool:
        futures = [pool.submit(run, shard) for shard in shards(task)]
        try:
            _watch(futures, len(task.items), progress)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    joined = join([future.result() for future in futures])
    # Threads share the process's seconds: only a meter around all of them adds up.
    return replace(joined, usage=meter.read(joined.usage.tokens))


def _watch(futures: Sequence[Future[TaskScores]], total: int, progress: Progress | None) -> None:
    done = 0
    for future in as_completed(futures):
        done += len(future.result().items)
        if progress:
            progress(done, total)


def _groups(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Yield neighbours of one cluster together, other items alone."""
    group: list[Item] = []
    for item in items:
        if group and not (item.cluster and item.cluster == group[-1].cluster):
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def _length(item: Item) -> int:
    return len(item.context) + sum(map(len, item.choices))
