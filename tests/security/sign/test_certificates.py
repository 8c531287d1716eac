from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from security.errors import BadKey, Malformed, SecurityError, Untrusted
from security.identity import P384
from security.sign import certificates, keys
from tests.security.sign import authority
from tests.security.sign.authority import NOW, Issued
from tests.security.sign.making import signer

ROOT = authority.root()
MIDDLE = authority.middle(ROOT)
LEAF = authority.leaf(MIDDLE)


def prove(*chain: Issued, root: Issued = ROOT, after: timedelta = timedelta()) -> str:
    ders = tuple(each.der for each in chain)
    public = certificates.prove(ders, (root.pem,), NOW + after)
    return certificates.identify(ders, public).name


def test_a_chain_holds_with_or_without_its_root() -> None:
    assert prove(LEAF, MIDDLE) == prove(LEAF, MIDDLE, ROOT) == "CN=signer"
    assert prove(LEAF, ROOT, MIDDLE) == "CN=signer"
    assert prove(authority.leaf(ROOT)) == "CN=signer"


def test_any_root_may_vouch() -> None:
    ders = (LEAF.der, MIDDLE.der)
    roots = (authority.root().pem, ROOT.pem + authority.root("other").pem)
    assert certificates.prove(ders, roots, NOW).hint == certificates.key_of(ders).hint


UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
ORG = x509.NameConstraints([x509.DNSName("example.org")], None)
SERVER = [authority.SERVER]

# name -> chain, reason; what is in tests/vectors/oms is not here again
BAD = {
    "a leaf that issues": ([authority.leaf(LEAF), LEAF, MIDDLE], "does not hold"),
    "unknown and critical": ([authority.leaf(MIDDLE, extra=[(UNKNOWN, True)]), MIDDLE], "critical"),
    "of no allowed name": (
        [authority.leaf(m := authority.middle(ROOT, extra=[(ORG, True)]),
                        names=[x509.DNSName("example.com")]), m],
        "name constraints",
    ),
    "two middles swapped": ([LEAF, authority.middle(ROOT)], "does not hold"),
    "only the root": ([authority.leaf(authority.root())], "does not hold"),
    "server and signing usage": ([authority.leaf(MIDDLE, purposes=SERVER), MIDDLE], "signing code"),
    "its own authority": ([authority.leaf(authority.root("root"))], "does not hold"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_chain_that_does_not_hold(name: str) -> None:
    chain, reason = BAD[name]
    with pytest.raises(Untrusted, match=reason):
        prove(*chain)


def test_time_is_that_of_verification() -> None:
    assert prove(LEAF, MIDDLE, after=timedelta(hours=23))
    for after in (timedelta(hours=25), timedelta(hours=-25), timedelta(days=3650)):
        with pytest.raises(Untrusted, match="not valid"):
            prove(LEAF, MIDDLE, after=after)


GOOD: dict[str, dict[str, Any]] = {
    "any purpose": {"purposes": [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]},
    "usage only": {"purposes": []},
    "purpose only": {"key_usage": None},
    "p-384": {"curve": ec.SECP384R1()},
    "p-521": {"curve": ec.SECP521R1()},
    "unknown but not critical": {"extra": [(UNKNOWN, False)]},
}


@pytest.mark.parametrize("name", GOOD)
def test_what_may_sign(name: str) -> None:
    assert prove(authority.leaf(MIDDLE, **GOOD[name]), MIDDLE) == "CN=signer"


def test_authorities_for_signing_code_may_vouch() -> None:
    middle = authority.middle(ROOT, purposes=[authority.CODE])
    assert prove(authority.leaf(middle), middle) == "CN=signer"


MAIL, PAGE = x509.RFC822Name("a@example.org"), x509.UniformResourceIdentifier("https://x.example")
NAMES = {
    "CN=signer": [],
    "a@example.org": [MAIL],
    "https://x.example": [PAGE],
}


@pytest.mark.parametrize("name", NAMES)
def test_a_signer_is_called_by_one_name(name: str) -> None:
    assert prove(authority.leaf(MIDDLE, names=NAMES[name]), MIDDLE) == name


def test_of_several_names_none_is_taken() -> None:
    directory = x509.DirectoryName(x509.Name([]))
    for names in ([MAIL, PAGE], [MAIL, MAIL], [MAIL, directory], [directory]):
        assert prove(authority.leaf(MIDDLE, names=names), MIDDLE) == "CN=signer"


def test_a_subject_cannot_look_like_another_s_name() -> None:
    leaf = authority.leaf(MIDDLE, name="x,CN=release")
    assert prove(leaf, MIDDLE) == "CN=x\\,CN=release"


def test_key_and_certificate_belong_together() -> None:
    one = keys.load_signer(LEAF.key_pem)
    made = certificates.certify(one, LEAF.pem + MIDDLE.pem)
    assert made.chain == (LEAF.der, MIDDLE.der) and made.public == one.public
    assert "chain" not in repr(made)
    for pem in (MIDDLE.pem + LEAF.pem, authority.leaf(MIDDLE).pem):
        with pytest.raises(BadKey, match="not of the signing key"):
            certificates.certify(one, pem)
    for pem in (b"", b"x", LEAF.key_pem, LEAF.pem[:-40], LEAF.pem * 3000):
        with pytest.raises(BadKey):
            certificates.certify(one, pem)


def test_a_certificate_is_for_the_key_it_is_used_with() -> None:
    with pytest.raises(BadKey, match="not of the signing key"):
        certificates.certify(signer(P384), LEAF.pem)


def test_a_root_that_cannot_be_read_is_said() -> None:
    with pytest.raises(BadKey, match="root"):
        certificates.prove((LEAF.der, MIDDLE.der), (b"x",), NOW)


@given(st.integers(0, len(LEAF.der) - 1), st.integers(1, 255))
@settings(deadline=None)
def test_any_changed_byte_of_a_certificate_is_refused(at: int, flip: int) -> None:
    der = bytearray(LEAF.der)
    der[at] ^= flip
    with pytest.raises(SecurityError):
        certificates.prove((bytes(der), MIDDLE.der), (ROOT.pem,), NOW)


@given(st.binary(max_size=100))
@settings(deadline=None)
def test_no_bytes_are_anything_but_malformed(der: bytes) -> None:
    with pytest.raises(Malformed):
        certificates.prove((der,), (ROOT.pem,), NOW)
