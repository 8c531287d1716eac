"""`release rollback VERSION`: what a release that is not out has left, taken back."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bot.errors import UsageError
from bot.keys.trail import Trail
from bot.printing import tell
from bot.quoting import plain
from bot.releasing.job import Job
from bot.releasing.making import bound, choose, steps, story
from bot.releasing.opening import Asked, opened
from bot.releasing.place import place
from registry.errors import Blocked
from registry.release import journal, running
from registry.release.ledger import ABANDON, Ledger, New


def undo(version: str, reason: str, repo: Path, format_: str) -> int:
    """Take back an unfinished release of this repository; return 0.

    Raises Blocked for one that is out, UsageError where none was begun.
    """
    version = version.removeprefix("v")

    with place(repo, say=tell) as there:
        ledger = there.book.ledger()
        commit = _commit(ledger, there.artifact, version, there.world.git_dir)
    with opened(Asked(repo, commit), tell) as found:
        job = choose(found, version)
        with Trail(None).doing("rollback", f"{job.artifact} {version}") as entry:
            entry.details["why"] = reason
            if story(job) is not None:
                with journal.opened(job.staging, bound(job)) as book:
                    running.undo(steps(job), book, tell, final="record")
            _abandon_others(job.book.ledger(), job, reason)
            journal.forget(job.staging)
    if format_ == "json":
        click.echo(json.dumps({"artifact": job.artifact, "version": version, "undone": True}))
    else:
        held = any((one.artifact, one.version) == (job.artifact, version) for one in ledger.issued)
        free = f"another commit is {version}" if held else "its number is free again"
        click.echo(f"{job.artifact} {version}: taken back; {free}")
    return 0


def _commit(ledger: Ledger, artifact: str, version: str, git_dir: Path) -> str:
    """Return the commit that was to be this version: by its claim, or by a journal here."""
    commits = [
        one.commit for one in ledger.issued if (one.artifact, one.version) == (artifact, version)
    ]
    begun = _begun(artifact, version, git_dir)
    for commit in begun:
        if commits and commit not in commits:  # another commit was faster, or had it long ago
            return commit
    if commits:
        raise Blocked(
            f"{artifact} {version} is out",
            f"mark it as not to be used: modelwarden release withdraw {version} --reason TEXT",
        )
    for claim in ledger.claims:
        if (claim.artifact, claim.version) == (artifact, version):
            return claim.commit
    if begun:
        return begun[0]
    raise UsageError(
        f"no release {plain(version)} of {artifact} was begun", "see: modelwarden release list"
    )


def _begun(artifact: str, version: str, git_dir: Path) -> list[str]:
    """Return the commits that a journal here would make this version of."""
    folders = sorted((git_dir / "modelwarden" / "releases" / artifact).glob("*"))
    told = [story for folder in folders if (story := journal.read(folder)) is not None]
    return [one.bound.commit for one in told if one.bound.version == version]


def _abandon_others(ledger: Ledger, job: Job, reason: str) -> None:
    """Give back a claim that another machine has, which died."""
    for claim in ledger.claims:
        if (claim.artifact, claim.version) == (job.artifact, job.version):
            said = {"version": claim.version, "holder": claim.holder, "reason": reason}
            new = New(job.actor, ABANDON, job.artifact, said)
            job.book.append((new,), {}, expect=ledger.head)
