"""The one hall every door enters: a change, a policy and a world in, a report out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from datetime import date
from types import MappingProxyType

from bot import conduct, process
from bot.change import Change
from bot.check import Check
from bot.errors import BotError, UsageError
from bot.finding import Finding, Level
from bot.policy import Policy
from bot.verdict import Outcome, Report, Verdict, outcome_of
from bot.world import World
from lab.errors import LabError
from registry.errors import RegistryError
from security.errors import SecurityError

KNOWN = (BotError, RegistryError, LabError, SecurityError)  # each says what to do
Notify = Callable[[Verdict], None]
_NONE: Mapping[str, str] = MappingProxyType({})
_ORDER = (Level.UNKNOWN, Level.FAILURE, Level.WARNING, Level.NOTE)


def review(
    change: Change,
    policy: Policy,
    world: World,
    checks: Sequence[Check],
    *,
    today: date,
    notify: Notify = lambda verdict: None,
    waiting: Mapping[str, str] = _NONE,
) -> Report:
    """Judge the change by every check at once; `notify` hears of each verdict as it falls.

    A check named in `waiting` is only asked whether it applies; if so it is PENDING for that
    reason. A check that breaks becomes an ERROR verdict and hides no other.
    """
    verdicts: dict[str, Verdict] = {}
    pool = ThreadPoolExecutor(max_workers=len(checks) or 1, thread_name_prefix="check")
    try:
        running: dict[Future[Verdict], str] = {
            pool.submit(
                _verdict, check, change, policy, world, waiting.get(check.NAME, "")
            ): check.NAME
            for check in checks
        }
        for future in as_completed(running):
            verdicts[running[future]] = future.result()
            notify(verdicts[running[future]])
    except BaseException:
        process.stop_all()  # a thread that waits for a child would wait for ever
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return Report(change, policy.source, _weigh(change, policy, checks, verdicts, today))


def select(checks: Sequence[Check], only: Sequence[str]) -> tuple[Check, ...]:
    """Return the checks named in `only`, or all. Raises UsageError for an unknown name."""
    names = [check.NAME for check in checks]
    for name in only:
        if name not in names:
            raise UsageError(f"no check '{name}'", f"the checks are: {', '.join(names)}")
    return tuple(check for check in checks if not only or check.NAME in only)


def _verdict(check: Check, change: Change, policy: Policy, world: World, wait: str) -> Verdict:
    start = time.perf_counter()
    verdict = _judge(check, change, policy, world, wait)
    return replace(verdict, seconds=time.perf_counter() - start)


def _judge(check: Check, change: Change, policy: Policy, world: World, wait: str) -> Verdict:
    settings = policy.section(check.NAME)
    if not settings.enabled:
        return Verdict(check.NAME, Outcome.SKIP, reason=f"{check.NAME}.enabled is false")
    try:
        reason = check.applies(change, settings)
        if reason:
            return Verdict(check.NAME, Outcome.SKIP, reason=reason)
        if wait:
            return Verdict(check.NAME, Outcome.PENDING, reason=wait)
        evidence = check.collect(change, world, settings)
        findings = check.judge(evidence, settings)
        exhibits = check.exhibits(evidence, settings)
        return Verdict(
            check.NAME, outcome_of(findings), findings, check.summary(evidence), exhibits
        )
    except KNOWN as error:
        return Verdict(check.NAME, Outcome.ERROR, reason=f"{error.message}; {error.hint}")
    except MemoryError:
        reason = "the check needs more memory than it may use; make the changed files smaller"
        return Verdict(check.NAME, Outcome.ERROR, reason=reason)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - one broken check must not hide the others
        reason = f"the check itself broke ({type(error).__name__}: {error}); please report this"
        return Verdict(check.NAME, Outcome.ERROR, reason=" ".join(reason.split())[:500])


def _weigh(
    change: Change,
    policy: Policy,
    checks: Sequence[Check],
    verdicts: dict[str, Verdict],
    today: date,
) -> tuple[Verdict, ...]:
    weighed: list[Verdict] = []
    all_used: set[int] = set()
    for check in checks:
        verdict = verdicts[check.NAME]
        findings, used = conduct.apply(policy, verdict.findings, today)
        all_used |= used
        outcome = verdict.outcome
        if outcome in (Outcome.PASS, Outcome.FAIL) or (outcome is Outcome.ERROR and findings):
            outcome = outcome_of(findings)
        weighed.append(replace(verdict, outcome=outcome, findings=_sorted(findings)))
    judged = frozenset(v.check for v in weighed if v.outcome in (Outcome.PASS, Outcome.FAIL))
    return (*weighed, conduct.verdict(change, policy, frozenset(all_used), judged, today))


def _sorted(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(
        sorted(
            findings,
            key=lambda f: (bool(f.waived), _ORDER.index(f.severity), f.location, f.rule, f.message),
        )
    )
