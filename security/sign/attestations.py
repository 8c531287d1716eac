"""What people say of a release: one bundle a line, each judged by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from security.errors import SecurityError, TooLarge
from security.identity import Identity
from security.sign import bundle, proving, statement
from security.sign.dsse import HINT
from security.trust.artifacts import called
from security.trust.releases import RELEASE
from security.trust.trusting import Trust

LIMIT = 64_000_000  # bytes of all lines
MAX_LINES = 1_000


@dataclass(frozen=True, slots=True)
class Attestation:
    """One line. Where `doubt` says something, nothing else of it may be believed.

    `predicate` is JSON text; `signers` are those whose signatures hold.
    """

    predicate_type: str
    predicate: str
    signers: tuple[Identity, ...]
    doubt: str = ""


def judge(
    data: bytes, root: str, trust: Trust, artifact: str, now: datetime
) -> tuple[Attestation, ...]:
    """Judge every line against the root digest; none is left out. Raises TooLarge."""
    lines = data.removesuffix(b"\n").split(b"\n") if data else []
    if len(data) > LIMIT or len(lines) > MAX_LINES:
        limits = f"{LIMIT:,} bytes or {MAX_LINES:,} attestations"
        raise TooLarge(f"more than {limits}", HINT)
    return tuple(_judge(line, root, trust, artifact, now) for line in lines)


def _judge(line: bytes, root: str, trust: Trust, artifact: str, now: datetime) -> Attestation:
    kind = predicate = ""
    signers: tuple[Identity, ...] = ()
    try:
        found = bundle.read(line)
        # Told also when nobody known has signed it, so that a reader sees what was doubted.
        claim = statement.read_claim(found.envelope.payload)
        kind, predicate = claim.predicate_type, claim.predicate
        signers = proving.prove(found, line, trust, now)
        if claim.root != root:
            return Attestation(kind, predicate, signers, "is about another root digest")
        if artifact and not called(claim.name, artifact):
            return Attestation(kind, predicate, signers, "is about another artifact")
        # What is the newest version is decided by who releases, not by who may say something.
        trust.allow("release" if kind == RELEASE else "attest", artifact, signers, now)
    except SecurityError as error:
        return Attestation(kind, predicate, signers, error.message)
    return Attestation(kind, predicate, signers)
