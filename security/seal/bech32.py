"""Bech32 (BIP 173) as age writes its keys: without the length limit of addresses."""

from __future__ import annotations

from security.errors import Malformed

LIMIT = 4096  # characters; a hybrid recipient has 1,959
LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
VALUES = {letter: value for value, letter in enumerate(LETTERS)}
GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
HINT = "copy the key whole, as it was generated"


def encode(prefix: str, data: bytes) -> str:
    """Write bytes under a lower-case prefix; a secret key is this text in capitals."""
    number = int.from_bytes(data, "big")
    bits = len(data) * 8
    number <<= -bits % 5
    count = (bits + 4) // 5
    values = [(number >> (5 * at)) & 31 for at in range(count - 1, -1, -1)]
    check = _remainder([*_expanded(prefix), *values, 0, 0, 0, 0, 0, 0]) ^ 1
    values += [(check >> (5 * at)) & 31 for at in range(5, -1, -1)]
    return f"{prefix}1{''.join(LETTERS[value] for value in values)}"


def decode(text: str) -> tuple[str, bytes]:
    """Read a key into its prefix, in its own case, and its bytes.

    Raises Malformed, whose text shows nothing of the key: it may be a secret one.
    """
    if len(text) > LIMIT:
        raise Malformed(f"a key of more than {LIMIT:,} characters", HINT)
    lower = text.lower()
    if text not in (lower, text.upper()):
        raise Malformed("a key in capitals and small letters", HINT)
    prefix, mark, rest = lower.rpartition("1")
    if not mark or not prefix or len(rest) < 6 or any(not "!" <= c <= "~" for c in prefix):
        raise Malformed("not a key: it has no prefix and checksum", HINT)
    try:
        values = [VALUES[letter] for letter in rest]
    except KeyError:
        raise Malformed("a key with a character that no key has", HINT) from None
    if _remainder([*_expanded(prefix), *values]) != 1:
        raise Malformed("a key whose checksum is wrong", HINT)
    return text[: len(prefix)], _bytes(values[:-6])


def _bytes(values: list[int]) -> bytes:
    number = 0
    for value in values:
        number = number << 5 | value
    spare = len(values) * 5 % 8
    if spare > 4 or number & ((1 << spare) - 1):
        raise Malformed("a key with bits to spare", HINT)
    return (number >> spare).to_bytes(len(values) * 5 // 8, "big")


def _expanded(prefix: str) -> list[int]:
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def _remainder(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for at, generator in enumerate(GENERATORS):
            if top >> at & 1:
                check ^= generator
    return check
