"""Steps sign and verify: what is published, signed by those who may, and proven to be so."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bot.errors import UsageError
from bot.keys import claims
from bot.releasing import people
from bot.releasing.job import RELEASE_JSON, TRUST, Job
from bot.releasing.steps.placing import published_manifest
from bot.releasing.steps.waiting import drop_pending, take_pending, wait
from registry.errors import Blocked
from registry.release import values
from registry.release.ledger import APPROVE, New
from registry.release.steps import Facts, Tell
from security import storing
from security.errors import SecurityError, Untrusted
from security.identity import Identity, Signer
from security.manifest import Manifest
from security.paths import ATTESTATIONS, SIGNATURE
from security.sign import bundle as bundles
from security.sign import reading, signing
from security.trust import releases
from security.trust.single import KeyTrust
from security.trust.trustfile import Person
from security.trust.trusting import Trust
from security.verify import Verified, read_signed, verify

STATED = {  # file of the release -> what an attestation of its content is called
    "release/bom.cdx.json": claims.BOM,
    "release/provenance.json": claims.PROVENANCE,
    "release/measurements.json": claims.MEASUREMENT,
}


@dataclass(frozen=True, slots=True)
class Sign:
    """Signatures on the folder, and on what is said of it."""

    job: Job
    name: str = "sign"

    def about(self) -> str:
        """Say who signs."""
        keys = ", ".join(f"{s.public.kind} {s.public.hint[:12]}" for s in self.job.signers)
        return f"sign every file and what is stated of them with {keys or 'a key (--key)'}"

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        """See whether these very files are signed by all who must, here or in the ledger."""
        root = self._signed()
        return {"root": root} if root and not self._lacking() else None

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        """Sign. Raises UsageError without a key, BadKey; Blocked while others have to sign."""
        job = self.job
        if not job.signers:
            raise UsageError("no key to sign with", "name one: --key, --token or --program")
        if not self._signed():
            sign(job, job.folder, published_manifest(job), job.signers)
        if why := self._lacking():
            wait(job, tell)
            raise Blocked(
                f"{job.artifact} {job.version} is not signed by all who must: {why}",
                f"ask them to run: modelwarden release approve {job.version} --key KEY; then run "
                "this again",
            )
        return {"root": published_manifest(job).root}

    def _signed(self) -> str:
        """Return the root digest that our keys signed, "" where they did not sign these files."""
        job = self.job
        whole = published_manifest(job)
        take_pending(job)
        return whole.root if signed_by(job.folder, whole, job.signers) else ""

    def _lacking(self) -> str:
        """Return who has to sign yet, "" for nobody."""
        job = self.job
        try:
            found = proven(job)
        except Untrusted as error:
            return error.message
        self._known(found)
        lacking = job.rules.approvals - len(others(job, found.signers))
        return f"{lacking} more than {job.actor} must agree" if job.trust and lacking > 0 else ""

    def _known(self, found: Verified) -> None:
        """Refuse where who releases is nobody whose signature counts, or says nothing of it."""
        mine = {signer.public.hint for signer in self.job.signers}
        name = f"{self.job.artifact} {self.job.version}"
        if self.job.trust and not mine & {signer.hint for signer in found.signers}:
            raise Blocked(
                f"{name}: no key that you release with counts in {TRUST}: who releases is unknown",
                "release with a key of yours that it names: --key FILE",
            )
        if not found.claims(releases.RELEASE):
            raise Blocked(
                f"{name}: nobody whose word counts states its number",
                "take it back and begin again: modelwarden release rollback "
                f"{self.job.version} --reason WHY",
            )

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        """Take the signature away, and what waits for others: it will not be released."""
        drop_pending(self.job)
        for name in (SIGNATURE, ATTESTATIONS):
            (self.job.folder / name).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Verify:
    """What will be published is what people will be able to verify."""

    job: Job
    name: str = "verify"

    def about(self) -> str:
        """Say against what."""
        return f"verify the folder as a stranger would, by {_whom(self.job)}"

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        """Verify again: that is what it is for."""
        return None

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        """Verify. Raises Untrusted, Tampered."""
        job = self.job
        found = proven(job)
        facts = {"root": found.manifest.root, "signers": ", ".join(s.name for s in found.signers)}
        if job.settings.seal_to:
            # Nobody but its recipients can say what is in it, so one person vouches for that.
            key = KeyTrust(job.signers[0].public)
            facts["sealed"] = verify(job.sealed, trust=key, jobs=job.jobs).manifest.root
        return facts

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        """Leave it: nothing was changed."""


def proven(job: Job) -> Verified:
    """Verify the plain folder, by the trust file of the commit, else by our own first key.

    Again only where a file changed since this run did: upload lies between verify and record.
    """
    trust: Trust = job.trust or KeyTrust(job.signers[0].public)
    name = job.artifact if job.trust else ""
    prove = partial(verify, job.folder, trust=trust, artifact=name, jobs=job.jobs)
    return job.shared.proven(job.folder, prove)


def _whom(job: Job) -> str:
    return f"the trust file of {job.trust.project}" if job.trust else "the key that signs"


def sign(
    job: Job, folder: Path, whole: Manifest, signers: Sequence[Signer], *, content: bool = True
) -> None:
    """Write the signature of a folder and the statements about it."""
    data = signing.sign_manifest(whole, job.artifact, signers)
    lines = [
        signing.attest(job.artifact, whole.root, kind, said, signers)
        for kind, said in _statements(job, content)
    ]
    storing.write(folder / ATTESTATIONS, b"".join(line.rstrip(b"\n") + b"\n" for line in lines))
    storing.write(folder / SIGNATURE, data)  # last: with it, all of it is there


def _statements(job: Job, content: bool) -> Iterator[tuple[str, Mapping[str, Any]]]:
    before = job.previous.root if job.previous else ""
    said = releases.predicate(releases.Release(job.version, before))
    yield releases.RELEASE, json.loads(said)
    scan = json.loads((job.staging / "scan.json").read_bytes())
    yield claims.SCAN, scan
    for name, kind in STATED.items() if content else ():
        yield kind, json.loads((job.folder / name).read_bytes())


def signed_by(folder: Path, whole: Manifest, signers: Sequence[Signer]) -> bool:
    """Whether a folder's signature is of these files, by each of these keys."""
    path = folder / SIGNATURE
    if not signers or not os.path.lexists(path) or not (folder / ATTESTATIONS).exists():
        return False
    try:
        data = reading.read(path, bundles.LIMIT)
        found = [read_signed(data, KeyTrust(signer.public)).contents for signer in signers]
    except SecurityError:
        return False
    return all(one.manifest.root == whole.root for one in found)


def cosigners(job: Job, signers: Sequence[Identity]) -> tuple[str, ...]:
    """Return the people who signed besides whoever releases."""
    mine = {signer.public.hint for signer in job.signers}
    others = (signer for signer in signers if signer.hint not in mine)
    names = (job.owners.get(signer.hint, signer.name) for signer in others)
    return people.besides(_own(job), names, _persons(job))


def others(job: Job, signers: Sequence[Identity]) -> frozenset[str]:
    """Return everybody else who said yes: by a signature, or in the pull request."""
    document = values.read((job.folder / RELEASE_JSON).read_bytes())
    reviewers = (one.person for one in document.approvals if one.how == "review")
    return frozenset(
        people.besides(_own(job), (*cosigners(job, signers), *reviewers), _persons(job))
    )


def _own(job: Job) -> tuple[str, ...]:
    """Return whoever releases by every name: who runs it, and whose keys they hold."""
    held = (job.owners.get(signer.public.hint, "") for signer in job.signers)
    return (job.actor, *filter(None, held))


def _persons(job: Job) -> tuple[Person, ...]:
    return job.trust.persons if job.trust else ()


def approval(job: Job, signers: Sequence[Identity]) -> tuple[New, ...]:
    """Return the ledger's entries of everybody who signed besides whoever releases."""
    said = {"version": job.version, "how": "signature"}
    return tuple(New(name, APPROVE, job.artifact, said) for name in cosigners(job, signers))
