"""Step seal: the same files, readable by their recipients only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from bot.keys.sealing import header_size, recipients
from bot.releasing.job import Job
from bot.releasing.steps.placing import published_manifest
from bot.releasing.steps.signing import sign, signed_by
from registry.release.steps import Facts, Tell
from security import hashing, onepass, storing
from security.hashing import Known
from security.manifest import Manifest
from security.paths import ATTESTATIONS, SIGNATURE


@dataclass(frozen=True, slots=True)
class Seal:
    """The same files, readable by their recipients only, and signed again."""

    job: Job
    name: str = "seal"

    def about(self) -> str:
        """Say for whom."""
        count = len(self.job.settings.seal_to)
        return f"encrypt to {count} recipients" if count else "nothing: the policy seals to nobody"

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        """See whether that is done."""
        job = self.job
        if not job.settings.seal_to:
            return None  # nothing is done, which is said
        if not (job.sealed / SIGNATURE).exists() or not _same_source(job):
            return None
        whole = sealed_manifest(job)
        return {"root": whole.root} if signed_by(job.sealed, whole, job.signers) else None

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        """Seal and sign, where that is asked for. Raises BadKey for what is no recipient."""
        job = self.job
        if not job.settings.seal_to:
            return {"root": known["sign"]["root"]}
        whom = recipients(job.settings.seal_to, ())
        job.sealed.parent.mkdir(exist_ok=True)
        onepass.seal_folder_measured(
            job.folder, job.sealed, whom, header_size=header_size(whom, 4), jobs=job.jobs,
            overwrite=job.sealed.exists(), tensors=False,
        )  # fmt: skip
        whole = sealed_manifest(job)
        sign(job, job.sealed, whole, job.signers, content=False)
        storing.write(job.staging / "sealed.json", json.dumps(_plain(job)).encode())
        return {"root": whole.root}

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        """Leave it: the staging folder goes as a whole."""


def sealed_manifest(job: Job) -> Manifest:
    """Return the manifest of the sealed files, read again only where they changed."""
    known = Known.load(job.staging / "sealed-digests.json")
    found = hashing.measure(job.sealed, tensors=False, known=known, jobs=job.jobs)
    known.save()
    return found


def _plain(job: Job) -> list[str]:
    """Return what was sealed: the files, and the signatures on them, which are sealed too."""
    beside = (job.folder / SIGNATURE).read_bytes() + (job.folder / ATTESTATIONS).read_bytes()
    return [published_manifest(job).root, hashlib.sha256(beside).hexdigest()]


def _same_source(job: Job) -> bool:
    try:
        return bool(json.loads((job.staging / "sealed.json").read_bytes()) == _plain(job))
    except (OSError, ValueError):
        return False
