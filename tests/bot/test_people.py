"""The file of people and the ledger of signatures: strict both ways."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import people
from bot.people import Account, ClaSignature, CommitAccount, People, PeopleError

ADA = Account(5, "ada")
BOT = Account(49699333, "dependabot[bot]", bot=True)
SIGNATURE = ClaSignature(5, "ada", "c" * 64, 9, "octo/tiny", "2026-01-02T03:04:05Z")
EVERYTHING = People(
    ADA,
    (CommitAccount("a" * 40, BOT, None, True), CommitAccount("b" * 64, None, ADA, False)),
    (SIGNATURE,),
    complete=False,
    queue=True,
)
LOGINS = st.from_regex(r"[A-Za-z0-9_-]{1,39}(\[bot\])?", fullmatch=True)
ACCOUNTS = st.builds(Account, st.integers(1, 2**53), LOGINS, st.booleans())
IDS = st.from_regex(r"[0-9a-f]{40}|[0-9a-f]{64}", fullmatch=True)
COMMITS = st.builds(CommitAccount, IDS, st.none() | ACCOUNTS, st.none() | ACCOUNTS, st.booleans())
SIGNATURES = st.builds(
    ClaSignature,
    st.integers(1, 2**53),
    LOGINS,
    st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    st.integers(1, 2**53),
    st.just("octo/tiny"),
    st.datetimes().map(lambda d: d.replace(year=2028, microsecond=0).isoformat() + "Z"),
)


@given(
    st.builds(
        People,
        ACCOUNTS,
        st.lists(COMMITS, max_size=3).map(tuple),
        st.lists(SIGNATURES, max_size=3).map(tuple),
        st.booleans(),
        st.booleans(),
    )
)
def test_both_ways(value: People) -> None:
    assert people.load(people.dump(value)) == value
    assert people.load_signatures(people.dump_signatures(value.signatures)) == value.signatures


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    for read in (people.load, people.load_signatures):
        try:
            read(data)
        except PeopleError as error:
            assert error.message and error.hint


def test_what_may_be_left_out() -> None:
    assert people.load(b'{"author": {"id": 5, "login": "ada"}}') == People(ADA)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "people: line 1: Expecting value"),
        ("[]", "people: Input should be an object"),
        ("{}", "people: author: Field required"),
        ('{"author": null}', "people: author: Input should be an object"),
        ('{"author": {"id": "5", "login": "a"}}', "people: author.id: "),
        ('{"author": {"id": 5.0, "login": "a"}}', "people: author.id: "),
        ('{"author": {"id": true, "login": "a"}}', "people: author.id: "),
        ('{"author": {"id": 0, "login": "a"}}', "people: author.id: "),
        ('{"author": {"id": 1e999, "login": "a"}}', "people: author.id: "),
        ('{"author": {"id": 5, "login": "a\\n"}}', "people: author.login: "),
        ('{"author": {"id": 5, "login": "a b"}}', "people: author.login: "),
        ('{"author": {"id": 5, "login": "\\u0430"}}', "people: author.login: "),
        ('{"author": {"id": 5, "login": "a", "id": 6}}', "people: duplicate key 'id'"),
        ('{"author": {"id": 5, "login": "a"}, "complete": 1}', "people: complete: "),
        ('{"author": {"id": 5, "login": "a"}, "verified": true}', "people: verified: "),
        ('{"author": {"id": 5, "login": "a"}, "commits": [{}]}', "people: commits.0.commit: "),
        ("[" * 100, "people: nested deeper than 8 levels"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(PeopleError) as caught:
        people.load(text.encode())
    assert caught.value.message.startswith(message)
    assert caught.value.hint


@pytest.mark.parametrize(
    "change",
    [
        {"document": "c" * 63},
        {"document": "C" * 64},
        {"document": "c" * 64 + "\n"},
        {"account": -1},
        {"repository": "tiny"},
        {"repository": "../../etc/passwd"},
        {"at": "yesterday"},
        {"at": "2026-01-02"},
        {"login": "=cmd()"},
    ],
)
def test_a_signature_is_exact(change: dict[str, object]) -> None:
    import json

    whole = json.loads(people.dump_signatures((SIGNATURE,)))
    line = json.dumps(whole | change).encode()
    with pytest.raises(PeopleError, match="ledger:2: "):
        people.load_signatures(b"\n" + line, "ledger")


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "LIMIT", 100)
    with pytest.raises(PeopleError, match="more than 100"):
        people.load(b" " * 101)
    with pytest.raises(PeopleError, match="more than 100"):
        people.load_signatures(b" " * 101)
    monkeypatch.setattr(people, "MAX_SIGNATURES", 3)
    with pytest.raises(PeopleError, match="more than 3 lines"):
        people.load_signatures(b"\n" * 4)


def test_a_file_is_read_to_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    path.write_bytes(people.dump(EVERYTHING))
    assert people.load_file(path) == EVERYTHING
    with pytest.raises(PeopleError, match="more than"):
        people.load_file(Path("/dev/zero"))
