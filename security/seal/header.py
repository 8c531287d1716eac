"""The header of an age v1 file: the file key, wrapped for each recipient (C2SP age.md, Header)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from security.errors import Malformed, NoMatch, Refused, Tampered, TooLarge

LIMIT = 256 << 10  # bytes of a header: 160 hybrid recipients, or 2,500 classic ones
BLOCK = 4096  # bytes; padded headers are a multiple of it
KEY_SIZE = 16  # bytes of a file key
COLUMNS = 64
VERSION = b"age-encryption.org/v1\n"
PADDING = "padding-grease"  # no reader knows the type, so every reader skips the stanza
ARGUMENTS = re.compile(rb"-> [!-~]+(?: [!-~]+)*")
HINT = "it is not an age file, or was changed or cut on its way: get it again"

Kind = Literal["classic", "hybrid", "passphrase"]


@dataclass(frozen=True, slots=True)
class Stanza:
    """One wrapped file key: `type` is the first argument of its line, `args` are the others."""

    type: str
    args: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """A parsed header. `text` is what the MAC covers, `size` its bytes in the file."""

    stanzas: tuple[Stanza, ...]
    mac: bytes
    size: int
    text: bytes = field(repr=False)
    name: str = "the sealed file"


class Recipient(Protocol):
    """Somebody to whom a file can be sealed."""

    @property
    def kind(self) -> Kind:
        """What it protects against; kinds are never mixed in one file."""

    def wrap(self, file_key: bytes) -> tuple[Stanza, ...]:
        """Wrap the file key so that only this recipient finds it."""


class Identity(Protocol):
    """The secret side of a recipient."""

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """The file key, or None where the stanza is another's. Raises Malformed."""


def parse(data: bytes, name: str = "the sealed file") -> Header:
    """Read the header at the start of `data`, which may hold more of the file, best LIMIT bytes.

    Raises Malformed for anything that two readers may read differently, TooLarge.
    """
    if not data.startswith(VERSION):
        raise Malformed(f"{name} is not an age v1 file", HINT)
    at, stanzas = len(VERSION), []
    line, after = _line(data, at, name)
    while line.startswith(b"->"):
        stanza, at = _stanza(data, line, after, name)
        stanzas.append(stanza)
        line, after = _line(data, at, name)
    if not stanzas or not line.startswith(b"--- "):
        raise Malformed(f"{name}: its header has a line that is neither stanza nor MAC", HINT)
    if len(stanzas) > 1 and any(stanza.type == "scrypt" for stanza in stanzas):
        raise Malformed(f"{name}: a passphrase beside other recipients", HINT)
    mac = _unbase64(line[4:], name)
    if len(mac) != 32:
        raise Malformed(f"{name}: its MAC has {len(mac)} bytes, not 32", HINT)
    return Header(tuple(stanzas), mac, after, bytes(data[: at + 3]), name)


def unseal(header: Header, identities: Sequence[Identity]) -> bytes:
    """Find the file key; nothing else of a header is to be believed before this returned.

    Raises NoMatch, Malformed for a stanza that breaks its type's rules, Tampered for a wrong MAC.
    """
    for identity in identities:
        for stanza in header.stanzas:
            file_key = _unwrap(identity, stanza, header.name)
            if file_key is None:
                continue
            if not hmac.compare_digest(_mac(file_key, header.text), header.mac):
                raise Tampered(f"{header.name}: its header was changed after sealing", HINT)
            return file_key
    if header.stanzas[0].type == "scrypt":
        said = "sealed with a passphrase, and no identity opens it"
        raise NoMatch(f"{header.name}: {said}", "open it by its passphrase, without --identity")
    raise NoMatch(
        f"{header.name}: sealed to recipients, and no identity that was given is one of them",
        "name your private key with --identity FILE, or ask its owner to add you",
    )


def build(file_key: bytes, recipients: Sequence[Recipient], *, size: int = BLOCK) -> bytes:
    """Write a header of exactly `size` bytes, or if it needs more the next multiple of BLOCK.

    One stanza that all readers skip fills it. size=0, and always a passphrase, whose stanza must
    stand alone: no padding. Raises Refused for no recipients, or a mix of kinds.
    """
    if len(file_key) != KEY_SIZE:
        raise Malformed(f"a file key of {len(file_key)} bytes", f"make one of {KEY_SIZE}")
    kinds = {recipient.kind for recipient in recipients}
    if len(kinds) > 1:
        raise Refused(f"recipients of several kinds ({', '.join(sorted(kinds))})", _UNMIXED)
    if kinds == {"passphrase"} and len(recipients) > 1:
        raise Refused("several passphrases for one file", "give one passphrase, or key recipients")
    stanzas = [stanza for recipient in recipients for stanza in recipient.wrap(file_key)]
    if not stanzas:
        raise Refused("nobody to seal to", "name at least one recipient")
    text = b"".join([VERSION, *map(encode, stanzas)])
    if size and kinds != {"passphrase"}:
        text += _padding(len(text) + len(b"--- ") + 44, size)
    text += b"---"
    header = text + b" " + _base64(_mac(file_key, text)) + b"\n"
    if len(header) > LIMIT:
        raise TooLarge(f"a header of {len(header):,} bytes", "seal to fewer recipients")
    return header


def encode(stanza: Stanza) -> bytes:
    """Write a stanza, canonically."""
    body = _base64(stanza.body)
    lines = [body[at : at + COLUMNS] for at in range(0, len(body) + 1, COLUMNS)]
    return b"\n".join([" ".join(["->", stanza.type, *stanza.args]).encode("ascii"), *lines, b""])


def argument(data: bytes) -> str:
    """Write bytes as an argument of a stanza."""
    return _base64(data).decode("ascii")


def decode(text: str, size: int, what: str) -> bytes:
    """Read an argument of a stanza: canonical base64 of `size` bytes. Raises Malformed."""
    data = _unbase64(text.encode("ascii"), what)
    if len(data) != size:
        raise Malformed(f"{what} of {len(data)} bytes, not {size}", HINT)
    return data


_UNMIXED = (
    "seal to hybrid recipients only (age1pq1...) or to classic ones only (age1...):"
    " the weakest of them protects the file; a passphrase stands alone"
)


def _stanza(data: bytes, line: bytes, at: int, name: str) -> tuple[Stanza, int]:
    if not ARGUMENTS.fullmatch(line):
        raise Malformed(f"{name}: a stanza's line is malformed", HINT)
    kind, *args = line[3:].decode("ascii").split(" ")
    lines: list[bytes] = []
    while not lines or len(lines[-1]) == COLUMNS:
        part, at = _line(data, at, name)
        if len(part) > COLUMNS:
            raise Malformed(f"{name}: a stanza's body has a line beyond {COLUMNS} columns", HINT)
        lines.append(part)
    return Stanza(kind, tuple(args), _unbase64(b"".join(lines), name)), at


def _line(data: bytes, at: int, name: str) -> tuple[bytes, int]:
    """Give the line at an offset, and where the next one begins."""
    end = data.find(b"\n", at, LIMIT)
    if end < 0 and len(data) >= LIMIT:
        raise TooLarge(f"{name}: its header has more than {LIMIT:,} bytes", HINT)
    if end < 0:
        raise Malformed(f"{name}: its header is cut off", HINT)
    return bytes(data[at:end]), end + 1


def _unwrap(identity: Identity, stanza: Stanza, name: str) -> bytes | None:
    try:
        file_key = identity.unwrap(stanza)
    except Malformed as error:
        raise type(error)(f"{name}: {error.message}", error.hint) from error
    if file_key is not None and len(file_key) != KEY_SIZE:
        raise Malformed(f"{name}: a file key of {len(file_key)} bytes", HINT)
    return file_key


def _mac(file_key: bytes, text: bytes) -> bytes:
    key = hmac.digest(bytes(32), file_key, hashlib.sha256)  # HKDF, RFC 5869, one block
    key = hmac.digest(key, b"header\1", hashlib.sha256)
    return hmac.digest(key, text, hashlib.sha256)


def _padding(used: int, size: int) -> bytes:
    """Write the stanza that fills a header of `used` bytes, MAC line included."""
    least = len(f"-> {PADDING} x\n\n")
    if used == size:
        return b""
    if used + least > size:
        size = -(-(used + least) // BLOCK) * BLOCK
    # All of it in the argument: rage takes three times as long for a body of that size.
    return encode(Stanza(PADDING, ("x" * (1 + size - used - least),), b""))


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _unbase64(text: bytes, name: str) -> bytes:
    """Read canonical base64 without padding. Python's own reading skips what it does not know."""
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise Malformed(f"{name}: not base64", HINT) from error
    if _base64(data) != text:
        raise Malformed(f"{name}: base64 that is padded or not canonical", HINT)
    return data
