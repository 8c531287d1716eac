"""Whether accounts may do something: the same roles, for acts that are not signed. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from security.errors import Untrusted
from security.identity import PublicKey
from security.trust import deciding
from security.trust.deciding import Vote
from security.trust.trustfile import Person, TrustFile


@dataclass(frozen=True, slots=True)
class Account:
    """An account that the platform proved; `id` 0 where it is not known."""

    login: str
    id: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided and why; `people` are counted, `missing` more are needed (0: not that)."""

    allowed: bool
    reason: str
    hint: str = ""
    people: tuple[str, ...] = ()
    missing: int = 0


def decide(
    trust: TrustFile, action: str, who: tuple[Account, ...], artifact: str, now: datetime
) -> Decision:
    """Decide whether these accounts together may do `action` to `artifact`.

    An account is no key: a role for single keys, or one that demands a kind of signature, is not
    fulfilled by it.
    """
    try:
        trust.fresh(now)
        votes, doubts = _cast(trust, who)
        best = deciding.tally(trust, action, artifact, votes)
    except Untrusted as error:
        return Decision(False, error.message, error.hint)
    missing = max(best.missing, 0)
    if best.fulfilled:
        return Decision(True, f"role {best.role.name} of {trust.file}", "", best.people)
    why = deciding.refusal(trust, action, artifact, best, doubts)
    return Decision(False, why.message, why.hint, best.people, missing)


def person(trust: TrustFile, account: Account) -> Person | None:
    """Return whose account this is: by its number where the file has one, else by its login."""
    for known in trust.persons:
        if known.id:
            if known.id == account.id:
                return known
        elif known.account and known.account.casefold() == account.login.casefold():
            return known
    return None


def holders(
    trust: TrustFile, action: str, artifact: str, now: datetime
) -> tuple[tuple[str, PublicKey], ...]:
    """Return (name, key) of each key that counts today for `action` on `artifact`: what checks an
    audit log's checkpoints with "audit", for one. Raises Untrusted if no role allows it."""
    trust.fresh(now)
    fitting = deciding.fitting(trust, action, artifact)
    members = {member for role in fitting for member in role.members}
    today = now.astimezone(UTC).date()
    mine = (c for c in trust.credentials if c.owner in members or c.name in members)
    return tuple((c.name, c.public) for c in mine if c.public and not deciding.doubt(c, today))


def _cast(trust: TrustFile, who: tuple[Account, ...]) -> tuple[tuple[Vote, ...], tuple[str, ...]]:
    votes, doubts = [], []
    for account in who:
        known = person(trust, account)
        if known:
            votes.append(Vote(known.name, "", "account"))
        else:
            doubts.append(f"the account {account.login!r:.100} is not in the trust file")
    return tuple(votes), tuple(doubts)
