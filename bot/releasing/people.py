"""People told apart: one is not two by another spelling, a second key or an account. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

from security.errors import Untrusted
from security.identity import Signer
from security.trust.trustfile import Credential, Person, TrustFile


def besides(
    own: Iterable[str], names: Iterable[str], persons: Iterable[Person] = ()
) -> tuple[str, ...]:
    """Return everybody of `names` who is nobody of `own`, each once, as first spelled.

    `persons` of the trust file go by the name there and by their GitHub account.
    """
    accounts = {_plain(one.account): _plain(one.name) for one in persons if one.account}

    def person(name: str) -> str:
        plain = _plain(name)
        return accounts.get(plain, plain)

    seen = {person(name) for name in own} | {""}
    found = []
    for name in names:
        if person(name) not in seen:
            seen.add(person(name))
            found.append(name)
    return tuple(found)


def able(trust: TrustFile | None, signers: Sequence[Signer], now: datetime) -> None:
    """Raise Untrusted where the trust file, or every key of its people that signs, has ended."""
    if trust is None:
        return
    trust.fresh(now)
    mine = {signer.public.hint for signer in signers}
    named = [one for one in trust.credentials if one.public and one.public.hint in mine]
    why = [_ended(one, now.astimezone(UTC).date()) for one in named]
    if why and all(why):
        raise Untrusted(
            f"{trust.file}: the key {named[0].name} of {named[0].owner} {why[0]}",
            "release with another key that it names; its rotate role names new ones",
        )


def _ended(one: Credential, day: date) -> str:
    if one.revoked:
        return f"is revoked since {one.revoked}" + (f": {one.reason}" if one.reason else "")
    if one.end and day > one.end:
        return f"counted until {one.end}"
    return f"counts from {one.start} on" if one.start and day < one.start else ""


def _plain(name: str) -> str:
    return name.strip().removeprefix("@").casefold()
