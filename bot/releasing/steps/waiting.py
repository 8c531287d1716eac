"""What waits for somebody else's signature: it lies beside the log, where they find it."""

from __future__ import annotations

from bot.releasing.job import Job
from bot.releasing.steps import stores
from bot.releasing.steps.placing import published_manifest, read_placed
from registry.release.steps import Tell
from security import storing
from security.errors import SecurityError
from security.paths import ATTESTATIONS, SIGNATURE
from security.sign import bundle as bundles
from security.sign.attestations import LIMIT as CLAIMS_LIMIT


def pending(artifact: str, version: str, name: str) -> str:
    """Return where a file of an unfinished release waits."""
    return f"pending/{artifact}/{version}/{name}"


def wait(job: Job, tell: Tell) -> None:
    """Put weights, signature and documents where others find them; what is there stays."""
    stores.upload(job, tell)  # who is to agree has to have the bytes
    data = job.book.file(pending(job.artifact, job.version, SIGNATURE), bundles.LIMIT)
    said = job.book.file(pending(job.artifact, job.version, ATTESTATIONS), CLAIMS_LIMIT)
    if data is not None and said is not None and _same(job, data, said):
        return
    files = {
        pending(job.artifact, job.version, name): (job.folder / name).read_bytes()
        for name in (SIGNATURE, ATTESTATIONS, *ours(job))
    }
    ledger = job.book.ledger()
    job.book.append((), files, expect=ledger.head)


def ours(job: Job) -> tuple[str, ...]:
    """Return the files of the published folder that the release adds to the model."""
    names = {placed.path for placed in read_placed(job)}
    return tuple(e.path for e in published_manifest(job).entries if e.path not in names)


def take_pending(job: Job) -> None:
    """Take over the signature that others added theirs to, if it is one of these very files."""
    data = job.book.file(pending(job.artifact, job.version, SIGNATURE), bundles.LIMIT)
    said = job.book.file(pending(job.artifact, job.version, ATTESTATIONS), CLAIMS_LIMIT)
    path = job.folder / SIGNATURE
    if data is None or said is None or not path.exists() or path.read_bytes() == data:
        return
    if not _same(job, data, said):
        return  # of other bytes, or with other statements: what we signed is put there again
    storing.write(job.folder / ATTESTATIONS, said)
    storing.write(path, data)


def _same(job: Job, data: bytes, said: bytes) -> bool:
    """Whether what waits says the same as what was signed here."""
    try:
        own = [_payloads((job.folder / name).read_bytes()) for name in (SIGNATURE, ATTESTATIONS)]
        return own == [_payloads(data), _payloads(said)]
    except (OSError, SecurityError):
        return False


def _payloads(lines: bytes) -> list[bytes]:
    return [bundles.read(line).envelope.payload for line in lines.splitlines()]


def drop_pending(job: Job) -> None:
    """Take away what waits, if anything does."""
    names = (SIGNATURE, ATTESTATIONS, *ours(job))
    files: dict[str, bytes | None] = {
        path: None
        for name in names
        if job.book.file(path := pending(job.artifact, job.version, name), CLAIMS_LIMIT) is not None
    }
    if files:
        job.book.append((), files, expect=job.book.ledger().head)
