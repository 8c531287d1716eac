"""A release on GitHub, for the steps that publish: only where the job was given a token."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.releasing.job import Job
from registry.release import assets
from registry.release.assets import INDEX, SUMS, Index
from registry.release.ledger import Ledger
from registry.release.steps import Facts, Tell
from security import hashing, storing
from security.hashing import Known
from security.manifest import Entry
from security.paths import ATTESTATIONS, SIGNATURE
from security.trust.releases import rank

if TYPE_CHECKING:
    from bot.github.merged import Merged
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

    return ask(_releases().at, job.commit)


def upload(job: Job, tell: Tell) -> Facts:
    """Draft the release and upload its assets; what is there and right stays."""
    if not wanted(job):
        return {}
    notes = (job.folder / NOTES).read_text("utf-8")
    title = f"{job.artifact} {job.version}"
    prerelease = "-" in job.version
    api = _releases()
    draft = api.draft(job.tag, job.commit, title, notes, prerelease=prerelease)
    parts = tuple(_parts(_published(job)))
    api.upload(draft, parts, tell)
    return {"github": str(draft.id), "assets": str(len(parts))}


def announce(job: Job, tell: Tell) -> Facts:
    """Publish the draft, and say so in the pull request."""
    if not wanted(job):
        return {}
    from bot.github.announcing import announce as say

    api = _releases()
    found = api.look(job.tag)
    if found is None:
        upload(job, tell)
        found = api.look(job.tag)
    assert found is not None
    done = api.publish(found, latest=_newest(job, job.book.ledger()))
    pull = merged(job)
    if pull is not None:
        text = f"Released: [{job.artifact} {job.version}]({done.page})\n\n{_verifying(job)}"
        say(api.at, pull.number, job.tag, text)
    return {"page": done.page, "pull": str(pull.number) if pull else ""}


def remove(job: Job) -> None:
    """Take a draft back."""
    if wanted(job):
        _releases().remove_draft(job.tag)


def _releases() -> Releases:
    from bot.github.releases import here

    return here()


def _newest(job: Job, ledger: Ledger) -> bool:
    mine = rank(job.version)
    others = (one for one in ledger.issued if one.artifact == job.artifact and not one.withdrawn)
    return all(rank(one.version) <= mine for one in others)


def _verifying(job: Job) -> str:
    return f"Root digest `{job.book.ledger().issued[-1].root}`; verify with `modelwarden verify`."


def _published(job: Job) -> Published:
    """Plan the assets of the published folder, signatures included."""
    folder = job.published
    known = Known.load(job.staging / "assets-digests.json")
    found = hashing.measure(folder, tensors=False, known=known, jobs=job.jobs)
    known.save()
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
