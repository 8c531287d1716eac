from __future__ import annotations

from datetime import UTC, datetime

import pytest

from security.errors import Untrusted
from security.identity import ED25519, P256, Identity, Method
from security.trust.single import CertificateTrust, KeyTrust, PersonTrust
from security.trust.trusting import Keyless, Trust
from tests.security.sign.making import signer

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PUBLIC = signer().public


def somebody(name: str, method: Method, hint: str = PUBLIC.hint) -> Identity:
    return Identity(name, method, P256, hint)


TRUSTS: dict[str, tuple[Trust, Identity]] = {
    "key": (KeyTrust(PUBLIC, "release"), somebody("release", "key")),
    "certificate": (CertificateTrust((b"root",), "a@x"), somebody("a@x", "certificate")),
    "person": (PersonTrust("a@x", "https://issuer"), somebody("a@x", "sigstore")),
}
STRANGERS = [
    (),
    (somebody("release", "key", "cd" * 32),),
    (somebody("release", "certificate"),),
    (somebody("b@x", "certificate"),),
    (somebody("a@x", "key", "cd" * 32),),
    (somebody("b@x", "sigstore"),),
]


@pytest.mark.parametrize("name", TRUSTS)
def test_the_one_is_let_also_among_others(name: str) -> None:
    trust, one = TRUSTS[name]
    trust.allow("release", "model", (one,), NOW)
    trust.allow("attest", "model", (somebody("x", "key", "ef" * 32), one), NOW)


@pytest.mark.parametrize("name", TRUSTS)
@pytest.mark.parametrize("number", range(len(STRANGERS)))
def test_nobody_else_is(name: str, number: int) -> None:
    with pytest.raises(Untrusted, match="release: "):
        TRUSTS[name][0].allow("release", "model", STRANGERS[number], NOW)


def test_a_name_alone_is_not_enough_across_methods() -> None:
    for name, (trust, _) in TRUSTS.items():
        for other, (_, one) in TRUSTS.items():
            if name != other and not (name == "key" and one.hint == PUBLIC.hint != ""):
                with pytest.raises(Untrusted):
                    trust.allow("release", "model", (one,), NOW)


def test_any_name_under_a_root_where_none_is_demanded() -> None:
    CertificateTrust((b"root",)).allow("release", "m", (somebody("b@x", "certificate"),), NOW)
    with pytest.raises(Untrusted):
        CertificateTrust((b"root",)).allow("release", "m", (somebody("x", "key"),), NOW)


def test_what_each_offers() -> None:
    assert KeyTrust(PUBLIC).keys() == ((PUBLIC.hint, PUBLIC),)
    assert KeyTrust(PUBLIC, "release").keys() == (("release", PUBLIC),)
    assert CertificateTrust((b"a", b"b")).roots() == (b"a", b"b")
    assert KeyTrust(signer(ED25519).public, left_out=("x",)).hidden("m") == ("x",)
    person = PersonTrust("a@x", "https://issuer")
    assert isinstance(person, Keyless) and not isinstance(KeyTrust(PUBLIC), Keyless)
    assert person.people() == (("a@x", "a@x", "https://issuer"),)
