"""DSSE: what exactly is signed, and base64 that has one spelling."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from security.errors import Malformed

IN_TOTO = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class Signature:
    """Signature bytes, and the hint of their key where the envelope names it ("" otherwise)."""

    sig: bytes = field(repr=False)
    keyid: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Bytes of one type, and the signatures over both (DSSE v1.0)."""

    payload_type: str
    payload: bytes = field(repr=False)
    signatures: tuple[Signature, ...]

    @property
    def signed(self) -> bytes:
        """What each signature is over."""
        return pae(self.payload_type, self.payload)


def pae(payload_type: str, payload: bytes) -> bytes:
    """Join type and payload so that no two pairs give the same bytes (DSSE v1.0, protocol)."""
    name = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def encode64(data: bytes) -> str:
    """Return standard base64 with padding, on one line."""
    return base64.b64encode(data).decode()


def decode64(text: object, what: str) -> bytes:
    """Decode standard base64 that `encode64` would write the same. Raises Malformed."""
    if not isinstance(text, str):
        raise Malformed(f"{what} is not text in base64", HINT)
    try:
        raw = text.encode("ascii")
        data = binascii.a2b_base64(raw, strict_mode=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise Malformed(f"{what} is not base64", HINT) from error
    if binascii.b2a_base64(data, newline=False) != raw:  # spare bits that are set
        raise Malformed(f"{what} is base64 in an odd spelling", HINT)
    return data


HINT = "get the signature again from whoever published it"
