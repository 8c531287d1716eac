"""Whether one release is as good as another: as it was found when it was made, or found now."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bot import catalog
from bot import comparing as models
from bot.checks import regression
from bot.checks.regression.suites import read_suites
from bot.errors import UsageError
from bot.releasing.job import Place
from bot.releasing.opening import policy_at
from bot.releasing.steps.scoring import ALL, scores_of
from bot.report import render
from bot.repository import GitWorld
from bot.verdict import Report
from lab.model.folder import ModelFiles, inspect
from lab.scoring.turns import Found
from registry.errors import Blocked
from registry.release.ledger import Issued, Ledger
from registry.release.steps import Tell
from registry.release.values import Release
from registry.weights import locate, materialise


@dataclass(frozen=True, slots=True)
class Judged:
    """A comparison: its outcome, its line, and the report (JSON) with its SHA-256.

    `report` is b"" where the comparison is part of the release itself.
    """

    outcome: str
    summary: str
    digest: str
    report: bytes = b""


def judged(there: Place, ledger: Ledger, new: Issued, old: str, tell: Tell) -> Judged:
    """Compare a release with an older one. Raises Blocked, CouldNotTell, RegistryError."""
    document = there.book.document(there.artifact, new.version)
    roots = {one.version: one.root for one in ledger.issued if one.artifact == there.artifact}
    for one in document.against:
        if (one.version, one.root) == (old, roots[old]):
            return Judged(one.outcome, one.summary, one.report)
    before = there.book.document(there.artifact, old)
    tell(f"comparing {new.version} with {old}: no release did, so each item is scored")
    report = compare(there, document, before, tell)
    data = render(report, "json", catalog.rules()).encode()
    line = report.verdicts[0].reason
    return Judged(report.outcome.value, line, hashlib.sha256(data).hexdigest(), data)


def compare(there: Place, new: Release, old: Release, tell: Tell) -> Report:
    """Score both on every item of the new one's suites, and judge."""
    settings: regression.Settings = policy_at(there.world, there.commit).section(regression.NAME)
    settings = settings.model_copy(update={"early": False, "slowdown": 0.0})
    if not settings.suite:
        raise UsageError("the policy names no suite", "name one: regression.suite")
    tasks = read_suites(there.world, new.commit, settings.suite, ALL).tasks
    with tempfile.TemporaryDirectory(prefix="modelwarden-", ignore_cleanup_errors=True) as place:
        head, base = (
            laid_out(there.world, one, there.commit, Path(place, side), settings.max_gb)
            for side, one in (("new", new), ("old", old))
        )
        if head.fingerprint == base.fingerprint:
            return models.report(base, head, tasks, Found(()), settings)
        scores = tuple(
            scores_of(there.world, settings, name, files, tasks, tell)
            for name, files in (("base", base), ("head", head))
        )
        return models.report(base, head, tasks, Found(scores), settings)


def laid_out(
    world: GitWorld, release: Release, commit: str, folder: Path, limit: float
) -> ModelFiles:
    """Lay the model of a release out below `folder`, fetched by the configuration of `commit`.

    `limit` is in GB. Raises Blocked where it is not what was released, RegistryError.
    """
    target = folder / release.version
    target.mkdir(parents=True)
    found = locate(world, release.commit, release.weights.path)
    materialise(
        world, found, target, base_commit=commit, head_commit=release.commit,
        limit_bytes=int(limit * 1e9),
    )  # fmt: skip
    files = inspect(target)
    if files.fingerprint != release.fingerprint:
        raise Blocked(
            f"the model at {release.commit[:12]} is not the one that {release.version} released",
            "find out what was exchanged: modelwarden release doctor",
        )
    return files
