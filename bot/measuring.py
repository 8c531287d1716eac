"""`modelwarden measure`: score local models that their user trusts, without the sandbox."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bot import comparing, measured
from bot.cache import Cache, default_path
from bot.checks import regression
from bot.checks.regression.scoring import lacking
from bot.door import format_of, show
from bot.errors import UsageError
from bot.kept import Kept
from bot.localsuites import read_suites
from bot.measured import Measured
from bot.printing import write
from bot.progress import Bar
from lab.errors import DeviceError, ModelError
from lab.items.order import ordered
from lab.metrics.measure import metrics
from lab.model.folder import ModelFiles, inspect
from lab.protocol import Gate, ModelScores, Pace, Task
from lab.scoring.cluster import ClusterError, measure_on_ray
from lab.scoring.turns import Found, Subject, run

CSV = "csv"  # only of one model: rows for `dvc plots`
_DEVICE = re.compile(r"auto|cpu|cuda|cuda:\d{1,3}(,cuda:\d{1,3})*")


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

    @property
    def written(self) -> tuple[tuple[Path | None, str], ...]:
        """Where the report goes (None: standard output), and in which format."""
        return ((None, self.format_), *((path, _format(path)) for path in self.reports))


def _format(path: Path) -> str:
    return CSV if path.suffix == ".csv" else format_of(path)


def measure(asked: Asked) -> int:
    """Score, write metrics and reports, and return the exit code."""
    _refuse(asked)
    settings, suites = read_suites(asked.suites, trust=asked.trust_code)
    tasks = tuple(ordered(task, asked.limit or len(task.items)) for task in suites)
    if asked.against is not None:
        return _against(asked, asked.against, tasks, settings)
    return _alone(asked, tasks)


def _refuse(asked: Asked) -> None:
    """Refuse before minutes are spent what could not be done at their end. Raises UsageError."""
    if missing := lacking():
        raise UsageError(
            f"not installed: {', '.join(missing)}", "run: pip install 'modelwarden[model]'"
        )
    if not _DEVICE.fullmatch(asked.device):
        hint = "ask for auto, cpu, cuda, or cuda:0,cuda:1"
        raise UsageError(f"--device {asked.device[:80]}: no device, by its name", hint)
    if not math.isfinite(asked.budget):
        raise UsageError(f"--budget {asked.budget}: not a number of seconds", "write seconds")
    for option in ("against", "budget", "latency"):
        if asked.ray is not None and getattr(asked, option):
            message = f"--ray scores one model on whole suites, without --{option}"
            raise UsageError(message, f"leave out --{option}, or --ray")
    if asked.against is None and "sarif" in dict(asked.written).values():
        hint = "compare with another model (--against), or write another format"
        raise UsageError("SARIF is of findings, and the numbers of one model are none", hint)
    if asked.against is not None and CSV in dict(asked.written).values():
        hint = "leave out --against, or name a report .html, .json, .md, .sarif or .txt"
        raise UsageError("a CSV report is of one model", hint)
    for path in filter(None, (asked.output, *asked.reports)):
        if path.is_dir() or not path.parent.is_dir():
            raise UsageError(f"{path} cannot be written", "name a file in a folder that is there")


def _alone(asked: Asked, tasks: tuple[Task, ...]) -> int:
    result = _on_ray(asked, tasks) if asked.ray is not None else _here(asked, tasks)
    _write_metrics(asked, result)
    for path, format_ in asked.written:
        if format_ == "json":
            write(measured.as_json(result), path)
        elif format_ == "text":
            write(measured.as_text(result), path)
        elif format_ == CSV:
            write(measured.as_csv(result), path)
        else:
            show(measured.report(result), {}, format_, path)
    return 0


def _write_metrics(asked: Asked, result: Measured) -> None:
    if asked.output is not None:
        write(json.dumps(metrics(result.measurements), indent=2) + "\n", asked.output)


def _here(asked: Asked, tasks: tuple[Task, ...]) -> Measured:
    files = _files(asked.model)
    sides = ((files.folder.name, files),)
    found, [reused] = _scored(asked, sides, tasks, None)
    return Measured(found.scores[0], tasks, reused, found.latency)


def _on_ray(asked: Asked, tasks: tuple[Task, ...]) -> Measured:
    folder = _files(asked.model).folder
    try:
        with Bar("scoring") as bar:
            found = measure_on_ray(
                asked.ray or "", folder.name, folder, tasks, asked.device, progress=bar
            )
    except ClusterError as error:
        raise UsageError(error.message, error.hint) from error
    return Measured(found, tasks, (0,) * len(tasks))


def _against(
    asked: Asked, against: Path, tasks: tuple[Task, ...], settings: regression.Settings
) -> int:
    sides: tuple[tuple[str, ModelFiles], ...]
    sides = (("base", _files(against, "base")), ("head", _files(asked.model, "head")))
    (_, base), (_, head) = sides
    if asked.output is not None:
        # Numbers to keep are of all items, as those of one model alone are.
        settings = settings.model_copy(update={"early": False})
    if base.fingerprint == head.fingerprint:
        sides = sides[1:] if asked.output is not None else ()
    found, reused = _scored(asked, sides, tasks, settings.gate)
    if found.scores:
        _write_metrics(asked, Measured(found.scores[-1], tasks, reused[-1]))
    compared = comparing.report(base, head, tasks, found, settings)
    rules = {rule.id: rule for rule in regression.RULES}
    for path, format_ in asked.written:
        show(compared, rules, format_, path)
    return compared.exit_code


def _files(path: Path, side: str = "") -> ModelFiles:
    if not path.is_dir():
        raise UsageError(f"{path} is not a folder", "pass the folder with config.json")
    try:
        return inspect(path.absolute())
    except ModelError as error:
        raise _named(error, side) from error


def _named(error: ModelError, side: str) -> ModelError:
    return ModelError(f"{side} model: {error.message}" if side else error.message, error.hint)


def _scored(
    asked: Asked,
    sides: Sequence[tuple[str, ModelFiles]],
    tasks: tuple[Task, ...],
    gate: Gate | None,
) -> tuple[Found, list[tuple[int, ...]]]:
    """Return the scores of every side, and how many of each task are from earlier runs."""
    if not sides:
        return Found(()), []
    with closing(Cache(None if asked.no_cache else default_path())) as cache:
        kept = Kept(cache, asked.device)
        subjects = [
            Subject(name, files, kept.known(name, files.fingerprint, tasks))
            for name, files in sides
        ]
        try:
            with Bar("scoring") as bar:
                found = run(
                    subjects,
                    tasks,
                    device=asked.device,
                    gate=gate,
                    pace=Pace() if asked.latency else None,
                    budget=asked.budget,
                    tell=lambda _, done, total: bar(done, total),
                )
        except DeviceError as error:
            raise UsageError(error.message, error.hint) from error
        except ModelError as error:
            raise _named(error, error.model if len(sides) > 1 else "") from error
        for scores in found.scores:
            kept.keep(scores, tasks)
    return found, [
        _reused(subject.known, scores)
        for subject, scores in zip(subjects, found.scores, strict=True)
    ]


def _reused(known: ModelScores | None, scores: ModelScores) -> tuple[int, ...]:
    counts = {found.task: len(found.items) for found in known.tasks} if known else {}
    return tuple(min(counts.get(found.task, 0), len(found.items)) for found in scores.tasks)
