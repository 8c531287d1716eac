"""What each suite's comparison comes to under the policy, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from bot.checks.regression import rules
from bot.checks.regression.compared import Compared
from bot.checks.regression.settings import Limit, Settings
from bot.finding import Finding, Location
from lab.deciding.compare import UNIT, Comparison
from lab.deciding.gate import Decision, Ruling
from lab.deciding.limit import against_limit
from lab.deciding.sliced import SliceDecision


def findings_of(
    tasks: tuple[Compared, ...], settings: Settings, where: Location
) -> tuple[Finding, ...]:
    """Return a finding for each suite, and more for its slices and limits."""
    limits = {suite.name: suite.limits for suite in settings.suite}
    found: list[Finding] = []
    for task in tasks:
        found.append(_finding(task.comparison, task.decision, settings, where))
        found += (_slice(part, where) for part in task.slices if part.verdict is Ruling.REGRESSED)
        # Tasks of a group are called after their suite; no suite has a slash in its name.
        suite = task.decision.task.partition("/")[0]
        found += _limits(task, limits.get(suite, ()), where)
    return tuple(found)


def _finding(c: Comparison, decision: Decision, settings: Settings, where: Location) -> Finding:
    match decision.verdict:
        case Ruling.REGRESSED if decision.harmed == ("accuracy",):
            return _lost_answers(c, decision, where)
        case Ruling.REGRESSED:
            alone = decision.accuracy is not None and "accuracy" not in decision.harmed
            rule = rules.LESS_LIKELY if alone else rules.REGRESSED
            margin = f", more than the tolerance of {settings.tolerance:g}"
            worse = f"{c.task}: {_moved(decision, 'worse')}{margin if settings.tolerance else ''}"
            return rule.at(f"{worse}; {_seen(decision)}{_answers(c)}", where)
        case Ruling.IMPROVED:
            better = f"{c.task}: {_moved(decision, 'better')}{_answers(c)}"
            return rules.IMPROVED.at(better, where)
        case Ruling.INCONCLUSIVE:
            short = decision.n < decision.planned and not c.lossy
            remedy = "Let scoring go on: raise the budget, or leave it out." if short else ""
            return rules.INCONCLUSIVE.at(f"{c.task}: {decision.reason}", where, remedy=remedy)
        case Ruling.IDENTICAL:
            same = f"{c.task}: all {c.n:,} items score exactly the same"
            return rules.NO_CHANGE.at(same, where, remedy="Nothing to do.")
        case Ruling.WITHIN_TOLERANCE:
            within = f"not certainly more than the tolerance of {settings.tolerance:g}"
            return rules.TOLERATED.at(f"{c.task}: {_moved(decision, 'worse')}, {within}", where)
        case Ruling.PASS:
            change = f"no worse ({c.difference:+.3g} {UNIT}, {_interval(decision, 1)})"
            seen = f"on {_items(decision)}; {_seen(decision)}{_answers(c)}"
            return rules.NO_CHANGE.at(f"{c.task}: {change} {seen}", where)


def _moved(decision: Decision, direction: str) -> str:
    """Say by how much, so that the number is positive in the direction named."""
    c, sign = decision.comparison, 1 if direction == "worse" else -1
    assert c is not None
    return (
        f"{sign * c.difference:.3g} {UNIT} {direction} ({_interval(decision, sign)}), "
        f"{c.base:.4g} before and {c.head:.4g} now, on {_items(decision)}"
    )


def _items(decision: Decision) -> str:
    if decision.n == decision.planned:
        return f"{decision.n:,} items"
    return f"{decision.n:,} of {decision.planned:,} items, enough for a clear answer"


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


def _slice(part: SliceDecision, where: Location) -> Finding:
    c = part.comparison
    message = (
        f"{part.task}, {part.name}: worse by {' and '.join(part.harmed)}: {c.difference:+.3g} "
        f"{UNIT} ({part.low:+.3g} to {part.high:+.3g}) on {c.n:,} items{_answers(c)}"
    )
    return rules.SLICE_WORSE.at(message, where)


def _limits(task: Compared, limits: tuple[Limit, ...], where: Location) -> Iterator[Finding]:
    name = task.decision.task
    for limit in limits:
        found = task.metric(limit.metric)
        if found is None:
            known = ", ".join(m.metric for m in task.metrics if not m.slice)
            message = f"{name}: no metric {limit.metric!r}; this suite has {known}"
            yield rules.BAD_SUITE.at(message, where, remedy="Correct the suite's limits.")
            continue
        low = limit.at_least is not None
        bound = limit.at_least if limit.at_least is not None else limit.at_most
        assert bound is not None
        stands = against_limit(found.base, found.head, bound, "higher" if low else "lower")
        rule = {"broken": rules.BELOW_LIMIT, "pre-existing": rules.PRE_EXISTING}.get(stands)
        if rule is not None:
            side = "below" if low else "above"
            message = (
                f"{name}: {limit.metric} {found.head:.4g} is {side} the limit of {bound:g}; "
                f"it was {found.base:.4g}"
            )
            yield rule.at(message, where)
