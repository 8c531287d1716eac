from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security import errors
from security.identity import ED25519, MLDSA65, P256
from security.manifest import Entry, Manifest
from security.sign import bundle, signing
from security.trust.single import KeyTrust
from security.verify import read_signed
from tests.security.sign.making import b64, dumped, said, signer, wrapped
from tests.security.sign.trusts import Everyone

MANIFEST = Manifest((Entry("a", 1, "ab" * 32), Entry("b/c", 2, "cd" * 32)))
ONE = signing.sign_manifest(MANIFEST, "model", [signer()])
BOTH = signing.sign_manifest(MANIFEST, "model", [signer(), signer(ED25519), signer(MLDSA65)])
ALL = Everyone(tuple((kind, signer(kind).public) for kind in (P256, ED25519, MLDSA65)))


@pytest.mark.parametrize("data", [ONE, BOTH])
def test_a_bundle_is_written_as_it_was_read(data: bytes) -> None:
    assert bundle.write(bundle.read(data)) == data and b"\n" not in data


@given(st.integers(0, len(ONE) - 1), st.integers(1, 255))
@settings(deadline=None, max_examples=400)
def test_any_changed_byte_is_refused(at: int, flip: int) -> None:
    data = bytearray(ONE)
    data[at] ^= flip
    with pytest.raises(errors.SecurityError):
        read_signed(bytes(data), KeyTrust(signer().public))


@given(st.integers(0, len(BOTH) - 1), st.integers(1, 255))
@settings(deadline=None, max_examples=200)
def test_a_changed_byte_never_adds_or_keeps_a_signer(at: int, flip: int) -> None:
    data = bytearray(BOTH)
    data[at] ^= flip
    try:
        found = read_signed(bytes(data), ALL)
    except errors.SecurityError:
        return
    # A keyid that names nobody known costs its signature, which a policy then misses.
    assert len(found.signers) == 2


@given(st.integers(0, len(ONE)), st.integers(0, 40))
@settings(deadline=None)
def test_a_cut_or_a_hole_is_refused(at: int, size: int) -> None:
    data = ONE[:at] + ONE[at + size + 1 :]
    if data != ONE:
        with pytest.raises(errors.SecurityError):
            read_signed(data, KeyTrust(signer().public))


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_no_bytes_are_anything_but_malformed(data: bytes) -> None:
    with pytest.raises(errors.Malformed):
        bundle.read(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.data(), JSON)
@settings(deadline=None)
def test_no_value_in_any_place_is_more_than_an_error(data: st.DataObject, value: object) -> None:
    whole = json.loads(ONE)
    place = whole
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            break
        place = place[key]
    before, place[key] = place[key], value
    try:
        bundle.read(json.dumps(whole).encode())
    except errors.Malformed:
        return
    # absent, null and "" are one keyid, and these may be empty
    if value == before or key in ("keyid", "tlogEntries", "timestampVerificationData"):
        return
    # some base64 is some payload, or some signature: that it does not hold is said later
    assert key in ("payload", "sig") and isinstance(value, str) and len(value) % 4 == 0


def test_sizes_are_bounded_before_anything_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "LIMIT", len(ONE) - 1)
    with pytest.raises(errors.TooLarge, match="bytes"):
        bundle.read(ONE)


def test_a_large_certificate_is_refused() -> None:
    made = wrapped(dumped(said(MANIFEST)))
    listed = [{"rawBytes": b64(b"0" * bundle.MAX_CERTIFICATE)}]
    made["verificationMaterial"] = {"x509CertificateChain": {"certificates": listed}}
    with pytest.raises(errors.TooLarge, match="certificate"):
        bundle.read(dumped(made))


def test_an_ecdsa_signature_has_two_forms_and_neither_changes_the_content() -> None:
    """Known of ECDSA: whoever has (r, s) can write (r, n - s). It is no identifier of a release."""
    from cryptography.hazmat.primitives.asymmetric import utils

    made = json.loads(ONE)
    (first,) = made["dsseEnvelope"]["signatures"]
    import base64

    r, s = utils.decode_dss_signature(base64.b64decode(first["sig"]))
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    first["sig"] = b64(utils.encode_dss_signature(r, order - s))
    trust = KeyTrust(signer().public)
    assert read_signed(dumped(made), trust).contents == read_signed(ONE, trust).contents
