"""Scores of models kept in the evidence cache: what is unchanged is not measured again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bot.world import Store
from lab.protocol import Item, ModelScores, Task
from lab.record import digest_of, key
from lab.worker import versions

_NVIDIA = Path("/dev/nvidiactl")
_ITEM = TypeAdapter(Item)


@dataclass(frozen=True, slots=True)
class _Entry:
    """Scores of one task, and digests of the items that they are of."""

    items: tuple[str, ...]
    scores: ModelScores


_ENTRY = TypeAdapter(_Entry)


class Kept:
    """Scores by the content of model and task, the code, the libraries and the device."""

    def __init__(self, cache: Store, device: str) -> None:
        self._cache = cache
        if device == "auto":
            device = "cuda" if _NVIDIA.exists() else "cpu"
        self._device = device

    def known(self, name: str, fingerprint: str, tasks: Sequence[Task]) -> ModelScores | None:
        """Return the scores that are kept of a model on the first items of these tasks."""
        found: list[ModelScores] = []
        for task in tasks:
            scores = self._read(fingerprint, task)
            if scores is not None:
                found.append(scores)
        if not found:
            return None
        return replace(found[0], model=name, tasks=tuple(s.tasks[0] for s in found))

    def _read(self, fingerprint: str, task: Task) -> ModelScores | None:
        """Return what is kept of the items that the task begins with."""
        data = self._cache.get(self._key(fingerprint, task))
        if data is None:
            return None
        try:
            entry = _ENTRY.validate_json(data)
        except ValidationError:
            return None
        if len(entry.scores.tasks) != 1 or len(entry.scores.tasks[0].items) != len(entry.items):
            return None
        pairs = zip(task.items, entry.items, strict=False)
        count = next(
            (place for place, (item, kept) in enumerate(pairs) if _digest(item) != kept),
            min(len(task.items), len(entry.items)),
        )
        found = entry.scores.tasks[0]
        first = replace(found, task=task.name, items=found.items[:count])
        return replace(entry.scores, tasks=(first,)) if count else None

    def keep(self, scores: ModelScores, tasks: Sequence[Task]) -> None:
        """Remember the scores of one model, unless more items of the task are kept already."""
        for task, found in zip(tasks, scores.tasks, strict=True):
            known = self._read(scores.fingerprint, task)
            if known is None or len(known.tasks[0].items) < len(found.items):
                items = tuple(map(_digest, task.items[: len(found.items)]))
                entry = _Entry(items, replace(scores, tasks=(found,)))
                self._cache.put(self._key(scores.fingerprint, task), _ENTRY.dump_json(entry))

    def _key(self, fingerprint: str, task: Task) -> str:
        # Items come in an order that their file decides: more of them begin with the same one.
        same = digest_of(replace(task, name="", digest="", items=task.items[:1]))
        return f"scores/{key(fingerprint, same, self._device, versions())}"


def _digest(item: Item) -> str:
    return hashlib.sha256(_ITEM.dump_json(item)).hexdigest()[:32]
