"""A model that is released, or was, scored on every item: in the sandbox, or from what is kept.

Scores that this machine kept of the same model, items and code are used again; nothing that a
commit says of its own measurements is.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from bot import sandbox
from bot.checks.regression import Settings
from bot.checks.regression.pairs import Unequipped, Unprotected
from bot.checks.regression.scoring import lacking, score
from bot.kept import Kept
from bot.repository import GitWorld
from lab.model.folder import ModelFiles
from lab.protocol import ModelScores, Request, Task
from registry.release.steps import Tell

ALL = 100_000  # items of a suite: a release is measured on every one


def scores_of(
    world: GitWorld, settings: Settings, name: str, files: ModelFiles, tasks: tuple[Task, ...],
    tell: Tell,
) -> ModelScores:  # fmt: skip
    """Return the scores of a model on all items of all tasks. Raises CouldNotTell, LabError."""
    kept = Kept(world.store, settings.device)
    known = kept.known(name, files.fingerprint, tasks)
    if known is not None and _whole(known, tasks):
        tell(f"{name}: scores of an earlier run of the same model")
        return known
    if missing := lacking():
        raise Unequipped(
            f"not installed: {', '.join(missing)}", "run: pip install 'modelwarden[model]'"
        )
    protection = sandbox.probe()
    if absent := protection.missing(settings.require):
        raise Unprotected(
            f"this machine does not give: {', '.join(absent)} "
            f"(sandbox: {protection.rung or 'none'}); no model was loaded",
            sandbox.REMEDY,
        )
    # Alone in its sandbox, unlike base and head of a change: what comes out is kept.
    request = Request(((name, str(files.folder)),), tasks, settings.device)
    with tempfile.TemporaryDirectory(prefix="modelwarden-", ignore_cleanup_errors=True) as place:
        scored = score(
            request, Path(place), minutes=settings.minutes, memory_gb=settings.memory_gb, say=tell
        )
    found = replace(scored.models[0], fingerprint=files.fingerprint)
    kept.keep(found, tasks)
    return found


def _whole(known: ModelScores, tasks: tuple[Task, ...]) -> bool:
    counts = {found.task: len(found.items) for found in known.tasks}
    return all(counts.get(task.name, 0) == len(task.items) for task in tasks)
