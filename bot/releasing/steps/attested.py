"""What the signature beside the ledger proves of a release: its bytes, number and document.

Whoever can write to the branch of releases can write any entry. What nobody trusted signed is no
release, whatever the entries say.
"""

from __future__ import annotations

from datetime import UTC, datetime

from bot.releasing.job import RELEASE_JSON
from bot.releasing.ledger.book import GitBook
from registry.errors import ReleaseError
from registry.release.ledger import Issued, document_path
from security.errors import Tampered, Untrusted
from security.sign import bundle as bundles
from security.sign import proving
from security.trust import deciding
from security.trust.single import KeyTrust
from security.trust.trustfile import TrustFile
from security.trust.trusting import Trust
from security.verify import Signed, read_signed

_HINT = (
    "nobody trusted made it so: find out who wrote it into the ledger; "
    "see: modelwarden release doctor"
)


def attested(book: GitBook, issued: Issued, trust: Trust, now: datetime | None = None) -> Signed:
    """Return what the signature of an issued version covers, if it is of that very version.

    Raises Untrusted, Tampered, ReleaseError where there is none.
    """
    now = now or datetime.now(UTC)
    name = f"{issued.artifact} {issued.version}"
    base = document_path(issued.artifact, issued.version).removesuffix(".json")
    data = book.file(f"{base}.sig", bundles.LIMIT)
    if data is None:
        raise ReleaseError(f"{name}: the signature {base}.sig beside the ledger is missing", _HINT)
    artifact = "" if isinstance(trust, KeyTrust) else issued.artifact
    signed = read_signed(data, trust, artifact=artifact, now=now)
    manifest = signed.contents.manifest
    if manifest.root != issued.root:
        raise Tampered(f"{name}: {base}.sig is of the root {manifest.root[:12]}", _HINT)
    named = {entry.path: entry.digest for entry in manifest.entries}
    if named.get(RELEASE_JSON) != issued.document:
        raise Tampered(f"{name}: {base}.sig signs another document", _HINT)
    return signed


def somebody(data: bytes, trust: TrustFile) -> None:
    """Raise Untrusted where nobody whose key counts has signed, however many have to."""
    now = datetime.now(UTC)
    votes, doubts = deciding.cast(trust, proving.prove(bundles.read(data), data, trust, now), now)
    if not votes:
        raise Untrusted(f"signed by nobody who counts: {'; '.join(doubts)}", _HINT)
