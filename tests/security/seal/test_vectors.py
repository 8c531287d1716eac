"""The 143 vectors of the age test kit and our hostile ones, each by the kind of its failure."""

import hashlib
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from security.errors import Malformed, NoMatch, Tampered
from security.seal import armor, chunks, header, hybrid, scrypt, sealing, x25519
from security.seal.header import Identity

KIT = Path(__file__).parents[4] / "shared/data/age/testdata"
OURS = Path(__file__).parents[2] / "vectors/age/files"
KINDS = {
    "armor failure": 22,
    "header failure": 62,
    "HMAC failure": 1,
    "no match": 13,
    "payload failure": 19,
    "success": 26,
}

NO_NONCE = ("stream_no_nonce", "stream_short_nonce")


@dataclass(frozen=True, slots=True)
class Vector:
    expect: str
    payload: str
    file_key: bytes
    identities: tuple[Identity, ...]
    armored: bool
    data: bytes


def vector(path: Path) -> Vector:
    text, _, data = path.read_bytes().partition(b"\n\n")
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


FILES = [*sorted(OURS.iterdir()), *(sorted(KIT.iterdir()) if KIT.is_dir() else ())]


def ending(*kinds: str) -> list[Path]:
    return [path for path in FILES if vector(path).expect in kinds]


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
    except Tampered:  # age counts the payload's nonce to the header
        return "payload failure" if len(data) - head.size >= 16 else "header failure", released
    return "success", released


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_ends_as_the_kit_says(path: Path) -> None:
    found = vector(path)
    kind, released = opened(found)
    assert kind == found.expect
    if found.payload:
        assert hashlib.sha256(released).hexdigest() == found.payload


RAISED: dict[str, tuple[type[Exception], ...]] = {
    "armor failure": (Malformed,),
    "header failure": (Malformed,),
    "HMAC failure": (Tampered,),
    "no match": (NoMatch,),
    "payload failure": (Tampered,),
}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_files_open_or_leave_nothing(path: Path, tmp_path: Path) -> None:
    found = vector(path)
    source, target = tmp_path / "sealed", tmp_path / "plain"
    source.write_bytes(found.data)
    if found.expect == "success":
        sealing.open_sealed(source, target, found.identities)
        content = hashlib.sha256(target.read_bytes()).hexdigest()
        assert content == (found.payload or hashlib.sha256(b"weights").hexdigest())
        return
    # age counts the nonce of the payload to the header; we do not.
    kind = "payload failure" if path.name in NO_NONCE else found.expect
    with pytest.raises(RAISED[kind]) as caught:
        sealing.open_sealed(source, target, found.identities)
    assert str(source) in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["sealed"]


@pytest.mark.skipif(not KIT.is_dir(), reason="the age test kit is not here")
def test_the_kit_is_whole() -> None:
    kit = [vector(path).expect for path in FILES if path.parent == KIT]
    assert {kind: kit.count(kind) for kind in KINDS} == KINDS


@pytest.mark.parametrize(
    "path",
    ending("success", "payload failure", "no match", "HMAC failure"),
    ids=lambda p: p.name,
)
def test_writes_what_it_parsed(path: Path) -> None:
    found = vector(path)
    data = armor.dearmor(found.data) if found.armored else found.data
    head = header.parse(data)
    text = header.VERSION + b"".join(header.encode(s) for s in head.stanzas) + b"---"
    assert text == head.text
    mac = header.argument(head.mac).encode()
    assert text + b" " + mac + b"\n" == data[: head.size]


@pytest.mark.parametrize("path", ending("success"), ids=lambda p: p.name)
def test_seals_to_the_same_bytes(path: Path) -> None:
    found = vector(path)
    data = armor.dearmor(found.data) if found.armored else found.data
    sealed = data[header.parse(data).size :]
    plain = chunks.open_bytes("x", found.file_key, sealed)
    assert chunks.seal_bytes(found.file_key, plain, sealed[:16]) == sealed
    if found.armored:
        assert armor.armor(data).split() == found.data.split()
