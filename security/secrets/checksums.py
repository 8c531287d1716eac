"""Check digits of numbers people and tokens carry. Each takes plain digits or letters."""

from __future__ import annotations

import zlib

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
# Verhoeff's dihedral group of order ten, and its permutation (J. Verhoeff, 1969).
_DIHEDRAL = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_PERMUTED = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def mod97(iban: str) -> bool:
    """Whether an IBAN, in capitals without spaces, holds (ISO 13616, ISO 7064 MOD 97-10)."""
    moved = iban[4:] + iban[:4]
    return int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def verhoeff(digits: str) -> bool:
    """Whether a number with Verhoeff's check digit (Aadhaar) holds."""
    state = 0
    for place, digit in enumerate(reversed(digits)):
        state = int(_DIHEDRAL[state][int(_PERMUTED[place % 8][int(digit)])])
    return state == 0


def mod11_10(digits: str) -> bool:
    """Whether the last digit holds by ISO 7064 MOD 11,10 (the German tax number)."""
    product = 10
    for digit in digits[:-1]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def nir(number: str) -> bool:
    """Whether a French social security number, 13 characters and the key of two, holds."""
    body = number[:13].upper().replace("2A", "19").replace("2B", "18")
    return body.isdigit() and 97 - int(body) % 97 == int(number[13:])


def dni(number: str) -> bool:
    """Whether the letter of a Spanish DNI or NIE holds."""
    body = {"X": "0", "Y": "1", "Z": "2"}.get(number[0], number[0]) + number[1:-1]
    return _DNI[int(body) % 23] == number[-1]


def github(token: str) -> bool:
    """Whether the last six characters of a token are the CRC-32 of its 30 random ones."""
    body, check = token[4:-6], token[-6:]
    return base62(zlib.crc32(body.encode())).rjust(6, "0") == check


def base62(number: int) -> str:
    """Return a number in digits, capitals and small letters."""
    text = ""
    while number:
        number, rest = divmod(number, 62)
        text = _BASE62[rest] + text
    return text
