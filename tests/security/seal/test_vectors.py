"""The 143 vectors of the age test kit, each by the kind of its failure."""

import hashlib
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from security.errors import Malformed, NoMatch, Tampered
from security.seal import armor, chunks, header, hybrid, scrypt, x25519
from security.seal.header import Identity

KIT = Path(__file__).parents[4] / "shared/data/age/testdata"
KINDS = {
    "armor failure": 22,
    "header failure": 62,
    "HMAC failure": 1,
    "no match": 13,
    "payload failure": 19,
    "success": 26,
}
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
    identities += [
        scrypt.ScryptIdentity(partial(bytes, p.encode())) for p in fields.get("passphrase", [])
    ]
    return Vector(
        expect=fields["expect"][0],
        payload=fields.get("payload", [""])[0],
        file_key=bytes.fromhex(fields.get("file key", [""])[0]),
        identities=tuple(identities),
        armored=fields.get("armored") == ["yes"],
        data=zlib.decompress(data) if fields.get("compressed") == ["zlib"] else data,
    )


NAMES = sorted(p.name for p in KIT.iterdir()) if KIT.is_dir() else []


def ending(*kinds: str) -> list[str]:
    return [n for n in NAMES if vector(n).expect in kinds]


def opened(found: Vector) -> tuple[str, bytes]:
    """Open a vector; give the kind of its end, and what was released."""
    data = found.data
    if found.armored:
        try:
            data = armor.dearmor(data)
        except Malformed:
            return "armor failure", b""
    try:
        head = header.parse(data)
        file_key = header.unseal(head, found.identities)
    except Malformed:
        return "header failure", b""
    except Tampered:
        return "HMAC failure", b""
    except NoMatch:
        return "no match", b""
    assert file_key == found.file_key
    released = b""
    try:
        for piece in chunks.pieces("x", file_key, data[head.size :]):
            released += piece
    except Malformed:  # age counts the payload's nonce to the header
        return "payload failure" if len(data) - head.size >= 16 else "header failure", released
    return "success", released


@pytest.mark.parametrize("name", NAMES)
def test_ends_as_the_kit_says(name: str) -> None:
    found = vector(name)
    kind, released = opened(found)
    assert kind == found.expect
    if found.payload:
        assert hashlib.sha256(released).hexdigest() == found.payload


def test_the_kit_is_whole() -> None:
    assert {kind: len(ending(kind)) for kind in KINDS} == KINDS


@pytest.mark.parametrize("name", ending("success", "payload failure", "no match", "HMAC failure"))
def test_writes_what_it_parsed(name: str) -> None:
    found = vector(name)
    data = armor.dearmor(found.data) if found.armored else found.data
    head = header.parse(data)
    text = header.VERSION + b"".join(header.encode(s) for s in head.stanzas) + b"---"
    assert text == head.text
    mac = header.argument(head.mac).encode()
    assert text + b" " + mac + b"\n" == data[: head.size]


@pytest.mark.parametrize("name", ending("success"))
def test_seals_to_the_same_bytes(name: str) -> None:
    found = vector(name)
    data = armor.dearmor(found.data) if found.armored else found.data
    sealed = data[header.parse(data).size :]
    plain = chunks.open_bytes("x", found.file_key, sealed)
    assert chunks.seal_bytes(found.file_key, plain, sealed[:16]) == sealed
    if found.armored:
        assert armor.armor(data).split() == found.data.split()
