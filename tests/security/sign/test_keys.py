from __future__ import annotations

import copy
import hashlib
import pickle
import subprocess
import traceback

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from hypothesis import given, settings
from hypothesis import strategies as st

from security.errors import BadKey
from security.identity import ED25519, MLDSA65, P256, P384, P521
from security.sign import keys
from tests.security.sign.making import REFERENCE, signer

KINDS = (P256, P384, P521, ED25519, MLDSA65)


def refuse() -> bytes:
    raise AssertionError("asked for a passphrase that is not needed")


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_signs_and_its_public_part_checks(kind: str) -> None:
    pem = keys.generate(kind)
    one = keys.load_signer(pem, refuse)
    signature = one.sign(b"data")
    assert one.public.kind == kind and len(signature) <= keys.SIZES[kind]
    assert keys.check(one.public, signature, b"data")
    assert not keys.check(one.public, signature, b"date")
    assert not keys.check(one.public, b"", b"data")
    assert not keys.check(one.public, signature[:-1], b"data")
    assert not keys.check(one.public, signature + b"\0", b"data")
    assert not keys.check(one.public, bytes([signature[0] ^ 1]) + signature[1:], b"data")
    assert keys.read_public(one.public.pem.encode()) == one.public
    assert one.public.hint == hashlib.sha256(one.public.pem.encode()).hexdigest()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_no_key_takes_the_signature_of_another_kind(kind: str, other: str) -> None:
    if kind != other:
        assert not keys.check(signer(kind).public, signer(other).sign(b"data"), b"data")


def test_the_hash_of_a_curve_is_its_own() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    from cryptography.hazmat.primitives import hashes

    public = keys.read_public(pem)
    assert keys.check(public, key.sign(b"data", ec.ECDSA(hashes.SHA256())), b"data")
    assert not keys.check(public, key.sign(b"data", ec.ECDSA(hashes.SHA384())), b"data")


def test_the_hint_is_the_reference_s() -> None:
    if not REFERENCE.exists():
        pytest.skip("the reference data is not at hand")
    public = keys.read_public((REFERENCE / "keys/signing-key-pub.pem").read_bytes())
    assert public.kind == P384
    assert public.hint == "e8450dec4eb99dae995da9af1bc2cc9f76ed669ee2e744f57abba763df3e3f8e"


@pytest.mark.parametrize("kind", [P256, MLDSA65])
def test_a_passphrase_opens_the_key(kind: str) -> None:
    pem = keys.generate(kind)
    locked = keys.encrypted(pem, b"several good words")
    assert b"ENCRYPTED" in locked and keys.load_signer(pem).public.pem.encode() not in locked
    assert keys.load_signer(locked, lambda: b"several good words").public == (
        keys.load_signer(pem).public
    )


def test_the_library_of_the_reference_reads_a_locked_key() -> None:
    # Its command does not: 1.1.1 hands text where bytes are wanted, whatever wrote the key.
    locked = keys.encrypted(keys.generate(), b"words")
    assert isinstance(
        serialization.load_pem_private_key(locked, b"words"), ec.EllipticCurvePrivateKey
    )


def test_openssl_reads_a_locked_key() -> None:
    pem = keys.generate()
    done = subprocess.run(
        ["openssl", "pkey", "-passin", "stdin", "-in", "/dev/fd/0", "-pubout"],
        input=b"words\n" + keys.encrypted(pem, b"words"),
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode() == keys.load_signer(pem).public.pem


@pytest.mark.parametrize(
    ("passphrase", "message"),
    [(lambda: b"wrong", "wrong passphrase"), (lambda: b"", "has a passphrase"), (None, "has a")],
)
def test_a_wrong_passphrase_is_said(passphrase: object, message: str) -> None:
    locked = keys.encrypted(keys.generate(), b"right words")
    with pytest.raises(BadKey, match=message) as caught:
        keys.load_signer(locked, passphrase)  # type: ignore[arg-type]
    shown = "".join(traceback.format_exception(caught.value))
    assert "right words" not in shown and "PRIVATE" not in shown


def test_no_empty_passphrase() -> None:
    with pytest.raises(BadKey, match="empty"):
        keys.encrypted(keys.generate(), b"")


def test_nothing_of_a_private_key_is_shown_or_copied() -> None:
    pem = keys.generate()
    one = keys.load_signer(pem)
    for text in (repr(one), str(one), f"{one!r}"):
        assert one.public.hint in text and pem.decode().split("\n")[1] not in text
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            copied(one)
    assert not hasattr(one, "__dict__")


def pem_of(key: rsa.RSAPrivateKey | x25519.X25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    lock = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, lock)


OTHERS: dict[str, rsa.RSAPrivateKey | x25519.X25519PrivateKey | ec.EllipticCurvePrivateKey] = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "x25519": x25519.X25519PrivateKey.generate(),
    "secp256k1": ec.generate_private_key(ec.SECP256K1()),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_key_of_another_kind_is_refused(name: str) -> None:
    key = OTHERS[name]
    with pytest.raises(BadKey, match="kind"):
        keys.load_signer(pem_of(key))
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with pytest.raises(BadKey, match="kind"):
        keys.read_public(public)


def test_there_is_no_such_kind() -> None:
    with pytest.raises(BadKey, match="rsa"):
        keys.generate("rsa")


GOOD = signer().public.pem.encode()
BAD_PUBLIC = {
    "empty": b"",
    "private": keys.generate(),
    "two": GOOD + GOOD,
    "two, one private": GOOD + keys.generate(),
    "certificate": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "no end": GOOD[:-10],
    "long": GOOD + b"\n" * keys.PUBLIC_LIMIT,
    "garbage": b"-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n",
    "not a key": b"-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n",
    "der": b"0Y0\x13\x06\x07",
}


@pytest.mark.parametrize("name", BAD_PUBLIC)
def test_what_is_no_public_key(name: str) -> None:
    with pytest.raises(BadKey):
        keys.read_public(BAD_PUBLIC[name])


@pytest.mark.parametrize("data", [GOOD.replace(b"\n", b"\r\n"), b"A key:\n" + GOOD, GOOD.strip()])
def test_one_key_has_one_hint_however_it_is_written(data: bytes) -> None:
    assert keys.read_public(data) == signer().public


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
@settings(deadline=None)
def test_a_changed_public_key_is_another_or_none(at: int, flip: int) -> None:
    data = bytearray(GOOD)
    data[at] ^= flip
    try:
        found = keys.read_public(bytes(data))
    except BadKey:
        return
    # White space, and text around the key, are no part of it.
    assert found.pem == GOOD.decode() or found.hint != signer().public.hint


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_no_bytes_are_anything_but_a_key_or_an_error(data: bytes) -> None:
    for read in (keys.read_public, keys.load_signer):
        with pytest.raises(BadKey):
            read(data)
