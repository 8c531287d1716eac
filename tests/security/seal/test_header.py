import base64
import hashlib
import os
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.errors import Malformed, NoMatch, Refused, Tampered, TooLarge
from security.seal import header, x25519
from security.seal.header import BLOCK, Kind, Stanza, build, encode, parse, unseal
from security.seal.scrypt import ScryptRecipient

KEY = bytes(range(16))
VISIBLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80)
STANZAS = st.builds(
    Stanza, VISIBLE.filter(lambda t: t != "scrypt"), st.tuples(VISIBLE), st.binary(max_size=200)
)


@dataclass(frozen=True)
class Plain:
    """A recipient and identity in one, which wraps into given stanzas and hides nothing."""

    stanzas: tuple[Stanza, ...] = (Stanza("plain", (), KEY),)
    kind: Kind = "classic"
    found: bytes = KEY

    def wrap(self, file_key: bytes) -> tuple[Stanza, ...]:
        return self.stanzas

    def unwrap(self, stanza: Stanza) -> bytes | None:
        return self.found if stanza == self.stanzas[0] else None


@given(st.lists(STANZAS, min_size=1, max_size=8), st.sampled_from([0, 1, 300, 4096, 8192]))
def test_reads_what_it_wrote(stanzas: list[Stanza], size: int) -> None:
    data = build(KEY, [Plain(tuple(stanzas))], size=size)
    head = parse(data + b"\0payload")
    assert head.size == len(data)
    assert head.stanzas[: len(stanzas)] == tuple(stanzas)
    assert len(head.stanzas) - len(stanzas) in (0, 1)
    assert unseal(head, [Plain(tuple(stanzas))]) == KEY


@given(st.integers(1, 20_000))
def test_fills_to_the_size_asked_or_else_to_a_block(size: int) -> None:
    least = len(build(KEY, [Plain()], size=0))
    got = len(build(KEY, [Plain()], size=size))
    room = size - least
    if room == 0 or room >= len(f"-> {header.PADDING} x\n\n"):
        assert got == size
    else:
        assert got > size and got % BLOCK == 0 and got - size <= BLOCK + 20


@pytest.mark.parametrize(
    ("count", "size"), [(1, 4096), (40, 4096), (41, 8192), (82, 8192), (83, 12288)]
)
def test_forty_classic_recipients_fit_a_block(count: int, size: int) -> None:
    made = x25519.generate()
    assert len(build(KEY, [made.recipient] * count)) == size


def test_the_padding_is_one_stanza() -> None:
    head = parse(build(KEY, [Plain()], size=65536))
    assert [s.type for s in head.stanzas] == ["plain", header.PADDING]


@given(st.data())
def test_any_changed_byte_is_noticed(data: st.DataObject) -> None:
    whole = build(KEY, [Plain((Stanza("plain", ("a", "b"), KEY),))], size=300)
    at = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda b: b != whole[at]))
    changed = whole[:at] + bytes([other]) + whole[at + 1 :]
    with pytest.raises((Malformed, Tampered, NoMatch)):
        unseal(parse(changed), [Plain((Stanza("plain", ("a", "b"), KEY),))])


@given(st.data())
def test_any_cut_is_noticed(data: st.DataObject) -> None:
    whole = build(KEY, [Plain()], size=300)
    with pytest.raises(Malformed):
        parse(whole[: data.draw(st.integers(0, len(whole) - 1))])


@given(st.binary(max_size=300))
def test_what_parses_is_canonical(tail: bytes) -> None:
    """Whatever is not refused has one text only: it is what we would have written."""
    data = header.VERSION + b"-> a\n" + tail
    try:
        head = parse(data)
    except Malformed:
        return
    mac = base64.b64encode(head.mac).rstrip(b"=")
    text = header.VERSION + b"".join(map(encode, head.stanzas)) + b"--- " + mac + b"\n"
    assert data[: head.size] == text


def test_reads_no_further_than_its_bound() -> None:
    endless = header.VERSION + b"-> a\n" + (b"A" * 64 + b"\n") * 1_000_000
    with pytest.raises(TooLarge, match=r"w\.age: its header has more than 262,144 bytes"):
        parse(endless, "w.age")


def test_the_mac_is_checked_before_a_file_key_is_given() -> None:
    data = build(KEY, [Plain()], size=0)
    with pytest.raises(Tampered, match=r"w\.age: its header was changed"):
        unseal(parse(data, "w.age"), [Plain(found=bytes(16))])


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_refuses_a_file_key_of_another_size(size: int) -> None:
    with pytest.raises(Malformed):
        unseal(parse(build(KEY, [Plain()])), [Plain(found=bytes(size))])
    with pytest.raises(Malformed):
        build(bytes(size), [Plain()])


def test_names_the_file_and_what_it_was_sealed_to() -> None:
    with pytest.raises(NoMatch, match=r"w\.age: sealed to recipients, and no ident") as caught:
        unseal(parse(build(KEY, [Plain()]), "w.age"), [x25519.generate(), x25519.generate()])
    assert "--identity" in caught.value.hint


def test_says_that_a_passphrase_is_needed() -> None:
    sealed = build(KEY, [ScryptRecipient(b"words", work=4)])
    with pytest.raises(NoMatch, match=r"w\.age: sealed with a passphrase") as caught:
        unseal(parse(sealed, "w.age"), [x25519.generate()])
    assert "without --identity" in caught.value.hint


def test_asks_every_identity_before_it_gives_up() -> None:
    made = [x25519.generate() for _ in range(5)]
    data = build(KEY, [made[4].recipient])
    assert unseal(parse(data), made) == KEY


MIXES: list[tuple[str, list[Kind]]] = [
    ("several kinds", ["classic", "hybrid"]),
    ("several kinds", ["classic", "passphrase"]),
    ("several kinds", ["hybrid", "passphrase"]),
    ("several passphrases", ["passphrase", "passphrase"]),
    ("nobody to seal to", []),
]


@pytest.mark.parametrize(("why", "kinds"), MIXES)
def test_refuses_to_mix(why: str, kinds: list[Kind]) -> None:
    with pytest.raises(Refused, match=why):
        build(KEY, [Plain(kind=kind) for kind in kinds])


def test_a_passphrase_is_never_padded() -> None:
    stanza = Stanza("scrypt", ("a", "10"), KEY)
    data = build(KEY, [Plain((stanza,), kind="passphrase")], size=4096)
    assert parse(data).stanzas == (stanza,)


def test_writes_no_header_that_it_would_not_read() -> None:
    with pytest.raises(TooLarge, match="a header of"):
        build(KEY, [Plain((Stanza("a", (), os.urandom(1000)),))] * 200)
    with pytest.raises(TooLarge):
        build(KEY, [Plain()], size=header.LIMIT + BLOCK)
    assert parse(build(KEY, [Plain()], size=header.LIMIT)).size == header.LIMIT


@pytest.mark.parametrize("size", [0, 1, 47, 48, 49, 95, 96, 97])
def test_a_body_ends_in_a_short_line(size: int) -> None:
    lines = encode(Stanza("a", (), bytes(size))).split(b"\n")[1:-1]
    assert all(len(line) == 64 for line in lines[:-1]) and len(lines[-1]) < 64


def test_the_mac_is_hkdf_of_rfc_5869() -> None:
    import hmac

    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    head = parse(build(KEY, [Plain()]))
    key = HKDF(SHA256(), 32, None, b"header").derive(KEY)
    assert hmac.digest(key, head.text, hashlib.sha256) == head.mac
