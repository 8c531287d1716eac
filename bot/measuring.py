"""`modelwarden measure`: score local models that their user trusts, without the sandbox."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bot import comparing, measured
from bot.cache import Cache, default_path
from bot.checks import regression
from bot.door import format_of, show, write
from bot.errors import UsageError
from bot.kept import Kept
from bot.localsuites import read_suites
from bot.measured import Measured
from bot.progress import Bar
from lab.cluster import measure_on_ray
from lab.folder import ModelFiles, inspect
from lab.load import settle
from lab.measure import metrics
from lab.metrics import check
from lab.order import ordered
from lab.protocol import Gate, ModelScores, Pace, Task
from lab.turns import Found, Subject, run


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for; `modelwarden measure --help` says it in words."""

    model: Path
    suites: tuple[Path, ...]
    against: Path | None
    device: str
    limit: int | None
    budget: float
    latency: bool
    trust_code: bool
    ray: str | None
    no_cache: bool
    format_: str
    output: Path | None
    reports: tuple[Path, ...]


def measure(asked: Asked) -> int:
    """Score, write metrics and reports, and return the exit code."""
    settings, suites = read_suites(asked.suites, trust=asked.trust_code)
    tasks = tuple(ordered(task, asked.limit or len(task.items)) for task in suites)
    for task in tasks:
        check(task)
    if asked.against is not None:
        return _against(asked, asked.against, tasks, settings)
    return _alone(asked, tasks)


def _alone(asked: Asked, tasks: tuple[Task, ...]) -> int:
    result = _on_ray(asked, tasks) if asked.ray else _here(asked, tasks)
    if asked.output is not None:
        write(json.dumps(metrics(result.measurements), indent=2) + "\n", asked.output)
    if asked.format_ in ("text", "json"):
        write(measured.as_json(result) if asked.format_ == "json" else measured.as_text(result))
    else:
        show(measured.report(result), {}, asked.format_)
    for path in asked.reports:
        show(measured.report(result), {}, format_of(path), path)
    return 0


def _here(asked: Asked, tasks: tuple[Task, ...]) -> Measured:
    files = _files(asked.model)
    with closing(Cache(None if asked.no_cache else default_path())) as cache:
        kept = Kept(cache, asked.device)
        subject = Subject(
            asked.model.name, files, kept.known(asked.model.name, files.fingerprint, tasks)
        )
        found = _scored(asked, (subject,), tasks, None)
        kept.keep(found.scores[0], tasks)
    return Measured(found.scores[0], tasks, _reused(subject.known, tasks), found.latency)


def _on_ray(asked: Asked, tasks: tuple[Task, ...]) -> Measured:
    _files(asked.model)
    with Bar("scoring") as bar:
        found = measure_on_ray(
            asked.ray or "", asked.model.name, asked.model, tasks, asked.device, progress=bar
        )
    return Measured(found, tasks, (0,) * len(tasks))


def _against(
    asked: Asked, against: Path, tasks: tuple[Task, ...], settings: regression.Settings
) -> int:
    if asked.ray:
        raise UsageError("--ray scores one model", "leave out --against, or --ray")
    base, head = _files(against), _files(asked.model)
    found = Found(())
    if base.fingerprint != head.fingerprint:
        with closing(Cache(None if asked.no_cache else default_path())) as cache:
            kept = Kept(cache, asked.device)
            subjects = tuple(
                Subject(name, files, kept.known(name, files.fingerprint, tasks))
                for name, files in (("base", base), ("head", head))
            )
            found = _scored(asked, subjects, tasks, settings.gate)
            for scores in found.scores:
                kept.keep(scores, tasks)
    compared = comparing.report(base, head, tasks, found, settings)
    rules = {rule.id: rule for rule in regression.RULES}
    show(compared, rules, asked.format_)
    for path in asked.reports:
        show(compared, rules, format_of(path), path)
    return compared.exit_code


def _files(path: Path) -> ModelFiles:
    if not path.is_dir():
        raise UsageError(f"{path} is not a folder", "pass the folder with config.json")
    return inspect(path)


def _scored(
    asked: Asked, subjects: tuple[Subject, ...], tasks: tuple[Task, ...], gate: Gate | None
) -> Found:
    whole = tuple(len(task.items) for task in tasks)
    if asked.latency or any(_reused(subject.known, tasks) != whole for subject in subjects):
        settle(threads=0)  # imports torch: not for what is known already
    with Bar("scoring") as bar:
        return run(
            subjects,
            tasks,
            device=asked.device,
            gate=gate,
            pace=Pace() if asked.latency else None,
            budget=asked.budget,
            tell=lambda _, done, total: bar(done, total),
        )


def _reused(known: ModelScores | None, tasks: tuple[Task, ...]) -> tuple[int, ...]:
    counts = {found.task: len(found.items) for found in known.tasks} if known else {}
    return tuple(counts.get(task.name, 0) for task in tasks)
