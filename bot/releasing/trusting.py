"""Whose keys count for a release: those that the people of the first release handed on.

A merged commit may write anything into the trust file. What it says counts only where the people
of the file before signed the new one, step by step since the first release that had one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from bot import git
from bot.releasing.job import TRUST, Place
from bot.releasing.place import TRUST_LIMIT, trust_at
from bot.releasing.steps.attested import attested
from bot.repository import GitWorld
from registry.errors import Blocked
from registry.release.ledger import Issued, Ledger
from security.errors import SecurityError, Untrusted
from security.trust import envelopes, rotation
from security.trust.trustfile import TrustFile
from security.verify import Signed

_SIG = f"{TRUST}.sig"


@dataclass(frozen=True, slots=True)
class Chain:
    """The trust file of a commit, and the digests of all that led to it since `first`."""

    trust: TrustFile | None
    digests: frozenset[str]
    first: Issued | None


def chain(world: GitWorld, ledger: Ledger, commit: str) -> Chain:
    """Return the trust file of a commit, each change since the first release proven.

    Raises Untrusted where its people did not sign a change, Blocked where it is gone.
    """
    now = trust_at(world, commit)
    first = _first(world, ledger, commit)
    old = trust_at(world, first.commit) if first else None
    if first is None or old is None:
        return Chain(now, frozenset({now.digest} if now else ()), None)
    if now is None:
        raise Blocked(
            f"{TRUST} is gone from {commit[:12]}; {first.version} was released under it",
            "put it back, or a newer one that its people signed: modelwarden keys rotate",
        )
    at, digests = old, [old.digest]
    why: SecurityError | None = None
    for data, signatures, digest in _states(world, first.commit, commit):
        if digest == at.digest:
            continue
        try:
            at = rotation.step(at, data, signatures, datetime.now(UTC))
        except SecurityError as error:  # it counts for nothing; a later one may be right again
            why = error
            continue
        digests.append(at.digest)
    if at.digest != now.digest:
        raise Untrusted(
            f"{TRUST} at {commit[:12]} is not one that its people handed on to: "
            f"{why.message if why else 'it was taken back'}",
            f"have it signed by them: modelwarden keys endorse {TRUST}; or put back the one before",
        )
    return Chain(now, frozenset(digests), first)


def known(world: GitWorld, found: Chain, ledger: Ledger, previous: Issued) -> TrustFile | None:
    """Return the trust file under which an earlier release was made, None before there was one.

    Raises Blocked where it is none that led to today's.
    """
    if found.first is None:
        return None
    then = trust_at(world, previous.commit)
    if then is None and ledger.issued.index(previous) < ledger.issued.index(found.first):
        return None
    if then is None or then.digest not in found.digests:
        raise Blocked(
            f"{previous.version} in the ledger is of {previous.commit[:12]}, whose {TRUST} is none "
            "that led to today's",
            f"ask {previous.actor} how it was released; if nobody did, mark it: "
            f"modelwarden release withdraw {previous.version} --reason TEXT",
        )
    return then


def _first(world: GitWorld, ledger: Ledger, commit: str) -> Issued | None:
    here = world.ancestors(tuple(one.commit for one in ledger.issued), commit)
    told = (one for one in ledger.issued if one.commit in here)
    return next((one for one in told if _has(world, one.commit)), None)


def _has(world: GitWorld, commit: str) -> bool:
    entry = world.entry(commit, TRUST)
    return entry is not None and entry.is_file


def _states(world: GitWorld, base: str, commit: str) -> Iterator[tuple[bytes, bytes, str]]:
    """Yield file, signatures and digest wherever one of the two changed, the oldest first."""
    words = ("rev-list", "--first-parent", "--reverse", f"{base}..{commit}", "--", TRUST, _SIG)
    with closing(git.lines(world.place, *words)) as lines:
        names = [line.decode("ascii").strip() for line in lines]
    for name in (*names, commit):
        found = trust_at(world, name) if _has(world, name) else None
        if found is None:
            continue
        entry, beside = world.entry(name, TRUST), world.entry(name, _SIG)
        assert entry is not None
        signatures = world.read(beside.blob, envelopes.LIMIT) if beside and beside.is_file else b""
        yield world.read(entry.blob, TRUST_LIMIT), signatures, found.digest


def proven(there: Place, ledger: Ledger, issued: Issued, today: TrustFile) -> Signed:
    """Return what the signature of a release covers, by today's trust file, or that of its time.

    A rule that came later does not undo what was released before; a key that is revoked does.
    Raises Untrusted, Tampered, ReleaseError, Blocked.
    """
    try:
        return attested(there.book, issued, today)
    except Untrusted as error:
        then = known(there.world, chain(there.world, ledger, there.commit), ledger, issued)
        if then is None:
            hint = "name the key that it was signed with, if you know it: --key FILE.pub"
            what = f"{issued.version} was released before {TRUST} was there; {error.message}"
            raise Untrusted(what, hint) from error
        if then.digest == today.digest:
            raise
        found = attested(there.book, issued, then, datetime.fromisoformat(issued.at))
        revoked = {c.public.hint for c in today.credentials if c.public and c.revoked}
        if any(signer.hint in revoked for signer in found.signers):
            raise
        return found
