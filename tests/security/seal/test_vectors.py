"""The 143 vectors of the age test kit, each by the kind of its failure."""

import hashlib
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from security.errors import Malformed, NoMatch, Tampered
from security.seal import armor, header, hybrid, scrypt, x25519
from security.seal.header import Header, Identity

KIT = Path(__file__).parents[4] / "shared/data/age/testdata"
KINDS = {
    "armor failure": 22,
    "header failure": 62,
    "HMAC failure": 1,
    "no match": 13,
    "payload failure": 19,
    "success": 26,
}
CHUNK = 64 << 10
pytestmark = pytest.mark.skipif(not KIT.is_dir(), reason="the age test kit is not here")


@dataclass(frozen=True, slots=True)
class Vector:
    expect: str
    payload: str
    file_key: bytes
    identities: tuple[Identity, ...]
    armored: bool
    data: bytes


def vector(name: str) -> Vector:
    text, _, data = (KIT / name).read_bytes().partition(b"\n\n")
    fields: dict[str, list[str]] = {}
    for line in text.decode().splitlines():
        key, _, value = line.partition(": ")
        fields.setdefault(key, []).append(value)
    identities: list[Identity] = [
        hybrid.identity(i) if i.startswith(hybrid.SECRET_PREFIX) else x25519.identity(i)
        for i in fields.get("identity", [])
    ]
    identities += [scrypt.ScryptIdentity(partial(str, p)) for p in fields.get("passphrase", [])]
    return Vector(
        expect=fields["expect"][0],
        payload=fields.get("payload", [""])[0],
        file_key=bytes.fromhex(fields.get("file key", [""])[0]),
        identities=tuple(identities),
        armored=fields.get("armored") == ["yes"],
        data=zlib.decompress(data) if fields.get("compressed") == ["zlib"] else data,
    )


NAMES = sorted(p.name for p in KIT.iterdir()) if KIT.is_dir() else []


class Payload(Exception):
    """A payload that breaks, after what was released of it."""

    def __init__(self, released: bytes) -> None:
        super().__init__("payload")
        self.released = released


def payload(file_key: bytes, data: bytes) -> bytes:
    """Open a payload chunk by chunk: not how we do it, so that both must agree."""
    if len(data) < 16:
        raise Malformed("no nonce", "")
    cipher = ChaCha20Poly1305(HKDF(SHA256(), 32, data[:16], b"payload").derive(file_key))
    out, at, count = b"", 16, 0
    while True:
        chunk = data[at : at + CHUNK + 16]
        at += len(chunk)
        for last in (False, True) if len(chunk) == CHUNK + 16 else (True,):  # short: only final
            try:
                plain = cipher.decrypt(count.to_bytes(11, "big") + bytes([last]), chunk, None)
                break
            except InvalidTag:
                continue
        else:
            raise Payload(out)
        if last and not plain and count:
            raise Payload(out)
        out += plain
        count += 1
        if last:
            if at < len(data):
                raise Payload(out)
            return out


def opened(found: Vector) -> tuple[str, bytes]:
    """Open a vector; give the kind of its end, and what was released."""
    data = found.data
    if found.armored:
        try:
            data = armor.dearmor(data)
        except Malformed:
            return "armor failure", b""
    try:
        head: Header = header.parse(data)
        file_key = header.unseal(head, found.identities)
        assert file_key == found.file_key
        return "success", payload(file_key, data[head.size :])
    except Malformed:
        return "header failure", b""
    except Tampered:
        return "HMAC failure", b""
    except NoMatch:
        return "no match", b""
    except Payload as error:
        return "payload failure", error.released


@pytest.mark.parametrize("name", NAMES)
def test_ends_as_the_kit_says(name: str) -> None:
    found = vector(name)
    kind, released = opened(found)
    assert kind == found.expect
    if found.payload:
        assert hashlib.sha256(released).hexdigest() == found.payload


def test_the_kit_is_whole() -> None:
    count = {kind: sum(vector(name).expect == kind for name in NAMES) for kind in KINDS}
    assert count == KINDS


@pytest.mark.parametrize("name", NAMES)
def test_writes_what_it_parsed(name: str) -> None:
    found = vector(name)
    if found.expect in ("armor failure", "header failure"):
        pytest.skip("there is nothing to write again")
    data = armor.dearmor(found.data) if found.armored else found.data
    head = header.parse(data)
    text = header.VERSION + b"".join(header.encode(s) for s in head.stanzas) + b"---"
    assert text == head.text
    mac = header.argument(head.mac).encode()
    assert text + b" " + mac + b"\n" == data[: head.size]
