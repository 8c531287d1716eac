"""Keys in a token, with SoftHSM as the token."""

import hashlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from security.errors import BadKey, Unavailable
from security.identity import ED25519, P256, P384, P521
from security.sign import keys
from security.sign.token import Place, _content, _pem, opened

pkcs11 = pytest.importorskip("pkcs11")
LIBRARIES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
LIBRARY = next((Path(p) for p in LIBRARIES if Path(p).is_file()), None)
PIN, LABEL = b"84629173", "release"
CURVES = {P256: "secp256r1", P384: "secp384r1", P521: "secp521r1"}
pytestmark = pytest.mark.skipif(
    not (LIBRARY and shutil.which("softhsm2-util")), reason="SoftHSM is not installed"
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A token with one key pair for each curve, labelled by its kind."""
    folder = tmp_path_factory.mktemp("token")
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(
        f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    assert LIBRARY
    old, os.environ["SOFTHSM2_CONF"] = os.environ.get("SOFTHSM2_CONF"), str(folder / "conf")
    command = ["softhsm2-util", "--init-token", "--free", "--label", LABEL, "--so-pin", "0000"]
    subprocess.run([*command, "--pin", PIN.decode()], check=True, capture_output=True)
    module = pkcs11.lib(str(LIBRARY))
    module.reinitialize()  # it may have been loaded with another configuration
    with module.get_token(token_label=LABEL).open(rw=True, user_pin=PIN.decode()) as session:
        for kind, curve in CURVES.items():
            make(session, kind, pkcs11.util.ec.encode_named_curve_parameters(curve))
        edwards = b"\x13\x0cedwards25519"
        make(session, ED25519, edwards, pkcs11.KeyType.EC_EDWARDS)
    yield Place(LIBRARY, LABEL, P256)
    if old is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = old


def make(session: object, label: str, parameters: bytes, kind: object = None) -> None:
    kind = kind or pkcs11.KeyType.EC
    domain = session.create_domain_parameters(  # type: ignore[attr-defined]
        kind, {pkcs11.Attribute.EC_PARAMS: parameters}, local=True
    )
    mechanism = None if kind == pkcs11.KeyType.EC else pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN
    domain.generate_keypair(store=True, label=label, id=secrets.token_bytes(4), mechanism=mechanism)


@pytest.mark.parametrize("kind", [P256, P384, P521, ED25519])
def test_signs_as_a_key_file_does(place: Place, kind: str) -> None:
    with opened(Place(place.library, place.token, kind), lambda: PIN) as signer:
        assert signer.public.kind == kind
        pem = signer.public.pem.encode()
        assert signer.public.hint == hashlib.sha256(pem).hexdigest()
        for data in (b"", b"weights", bytes(100_000)):
            signature = signer.sign(data)
            assert keys.check(keys.read_public(pem), signature, data)
            assert not keys.check(signer.public, signature, data + b"x")


def test_many_signatures_are_all_der(place: Place) -> None:
    """A leading zero, or a high bit, in r or s is where r || s and DER differ."""
    with opened(place, lambda: PIN) as signer:
        sizes = {len(signer.sign(bytes([n]))) for n in range(120)}
    assert len(sizes) > 1


def test_the_pin_is_asked_for_once_and_told_to_nobody(place: Place) -> None:
    asked: list[int] = []

    def pin() -> bytes:
        asked.append(1)
        return PIN

    with opened(place, pin) as signer:
        signer.sign(b"a")
        signer.sign(b"b")
        assert PIN.decode() not in repr(signer)
    assert len(asked) == 1


@pytest.mark.parametrize("pin", [b"00000000", b"1", b"9" * 300])
def test_a_wrong_pin_is_refused_and_not_shown(place: Place, pin: bytes) -> None:
    with pytest.raises(BadKey, match="refused the PIN") as caught, opened(place, lambda: pin):
        pass
    assert pin.decode() not in f"{caught.value!r} {caught.value.hint}"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("why", "token", "label"), [("no token", "other", P256), ("no key pair", LABEL, "other")]
)
def test_what_is_not_there_is_named(place: Place, why: str, token: str, label: str) -> None:
    with (
        pytest.raises(Unavailable, match=f"{why}.* 'other'"),
        opened(Place(place.library, token, label), lambda: PIN),
    ):
        pass


def test_a_token_without_the_key_is_logged_out_of(place: Place) -> None:
    with (
        pytest.raises(Unavailable, match="no key pair"),
        opened(Place(place.library, LABEL, "other"), lambda: PIN),
    ):
        pass
    with opened(place, lambda: PIN) as signer:
        signer.sign(b"x")


@pytest.mark.parametrize("library", ["relative.so", "/absent.so", "/etc/passwd", "/"])
def test_a_library_that_is_none(place: Place, library: str) -> None:
    with (
        pytest.raises(Unavailable, match=r"PKCS#11|cannot be loaded|failed"),
        opened(Place(Path(library), LABEL, P256), lambda: pytest.fail("asked for a PIN")),
    ):
        pass


def test_a_library_of_the_folder_at_hand_is_not_loaded(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would run with our rights, and the folder may be a checkout."""
    shutil.copy(place.library, tmp_path / "module.so")
    monkeypatch.chdir(tmp_path)
    here = Place(Path("module.so"), LABEL, P256)
    with pytest.raises(Unavailable, match="no PKCS#11 library"), opened(here, lambda: PIN):
        pass


def test_two_keys_of_one_label_are_not_chosen_from(place: Place) -> None:
    module = pkcs11.lib(str(place.library))
    parameters = pkcs11.util.ec.encode_named_curve_parameters("secp256r1")
    with module.get_token(token_label=LABEL).open(rw=True, user_pin=PIN.decode()) as session:
        make(session, "twice", parameters)
        make(session, "twice", parameters)
    twice = Place(place.library, LABEL, "twice")
    with pytest.raises(BadKey, match="several"), opened(twice, lambda: PIN):
        pass


def test_a_public_half_of_another_key_is_noticed(place: Place) -> None:
    module = pkcs11.lib(str(place.library))
    parameters = pkcs11.util.ec.encode_named_curve_parameters("secp256r1")
    with module.get_token(token_label=LABEL).open(rw=True, user_pin=PIN.decode()) as session:
        make(session, "left", parameters)
        make(session, "right", parameters)
        left = session.get_key(pkcs11.ObjectClass.PUBLIC_KEY, label="left")
        left[pkcs11.Attribute.LABEL] = "crossed"
        right = session.get_key(pkcs11.ObjectClass.PRIVATE_KEY, label="right")
        right[pkcs11.Attribute.LABEL] = "crossed"
    crossed = Place(place.library, LABEL, "crossed")
    with opened(crossed, lambda: PIN) as signer, pytest.raises(BadKey, match="another key"):
        signer.sign(b"weights")


@pytest.mark.parametrize(
    ("given", "point"),
    [
        (b"\x04\x41\x04" + bytes(64), b"\x04" + bytes(64)),
        (b"\x04\x81\x85\x04" + bytes(132), b"\x04" + bytes(132)),
        (b"\x04\x3f" + bytes(63), b"\x04\x3f" + bytes(63)),
        (b"\x04\x41" + bytes(63), b"\x04\x41" + bytes(63)),
        (b"\x04\x20" + bytes(32), bytes(32)),
        (b"\x04\x1e" + bytes(30), b"\x04\x1e" + bytes(30)),
    ],
)
def test_points_come_wrapped_or_bare(given: bytes, point: bytes) -> None:
    assert _content(given, len(point)) == point


@pytest.mark.parametrize("point", [b"", b"\x04", b"\x04" * 65, bytes(65), bytes(4000)])
def test_a_point_off_its_curve_is_refused(place: Place, point: bytes) -> None:
    with pytest.raises(BadKey, match="no point of its curve"):
        _pem(P256, point, place)
