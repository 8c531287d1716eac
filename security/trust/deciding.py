"""Whether proven signers fulfil a role: people are counted, not keys. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from security.errors import Untrusted
from security.identity import Identity
from security.trust.artifacts import Name, canonical, covers

if TYPE_CHECKING:
    from security.trust.trustfile import Credential, Role, TrustFile

_SHOWN = 8  # names in one message


@dataclass(frozen=True, slots=True)
class Vote:
    """One proven act: by whom, with which credential ("" an account), of which kind of key."""

    owner: str
    credential: str
    kind: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How far votes fulfil a role: people counted, people still needed, kinds still needed."""

    role: Role
    people: tuple[str, ...]
    missing: int
    kinds: tuple[str, ...]

    @property
    def fulfilled(self) -> bool:
        """Whether nothing is missing."""
        return self.missing <= 0 and not self.kinds


def allow(
    trust: TrustFile, action: str, artifact: str, signers: tuple[Identity, ...], now: datetime
) -> None:
    """Raise Untrusted unless the signers fulfil a role for this; expiry is the caller's."""
    votes, doubts = cast(trust, signers, now)
    best = tally(trust, action, artifact, votes)
    if not best.fulfilled:
        raise refusal(trust, action, artifact, best, doubts)


def cast(
    trust: TrustFile, signers: Iterable[Identity], now: datetime
) -> tuple[tuple[Vote, ...], tuple[str, ...]]:
    """Return the votes of proven signers, and why some do not count."""
    today = now.astimezone(UTC).date()
    votes, doubts = [], []
    stolen = {c.public.hint: c for c in trust.credentials if c.public and c.revoked}
    for signer in signers:
        credential = _credential(trust, signer)
        if credential is None:
            doubts.append(f"{signer.name!r:.100} is not in the trust file")
            continue
        # A certificate may hold a key that is revoked under its own name.
        why = doubt(credential, today) or doubt(stolen.get(signer.hint, credential), today)
        if why:
            doubts.append(why)
        else:
            votes.append(Vote(credential.owner, credential.name, signer.kind))
    return tuple(votes), tuple(doubts)


def tally(trust: TrustFile, action: str, artifact: str, votes: tuple[Vote, ...]) -> Tally:
    """Return how far the nearest role is fulfilled. Raises Untrusted if none allows this at all."""
    tallies = [_count(role, votes) for role in fitting(trust, action, artifact)]
    return min(tallies, key=lambda t: (max(t.missing, 0) + len(t.kinds), t.role.name))


def fitting(trust: TrustFile, action: str, artifact: str) -> list[Role]:
    """Return the roles that allow this. Raises Untrusted, saying who could, if there is none."""
    name = canonical(artifact)
    roles = [role for role in trust.roles if action in role.actions]
    if not roles:
        known = sorted({action for role in trust.roles for action in role.actions})
        raise Untrusted(
            f"{trust.file}: no role allows {action!r:.40}",
            f"what roles allow: {', '.join(known)}",
        )
    found = [role for role in roles if _covered(role, name)]
    if not found:
        whose = "; ".join(f"{r.name} for {_some(r.artifacts)}" for r in roles[:_SHOWN])
        raise Untrusted(
            f"{trust.file}: nobody may {action} {artifact!r:.200}", f"who may {action}: {whose}"
        )
    return found


def refusal(
    trust: TrustFile, action: str, artifact: str, best: Tally, doubts: tuple[str, ...]
) -> Untrusted:
    """Return the error that says who is missing, and why those who signed do not count."""
    role = best.role
    counted = f"counted: {_some(best.people)}" if best.people else "nobody is counted"
    kinds = "".join(f" and a signature of kind {kind}" for kind in role.also)
    message = (
        f"{trust.file}: to {action} {artifact!r:.200} takes {role.threshold} of "
        f"{_some(role.members)}{kinds}; {counted}"
    )
    if doubts:
        message += f"; not counted: {_some(doubts, '; ')}"
    if best.missing > 0:
        rest = tuple(m for m in role.members if m not in best.people)
        return Untrusted(message, f"{best.missing} more of {_some(rest)} must agree")
    return Untrusted(message, f"a member signs with a key of kind {' and '.join(best.kinds)} too")


def _credential(trust: TrustFile, signer: Identity) -> Credential | None:
    for credential in trust.credentials:
        if credential.method != signer.method:
            continue
        if credential.public is None:
            # Verification calls a keyless signer as this file does, for its issuer was proven too.
            keyless = credential.method == "sigstore"
            if signer.name == (credential.name if keyless else credential.subject):
                return credential
        elif credential.public.hint == signer.hint and credential.public.kind == signer.kind:
            return credential
    return None


def doubt(credential: Credential, today: date) -> str:
    """Return why a credential does not count today, "" if it does."""
    name = credential.name
    if credential.revoked:
        return f"{name} was revoked on {credential.revoked} ({credential.reason})"
    if credential.start and today < credential.start:
        return f"{name} counts from {credential.start} only"
    if credential.end and today > credential.end:
        return f"{name} counted until {credential.end}"
    return ""


def _covered(role: Role, name: Name) -> bool:
    return any(covers(pattern, name) for pattern in role.artifacts)


def _count(role: Role, votes: tuple[Vote, ...]) -> Tally:
    # The vote of an account has no credential, and "" is no member.
    mine = [v for v in votes if v.owner in role.members or v.credential in role.members]
    people = tuple(sorted({vote.owner for vote in mine}))
    kinds = {vote.kind for vote in mine}
    wanted = tuple(kind for kind in role.also if kind not in kinds)
    return Tally(role, people, role.threshold - len(people), wanted)


def _some(words: tuple[str, ...], joint: str = ", ") -> str:
    rest = len(words) - _SHOWN
    return joint.join(words[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
