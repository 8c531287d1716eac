"""People told apart: one is not two by another spelling, a second key or an account. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from security.trust.trustfile import Person


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


def _plain(name: str) -> str:
    return name.strip().removeprefix("@").casefold()
