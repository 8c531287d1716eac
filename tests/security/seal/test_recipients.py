import contextlib

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from security.errors import BadKey, Malformed, TooLarge, Unavailable
from security.seal import bech32, hybrid, x25519
from security.seal.header import Stanza, argument
from security.seal.scrypt import ScryptIdentity, ScryptRecipient

KEY = bytes(range(16))
# C2SP age.md, and bech32 vectors of BIP 173 (without its limit of 90 characters).
SPEC_IDENTITY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
SPEC_RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
SPEC_HYBRID = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"
GOOD = [
    "A12UEL5L",
    "a12uel5l",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    "?1ezyfcl",
]
BAD = [
    ("capitals and small", "A1G7SGD8a"),
    ("no prefix", "10a06t8"),
    ("no prefix", "pzry9x0s0muk"),
    ("no prefix", "1pzry9x0s0muk"),
    ("no prefix", "li1dgmt"),
    ("no prefix", ""),
    ("character that no key", "x1b4n0q5v"),
    ("character that no key", "de1lg7wt\u00ff"),
    ("checksum", "A1G7SGD8"),
    ("no prefix", "\x201nwldj5"),
    ("no prefix", "\x7f1axkwrx"),
    ("no prefix", "\x801eym55h"),
    ("more than", "a" * 4097),
]


@pytest.mark.parametrize("text", GOOD)
def test_reads_bech32_of_the_standard(text: str) -> None:
    prefix, data = bech32.decode(text)
    assert bech32.encode(prefix.lower(), data) == text.lower() and prefix in text


@pytest.mark.parametrize(("why", "text"), BAD)
def test_refuses_what_the_standard_refuses(why: str, text: str) -> None:
    with pytest.raises(Malformed, match=why):
        bech32.decode(text)


@given(st.binary(max_size=64), st.data())
def test_bech32_notices_a_changed_letter(data: bytes, draw: st.DataObject) -> None:
    text = bech32.encode("age", data)
    assert bech32.decode(text) == ("age", data)
    at = draw.draw(st.integers(4, len(text) - 1))
    other = draw.draw(st.sampled_from([c for c in bech32.LETTERS if c != text[at]]))
    with pytest.raises(Malformed):
        bech32.decode(text[:at] + other + text[at + 1 :])


@given(st.lists(st.integers(0, 31), max_size=24))
def test_bits_to_spare_are_refused(values: list[int]) -> None:
    """Every text that is read is the one that would be written."""
    check = bech32._remainder([*bech32._expanded("age"), *values, *[0] * 6]) ^ 1
    values += [(check >> (5 * at)) & 31 for at in range(5, -1, -1)]
    text = "age1" + "".join(bech32.LETTERS[v] for v in values)
    try:
        _, data = bech32.decode(text)
    except Malformed:
        return
    assert bech32.encode("age", data) == text


def test_the_keys_of_the_specification() -> None:
    made = x25519.identity(SPEC_IDENTITY)
    assert str(made.recipient) == SPEC_RECIPIENT and made.secret() == SPEC_IDENTITY
    post = hybrid.identity(SPEC_HYBRID)
    assert post.secret() == SPEC_HYBRID
    text = str(post.recipient)
    assert text.startswith("age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf5zr")
    assert text.endswith("d3fzv49zc0k") and hybrid.recipient(text) == post.recipient


@pytest.mark.parametrize("module", [x25519, hybrid])
def test_only_the_identity_meant_opens(module: object) -> None:
    assert module in (x25519, hybrid)
    kind = x25519 if module is x25519 else hybrid
    made, other = kind.generate(), kind.generate()
    (stanza,) = made.recipient.wrap(KEY)
    assert made.unwrap(stanza) == KEY and other.unwrap(stanza) is None
    (again,) = made.recipient.wrap(KEY)
    assert again.args != stanza.args and again.body != stanza.body
    assert made.unwrap(Stanza("other", stanza.args, stanza.body)) is None


@pytest.mark.parametrize("size", [0, 16, 31, 33, 1000])
def test_the_size_of_a_body_is_judged_before_it_is_opened(size: int) -> None:
    """Else one stanza could be made for many keys at once: a partitioning oracle."""
    for made in (x25519.generate(), hybrid.generate()):
        (stanza,) = made.recipient.wrap(KEY)
        with pytest.raises(Malformed, match="another shape"):
            made.unwrap(Stanza(stanza.type, stanza.args, bytes(size)))


def test_secrets_stay_out_of_texts() -> None:
    for made in (x25519.generate(), hybrid.generate()):
        text = f"{made!r} {made} {made.recipient!r} {[made]}"
        assert made.secret() not in text and "SECRET" not in text
    texts = f"{ScryptRecipient(b'hunter2')!r} {ScryptIdentity(lambda: b'hunter2')!r}"
    assert "hunter2" not in texts


def test_errors_show_nothing_of_a_key() -> None:
    secret = x25519.generate().secret()
    for text in (secret[:-1], secret.lower() + "Q", secret + "q", secret[:20] + "!" + secret[21:]):
        with pytest.raises(Malformed) as caught:
            x25519.identity(text)
        error: BaseException | None = caught.value
        while error:
            assert secret[20:30].lower() not in f"{error!r} {error}".lower()
            error = None if error.__suppress_context__ else error.__context__


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("recipient", SPEC_IDENTITY),
        ("recipient", SPEC_RECIPIENT.upper()),
        ("recipient", bech32.encode("age", bytes(31))),
        ("recipient", bech32.encode("age1pq", bytes(1216))),
        ("identity", SPEC_RECIPIENT),
        ("identity", SPEC_IDENTITY.lower()),
        ("identity", SPEC_HYBRID),
        ("identity", bech32.encode("age-secret-key-", bytes(33)).upper()),
    ],
)
def test_a_key_is_of_its_kind_and_size(kind: str, text: str) -> None:
    with pytest.raises(Malformed):
        getattr(x25519, kind)(text)


@pytest.mark.parametrize(
    "data", [bytes(1215), bytes(1217), b"\xff" * 1216], ids=["short", "long", "beyond the field"]
)
def test_a_hybrid_recipient_is_a_key(data: bytes) -> None:
    with pytest.raises(Malformed):
        hybrid.recipient(bech32.encode("age1pq", data))


def test_where_openssl_is_too_old_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Absent:
        @staticmethod
        def from_public_bytes(data: bytes) -> None:
            raise UnsupportedAlgorithm("no ML-KEM")

        from_seed_bytes = from_public_bytes

    made = hybrid.generate().recipient
    monkeypatch.setattr(hybrid, "MLKEM768PublicKey", Absent)
    monkeypatch.setattr(hybrid, "MLKEM768PrivateKey", Absent)
    for use in (hybrid.generate, lambda: hybrid.recipient(str(made)), lambda: made.wrap(KEY)):
        with pytest.raises(Unavailable, match="no ML-KEM"):
            use()


def test_nothing_is_sealed_to_a_point_of_low_order() -> None:
    with pytest.raises(Malformed, match="low order"):
        x25519.X25519Recipient(bytes(32)).wrap(KEY)
    lattice = hybrid.generate().recipient.public[: hybrid.LATTICE_KEY]
    with pytest.raises(Malformed):
        hybrid.HybridRecipient(lattice + bytes(32)).wrap(KEY)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=40))
def test_a_stanza_of_anyone_is_no_key_of_mine(share: bytes, body: bytes) -> None:
    made = x25519.identity(SPEC_IDENTITY)
    with contextlib.suppress(Malformed):
        assert made.unwrap(Stanza("X25519", (argument(share),), body)) is None


def test_agrees_with_the_peer_on_x25519() -> None:
    pyrage = pytest.importorskip("pyrage")
    made = x25519.generate()
    theirs = pyrage.x25519.Identity.from_str(made.secret())
    assert str(theirs.to_public()) == str(made.recipient)
    assert made.key.private_bytes_raw() != X25519PrivateKey.generate().private_bytes_raw()


def test_a_passphrase_opens_what_it_sealed() -> None:
    (stanza,) = ScryptRecipient(b"correct horse", 10).wrap(KEY)
    assert stanza.args[1] == "10"
    assert ScryptIdentity(lambda: b"correct horse").unwrap(stanza) == KEY
    assert ScryptIdentity(lambda: b"wrong").unwrap(stanza) is None


def test_a_passphrase_is_asked_for_only_when_needed() -> None:
    asked: list[int] = []

    def ask() -> bytes:
        asked.append(1)
        return b"x"

    identity = ScryptIdentity(ask)
    assert identity.unwrap(Stanza("X25519", (), b"")) is None
    for args, body in [(("AA", "10"), 32), ((argument(bytes(16)), "10"), 31), ((), 32)]:
        with pytest.raises(Malformed):
            identity.unwrap(Stanza("scrypt", args, bytes(body)))
    assert not asked


@pytest.mark.parametrize("work", ["21", "30", "64", "99999"])
def test_work_is_bounded_before_it_is_done(work: str) -> None:
    stanza = Stanza("scrypt", (argument(bytes(16)), work), bytes(32))
    with pytest.raises(TooLarge, match="work factor"):
        ScryptIdentity(lambda: pytest.fail("asked for a passphrase")).unwrap(stanza)
    with pytest.raises(TooLarge, match=r"more than 2\^9"):
        ScryptIdentity(lambda: b"x", most=9).unwrap(
            Stanza("scrypt", (stanza.args[0], "10"), bytes(32))
        )


def test_an_empty_passphrase_is_none() -> None:
    with pytest.raises(BadKey, match="empty"):
        ScryptRecipient(b"", 10).wrap(KEY)
