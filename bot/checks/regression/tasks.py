"""What each suite's comparison comes to under the policy, in plain words."""

from __future__ import annotations

from bot.checks.regression import rules
from bot.checks.regression.plots import Compared
from bot.checks.regression.settings import Settings
from bot.finding import Finding, Location
from lab.compare import UNIT, Change, Comparison, Decision, decide


def decisions(tasks: tuple[Compared, ...], settings: Settings) -> tuple[Decision, ...]:
    """Judge all suites together."""
    comparisons = [task.comparison for task in tasks]
    return decide(comparisons, settings.tolerance, settings.resolution, settings.alpha)


def words(tasks: tuple[Compared, ...], settings: Settings) -> tuple[str, ...]:
    """Return one word or two for each suite."""
    return tuple(decision.verdict.value for decision in decisions(tasks, settings))


def findings_of(
    tasks: tuple[Compared, ...], settings: Settings, where: Location
) -> tuple[Finding, ...]:
    """Return one finding for each suite, and one more where right answers were lost as well."""
    found: list[Finding] = []
    for task, decision in zip(tasks, decisions(tasks, settings), strict=True):
        found.append(_finding(task.comparison, decision, settings, where))
        if decision.verdict is not Change.REGRESSED:
            found += _lost_answers(task.comparison, settings.alpha / len(tasks), where)
    return tuple(found)


def _finding(c: Comparison, decision: Decision, settings: Settings, where: Location) -> Finding:
    if decision.verdict is Change.REGRESSED:
        margin = f", more than the tolerance of {settings.tolerance:g}"
        worse = f"{c.task}: {_moved(c, 'worse')}{margin if settings.tolerance else ''}"
        return rules.REGRESSED.at(f"{worse}; {_seen(decision)}{_answers(c)}", where)
    if decision.verdict is Change.IMPROVED:
        return rules.IMPROVED.at(f"{c.task}: {_moved(c, 'better')}{_answers(c)}", where)
    if decision.verdict is Change.INCONCLUSIVE:
        return rules.INCONCLUSIVE.at(f"{c.task}: {decision.reason}", where)
    if decision.verdict is Change.IDENTICAL:
        same = f"{c.task}: all {c.n:,} items score exactly the same"
        return rules.NO_CHANGE.at(same, where, remedy="Nothing to do.")
    if settings.tolerance and c.p_worse <= settings.alpha:
        within = f"within the tolerance of {settings.tolerance:g}"
        return rules.TOLERATED.at(f"{c.task}: {_moved(c, 'worse')}, {within}", where)
    change = f"no detectable change ({c.difference:+.3g} {UNIT}, {_interval(c, 1)})"
    return rules.NO_CHANGE.at(
        f"{c.task}: {change} on {c.n:,} items; {_seen(decision)}{_answers(c)}", where
    )


def _moved(c: Comparison, direction: str) -> str:
    """Say by how much, so that the number is positive in the direction named."""
    sign = 1 if direction == "worse" else -1
    return (
        f"{sign * c.difference:.3g} {UNIT} {direction} ({_interval(c, sign)}), "
        f"{c.base:.4g} before and {c.head:.4g} now, on {c.n:,} items"
    )


def _interval(c: Comparison, sign: int) -> str:
    low, high = sorted((sign * c.low, sign * c.high))
    return f"{100 * c.confidence:.4g} % interval {low:.3g} to {high:.3g}"


def _seen(decision: Decision) -> str:
    return f"smallest change this run could see: {decision.detectable:.2g}"


def _answers(c: Comparison) -> str:
    if c.accuracy is None:
        return ""
    return f"; accuracy {c.accuracy.base:.1%} before, {c.accuracy.head:.1%} now"


def _lost_answers(c: Comparison, share: float, where: Location) -> list[Finding]:
    if c.accuracy is None or c.accuracy.p_worse > share:
        return []
    lost, gained = c.accuracy.lost, c.accuracy.gained
    message = f"{c.task}: {lost:,} answers turned wrong and {gained:,} turned right{_answers(c)}"
    return [rules.ANSWERS_LOST.at(message, where)]
