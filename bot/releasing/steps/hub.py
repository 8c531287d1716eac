"""A release on GitHub, for the steps that publish: only where the job was given a token."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.releasing.job import TRUST, Job
from registry.errors import Lost
from registry.release import assets
from registry.release.assets import INDEX, SUMS, Index
from registry.release.ledger import Issued, Ledger
from registry.release.steps import Facts, Tell
from security import hashing, storing
from security.errors import Tampered
from security.hashing import Known
from security.manifest import Entry
from security.paths import ATTESTATIONS, SIGNATURE
from security.sign import bundle as bundles
from security.sign import reading, statement
from security.trust.releases import rank

if TYPE_CHECKING:
    from bot.github.merged import Merged
    from bot.github.released import Found
    from bot.github.releases import Releases
    from bot.github.uploads import Part

NOTES = "release/notes.md"


@dataclass(frozen=True, slots=True)
class Published:
    """The assets of a release, as files on this machine."""

    index: Index
    folder: Path
    extra: Path


def wanted(job: Job) -> bool:
    """Whether this release goes to GitHub: the policy lets it, and there is a token."""
    return job.settings.github and bool(os.environ.get("GITHUB_TOKEN"))


def about(job: Job) -> str:
    """Say what will be uploaded, "" for nothing."""
    if not job.settings.github:
        return ""
    if not wanted(job):
        return "no GitHub release: GITHUB_TOKEN is not set"
    return f"draft GitHub's release {job.tag} with every file of {job.published.name}"


def announce_about(job: Job) -> str:
    """Say what will be announced, "" for nothing."""
    return f"publish {job.tag} on GitHub and say so in its pull request" if wanted(job) else ""


def merged(job: Job) -> Merged | None:
    """Return the pull request whose merge made the commit, None where GitHub is not asked."""
    if not wanted(job):
        return None
    from bot.github.merged import merged as ask

    return ask(releases().at, job.commit)


def upload(job: Job, tell: Tell) -> Facts:
    """Draft the release and upload its assets; what is there and right stays."""
    if not wanted(job):
        return {}
    notes = (job.folder / NOTES).read_text("utf-8")
    title = f"{job.artifact} {job.version}"
    prerelease = "-" in job.version
    api = releases()
    draft = api.draft(job.tag, job.commit, title, notes, prerelease=prerelease)
    parts = tuple(_parts(_published(job)))
    api.upload(draft, parts, tell)
    return {"github": str(draft.id), "assets": str(len(parts))}


def announce(job: Job, tell: Tell) -> Facts:
    """Publish the draft, and say so in the pull request. What is not there any more is sent."""
    if not wanted(job):
        return {}
    api = releases()
    found = api.look(job.tag)
    if found is None or (found.draft and api.verify(found, tuple(_parts(_published(job))))):
        upload(job, tell)
        found = api.look(job.tag)
    named = (job.artifact, job.version)
    issued = next(i for i in job.book.ledger().issued if (i.artifact, i.version) == named)
    if found is None:
        raise Lost(f"{job.tag} on GitHub was deleted meanwhile", "run it again")
    return publish(job, api, found, issued)


def publish(job: Job, api: Releases, found: Found, issued: Issued) -> Facts:
    """Publish a draft of what is out, and say so in the pull request that made it."""
    from bot.github.announcing import announce as say

    done = api.publish(found, latest=_newest(issued, job.book.ledger()))
    pull = merged(job)
    if pull is not None:
        trust = f"--trust {TRUST}" if job.trust else "--key KEY.pub"
        text = (
            f"Released: [{issued.artifact} {issued.version}]({done.page}), root digest "
            f"`{issued.root}`.\n\nTo prove it: `modelwarden verify {done.page} {trust}`\n"
        )
        say(api.at, pull.number, issued.tag, text)
    return {"page": done.page, "pull": str(pull.number) if pull else ""}


def remove(job: Job) -> None:
    """Take a draft back."""
    if wanted(job):
        releases().remove_draft(job.tag)


def releases() -> Releases:
    """Return GitHub's releases of the repository that the job has a token for."""
    from bot.github.releases import here

    return here()


def _newest(issued: Issued, ledger: Ledger) -> bool:
    mine = rank(issued.version)
    others = (i for i in ledger.issued if i.artifact == issued.artifact and not i.withdrawn)
    return all(rank(one.version) <= mine for one in others)


def _published(job: Job) -> Published:
    """Plan the assets of the published folder, signatures included."""
    folder = job.published
    known = Known.load(job.staging / "assets-digests.json")
    found = hashing.measure(folder, tensors=False, known=known, jobs=job.jobs)
    known.save()
    # What was proven lay there before; what goes out is to be the very same.
    data = reading.read(folder / SIGNATURE, bundles.LIMIT)
    if statement.read(bundles.read(data).envelope.payload).manifest.root != found.root:
        raise Tampered(
            f"{folder}: its files are not those that were signed any more",
            "nothing may write to the staging folder, nor to the DVC cache; run it again",
        )
    entries = [*found.entries, _entry(folder, SIGNATURE), _entry(folder, ATTESTATIONS)]
    index = assets.plan(job.artifact, job.version, entries, assets.measure(folder, entries))
    extra = job.staging / "assets"
    extra.mkdir(exist_ok=True)
    storing.write(extra / INDEX, assets.dump(index))
    storing.write(extra / SUMS, assets.sums(index))
    return Published(index, folder, extra)


def _entry(folder: Path, name: str) -> Entry:
    data = (folder / name).read_bytes()
    return Entry(name, len(data), hashlib.sha256(data).hexdigest())


def _parts(found: Published) -> Iterator[Part]:
    from bot.github.uploads import Part

    for file, part in found.index.parts:
        yield Part(part.name, found.folder / file.path, part.offset, part.size, part.sha256)
    for name in (SUMS, INDEX):  # the index last: with it, all that it names is there
        entry = _entry(found.extra, name)
        yield Part(name, found.extra / name, 0, entry.size, entry.digest)
