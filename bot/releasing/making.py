"""`modelwarden release run`: the steps of a release, one after another, each once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.errors import UsageError
from bot.keys.trail import Trail, named
from bot.printing import tell
from bot.releasing import finishing, people
from bot.releasing.job import Job
from bot.releasing.numbering import number
from bot.releasing.opening import Asked, opened, out
from bot.releasing.opening import named as numbered
from bot.releasing.steps import stores, versioning
from bot.releasing.steps.evidence import Measure
from bot.releasing.steps.gating import Gate
from bot.releasing.steps.placing import Fetch, Intake, Measured
from bot.releasing.steps.publishing import Announce, Claim, Recorded, Upload
from bot.releasing.steps.sealing import Seal
from bot.releasing.steps.signing import Sign, Verify
from bot.releasing.steps.writing import Documents
from registry.errors import Blocked, Lost
from registry.release import journal, running
from registry.release.steps import Facts, Step
from registry.release.story import Bound, Story


def steps(job: Job) -> tuple[Step, ...]:
    """Return the steps of a release, in their order."""
    return (
        Fetch(job), Intake(job), Measured(job), Measure(job), Documents(job), Gate(job), Claim(job),
        Sign(job), Seal(job), Verify(job), Upload(job), Recorded(job), Announce(job),
    )  # fmt: skip


def run(
    *,
    repo: Path,
    commit: str,
    version: str | None,
    keys: Sequence[Path],
    token: str | None,
    program: str | None,
    passphrase_file: Path | None,
    log: Path | None,
    excuses: tuple[str, ...],
    take_over: bool,
    jobs: int,
    format_: str,
) -> int:
    """Release a commit; return 0. Raises whatever stops a step; the next run goes on there."""
    asked = Asked(
        repo, commit, version, keys, token, program, passphrase_file, log, excuses, jobs, take_over
    )
    if not asked.signs:
        raise UsageError("no key to sign with", "name one: --key, --token or --program")
    with opened(asked, tell) as opened_job:
        job = choose(opened_job, version)
        with Trail(log).doing("release", f"{job.artifact} {job.version}") as entry:
            entry.details["commit"] = job.commit
            known = _finished(job) or _made(job)
            entry.details |= {"root": known["record"]["root"]} | named(job.signers)
    _show(job, known, format_)
    journal.forget(job.staging)
    return 0


def choose(job: Job, version: str | None) -> Job:
    """Return the job with its version: asked for, begun, released already, or suggested.

    Raises UsageError for what is no number, Lost where the commit is out, or begun, under another.
    """
    version = number(version) if version is not None else None
    there, begun = out(job), story(job)
    settled = there.version if there else begun.bound.version if begun else ""
    if version and settled and version != settled:
        what = "was released" if there else "is being released"
        back = f"or take that back first: modelwarden release rollback {settled} --reason TEXT"
        raise Lost(
            f"{job.commit[:12]} {what} as {settled}, not as {version}",
            "leave --version out to go on" + ("" if there else f"; {back}"),
        )
    if version and not settled:
        _free(job, version)
    return numbered(job, settled or version or versioning.suggested(job, tell))


def _free(job: Job, version: str) -> None:
    """Raise Blocked where another commit has the number: before hours of work for it."""
    for one in job.ledger.issued:
        if (one.artifact, one.version) == (job.artifact, version):
            raise Blocked(
                f"{job.artifact} {version} is released already, from {one.commit[:12]}",
                "a version is released once: leave --version out, and the next is suggested",
            )


def story(job: Job) -> Story | None:
    """Return what the journal of this commit's release tells, None where none was begun."""
    return journal.read(job.staging)


def bound(job: Job) -> Bound:
    """Return what the journal of this release is about."""
    digest = running.digest(steps(job), job.commit, job.artifact, job.version)
    return Bound(job.artifact, job.version, job.commit, digest)


def _made(job: Job) -> Mapping[str, Facts]:
    people.able(job.trust, job.signers, datetime.now(UTC))  # before hours of work, and a claim
    stores.warm(job)
    with journal.opened(job.staging, bound(job)) as book:
        return running.run(steps(job), book, tell, final="record")


def _finished(job: Job) -> Mapping[str, Facts] | None:
    """Finish what is out, where nothing of it is here; None for what is to be made here.

    Raises Blocked where it is finished already.
    """
    there = out(job)
    if there is None or (
        story(job) is not None and finishing.holder(job.ledger, there) == job.holder
    ):
        return None
    # Of a run that was killed at its end, or that another one was faster than.
    journal.forget(job.staging)
    told = finishing.finish(job, there)
    if told is None:
        raise Blocked(
            f"{job.artifact} {job.version} is released already, from this commit, by "
            f"{there.actor} at {there.at}",
            f"look at it: modelwarden release show {job.version}; whether all have it: "
            "modelwarden release doctor",
        )
    return {"record": {"root": there.root}, "announce": told}


def _show(job: Job, known: Mapping[str, Facts], format_: str) -> None:
    if format_ == "json":
        said = {"artifact": job.artifact, "version": job.version, "tag": job.tag,
                "commit": job.commit, "steps": known}  # fmt: skip
        click.echo(json.dumps(said, indent=2))
        return
    click.echo(f"{job.artifact} {job.version} is released: tag {job.tag}, {job.commit[:12]}")
    click.echo(f"root digest {known['record']['root']}")
    if page := known["announce"].get("page"):
        click.echo(page)
    click.echo(f"next: modelwarden release show {job.version}")
