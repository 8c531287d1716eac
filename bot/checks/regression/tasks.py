"""What each suite's comparison comes to under the policy, in plain words."""

from __future__ import annotations

from bot.checks.regression import rules
from bot.checks.regression.plots import Compared
from bot.checks.regression.settings import Settings
from bot.finding import Finding, Location
from lab.compare import UNIT, Comparison
from lab.gate import Decision, Ruling


def words(tasks: tuple[Compared, ...]) -> tuple[str, ...]:
    """Return one word or two for each suite."""
    return tuple(task.decision.verdict.value for task in tasks)


def findings_of(
    tasks: tuple[Compared, ...], settings: Settings, where: Location
) -> tuple[Finding, ...]:
    """Return one finding for each suite."""
    return tuple(_finding(task.comparison, task.decision, settings, where) for task in tasks)


def _finding(c: Comparison, decision: Decision, settings: Settings, where: Location) -> Finding:
    if decision.harmed == ("accuracy",):
        return _lost_answers(c, decision, where)
    if decision.verdict is Ruling.REGRESSED:
        margin = f", more than the tolerance of {settings.tolerance:g}"
        worse = f"{c.task}: {_moved(decision, 'worse')}{margin if settings.tolerance else ''}"
        return rules.REGRESSED.at(f"{worse}; {_seen(decision)}{_answers(c)}", where)
    if decision.verdict is Ruling.IMPROVED:
        return rules.IMPROVED.at(f"{c.task}: {_moved(decision, 'better')}{_answers(c)}", where)
    if decision.verdict is Ruling.INCONCLUSIVE:
        return rules.INCONCLUSIVE.at(f"{c.task}: {decision.reason}", where)
    if decision.verdict is Ruling.IDENTICAL:
        same = f"{c.task}: all {c.n:,} items score exactly the same"
        return rules.NO_CHANGE.at(same, where, remedy="Nothing to do.")
    if decision.verdict is Ruling.WITHIN_TOLERANCE:
        within = f"within the tolerance of {settings.tolerance:g}"
        return rules.TOLERATED.at(f"{c.task}: {_moved(decision, 'worse')}, {within}", where)
    change = f"no detectable change ({c.difference:+.3g} {UNIT}, {_interval(decision, 1)})"
    return rules.NO_CHANGE.at(
        f"{c.task}: {change} on {c.n:,} items; {_seen(decision)}{_answers(c)}", where
    )


def _moved(decision: Decision, direction: str) -> str:
    """Say by how much, so that the number is positive in the direction named."""
    c, sign = decision.comparison, 1 if direction == "worse" else -1
    assert c is not None
    return (
        f"{sign * c.difference:.3g} {UNIT} {direction} ({_interval(decision, sign)}), "
        f"{c.base:.4g} before and {c.head:.4g} now, on {c.n:,} items"
    )


def _interval(decision: Decision, sign: int) -> str:
    low, high = sorted((sign * decision.low, sign * decision.high))
    return f"{100 * decision.confidence:.4g} % interval {low:.3g} to {high:.3g}"


def _seen(decision: Decision) -> str:
    return f"smallest change this run could see: {decision.detectable:.2g}"


def _answers(c: Comparison) -> str:
    if c.accuracy is None:
        return ""
    return f"; accuracy {c.accuracy.base:.1%} before, {c.accuracy.head:.1%} now"


def _lost_answers(c: Comparison, decision: Decision, where: Location) -> Finding:
    flips = ""
    if c.accuracy is not None:
        flips = f"{c.accuracy.lost:,} answers turned wrong and {c.accuracy.gained:,} turned right"
    return rules.ANSWERS_LOST.at(f"{c.task}: {flips}{_answers(c)}; {decision.reason}", where)
