"""What decides on a match. Each answers None (no finding), "" (one), or what speaks against it."""

# ruff: noqa: SIM905 - many words read best as words

from __future__ import annotations

import binascii
import ipaddress
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable
from itertools import pairwise

from security.secrets import checksums
from security.secrets.placeholders import made_up, mixed, random, stands_for_one

# Hosts and mailboxes that are nobody's: RFC 2606, RFC 6761, and what authors write for one.
_NOBODY = tuple(
    "example.com example.org example.net example.edu domain.com email.com mail.com company.com"
    " mycompany.com yourcompany.com yourdomain.com mydomain.com test.com foo.com bar.com"
    " address.com noreply.github.com huggingface.co".split()
)
_RESERVED = (".example", ".test", ".invalid", ".localhost", ".local", ".internal")
_ROLES = frozenset(
    "git hg svn noreply no-reply donotreply do-not-reply info support contact security abuse help"
    " hello press legal privacy admin administrator webmaster postmaster hostmaster root team"
    " office sales conduct feedback licensing user username name you your.name your.email me"
    " email mail someone nobody anonymous test example".split()
)
_TLDS = frozenset(
    "com net org edu gov mil int info biz name pro dev app xyz online site tech cloud email live"
    " blog shop store agency company studio digital world life news media group global science"
    " academy university network systems solutions services".split()
)
# Two letters that end an expression or a file's name more often than an address.
_NOT_COUNTRIES = frozenset(("py", "js", "ts", "sh", "md", "rs", "to", "mt", "db", "so"))
_IBAN = dict(
    zip(
        "AT BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IT LT LU LV MT NL NO PL PT RO SE SI SK"
        " AE IL SA TR IS LI MC SM AD".split(),
        map(int, "20 16 22 21 28 24 22 18 20 24 18 27 22 27 21 28 22 27 20 20 21 31 18 15 28 25 24"
                 " 24 19 24 23 23 24 26 26 21 27 27 24".split()),
        strict=True,
    )
)  # fmt: skip
_TEST_CARDS = frozenset(
    "4111111111111111 4242424242424242 4012888888881881 4000056655665556 5555555555554444"
    " 5105105105105100 5200828282828210 378282246310005 371449635398431 6011111111111117"
    " 6011000990139424 3566002020360505".split()
)
_TEST_SSNS = frozenset(("078-05-1120", "219-09-9999", "123-45-6789", "987-65-4321"))
_RESOLVERS = frozenset(
    "8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 9.9.9.9 1.2.3.4 4.4.4.4 2001:4860:4860::8888"
    " 2001:4860:4860::8844 2606:4700:4700::1111 2606:4700:4700::1001".split()
)


# Country codes in use (ITU-T E.164, list of assigned codes): one, two, or three digits.
_COUNTRY = re.compile(
    "1|7|2[07]|3[0-4]|36|39|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
    "|21[1-368]|2[2-6][0-9]|29[017-9]|3[57][0-9]|38[0-35-79]|42[013]|50[0-9]|59[0-9]|6[78][0-9]"
    "|69[0-2]|85[02356]|88[06]|96[0-8]|97[0-7]|99[2-68]"
)


def _digits(value: str) -> str:
    return "".join(c for c in value if c.isdigit())


def _any(value: str) -> str | None:
    return ""


def _token(value: str) -> str | None:
    return None if made_up(value) else ""


def _github(value: str) -> str | None:
    if made_up(value):
        return None
    return "" if checksums.github(value) else "its checksum does not hold, it may be made up"


def _random(value: str) -> str | None:
    return "" if random(value) and not stands_for_one(value) else None


def _password(value: str) -> str | None:
    return "" if mixed(value) and not stands_for_one(value) else None


def _jwt(value: str) -> str | None:
    head, body = value.split(".")[:2]
    if body.startswith("eyJzdWIiOiIxMjM0NTY3ODkw"):  # the example of every introduction
        return None
    try:
        found = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return "" if isinstance(found, dict) and "alg" in found else None


def _email(value: str) -> str | None:
    local, _, domain = value.lower().rpartition("@")
    last = domain.rpartition(".")[2]
    if last not in _TLDS and (len(last) != 2 or last in _NOT_COUNTRIES):
        return None
    if domain.endswith(_RESERVED) or any(f".{domain}".endswith(f".{n}") for n in _NOBODY):
        return None
    return None if local in _ROLES or "noreply" in local or local.startswith(".") else ""


def _phone(value: str) -> str | None:
    digits = _digits(value)
    if len(set(digits)) < 4 or not 9 <= len(digits) <= 15 or digits in "12345678901234567890":
        return None
    if value.startswith("+") and digits[0] != "1":
        reserved = digits.startswith(("442079460", "441632960"))
        known = _COUNTRY.match(digits) is not None
        return "" if known and not reserved and len(digits) >= 10 else None
    if value.startswith("0"):
        pairs = [int(digits[at : at + 2]) for at in range(0, len(digits), 2)]
        return "" if len({b - a for a, b in pairwise(pairs)}) > 1 else None  # not 01 02 03 04 05
    number = digits[1:] if value.startswith("+") else digits
    if len(number) != 10 or number[0] in "01" or number[3] in "01" or number[1:3] == "11":
        return None
    return None if number[3:8] == "55501" else ""


def _labelled(value: str) -> str | None:
    digits = _digits(value)
    regular = len(set(digits)) < 4 or digits in "012345678901234567890"
    return None if regular or not 8 <= len(digits) <= 15 or digits[-7:-2] == "55501" else ""


def _card(value: str) -> str | None:
    digits = _digits(value)
    if not checksums.luhn(digits) or len(set(digits)) < 2:
        return None
    return "payment services publish it for tests" if digits in _TEST_CARDS else ""


def _iban(value: str) -> str | None:
    whole = value.replace(" ", "")
    length = _IBAN.get(whole[:2], 0)
    fits = length and (len(whole) == length or (" " in value and len(whole) > length))
    return "" if fits and checksums.mod97(whole[:length]) else None


def _ssn(value: str) -> str | None:
    area, group, serial = value.split("-")
    if area in ("000", "666") or area[0] == "9" or group == "00" or serial == "0000":
        return None
    return "it is printed as an example" if value in _TEST_SSNS else ""


def _checked(check: Callable[[str], bool], dropped: str = " ") -> Callable[[str], str | None]:
    def decide(value: str) -> str | None:
        bare = "".join(c for c in value if c not in dropped)
        return "" if len(set(bare)) > 3 and check(bare) else None

    return decide


def _address(value: str) -> str | None:
    try:
        found = ipaddress.ip_address(value)
    except ValueError:
        return None
    return "" if found.is_global and not found.is_multicast and value not in _RESOLVERS else None


def _mrz(value: str) -> str | None:
    return "" if "<<" in value[5:] else None


VALID: dict[str, Callable[[str], str | None]] = {
    "any": _any,
    "token": _token,
    "github": _github,
    "random": _random,
    "password": _password,
    "jwt": _jwt,
    "email": _email,
    "phone": _phone,
    "labelled": _labelled,
    "card": _card,
    "iban": _iban,
    "ssn": _ssn,
    "nir": _checked(checksums.nir),
    "dni": _checked(checksums.dni, "-"),
    "steuer": _checked(checksums.mod11_10),
    "aadhaar": _checked(checksums.verhoeff),
    "ipv4": _address,
    "ipv6": _address,
    "mrz": _mrz,
}
