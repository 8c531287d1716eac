"""Step evidence: these very bytes measured, compared with the last release, and all that is new
since then judged by every check."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bot import catalog, comparing, conduct, engine
from bot.checks import regression
from bot.checks.regression.suites import Suites, read_suites
from bot.errors import UsageError
from bot.finding import Rule
from bot.policy import Policy, Waiver
from bot.releasing.comparing import laid_out
from bot.releasing.job import Job
from bot.releasing.steps.placing import manifest, tensors
from bot.releasing.steps.scoring import ALL, scores_of
from bot.report import render
from bot.verdict import Report, Verdict, outcome_of
from lab.metrics.measure import summarise
from lab.model.folder import ModelFiles, inspect
from lab.protocol import ModelScores, Task
from lab.record import Record, harness, record
from lab.scoring.turns import Found
from lab.worker import versions
from registry.release.ledger import Issued
from registry.release.steps import Facts, Tell
from registry.release.values import Against, Gated
from security import storing

FILE, VERDICT = "evidence.json", "verdict.json"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the model (`fingerprint`), under the same suites, code and waivers.

    `made_by` is a digest of these: other evidence is needed where it differs.
    """

    fingerprint: str
    made_by: str
    records: tuple[Record, ...]
    against: tuple[Against, ...]
    checks: tuple[Gated, ...]


_EVIDENCE = TypeAdapter(Evidence)


@dataclass(frozen=True, slots=True)
class Measure:
    """The step."""

    job: Job
    name: str = "evidence"

    def about(self) -> str:
        """Say what is measured and judged."""
        suites = ", ".join(suite.name for suite in _settings(self.job).suite) or "no suite"
        since = self.job.previous.version if self.job.previous else "the beginning"
        return f"measure on every item of {suites}; judge all that is new since {since}"

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        """See whether evidence of these bytes is there."""
        found = read(self.job)
        if found is None or found.fingerprint != known["manifest"]["fingerprint"]:
            return None
        return _facts(found) if found.made_by == _made_by(self.job, _suites(self.job)) else None

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        """Measure, compare and judge."""
        job = self.job
        suites = _suites(job)
        head = inspect(job.folder, tensors(manifest(job)))
        scores = scores_of(job.world, _settings(job), "head", head, suites.tasks, tell)
        compared = compare(job, head, scores, suites.tasks, tell) if job.before else None
        report = _review(job, compared, tell)
        storing.write(job.staging / VERDICT, render(report, "json", _rules()).encode())
        against = (_against(job.previous, compared),) if job.previous and compared else ()
        records = tuple(_records(job, scores, suites.tasks))
        gated = tuple(map(_gated, report.verdicts))
        found = Evidence(head.fingerprint, _made_by(job, suites), records, against, gated)
        storing.write(job.staging / FILE, _EVIDENCE.dump_json(found))
        return _facts(found)

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        """Leave it: scores of a model stay true."""


def read(job: Job) -> Evidence | None:
    """Return the evidence that the step wrote, None where there is none."""
    try:
        return _EVIDENCE.validate_json((job.staging / FILE).read_bytes())
    except (OSError, ValidationError):
        return None


def compare(
    job: Job, head: ModelFiles, scores: ModelScores, tasks: tuple[Task, ...], tell: Tell
) -> Report:
    """Compare the model with that of the last release, item by item. Raises Blocked."""
    assert job.before is not None
    before, settings = job.before, _settings(job)
    if before.fingerprint == head.fingerprint:
        return comparing.report(head, head, tasks, Found(()), settings)
    with tempfile.TemporaryDirectory(prefix="modelwarden-", ignore_cleanup_errors=True) as place:
        base = laid_out(job.world, before, job.commit, Path(place), settings.max_gb)
        old = scores_of(job.world, settings, "base", base, tasks, tell)
        return comparing.report(base, head, tasks, Found((old, scores)), settings)


def _settings(job: Job) -> regression.Settings:
    """Return how models are compared: the base's words, on every item, the commit's suites."""
    settings: regression.Settings = job.policy.section(regression.NAME)
    own: regression.Settings = job.own.section(regression.NAME)
    # Pace was timed on the pull request, where base and head run in turn on one machine.
    return settings.model_copy(update={"suite": own.suite, "early": False, "slowdown": 0.0})


def _suites(job: Job) -> Suites:
    settings = _settings(job)
    if not settings.suite:
        raise UsageError(
            f"{job.commit[:12]} names no suite to measure a release on",
            "name one in the policy: regression.suite",
        )
    return read_suites(job.world, job.commit, settings.suite, ALL)


def _made_by(job: Job, suites: Suites) -> str:
    since = job.previous.commit if job.previous else ""
    parts = (
        suites.digest, harness(), versions(), since, job.commit, job.excuses,
        _settings(job).model_dump_json(), job.policy.root.model_dump_json(),
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _records(job: Job, scores: ModelScores, tasks: tuple[Task, ...]) -> list[Record]:
    named = replace(scores, model=job.artifact)
    return [
        record(named, task, found, versions(), summarise(task, found))
        for task, found in zip(tasks, scores.tasks, strict=True)
    ]


def _review(job: Job, compared: Report | None, tell: Tell) -> Report:
    """Judge everything since the last release by every check; the model's verdict is `compared`."""
    world = job.world
    base = job.previous.commit if job.previous else world.revisions.empty_tree()
    change = world.change(base, job.commit)
    tell(f"judging {len(change.files):,} changed files")
    checks = tuple(check for check in catalog.CHECKS if check.NAME != regression.NAME)
    used = _excused(job)
    report = engine.review(change, used, world, checks, today=datetime.now(UTC).date())
    own = tuple(_excuse(verdict, used) for verdict in (compared.verdicts if compared else ()))
    return replace(report, verdicts=(*report.verdicts, *own))


def _excuse(verdict: Verdict, policy: Policy) -> Verdict:
    """Weigh a verdict's findings as the engine does with those of its checks."""
    findings, _ = conduct.apply(policy, verdict.findings, datetime.now(UTC).date())
    return replace(verdict, findings=findings, outcome=outcome_of(findings))


def _excused(job: Job) -> Policy:
    today = datetime.now(UTC).date()
    added = tuple(
        Waiver(rule=excuse.rule, until=today, reason=excuse.reason)
        for excuse in job.excuses
        if excuse.rule in _rules()
    )
    return replace(job.policy, added=added)


def _gated(verdict: Verdict) -> Gated:
    waived = tuple(f"{f.rule}: {f.waived}" for f in verdict.findings if f.waived)
    bad = [f for f in verdict.findings if f.counts]
    # The rules come first: by their names they are waived, and the gate says so.
    names = ", ".join(dict.fromkeys(f.rule for f in bad))
    summary = f"{names}: {bad[0].message}" if bad else verdict.reason
    return Gated(verdict.check, verdict.outcome.value, summary, tuple(dict.fromkeys(waived)))


def _against(before: Issued, report: Report) -> Against:
    data = render(report, "json", _rules()).encode()
    line = report.verdicts[0].reason
    digest = hashlib.sha256(data).hexdigest()
    return Against(before.version, before.root, report.outcome.value, line, digest)


def _rules() -> Mapping[str, Rule]:
    return catalog.rules()


def _facts(found: Evidence) -> Facts:
    names = hashlib.sha256(" ".join(one.digest for one in found.records).encode())
    outcomes = {check.outcome for check in found.checks}
    return {
        "fingerprint": found.fingerprint,
        "records": names.hexdigest(),
        "against": ", ".join(f"{one.version}: {one.outcome}" for one in found.against),
        "checks": ", ".join(sorted(outcomes)),
    }
