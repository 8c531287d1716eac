import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.errors import Malformed, SecurityError, TooLarge, Untrusted
from security.trust.loading import load, pinned
from tests.security.sign.authority import issue
from tests.security.trust.people import PEOPLE, key_table, read, role, signer, text, top

GOOD = text(role(), keys=("alice-1", "bob-1"))


def test_what_is_read() -> None:
    more = '[hidden]\n"acme/*" = [".cache", "notes.md"]\n'
    trust = read(text(role(threshold=2, more='also = ["ml-dsa-65"]'), more=more))
    assert (trust.project, trust.version, str(trust.expires)) == ("acme/small", 1, "2027-06-30")
    assert [p.name for p in trust.persons] == ["alice", "bob", "carol"]
    assert trust.keys()[0] == ("alice-1", signer("alice-1").public)
    assert trust.roles[0].threshold == 2 and trust.roles[0].also == ("ml-dsa-65",)
    assert trust.hidden("acme/small") == (".cache", "notes.md")
    assert trust.hidden("other") == () and trust.roots() == ()


def test_a_revoked_key_is_still_known() -> None:
    revoked = key_table("alice-1", 'revoked = 2027-01-01\nreason = "laptop stolen"')
    keys = read(text(role(), keys=("bob-1",), more=revoked)).keys()
    assert tuple(name for name, _ in keys) == ("alice-1", "bob-1")


def key(more: str) -> str:
    return text(role(), keys=(), more=key_table("alice-1", more))


REFUSED = [
    (b"\xff", "not UTF-8 at byte 0"),
    (b"format = 1\nformat = 1\n", "Cannot overwrite"),
    (b"[roles]\n[roles]\n", "Cannot declare"),
    ("", "format is missing"),
    ("format = 2\n", "format is not 1"),
    ("format = true\n", "format is not a whole number"),
    (GOOD.replace("version = 1", "version = 0"), "version is not a whole number"),
    (GOOD.replace("version = 1", "version = 1.0"), "version is not a whole number"),
    (GOOD.replace("version = 1", "version = " + "9" * 900), "version is not a whole number"),
    (GOOD.replace("version = 1", "version = 0x" + "f" * 900), "version is not a whole number"),
    (GOOD.replace("2027-06-30", '"2027-06-30"'), "expires is not a date"),
    (GOOD.replace("2027-06-30", "2027-06-30T00:00:00Z"), "expires is not a date"),
    (GOOD.replace("2027-06-30", "2027-02-30"), "trust.toml: "),
    (GOOD.replace('project = "acme/small"', 'project = "../x"'), "project has an empty part"),
    (GOOD.replace('project = "acme/small"', 'project = "a*"'), "project has a # or a *"),
    (GOOD.replace('"acme/small"\nversion', '["acme"]\nversion'), "project is not text"),
    ("serial = 1\n" + GOOD, "has the unknown key 'serial'"),
    (GOOD.replace("threshold", "treshold"), "roles.release.threshold is missing"),
    (GOOD + "\nartefacts = []", "roles.release has the unknown key 'artefacts'"),
    (GOOD.replace("[people.carol]", "[people.carol]\nemail = 'x'"), "people.carol has the unknown"),
    (GOOD.replace("[people.carol]", "[people.ALICE]"), "the name 'ALICE' is there twice"),
    (GOOD.replace("[people.carol]", "[people.bob-1]"), "the name 'bob-1' is there twice"),
    (GOOD.replace("[people.carol]", '[people." x"]'), "people has ' x', which is no name"),
    (GOOD.replace("[people.carol]", '[people.carol]\naccount = "BOB"'), "account 'BOB' is there"),
    (GOOD.replace("[people.carol]", "[people.carol]\nid = 7"), "id '7' is there twice"),
    (GOOD.replace("[people.carol]", "[people]\ncarol = 1"), "trust.toml: "),
    (GOOD.replace('owner = "bob"', 'owner = "bobby"'), "keys.bob-1.owner 'bobby' is not in"),
    (GOOD.replace('owner = "bob"', 'owner = "bob "'), "keys.bob-1.owner is no name"),
    (GOOD + key_table("alice-1").replace("keys.alice-1", "keys.a2"), "is there twice"),
    (key("from = 2027-02-01\nuntil = 2027-01-01"), "until is before from"),
    (key("revoked = 2027-01-01"), "keys.alice-1.reason is missing"),
    (key('reason = "x"'), "reason is there without revoked"),
    (key('kind = "ed25519"'), "kind is 'ed25519', but the key is 'ecdsa-p256'"),
    (key("").replace("BEGIN PUBLIC", "BEGIN PRIVATE"), "public is a private key"),
    (key("").replace("MFkw", "MFkx"), "keys.alice-1.public cannot be used"),
    (GOOD + '[certificates.r]\npublic = "x"', "certificates.r.public is not a certificate"),
    (GOOD + '[subjects.s]\nowner="bob"\nsubject="s"\nmethod="x"', "method is not certificate"),
    (
        GOOD + '[subjects.s]\nowner="bob"\nsubject="s"\n[subjects.t]\nowner="alice"\nsubject="S"',
        "the subject 'certificate  S' is there twice",
    ),
    (text(), "roles is missing"),
    (text(role(actions='"relase"')), "has the unknown 'relase'"),
    (text(role(actions="")), "actions is not a list of 1 to"),
    (text(role(members='"alcie"')), "has 'alcie', who is neither"),
    (text(role(members='"bob", "bob"')), "names 'bob' twice"),
    (text(role(members="1")), "holds what is not text"),
    (text(role(threshold=3)), "threshold is 3, but its members are 2 people"),
    (
        text(role(members='"alice", "alice-1", "alice-pq"', threshold=2)),
        "threshold is 2, but its members are 1 people",
    ),
    (text(role(threshold=0)), "threshold is not a whole number from 1"),
    (text(role(artifacts='"a/../b"')), "artifacts has 'a/../b', which has an empty part"),
    (text(role(artifacts='"a**"')), "which has ** beside other text"),
    (text(role(artifacts="")), "artifacts is not a list"),
    (text(role(more='also = ["mldsa"]')), "has the unknown kind 'mldsa'"),
    (
        text(role(threshold=2), role("keep", '"rotate"')),
        "roles.keep.threshold is 1, but a release takes 2 people",
    ),
    (
        text(role(more='also = ["ml-dsa-65"]'), role("keep", '"rotate"')),
        "roles.keep.also lacks ml-dsa-65, which a release takes",
    ),
    (GOOD + '[hidden]\n"a" = ["sub/x"]', "hidden has 'sub/x', which is not one top-level name"),
    (GOOD + '[hidden]\n"a" = [".."]', "which is not one top-level name"),
    (GOOD + '[hidden]\n"a#t" = ["x"]', "names a tensor"),
    (GOOD + "# \u202e", "the invisible character U+202E"),
    (GOOD + "# \u200b", "the invisible character U+200B"),
    ("a = " + "[\n" * 5000, "nested too deeply"),
]


@pytest.mark.parametrize(("content", "why"), REFUSED)
def test_refused(content: str | bytes, why: str) -> None:
    data = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(Malformed) as caught:
        load(data, "trust.toml")
    assert caught.value.message.startswith("trust.toml: ")
    assert why in caught.value.message and caught.value.message.isprintable()
    assert caught.value.hint.isprintable()


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (GOOD.replace("threshold", "treshold"), "'treshold'"),
        (GOOD.replace("artifacts", "artefacts"), "'artefacts'"),
        (GOOD.replace("expires", "expiers"), "'expiers'"),
        (GOOD + "\nalsso = []", "did you mean 'also'?"),
        (text(role(actions='"relase"')), "did you mean 'release'?"),
        (text(role(members='"alcie"')), "did you mean 'alice'?"),
        (text(role(members='"alice-l"')), "did you mean 'alice-1'?"),
        (text(role(more='also = ["mldsa65"]')), "did you mean 'ml-dsa-65'?"),
    ],
)
def test_what_was_meant(content: str, hint: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(content)
    assert hint in caught.value.hint


def test_bounds() -> None:
    for data in (b"#" * 1_000_001, b"a" + b".a" * 600 + b" = 1", "#" * 1_001 + "\n"):
        with pytest.raises(TooLarge):
            load(data if isinstance(data, bytes) else data.encode(), "trust.toml")
    crowd = "".join(f"[people.p{n}]\n" for n in range(1_001))
    with pytest.raises(Malformed, match="people is not at most 1,000"):
        read(top() + crowd + role(members='"p1"'))


def test_a_crowd_is_read() -> None:
    crowd = "".join(f"[people.p{n}]\n" for n in range(1_000))
    assert len(read(top() + crowd + role(members='"p1"')).persons) == 1_000


def test_line_ends_do_not_matter() -> None:
    assert read(GOOD.replace("\n", "\r\n")).keys() == read(GOOD).keys()


def test_roots_that_are_revoked_vouch_for_nobody() -> None:
    one, two = (issue(name, authority=True).pem.decode() for name in ("one", "two"))
    first = f'[certificates.one]\npublic = """\n{one}"""\n'
    second = f'[certificates.two]\npublic = """\n{two}"""\n'
    assert read(GOOD + first + second).roots() == (one.encode(), two.encode())
    revoked = second + 'revoked = 2027-01-01\nreason = "broken into"\n'
    assert read(GOOD + first + revoked).roots() == (one.encode(),)
    with pytest.raises(Malformed, match="is not one certificate"):
        read(GOOD + first.replace(one, one + two))
    with pytest.raises(Malformed, match="has the unknown key 'until'"):
        read(GOOD + first + "until = 2027-01-01\n")


def test_first_use_is_by_digest() -> None:
    data = GOOD.encode()
    digest = hashlib.sha256(data).hexdigest()
    assert pinned(data, "trust.toml", digest).digest == digest
    with pytest.raises(Untrusted, match="its SHA-256 is"):
        pinned(data + b"\n", "trust.toml", digest)


@given(st.data())
def test_damaged_files_end_in_errors_of_ours(data: st.DataObject) -> None:
    content = bytearray(GOOD.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        trust = load(bytes(content), "t")
    except SecurityError as error:
        assert error.message.startswith("t: ") and error.hint
    else:
        assert trust.roles[0].threshold >= 1


toml = st.recursive(
    st.integers() | st.text(max_size=5) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
)


@given(
    st.dictionaries(st.sampled_from(["people", "keys", "roles", "hidden", "certificates"]), toml)
)
def test_values_of_any_shape_end_in_errors_of_ours(found: dict[str, object]) -> None:
    lines = "".join(f"{name} = {_toml(value)}\n" for name, value in found.items())
    with pytest.raises(Malformed):
        read(top() + lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08X}" for c in value) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + "}"
    return str(value)


def test_people_need_no_key() -> None:
    assert read(top() + PEOPLE + role()).keys() == ()
