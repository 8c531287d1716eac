"""Made-up values for tests and benchmarks, written as templates: none stands in a file whole.

`{A34}` is 34 characters of a class, `{card}` a number with a right check digit, `{{` a brace.
"""

from __future__ import annotations

import json
import re
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from random import Random

from security.secrets import checksums

_DIGITS, _LOWER = "0123456789", "abcdefghijklmnopqrstuvwxyz"
_UPPER = _LOWER.upper()
_CLASSES = {
    "A": _DIGITS + _LOWER + _UPPER,
    "B": _DIGITS + _LOWER + _UPPER + "+/",
    "C": _UPPER,
    "L": _LOWER + _UPPER,
    "T": "234567" + _UPPER,
    "U": _DIGITS + _UPPER,
    "W": _DIGITS + _LOWER + _UPPER + "_-",
    "d": _DIGITS,
    "e": "12345689",
    "h": _DIGITS + "abcdef",
    "l": _LOWER,
}
_FIELD = re.compile(r"\{([A-Za-z])(\d{1,3})\}|\{([a-z]+4?)\}|\{\{|\}\}")


def expand(template: str, random: Random) -> str:
    """Return a value of a template."""

    def field(found: re.Match[str]) -> str:
        letter, count, name = found.groups()
        if letter:
            return _drawn(random, letter, int(count))
        return _MADE[name](random) if name else found.group()[0]

    return _FIELD.sub(field, template)


def _drawn(random: Random, letter: str, count: int) -> str:
    """Return random characters; where there is room, digits and both cases are among them."""
    drawn = random.choices(_CLASSES[letter], k=count)
    if letter in "ABW" and count >= 6:
        for place in range(0, count - 4, 12):
            drawn[place + 1 : place + 5] = [random.choice(c) for c in ("7", _LOWER, "4", _UPPER)]
    if letter in "BW" and count:
        drawn[0] = drawn[-1] = "q"
    return "".join(drawn)


def _closed(random: Random, start: str, count: int, check: Callable[[str], bool]) -> str:
    while True:
        body = start + _drawn(random, "d", count - len(start) - 1)
        for digit in _DIGITS:
            if check(body + digit) and len(set(body)) > 3:
                return body + digit


def _fours(text: str) -> str:
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4))


def _crc(random: Random) -> str:
    body = _drawn(random, "A", 30)
    return body + checksums.base62(zlib.crc32(body.encode())).rjust(6, "0")


def _jwt(random: Random) -> str:
    def part(fields: dict[str, str]) -> str:
        return urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")

    return ".".join((
        part({"alg": "HS256", "typ": "JWT"}), part({"sub": _drawn(random, "A", 12)}),
        _drawn(random, "W", 43),
    ))  # fmt: skip


def _iban(random: Random) -> str:
    body = _drawn(random, "d", 18)
    return next(f"DE{n:02d}{body}" for n in range(2, 99) if checksums.mod97(f"DE{n:02d}{body}"))


def _nir(random: Random) -> str:
    body = f"1{random.randint(50, 99)}0{random.randint(1, 9)}{random.randint(10, 95)}"
    body += _drawn(random, "e", 6)
    return f"{body}{97 - int(body) % 97:02d}"


def _dni(random: Random) -> str:
    body = _drawn(random, "e", 8)
    return next(body + c for c in _UPPER if checksums.dni(body + c))


_MADE: dict[str, Callable[[Random], str]] = {
    "crc": _crc,
    "jwt": _jwt,
    "card": lambda r: _closed(r, "4539", 16, checksums.luhn),
    "card4": lambda r: _fours(_closed(r, "5312", 16, checksums.luhn)),
    "amex": lambda r: _closed(r, "3712", 15, checksums.luhn),
    "iban": _iban,
    "iban4": lambda r: _fours(_iban(r)),
    "nir": _nir,
    "dni": _dni,
    "steuer": lambda r: _closed(r, "4", 11, checksums.mod11_10),
    "aadhaar": lambda r: _fours(_closed(r, "4", 12, checksums.verhoeff)),
}
