"""Scores of models kept in the evidence cache: what is unchanged is not measured again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bot.world import Store
from lab.protocol import ModelScores, Task
from lab.record import digest_of, key
from lab.worker import versions

_SCORES = TypeAdapter(ModelScores)
_NVIDIA = Path("/dev/nvidiactl")


class Kept:
    """Scores by the content of model and task, the code, the libraries and the device."""

    def __init__(self, cache: Store, device: str) -> None:
        self._cache = cache
        alone = device == "cpu" or (device == "auto" and not _NVIDIA.exists())
        self._device = "cpu" if alone else device

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
        data = self._cache.get(self._key(fingerprint, task))
        if data is None:
            return None
        try:
            scores = _SCORES.validate_json(data)
        except ValidationError:
            return None
        [found] = scores.tasks
        same = all(a.id == b.id for a, b in zip(task.items, found.items, strict=False))
        count = min(len(task.items), len(found.items))
        first = replace(found, task=task.name, items=found.items[:count])
        return replace(scores, tasks=(first,)) if same else None

    def keep(self, scores: ModelScores, tasks: Sequence[Task]) -> None:
        """Remember the scores of one model, unless more items of the task are kept already."""
        for task, found in zip(tasks, scores.tasks, strict=True):
            known = self._read(scores.fingerprint, task)
            if known is None or len(known.tasks[0].items) < len(found.items):
                alone = replace(scores, tasks=(found,))
                self._cache.put(self._key(scores.fingerprint, task), _SCORES.dump_json(alone))

    def _key(self, fingerprint: str, task: Task) -> str:
        # Fewer or more of the same file's items are the same task, however it is called.
        items = task.items if not task.digest else ()
        same = digest_of(replace(task, name="", items=items))
        return f"scores/{key(fingerprint, same, self._device, versions())}"
