"""`modelwarden measure`: score a local model that its user trusts, without the sandbox."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import click

from bot.door import write
from bot.errors import UsageError
from lab.errors import SuiteError
from lab.folder import inspect
from lab.measure import Measurement, measure, metrics, summarise
from lab.protocol import ModelScores, Task
from lab.suite import read_task

SUITE_LIMIT = 50_000_000  # bytes


def run(
    *,
    model: Path,
    suites: Sequence[Path],
    device: str,
    limit: int | None,
    format_: str,
    output: Path | None,
) -> int:
    """Score the model; print what was measured, and write it as DVC metrics."""
    tasks = tuple(_task(path, limit) for path in suites)
    names = [task.name for task in tasks]
    if len(set(names)) < len(names):
        raise UsageError("two suites have the same name", "rename one of the files")
    if not model.is_dir():
        raise UsageError(f"{model} is not a folder", "pass the folder with config.json")
    scores = measure(model.name, inspect(model), tasks, device, progress=_progress)
    found = tuple(
        one
        for task, scored in zip(tasks, scores.tasks, strict=True)
        for one in summarise(task, scored)
    )
    if output is not None:
        write(json.dumps(metrics(found), indent=2) + "\n", output)
    click.echo(_json(scores, found) if format_ == "json" else _text(scores, found))
    return 0


def _task(path: Path, limit: int | None) -> Task:
    with path.open("rb") as file:
        data = file.read(SUITE_LIMIT + 1)
    try:
        task = read_task(path.stem, data)
    except SuiteError as error:
        place = f"{path}:{error.line}" if error.line else str(path)
        raise UsageError(f"{place}: {error.message}", error.hint) from error
    return task if limit is None else replace(task, items=task.items[:limit])


def _json(scores: ModelScores, found: Sequence[Measurement]) -> str:
    model = {key: value for key, value in asdict(scores).items() if key != "tasks"}
    return json.dumps({"model": model, "measurements": [asdict(one) for one in found]}, indent=2)


def _text(scores: ModelScores, found: Sequence[Measurement]) -> str:
    lines = [
        f"{scores.model}: {scores.architecture}, {scores.parameters:,} parameters, "
        f"{scores.dtype} on {scores.device}",
        f"fingerprint {scores.fingerprint}",
    ]
    for one in found:
        between = "" if one.low is None else f"  ({one.low:.4f} to {one.high:.4f})"
        metric = f"{one.metric} {one.slice}".rstrip()
        lines.append(f"  {one.task:<20} {metric:<18} {one.value:.4f}{between}  n={one.n}")
    return "\n".join(lines)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done}/{total}", err=True, nl=done == total)
