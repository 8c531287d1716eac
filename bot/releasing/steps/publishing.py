"""Steps claim, upload, record, announce: the version is ours, the bytes are out, the world knows.

Git is the truth: what stands in the ledger is released. MLflow, the DVC remote and GitHub follow
it, and `release doctor` repairs them by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.releasing import again
from bot.releasing.job import RELEASE_JSON, Job
from bot.releasing.place import aliases
from bot.releasing.steps import hub, stores
from bot.releasing.steps.placing import card_name
from bot.releasing.steps.signing import approval, proven
from bot.releasing.steps.waiting import drop_pending, ours, pending
from registry.errors import Lost
from registry.release import log, values
from registry.release.ledger import (
    ABANDON,
    APPROVE,
    CLAIM,
    PROMOTE,
    RECORD,
    RELEASE,
    WAIVE,
    Claimed,
    Issued,
    Ledger,
    New,
    Tag,
    document_path,
)
from registry.release.steps import Facts, Tell
from registry.release.values import Release
from security.paths import ATTESTATIONS, SIGNATURE
from security.verify import Verified


@dataclass(frozen=True, slots=True)
class Claim:
    """The version is ours to release: of two that try, one does."""

    job: Job
    name: str = "claim"

    def about(self) -> str:
        """Say which version."""
        return f"claim version {self.job.version} in the ledger, so that nobody else releases it"

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        """See whether the ledger says so."""
        job, ledger = self.job, self.job.book.ledger()
        if issued(job, ledger) or _mine(job, ledger):
            return {"version": job.version, "holder": job.holder}
        return None

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        """Claim it. Raises Lost where somebody else has, saying who and since when."""
        job = self.job
        again.written(job.book, lambda ledger: _claim(job, ledger))
        return {"version": job.version, "holder": job.holder}

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        """Give the version back."""
        job = self.job
        reason = "the release was taken back"
        said = {"version": job.version, "holder": job.holder, "reason": reason}
        new = again.Entries((New(job.actor, ABANDON, job.artifact, said),))
        again.written(job.book, lambda ledger: new if _mine(job, ledger) else None)


@dataclass(frozen=True, slots=True)
class Upload:
    """The bytes where people get them: DVC's remote, and a draft on GitHub."""

    job: Job
    name: str = "upload"

    def about(self) -> str:
        """Say where to."""
        places = [stores.about(self.job), hub.about(self.job)]
        return "; ".join(place for place in places if place) or "nothing: no remote, no GitHub"

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        """Look while uploading: what is there stays."""
        return None

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        """Upload what is not there, and prove that it is. Raises StoreFailed, GitHubError."""
        sent = {**stores.upload(self.job, tell), **stores.keep(self.job, tell)}
        return {**sent, **hub.upload(self.job, tell)}

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        """Remove the draft; objects of a DVC remote are `release gc`'s."""
        hub.remove(self.job)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The release in MLflow, then in the ledger and as a tag, at once: from here on it is out."""

    job: Job
    name: str = "record"

    def about(self) -> str:
        """Say where."""
        where = ", and in MLflow" if stores.uri(self.job.rules) else ""
        return f"record it in the ledger, as tag {self.job.tag}{where}"

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        """See whether it is out."""
        there = issued(self.job, self.job.book.ledger())
        return _facts(there) if there else None

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        """Record it. Raises Lost where the claim was taken over, StoreFailed."""
        job = self.job
        found = proven(job)
        document = document_of(job)
        stores.record(job, document, found.manifest.root, tell)
        kept = _kept(job, {**known["upload"], **known["verify"]})
        after = again.written(job.book, lambda ledger: _entries(job, document, found, kept, ledger))
        there = issued(job, after)
        if there is None:
            raise Lost(f"{job.artifact} {job.version} is not in the ledger", "run it again")
        return _facts(there)

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        """Take MLflow's version back; the ledger never has what is undone."""
        drop_pending(self.job)
        if (self.job.folder / RELEASE_JSON).exists() and "verify" in known:
            stores.forget(self.job, document_of(self.job), known["verify"]["root"])


@dataclass(frozen=True, slots=True)
class Announce:
    """Published on GitHub, pointed at by `challenger`, said in its pull request."""

    job: Job
    name: str = "announce"

    def about(self) -> str:
        """Say where."""
        return hub.announce_about(self.job) or "point MLflow's aliases; nobody else to tell"

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        """Look while announcing: what was said is edited in place."""
        return None

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        """Publish and tell. Raises StoreFailed, GitHubError."""
        stores.point(self.job, self.job.book.ledger())
        return dict(hub.announce(self.job, tell))

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        """Leave it: what is out is withdrawn, not unmade."""


def _claim(job: Job, ledger: Ledger) -> again.Entries:
    """Return the claim, after that of a dead run which is taken over."""
    news = []
    there = _claimed(job, ledger)
    if there is not None and job.take_over:
        reason = f"taken over by {job.actor}"
        said = {"version": there.version, "holder": there.holder, "reason": reason}
        news.append(New(job.actor, ABANDON, job.artifact, said))
    said = {"version": job.version, "commit": job.commit, "holder": job.holder}
    return again.Entries((*news, New(job.actor, CLAIM, job.artifact, said)))


def _entries(
    job: Job, document: Release, found: Verified, kept: tuple[New, ...], ledger: Ledger
) -> again.Entries | None:
    """Return all that a ledger gets of a release, None where it has it."""
    if issued(job, ledger) is not None:
        return None
    root = found.manifest.root
    said = {
        "version": job.version, "commit": job.commit, "holder": job.holder, "tag": job.tag,
        "root": root, "document": document.digest,
    }  # fmt: skip
    news = (
        *_unsaid(ledger, job, (*approval(job, found.signers), *_reviews(job, document))),
        *_waived(job, document),
        New(job.actor, RELEASE, job.artifact, said),
        *kept,
        _challenger(job, ledger),
    )
    tag = Tag(job.tag, job.commit, f"{job.artifact} {job.version}\n\nroot {root}")
    return again.Entries(news, _files(job), (tag,))


def issued(job: Job, ledger: Ledger) -> Issued | None:
    """Return our version if it is out. Raises Lost if from another commit, or by another run."""
    for one in ledger.issued:
        if (one.artifact, one.version) == (job.artifact, job.version):
            if one.commit == job.commit:
                if one.document != document_of(job).digest:
                    raise _elsewhere(job, one)
                return one
            what = f"{job.artifact} {job.version} was released by {one.actor} at {one.at}"
            raise Lost(f"{what}, from {one.commit[:12]}", "release another version")
    return None


def _elsewhere(job: Job, one: Issued) -> Lost:
    return Lost(
        f"{job.artifact} {job.version} was released by {one.actor} at {one.at}, by another run",
        f"look at it: modelwarden release show {job.version}; what is here is of no use any more: "
        f"{job.staging}",
    )


def document_of(job: Job) -> Release:
    """Return the document as it was staged. Raises ReleaseError."""
    return values.read((job.folder / RELEASE_JSON).read_bytes())


def _challenger(job: Job, ledger: Ledger) -> New:
    """Return the entry that points `challenger` at this version."""
    there = aliases(ledger, job.artifact)["challenger"]
    said = {"alias": "challenger", "version": job.version, "expect": there}
    return New(job.actor, PROMOTE, job.artifact, said)


def _claimed(job: Job, ledger: Ledger) -> Claimed | None:
    named = (job.artifact, job.version)
    return next((one for one in ledger.claims if (one.artifact, one.version) == named), None)


def _mine(job: Job, ledger: Ledger) -> bool:
    there = _claimed(job, ledger)
    return there is not None and (there.holder, there.commit) == (job.holder, job.commit)


def _reviews(job: Job, document: Release) -> tuple[New, ...]:
    return tuple(
        New(one.person, APPROVE, job.artifact, {"version": job.version, "how": one.how})
        for one in document.approvals
    )


def _kept(job: Job, facts: Facts) -> tuple[New, ...]:
    """Return where files are kept by tensor, and the root of sealed ones: for `release get`."""
    places = []
    if "tensors" in facts:
        places.append((stores.TENSORS, f"{facts['tensors']}.{facts['recipe']}"))
    if "sealed" in facts:
        places.append((stores.SEALED, facts["sealed"]))
    return tuple(
        New(job.actor, RECORD, job.artifact, {"version": job.version, "place": place, "id": name})
        for place, name in places
    )


def _unsaid(ledger: Ledger, job: Job, news: tuple[New, ...]) -> tuple[New, ...]:
    """Return the approvals that the ledger does not have yet."""
    there = {entry.actor for entry in log.approvals(ledger, job.artifact, job.version)}
    return tuple(new for new in news if new.actor not in there)


def _waived(job: Job, document: Release) -> tuple[New, ...]:
    return tuple(
        New(job.actor, WAIVE, job.artifact,
            {"version": job.version, "check": gated.check, "commit": job.commit,
             "reason": text[:400]})
        for gated in document.checks
        for text in gated.waived
    )  # fmt: skip


def _files(job: Job) -> Mapping[str, bytes | None]:
    """Return what the ledger keeps beside its log; what waited for signatures goes."""
    base = document_path(job.artifact, job.version).removesuffix(".json")
    files: dict[str, bytes | None] = {
        f"{base}.json": (job.folder / RELEASE_JSON).read_bytes(),
        f"{base}.card.md": (job.folder / card_name(job)).read_bytes(),
        f"{base}.sig": (job.folder / SIGNATURE).read_bytes(),
        f"{base}.intoto.jsonl": (job.folder / ATTESTATIONS).read_bytes(),
    }
    waiting = pending(job.artifact, job.version, SIGNATURE)
    if job.book.file(waiting, 100_000_000) is not None:
        for name in (SIGNATURE, ATTESTATIONS, *ours(job)):
            files[pending(job.artifact, job.version, name)] = None
    return files


def _facts(there: Issued) -> Facts:
    return {"version": there.version, "root": there.root, "document": there.document}
