"""`release plan` and `release card`: what a release would be, before anything is done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bot.errors import UsageError
from bot.printing import tell, write
from bot.quoting import plain
from bot.releasing import drafting
from bot.releasing.job import Job
from bot.releasing.making import choose, steps, story
from bot.releasing.opening import Asked, opened, out
from bot.releasing.place import place, version_of
from bot.releasing.steps import versioning
from bot.releasing.steps.gating import accepted
from registry.errors import Blocked
from registry.release import running
from registry.release.lineage import lineage
from registry.release.links import Missing
from registry.release.running import Planned
from registry.release.values import Release

LATER = ("measurements", "checks", "bytes of weights", "contributors", "fingerprint")


def plan(
    *,
    repo: Path,
    commit: str,
    version: str | None,
    excuses: tuple[str, ...],
    draft: bool,
    model: Path | None,
    output: Path | None,
    jobs: int,
    format_: str,
) -> int:
    """Show the steps of a release and how far they are; return 0, 1 if something is missing."""
    if draft:
        text = json.dumps(drafting.planned(repo, model), indent=2, sort_keys=True) + "\n"
        write(text, output)
        return 0
    asked = Asked(repo, commit, version, excuses=excuses, jobs=jobs)
    with opened(asked, tell) as found:
        job, reasons = _numbered(found, version)
        missing = () if out(job) else _missing(job)  # what is out cannot be mended
        planned = running.plan(steps(job), story(job))
        done = out(job)
    if format_ == "json":
        said = {
            "artifact": job.artifact, "version": job.version, "tag": job.tag, "commit": job.commit,
            "previous": job.previous.version if job.previous else None, "why": reasons,
            "released": done is not None, "steps": [asdict(one) for one in planned],
            "missing": [asdict(one) for one in missing],
        }  # fmt: skip
        write(json.dumps(said, indent=2) + "\n", output)
    else:
        write("\n".join(_lines(job, reasons, planned, missing)) + "\n", output)
    return 1 if missing else 0


def _numbered(job: Job, version: str | None) -> tuple[Job, Sequence[str]]:
    """Return the job with its version, and why it is that one."""
    if version or out(job) or story(job):
        return choose(job, version), ()
    number, reasons = versioning.suggestion(job, tell)
    return choose(job, number), reasons


def _missing(job: Job) -> tuple[Missing, ...]:
    """Return the links that the commit itself lacks; what the steps make is not missed yet."""
    bound = job.bound
    release = Release(
        job.artifact, job.version, job.commit, job.tag, bound.date, job.repository, bound.weights,
        data=bound.data, environment=bound.environment, pipeline=bound.pipeline,
        licences=bound.licences,
    )  # fmt: skip
    links = accepted(job, lineage(release).missing)
    return tuple(link for link in links if link.what not in LATER)


def _lines(
    job: Job, reasons: Sequence[str], planned: Sequence[Planned], missing: Sequence[Missing]
) -> list[str]:
    after = f", after {job.previous.version}" if job.previous else ", the first"
    lines = [f"{job.artifact} {job.version}{after}: {job.commit[:12]}, tag {job.tag}"]
    lines += [f"  because: {plain(reason)}" for reason in reasons]
    width = max(len(one.name) for one in planned)
    lines += [f"  {one.name:<{width}}  {one.about}{_state(one)}" for one in planned]
    if (done := out(job)) is not None:
        made = f"released already, by {plain(done.actor)} at {done.at[:16]}Z"
        return [lines[0], made, f"look at it: modelwarden release show {job.version}"]
    for link in missing:
        lines += [f"missing: {plain(link.what)}: {plain(link.why)}", f"  {plain(link.remedy)}"]
    if missing:
        lines.append("a link that cannot be had: --waive lineage/NAME=REASON")
    else:
        lines.append("next: modelwarden release run --key KEY")
    return lines


def _state(one: Planned) -> str:
    return f"  [{plain(one.state)}]" if one.state != "planned" else ""


def card(
    *,
    version: str | None,
    repo: Path,
    model: Path | None,
    measurements: Path | None,
    output: Path | None,
) -> int:
    """Write the card of a release, or of the model in the working folder; return 0."""
    if version is None:
        write(drafting.card(repo, model, measurements), output)
        return 0
    if model or measurements:
        raise UsageError("a version with --model or --measurements", "it says itself what it is of")
    with place(repo, say=tell) as there:
        ledger = there.book.ledger(fresh=False)
        one = version_of(ledger, there.artifact, version)
        path = f"releases/{one.artifact}/{one.version}.card.md"
        data = there.book.file(path, 5_000_000)
        if data is None:
            raise Blocked(f"{path} beside the ledger is missing", "see: modelwarden release doctor")
        write(data.decode("utf-8"), output)
    return 0
