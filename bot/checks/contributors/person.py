"""A person as a commit states one: a name and an address that nothing proves."""

from __future__ import annotations

from dataclasses import dataclass

from bot.quoting import plain

_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
NOREPLY = "@users.noreply.github.com"
_DIGITS = 16  # of an account's id


@dataclass(frozen=True, slots=True)
class Person:
    """A name and an address, as a commit states them; nothing proves them."""

    name: str
    address: str

    @property
    def usable(self) -> bool:
        """Whether both are there and the address is one."""
        local, _, domain = self.address.rpartition("@")
        clean = self.address.isprintable() and not set(self.address) & set(" <>\ufffd")
        return bool(self.name.strip() and local and domain and clean)

    @property
    def key(self) -> str:
        """The address for comparison: only ASCII case is folded, nothing is dropped."""
        return self.address.translate(_LOWER)

    @property
    def shown(self) -> str:
        """Name and address on one line, as a message can quote them."""
        return f"{plain(self.name)} <{plain(self.address)}>"

    @property
    def line(self) -> str:
        """The exact trailer line of this person."""
        return f"Signed-off-by: {self.shown}"

    @property
    def account(self) -> int:
        """The account id that a GitHub no-reply address states, 0 where it states none."""
        local, found, after = self.key.partition(NOREPLY)
        digits, plus, login = local.partition("+")
        if not found or after or not plus or not login or "@" in login:
            return 0
        plain_number = digits.isascii() and digits.isdigit() and digits[0] != "0"
        return int(digits) if plain_number and len(digits) <= _DIGITS else 0


NOBODY = Person("", "")


def person(text: str) -> Person:
    """Read `Name <address>`; what is not of this form has no address."""
    name, bracket, rest = text.partition("<")
    address, end, after = rest.partition(">")
    if not bracket or not end or after.strip():
        return Person(text.strip(), "")
    return Person(name.strip(), address.strip())
