"""Is the model of this change worse than the one before it, on the policy's suites?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from bot.change import Change
from bot.checks.regression import baseline, lineage, pace, plots, rules
from bot.checks.regression.compared import Compared, compare_models
from bot.checks.regression.folders import (
    detect,
    identity,
    is_model_file,
    is_weights,
    model_files,
    touches,
)
from bot.checks.regression.lineage import Lineage, Unproven
from bot.checks.regression.pairs import Sides, Unequipped, Unprotected, score_sides
from bot.checks.regression.rules import RULES
from bot.checks.regression.scoring import ModelFailed, Scored
from bot.checks.regression.settings import Settings
from bot.checks.regression.suites import BadSuite, read_suites
from bot.checks.regression.tasks import findings_of
from bot.drift import drift, trends
from bot.errors import BotError, CouldNotTell, Missing
from bot.exhibit import Exhibit
from bot.finding import Finding, Location, Rule
from bot.sandbox import SandboxFailed
from bot.wording import plural
from bot.world import World
from lab.errors import LabError, ModelError
from lab.speed.slowdown import Judgement, judge_pace
from registry.errors import MissingWeights, RegistryError, ReleaseError
from registry.history import History
from registry.outputs import is_source

__all__ = [
    "LOADS",
    "NAME",
    "RULES",
    "VERSION",
    "Evidence",
    "Settings",
    "applies",
    "collect",
    "exhibits",
    "judge",
    "summary",
]

NAME = "regression"
VERSION = 2
LOADS = True  # the weights of a change, so it may have to wait for somebody's leave

# What went wrong -> the rule that says so; the first that fits.
PROBLEMS: tuple[tuple[type[Exception], Rule], ...] = (
    (Unproven, rules.UNPROVEN),
    (ReleaseError, rules.UNPROVEN),
    (MissingWeights, rules.MISSING),
    (Missing, rules.MISSING),
    (RegistryError, rules.BROKEN),
    (ModelFailed, rules.BROKEN),
    (ModelError, rules.BROKEN),
    (BadSuite, rules.BAD_SUITE),
    (Unprotected, rules.UNPROTECTED),
    (Unequipped, rules.UNEQUIPPED),
    (SandboxFailed, rules.NO_ANSWER),
    (LabError, rules.NO_ANSWER),
    (CouldNotTell, rules.BROKEN),  # a blob beyond its bound
)


class Standing(StrEnum):
    """How the model after the change stands to the one before it."""

    NONE = "no model"
    SEVERAL = "several models"
    SAME = "unchanged"
    ADDED = "added"
    REMOVED = "removed"
    UNSCORED = "changed, without a suite to judge it by"
    UNKNOWN = "could not be measured"
    COMPARED = "compared"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the model could not be measured, under which rule."""

    rule: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found out.

    `models` are folders, `edited` suites that the change touches; `tokenizer` says how that of
    head differs, `past` what the last releases measured, `lineage` which release was the baseline.
    """

    models: tuple[str, ...]
    standing: Standing
    edited: tuple[str, ...] = ()
    problem: Problem | None = None
    tasks: tuple[Compared, ...] = ()
    pace: tuple[Judgement, ...] = ()
    tokenizer: str = ""
    past: History | None = None
    about: str = ""
    lineage: Lineage | None = None


def applies(change: Change, settings: Settings) -> str:
    """Apply where the change touches the model, a pointer that may be to it, or a suite."""
    paths = [f.path for f in change.files]
    if settings.model:
        relevant = any(touches(path, settings.folder) for path in paths)
    else:
        relevant = any(map(is_model_file, paths))
    if not relevant and not _edited(change, settings):
        if not settings.model and any(map(is_source, paths)):
            return "no model file changed by name; set regression.model if a DVC output holds one"
        return "no file of a model changed"
    if not settings.suite and not settings.model and not any(map(is_weights, paths)):
        return "the policy names no suite: add a JSONL file of texts under regression.suite"
    return ""


def _edited(change: Change, settings: Settings) -> tuple[str, ...]:
    changed = {f.path for f in change.files}
    return tuple(suite.path for suite in settings.suite if suite.path in changed)


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """Find both models, score them on the base commit's suites, compare them."""
    models = (settings.folder,) if settings.model else detect(change, world)
    edited = _edited(change, settings)
    if len(models) != 1:
        return Evidence(models, Standing.SEVERAL if models else Standing.NONE, edited)
    try:
        return _measured(change, world, settings, models, edited)
    except (RegistryError, LabError, CouldNotTell) as error:
        rule = next(rule for kind, rule in PROBLEMS if isinstance(error, kind))
        problem = Problem(rule.id, _message(error), error.hint)
        return Evidence(models, Standing.UNKNOWN, edited, problem)


def _message(error: RegistryError | LabError | BotError) -> str:
    side = f"{error.model} model: " if isinstance(error, ModelFailed) else ""
    return side + error.message


def _measured(
    change: Change,
    world: World,
    settings: Settings,
    models: tuple[str, ...],
    edited: tuple[str, ...],
) -> Evidence:
    commits = (change.merge_base, change.head)
    sides = Sides(*(model_files(world, commit, models[0]) for commit in commits))
    standing = _standing(sides, settings)
    if standing not in (Standing.ADDED, Standing.COMPARED):
        return Evidence(models, standing, edited)
    found, against = lineage.find(change, world, settings, sides.base)
    sides = Sides(against, sides.head)
    standing = _standing(sides, settings)
    if standing is Standing.SAME:
        return Evidence(models, standing, edited, lineage=found)
    suites = read_suites(world, change.base, settings.suite, settings.limit)
    edited = tuple(sorted({f.path for f in change.files} & {*edited, *suites.files}))
    scored = score_sides(change, world, settings, sides, suites, f"{NAME}/{VERSION}")
    if not scored.models:
        return Evidence(models, Standing.SAME, edited, lineage=found)
    evidence = Evidence(
        models, standing, edited, tokenizer=scored.tokenizer, about=_about(scored), lineage=found
    )
    if standing is not Standing.COMPARED:
        return evidence
    base, head = scored.models
    return replace(
        evidence,
        tasks=compare_models(suites.tasks, base, head, settings.gate, scored.versions),
        pace=judge_pace(scored.pace, settings.slowdown, settings.alpha) if scored.pace else (),
        past=drift(world, change.merge_base, settings.metrics, settings.releases),
    )


def _standing(sides: Sides, settings: Settings) -> Standing:
    if not sides.present:
        return Standing.NONE
    if identity(sides.base) == identity(sides.head):
        return Standing.SAME
    if not sides.head:
        return Standing.REMOVED
    if not settings.suite:
        return Standing.UNSCORED
    return Standing.COMPARED if sides.base else Standing.ADDED


def _about(scored: Scored) -> str:
    head = scored.models[-1]
    reused = f", {scored.reused:,} scores of the base reused" if scored.reused else ""
    return f"{head.about}, sandbox: {scored.rung}{reused}"


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Turn standing, problem and comparisons into findings."""
    where = Location(evidence.models[0]) if len(evidence.models) == 1 else Location()
    found = [
        rules.SUITE_EDITED.at(f"{path} judges this change as it is at the base", Location(path))
        for path in evidence.edited
    ]
    if evidence.problem is not None:
        rule = next(rule for rule in RULES if rule.id == evidence.problem.rule)
        found.append(rule.at(evidence.problem.message, where, remedy=evidence.problem.remedy))
    if evidence.standing is Standing.SEVERAL:
        names = ", ".join(model or "." for model in evidence.models[:5])
        level = None if settings.suite else rules.NO_SUITE.level
        found.append(rules.SEVERAL.at(f"these models change: {names}", level=level))
    stated = {
        Standing.REMOVED: (rules.REMOVED, "the model is gone from this folder"),
        Standing.UNSCORED: (rules.NO_SUITE, "the model changes and nothing measures it"),
        Standing.SAME: (rules.IDENTICAL, baseline.same(evidence.lineage)),
        Standing.ADDED: (rules.ADDED, f"a new model that loads and scores: {evidence.about}"),
    }
    if evidence.standing is Standing.NONE and settings.model:
        found.append(rules.NO_MODEL.at(f"no model in '{settings.model}'", where))
    if evidence.standing in stated:
        rule, message = stated[evidence.standing]
        found.append(rule.at(message, where))
    found += baseline.findings_of(evidence.lineage, settings, where)
    if evidence.tokenizer:
        found.append(rules.TOKENIZER.at(evidence.tokenizer, where))
    found += findings_of(evidence.tasks, settings, where)
    found += pace.findings_of(evidence.pace, where)
    return tuple(found)


def summary(evidence: Evidence) -> str:
    """Say which model was judged and how."""
    if not evidence.models:
        return "no model in the changed folders"
    name = evidence.models[0] or "the model at the root"
    if evidence.standing is not Standing.COMPARED:
        return f"{name}: {evidence.standing}"
    items = sum(task.decision.n for task in evidence.tasks)
    judged = f"{plural(len(evidence.tasks), 'suite')}, {plural(items, 'item')}"
    return f"{name}: {judged}; {evidence.about}"


def exhibits(evidence: Evidence, settings: Settings) -> tuple[Exhibit, ...]:
    """Return tables and plots of what was compared."""
    now = {
        task.decision.task: {m.metric: m.head for m in task.metrics if not m.slice}
        for task in evidence.tasks
    }
    moved = trends(evidence.past, now) if evidence.past and evidence.past.releases else ()
    return (*plots.exhibits(evidence.tasks, evidence.pace), *moved)
