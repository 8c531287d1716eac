"""The ASCII armour of age: strict PEM (RFC 7468, section 3), one reading for all readers."""

from __future__ import annotations

import base64
import binascii
import re

from security.errors import Malformed, TooLarge

LIMIT = 64 << 20  # bytes of an armoured file: armour is for mail and key files, not for weights
COLUMNS = 64
BEGIN, END = b"-----BEGIN AGE ENCRYPTED FILE-----", b"-----END AGE ENCRYPTED FILE-----"
BODY = re.compile(rb"(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/]{1,64}={0,2}\n", re.ASCII)
HINT = "get the armoured file again, unchanged, or the binary one"


def is_armored(data: bytes) -> bool:
    """Whether the first bytes of a file, whitespace aside, begin an armour."""
    return data.lstrip().startswith(BEGIN)


def armor(data: bytes) -> bytes:
    """Wrap a sealed file in armour, canonically."""
    text = base64.b64encode(data)
    lines = [text[at : at + COLUMNS] for at in range(0, len(text), COLUMNS)]
    return b"\n".join([BEGIN, *lines, END, b""])


def dearmor(data: bytes, name: str = "the armoured file") -> bytes:
    """Take the sealed file out of its armour.

    Whitespace may stand around it and lines may all end in CR LF; everything else must be as
    `armor` writes it. Raises Malformed, TooLarge.
    """
    if len(data) > LIMIT:
        raise TooLarge(f"{name} has more than {LIMIT:,} bytes of armour", "give the binary file")
    data = data.strip()
    if b"\r" in data:
        if data.count(b"\r\n") != data.count(b"\n") or data.count(b"\r") != data.count(b"\n"):
            raise Malformed(f"{name}: lines of its armour end in several ways", HINT)
        data = data.replace(b"\r\n", b"\n")
    if not data.startswith(BEGIN + b"\n"):
        raise Malformed(f"{name} does not begin with the line of an age armour", HINT)
    if not data.endswith(b"\n" + END):
        raise Malformed(f"{name} does not end with the line of an age armour", HINT)
    body = data[len(BEGIN) + 1 : -len(END)]
    if not body:
        return b""
    return _decode(body, name)


def _decode(body: bytes, name: str) -> bytes:
    lines = body.split(b"\n")[:-1]
    if not BODY.fullmatch(body):
        raise Malformed(f"{name}: its armour is not base64 in lines of {COLUMNS} columns", HINT)
    text = b"".join(lines)
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Malformed(f"{name}: its armour is not base64", HINT) from error
    if base64.b64encode(data) != text:
        raise Malformed(f"{name}: its armour is not canonical base64", HINT)
    return data
