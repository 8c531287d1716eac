"""Two local models compared as the check `regression` compares those of a change."""

from __future__ import annotations

from bot.change import Change
from bot.checks import regression
from bot.checks.regression import Evidence, Settings, Standing
from bot.checks.regression.compared import compare_models
from bot.verdict import Report, Verdict, outcome_of
from lab.model.folder import ModelFiles
from lab.model.vocabulary import vocabulary_change
from lab.protocol import Task
from lab.scoring.turns import Found
from lab.speed.slowdown import judge_pace
from lab.worker import versions


def report(
    base: ModelFiles, head: ModelFiles, tasks: tuple[Task, ...], found: Found, settings: Settings
) -> Report:
    """Judge head against base, and return the report that every format shows."""
    name = head.folder.name
    evidence = _evidence(base, head, tasks, found, settings)
    findings = regression.judge(evidence, settings)
    verdict = Verdict(
        regression.NAME,
        outcome_of(findings),
        findings,
        regression.summary(evidence),
        regression.exhibits(evidence, settings),
    )
    # Models are named by their fingerprints, as commits are by theirs.
    change = Change(
        f"{base.folder.name} to {name}", base.fingerprint, head.fingerprint, base.fingerprint, ()
    )
    return Report(change, "the command line", (verdict,))


def _evidence(
    base: ModelFiles, head: ModelFiles, tasks: tuple[Task, ...], found: Found, settings: Settings
) -> Evidence:
    names = (head.folder.name,)
    if base.fingerprint == head.fingerprint:
        return Evidence(names, Standing.SAME)
    before, after = found.scores
    pace = judge_pace(found.pace, settings.slowdown, settings.alpha) if found.pace else ()
    return Evidence(
        names,
        Standing.COMPARED,
        tasks=compare_models(tasks, before, after, settings.gate, versions()),
        pace=pace,
        tokenizer=vocabulary_change(base, head),
        about=after.about,
    )
