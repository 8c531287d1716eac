from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.errors import Malformed, Refused, SecurityError, Untrusted
from security.sign.dsse import Envelope, Signature
from security.trust import envelopes
from security.trust.rotation import STEPS_LIMIT, TYPE, follow, sign, succeed
from tests.security.trust.people import NOW, key_table, proven, read, role, signer, text, top

RULE = role("owners", '"release", "rotate"', threshold=2)
OLD = read(text(RULE))


def new(version: int = 2, rule: str = RULE, more: str = "", **words: str) -> bytes:
    keys = tuple(k for k in ("alice-1", "alice-pq", "bob-1", "bob-pq", "carol-1") if k not in more)
    return text(rule, head=top(version, **words), keys=keys, more=more).encode()


def by(*names: str) -> Sequence:  # type: ignore[type-arg]
    return [signer(name) for name in names]


def refused(data: bytes, signatures: bytes, why: str, now: datetime = NOW) -> None:
    with pytest.raises(Untrusted) as caught:
        succeed(OLD, data, signatures, now)
    assert why in caught.value.message


def test_both_files_agree() -> None:
    data = new(5)
    found = succeed(OLD, data, sign(data, by("alice-1", "bob-pq")), NOW)
    assert (found.version, found.project) == (5, "acme/small")


def test_signatures_are_gathered_one_after_the_other() -> None:
    data = new()
    first = sign(data, by("alice-1"))
    refused(data, first, "counted: alice")
    assert succeed(OLD, data, sign(data, by("bob-1"), first), NOW).version == 2
    with pytest.raises(Refused, match="has signed this trust file already"):
        sign(data, by("alice-1"), first)
    with pytest.raises(Untrusted, match="other bytes"):
        sign(data + b"\n", by("bob-1"), first)
    with pytest.raises(Malformed):
        sign(b"version = 1", by("bob-1"))


def test_keys_of_one_person_are_not_two() -> None:
    data = new()
    refused(data, sign(data, by("alice-1", "alice-pq")), "counted: alice")


@pytest.mark.parametrize("version", [1])
def test_the_version_grows(version: int) -> None:
    data = new(version)
    refused(data, sign(data, by("alice-1", "bob-1")), f"its version {version} is not above 1")


def test_another_project() -> None:
    rule = role("owners", '"rotate"', artifacts='"**"', threshold=2)
    data = new(project="acme/other", rule=rule)
    refused(data, sign(data, by("alice-1", "bob-1")), "it is of the project 'acme/other'")


def test_nobody_locks_themselves_out() -> None:
    moved = role("owners", '"release", "rotate"', '"alice", "carol"', threshold=2)
    data = new(rule=moved)
    # The old owners alone cannot name others who never agreed, nor these take over.
    refused(data, sign(data, by("alice-1", "bob-1")), "(new): to rotate")
    refused(data, sign(data, by("alice-1", "carol-1")), "trust.toml: to rotate")
    assert succeed(OLD, data, sign(data, by("alice-1", "bob-1", "carol-1")), NOW).version == 2


def test_a_new_file_that_nobody_may_replace() -> None:
    data = new(rule=role())
    refused(data, sign(data, by("alice-1", "bob-1")), "no role allows 'rotate'")


def test_a_stolen_key_is_revoked_by_the_others() -> None:
    rule = role("owners", '"release", "rotate"', '"alice", "bob", "carol"', threshold=2)
    old = read(text(rule))
    gone = key_table("alice-1", 'revoked = 2027-01-14\nreason = "stolen"')
    data = new(rule=rule, more=gone)
    found = succeed(old, data, sign(data, by("bob-1", "carol-1")), NOW)
    with pytest.raises(Untrusted, match="alice-1 was revoked"):
        found.allow("release", "acme/small", proven("alice-1", "bob-1"), NOW)
    # Whoever has it can no more take part in the next.
    after = new(3, rule)
    with pytest.raises(Untrusted, match="alice-1 was revoked"):
        succeed(found, after, sign(after, by("alice-1", "bob-1")), NOW)


def test_one_owner_replaces_the_only_key() -> None:
    rule = role("owners", '"rotate"', '"alice"')
    old = read(text(rule, keys=("alice-1",)))
    gone = key_table("alice-1", 'revoked = 2027-01-14\nreason = "lost"')
    data = text(rule, head=top(2), keys=("alice-pq",), more=gone).encode()
    assert succeed(old, data, sign(data, by("alice-1", "alice-pq")), NOW).version == 2
    with pytest.raises(Untrusted, match=r"\(new\): to rotate .* alice-1 was revoked"):
        succeed(old, data, sign(data, by("alice-1")), NOW)


def test_days() -> None:
    data = new(expires="2027-12-31")
    signatures = sign(data, by("alice-1", "bob-1"))
    late = datetime(2027, 8, 1, tzinfo=UTC)  # the old one has expired
    assert succeed(OLD, data, signatures, late).version == 2
    refused(data, signatures, "expired on 2027-12-31", datetime(2028, 1, 1, tzinfo=UTC))


def test_a_chain_of_steps() -> None:
    both = by("alice-1", "bob-1")
    # The one between has expired by now, and that does not matter.
    files = [new(2, expires="2027-01-10"), new(4), new(5)]
    steps = [(data, sign(data, both)) for data in files]
    assert follow(OLD, steps, NOW).version == 5
    assert follow(OLD, [], NOW) == OLD
    with pytest.raises(Untrusted, match="is not above"):
        follow(OLD, [steps[1], steps[0]], NOW)
    with pytest.raises(Untrusted, match="expired on 2027-01-10"):
        follow(OLD, steps[:1], NOW)
    with pytest.raises(Refused, match=f"more than {STEPS_LIMIT}"):
        many = (new(n) for n in range(2, STEPS_LIMIT + 4))
        follow(OLD, ((data, sign(data, both)) for data in many), NOW)


def test_other_bytes_and_types() -> None:
    data = new()
    signatures = sign(data, by("alice-1", "bob-1"))
    refused(data + b"\n", signatures, "its signatures are of other bytes")
    envelope = envelopes.read(signatures, "x")
    other = Envelope("application/vnd.in-toto+json", data, envelope.signatures)
    refused(data, envelopes.write(other), "its signatures are of other bytes")
    # The same bytes signed as something else prove nothing here.
    one, two = (Signature(k.sign(other.signed), k.public.hint) for k in by("alice-1", "bob-1"))
    refused(data, envelopes.write(Envelope(TYPE, data, (one, two))), "nobody is counted")
    # Nor does the signature of one under the name of another.
    first, second = envelope.signatures
    swapped = Signature(first.sig, second.keyid), Signature(second.sig, first.keyid)
    refused(data, envelopes.write(Envelope(TYPE, data, swapped)), "nobody is counted")


SHAPES = [
    (b"", "line 1"),
    (b"[]", "not payload"),
    (b'{"payload":"","payloadType":"t","signatures":[]}', "not 1 to 64 signatures"),
    (b'{"payload":"","payloadType":"t","signatures":[{"sig":""}]}', "not keyid and sig"),
    (b'{"payload":"","payloadType":"t","signatures":[{"sig":"","keyid":"x"}]}', "a keyid is not"),
    (b'{"payload":"","payloadType":5,"signatures":[1]}', "not a media type"),
    (b'{"payload":"","payload":"","payloadType":"t","signatures":[1]}', "duplicate key"),
    (b'{"payload":"","payloadType":"t","signatures":[1],"x":1}', "not payload"),
    (b" " * 2_000_001, "more than 2,000,000"),
]
ONE = b'{"keyid":"' + b"0" * 64 + b'","sig":"AAAA"}'
TWICE = b'{"payload":"QUE=","payloadType":"t","signatures":[%b,%b]}' % (ONE, ONE)
SHAPES += [
    (TWICE, "one key signed twice"),
    (b'{"payload":"QUE","payloadType":"t","signatures":[%b]}' % ONE, "not base64"),
    (b'{"payload":"QUF=","payloadType":"t","signatures":[%b]}' % ONE, "odd spelling"),
    (
        b'{"payload":"","payloadType":"t","signatures":[%b]}' % b",".join([ONE] * 65),
        "not 1 to 64 signatures",
    ),
]


@pytest.mark.parametrize(("data", "why"), SHAPES)
def test_envelopes_are_strict(data: bytes, why: str) -> None:
    with pytest.raises(Malformed) as caught:
        envelopes.read(data, "trust.toml.sig")
    assert why in caught.value.message and caught.value.message.startswith("trust.toml.sig: ")


FILE = new()
SIGNED = sign(FILE, by("alice-1", "bob-1"))


@given(st.integers(0, len(SIGNED) - 2), st.integers(1, 255))
def test_no_byte_of_the_signatures_can_change(at: int, change: int) -> None:
    damaged = bytearray(SIGNED)
    damaged[at] ^= change
    with pytest.raises(SecurityError):
        succeed(OLD, FILE, bytes(damaged), NOW)


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_no_byte_of_the_file_can_change(at: int, change: int) -> None:
    damaged = bytearray(FILE)
    damaged[at] ^= change
    with pytest.raises(Untrusted, match="other bytes"):
        succeed(OLD, bytes(damaged), SIGNED, NOW)


@given(st.binary(max_size=200))
def test_any_bytes_end_in_our_error(data: bytes) -> None:
    with pytest.raises(Malformed):
        envelopes.read(data, "x")
