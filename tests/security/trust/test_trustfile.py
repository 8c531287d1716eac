from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.errors import Malformed, Untrusted
from security.identity import Identity
from security.trust import deciding
from security.trust.trustfile import Credential, Person, Role, TrustFile
from security.trust.trusting import Keyless, Trust
from tests.security.trust.people import (
    KEYS,
    NOW,
    key_table,
    proven,
    read,
    role,
    signer,
    text,
)


def refusal(
    trust: Trust, signers: tuple[Identity, ...], action: str = "release", name: str = "acme/small"
) -> Untrusted:
    with pytest.raises(Untrusted) as caught:
        trust.allow(action, name, signers, NOW)
    assert caught.value.message.isprintable() and caught.value.hint.isprintable()
    return caught.value


def test_one_member_is_enough_where_one_is_asked_for() -> None:
    trust = read(text(role()))
    trust.allow("release", "acme/small", proven("alice-1"), NOW)
    trust.allow("release", "acme/small/m.safetensors#w", proven("bob-pq", "carol-1"), NOW)


def test_nobody_signed() -> None:
    error = refusal(read(text(role())), ())
    assert error.message == (
        "trust.toml: to release 'acme/small' takes 1 of alice, bob; nobody is counted"
    )
    assert error.hint == "1 more of alice, bob must agree"


def test_keys_of_one_person_count_once() -> None:
    trust = read(text(role(threshold=2)))
    assert "counted: alice" in refusal(trust, proven("alice-1", "alice-pq", "alice-1")).message
    trust.allow("release", "acme/small", proven("alice-1", "bob-1"), NOW)
    named = read(text(role(members='"alice-1", "alice-pq", "bob"', threshold=2)))
    assert "1 more of" in refusal(named, proven("alice-1", "alice-pq")).hint


def test_a_single_key_may_be_a_member() -> None:
    trust = read(text(role(members='"alice-1"')))
    trust.allow("release", "acme/small", proven("alice-1"), NOW)
    assert "nobody is counted" in refusal(trust, proven("alice-pq")).message


def test_outsiders_do_not_count() -> None:
    trust = read(text(role()))
    assert "nobody is counted" in refusal(trust, proven("carol-1")).message
    stranger = read(text(role(), keys=("bob-1",)))
    assert "not counted: 'alice-1' is not in" in refusal(stranger, proven("alice-1")).message


def test_names_prove_nothing() -> None:
    trust = read(text(role(), keys=("bob-1",)))
    carol = signer("carol-1").public
    for method in ("key", "certificate", "sigstore"):
        refusal(trust, (Identity("bob-1", method, carol.kind, carol.hint),))
    bob = signer("bob-1").public
    refusal(trust, (Identity("bob-1", "key", "ml-dsa-65", bob.hint),))
    refusal(trust, (Identity("bob-1", "certificate", bob.kind, bob.hint),))


def test_what_no_role_allows() -> None:
    trust = read(text(role(), role("press", '"attest"')))
    for name in ("acme/other", "acme", "acme/smal", "Acme/small"):
        error = refusal(trust, proven("alice-1"), name=name)
        assert error.message == f"trust.toml: nobody may release {name!r}"
        assert error.hint == "who may release: release for acme/small"
    error = refusal(trust, proven("alice-1"), action="rotate")
    assert "no role allows 'rotate'" in error.message
    assert error.hint == "what roles allow: attest, release"
    for action in ("", "Release", "release ", "*"):
        assert "no role allows" in refusal(trust, proven("alice-1"), action=action).message


@pytest.mark.parametrize(
    "name", [" ", "acme/small/../x", "/acme/small", "acme/small/", "acme\\small"]
)
def test_artifacts_are_canonical(name: str) -> None:
    trust = read(text(role(artifacts='"**"')))
    assert "artifact name" in refusal(trust, proven("alice-1"), name=name).message


def key(more: str) -> TrustFile:
    return read(text(role(), keys=("bob-1",), more=key_table("alice-1", more)))


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("from = 2027-01-16", "alice-1 counts from 2027-01-16 only"),
        ("until = 2027-01-14", "alice-1 counted until 2027-01-14"),
        ('revoked = 2027-01-10\nreason = "lost"', "alice-1 was revoked on 2027-01-10 (lost)"),
        ('revoked = 2030-01-01\nreason = "lost"', "alice-1 was revoked on 2030-01-01 (lost)"),
    ],
)
def test_days_of_a_key(more: str, why: str) -> None:
    assert f"not counted: {why}" in refusal(key(more), proven("alice-1")).message
    key(more).allow("release", "acme/small", proven("alice-1", "bob-1"), NOW)


def test_first_and_last_days_count() -> None:
    key("from = 2027-01-15\nuntil = 2027-01-15").allow(
        "release", "acme/small", proven("alice-1"), NOW
    )


def test_the_file_expires() -> None:
    trust = read(text(role()))
    day = datetime(2027, 6, 30, 23, 59, tzinfo=UTC)
    trust.allow("release", "acme/small", proven("alice-1"), day)
    with pytest.raises(Untrusted, match=r"version 1 of the trust file expired on 2027-06-30"):
        trust.allow("release", "acme/small", proven("alice-1"), day + timedelta(minutes=1))
    # The day is the one in UTC, wherever the clock is.
    west = day.astimezone(timezone(timedelta(hours=-12))) + timedelta(minutes=1)
    with pytest.raises(Untrusted, match="expired"):
        trust.allow("release", "acme/small", proven("alice-1"), west)


def test_a_kind_can_be_demanded() -> None:
    trust = read(text(role(threshold=2, more='also = ["ml-dsa-65"]')))
    error = refusal(trust, proven("alice-1", "bob-1"))
    assert "and a signature of kind ml-dsa-65" in error.message
    assert error.hint == "a member signs with a key of kind ml-dsa-65 too"
    refusal(trust, proven("alice-1", "alice-pq"))
    trust.allow("release", "acme/small", proven("alice-1", "alice-pq", "bob-1"), NOW)
    # That of an outsider does not do.
    other = read(text(role(members='"alice"', more='also = ["ml-dsa-65"]')))
    refusal(other, proven("alice-1", "bob-pq"))


def test_subjects_of_certificates() -> None:
    more = '[subjects.bob-ca]\nowner = "bob"\nsubject = "bob@acme.example"\n'
    trust = read(text(role(threshold=2), keys=("alice-1",), more=more))
    bob = Identity("bob@acme.example", "certificate", "ecdsa-p256", "0" * 64)
    trust.allow("release", "acme/small", (*proven("alice-1"), bob), NOW)
    for name, method in (("bob@acme.exampl", "certificate"), ("bob@acme.example", "sigstore")):
        other = Identity(name, method, "ecdsa-p256", "0" * 64)  # type: ignore[arg-type]
        refusal(trust, (*proven("alice-1"), other))


def test_people_without_keys() -> None:
    more = (
        '[subjects.bob-oidc]\nowner = "bob"\nmethod = "sigstore"\nsubject = "bob@acme.example"\n'
        'issuer = "https://id.acme.example"\n'
    )
    trust = read(text(role(), keys=(), more=more))
    assert isinstance(trust, Keyless)
    assert trust.people() == (("bob-oidc", "bob@acme.example", "https://id.acme.example"),)
    key = signer("carol-1").public
    trust.allow("release", "", (Identity("bob-oidc", "sigstore", key.kind, key.hint),), NOW)
    refusal(trust, (Identity("bob@acme.example", "sigstore", key.kind, key.hint),))
    with pytest.raises(Malformed, match=r"subjects\.bob-oidc\.issuer is missing"):
        read(text(role(), more=more.replace("issuer", "#")))


def test_without_a_name_the_project_is_meant() -> None:
    more = '[hidden]\n"acme/small" = [".cache"]\n'
    trust = read(text(role(), more=more))
    trust.allow("release", "", proven("alice-1"), NOW)
    assert trust.hidden("") == (".cache",)
    other = read(text(role(artifacts='"acme/other"')))
    assert "nobody may release 'acme/small'" in refusal(other, proven("alice-1"), name="").message


def test_a_revoked_key_in_a_certificate() -> None:
    more = '[subjects.bob-ca]\nowner = "bob"\nsubject = "bob@acme.example"\n' + key_table(
        "bob-1", 'revoked = 2027-01-01\nreason = "stolen"'
    )
    trust = read(text(role(), keys=(), more=more))
    key = signer("bob-1").public
    error = refusal(trust, (Identity("bob@acme.example", "certificate", key.kind, key.hint),))
    assert "bob-1 was revoked" in error.message


def test_one_fulfilled_role_is_enough() -> None:
    trust = read(text(role(threshold=2), role("solo", members='"carol"')))
    trust.allow("release", "acme/small", proven("carol-1"), NOW)
    refusal(trust, proven("alice-1"))


def test_messages_stay_short() -> None:
    people = "".join(f"[people.p{n}]\n" for n in range(900))
    members = ",\n".join(f'"p{n}"' for n in range(900))
    trust = read(text(role(members=members, threshold=900), head="", more=people))
    strangers = tuple(Identity("x" * 5000, "key", "ed25519", f"{n:064}") for n in range(500))
    assert len(refusal(trust, strangers).message) < 2_000


days = st.none() | st.dates(date(2027, 1, 10), date(2027, 1, 20))
names = tuple(KEYS)
credentials = st.builds(
    lambda name, owner, start, end, revoked: Credential(
        name, owner, signer(name).public, "", "", "key", start, end, revoked, "x"
    ),
    st.sampled_from(names),
    st.sampled_from(["alice", "bob", "carol"]),
    days,
    days,
    st.none() | st.none() | st.just(date(2026, 1, 1)),
)
roles = st.builds(
    Role,
    st.sampled_from("xyz"),
    st.lists(st.sampled_from(["release", "attest"]), min_size=1, max_size=2).map(tuple),
    st.lists(st.sampled_from(["alice", "bob", "carol", *names]), min_size=1, max_size=4).map(tuple),
    st.integers(1, 3),
    st.sampled_from([("a",), ("b", "a/*"), ("**",), ("a/x#t",)]),
    st.sampled_from([(), ("ml-dsa-65",)]),
)


@given(
    st.lists(credentials, max_size=5, unique_by=lambda c: c.name),
    st.lists(roles, min_size=1, max_size=3),
    st.lists(st.sampled_from(names), max_size=6),
    st.sampled_from(["release", "attest"]),
    st.sampled_from(["a", "a/x", "a/x#t", "b", "c"]),
)
def test_never_below_the_threshold(
    held: list[Credential], given_roles: list[Role], signing: list[str], action: str, artifact: str
) -> None:
    people = tuple(Person(name) for name in ("alice", "bob", "carol"))
    trust = TrustFile(
        "t", "", "p", 1, date(2027, 6, 1), people, tuple(held), (), tuple(given_roles), ()
    )
    covered = {
        ("a",): {"a", "a/x", "a/x#t"},
        ("b", "a/*"): {"b", "a/x", "a/x#t"},
        ("**",): {"a", "a/x", "a/x#t", "b", "c"},
        ("a/x#t",): {"a/x#t"},
    }
    today = NOW.date()
    alive = [
        c
        for c in held
        if c.name in signing
        and not c.revoked
        and (c.start is None or c.start <= today)
        and (c.end is None or today <= c.end)
    ]
    wanted = False
    for r in given_roles:
        mine = [c for c in alive if c.owner in r.members or c.name in r.members]
        kinds = {c.public.kind for c in mine if c.public}
        enough = len({c.owner for c in mine}) >= r.threshold and set(r.also) <= kinds
        wanted |= action in r.actions and artifact in covered[r.artifacts] and enough
    if wanted:
        trust.allow(action, artifact, proven(*signing), NOW)
    else:
        with pytest.raises(Untrusted):
            trust.allow(action, artifact, proven(*signing), NOW)


def test_the_nearest_role_is_named() -> None:
    trust = read(
        text(
            role("three", members='"alice", "bob", "carol"', threshold=3), role("two", threshold=2)
        )
    )
    assert "takes 2 of" in refusal(trust, proven("alice-1")).message
    assert deciding.tally(trust, "release", "acme/small", ()).missing == 2
