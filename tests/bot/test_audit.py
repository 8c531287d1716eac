"""The fold over a history and its rows, from literals."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import audit
from bot.audit import Agreements, Audit, Book, Contributor
from bot.checks.contributors.person import Person
from bot.checks.contributors.remediation import Mode, wording
from bot.checks.contributors.statements import read
from bot.errors import TooLarge
from bot.history import Entry
from bot.ledger import inert, render
from bot.people import Account, ClaSignature, CommitAccount
from tests.fakes import commit

ADA, BO = Account(5, "ada"), Account(6, "bo")
SIGNED = "T\n\nSigned-off-by: Ada <ada@example.org>\n"
NOW, OLD = "a" * 64, "b" * 64


def entry(
    message: str = SIGNED,
    number: int = 0,
    *,
    name: str = "Ada",
    email: str = "ada@example.org",
    parents: tuple[str, ...] = ("0" * 40,),
    signature: str = "",
    date: str = "2026-01-02",
    added: int = 3,
    removed: int = 1,
    oversize: int = 0,
) -> Entry:
    made = commit(
        message, name=name, email=email, number=number, parents=parents, oversize=oversize
    )
    return Entry(read(made), signature, date, added, removed)


def told(author: Account | None, number: int = 0, *, verified: bool = True) -> CommitAccount:
    return CommitAccount(f"{number:040x}", author, author, verified)


def booked(
    *entries: Entry,
    people: tuple[CommitAccount, ...] = (),
    mode: Mode = "off",
    before: frozenset[str] | None = None,
    cla: Agreements = Agreements(),
) -> Audit:
    book = Book(audit.accounts(people), mode)
    for one in entries:
        book.add(one)
    return book.close("", "h" * 40, lines=True, before=before, cla=cla)


def row(*entries: Entry, **options: object) -> Contributor:
    (one,) = booked(*entries, **options).people  # type: ignore[arg-type]
    return one


def test_a_person_is_an_address() -> None:
    one = row(entry(), entry(email="ADA@example.org", name="Ada L.", number=1, date="2025-12-31"))
    assert (one.name, one.address) == ("Ada", "ada@example.org")  # as in the newest commit
    assert (one.commits, one.added, one.removed, one.first) == (2, 6, 2, "2025-12-31")
    assert (one.commit_share, one.line_share, one.signed_off) == (1.0, 1.0, 2)


def test_shares_and_order() -> None:
    made = booked(
        entry("T\n", name="Bo", email="bo@e.org", added=30, removed=0),
        *(entry(number=n, added=5, removed=0) for n in range(1, 4)),
    )
    assert [(p.name, p.commit_share, p.signed_off) for p in made.people] == [
        ("Ada", 0.75, 3),
        ("Bo", 0.25, 0),
    ]
    assert [round(p.line_share, 3) for p in made.people] == [0.333, 0.667]


def test_merges_count_apart_and_nothing_divides_by_zero() -> None:
    one = row(entry(parents=("1" * 40, "2" * 40), added=100))
    assert (one.commits, one.merges, one.added, one.commit_share) == (0, 1, 0, 0.0)


def test_co_authors_are_people() -> None:
    lines = "Co-authored-by: Bo <bo@e.org>\nCo-authored-by: Bo <BO@e.org>\nCo-authored-by: nobody\n"
    made = booked(entry(SIGNED + lines))
    assert [(p.name, p.commits, p.co_authored) for p in made.people] == [
        ("Ada", 1, 0),
        ("Bo", 0, 1),
    ]


@pytest.mark.parametrize(
    ("mode", "signed_off"), [("off", 1), ("individual", 2), ("third-party", 2)]
)
def test_a_later_commit_signs_off(mode: Mode, signed_off: int) -> None:
    ada = Person("Ada", "ada@example.org")
    late = f"R\n\n{wording(ada, '0' * 40)}\n\nSigned-off-by: Ada <ada@example.org>\n"
    assert row(entry(late, 1), entry("T\n", 0), mode=mode).signed_off == signed_off


def test_signatures_and_what_the_platform_says() -> None:
    commits = (entry(signature="ssh"), entry(number=1, signature="openpgp"), entry(number=2))
    one = row(*commits)
    assert (one.signatures, one.verified, one.account, one.proven) == (
        (("openpgp", 1), ("ssh", 1)), None, 0, False,
    )  # fmt: skip
    one = row(*commits, people=(told(ADA), told(ADA, 1, verified=False)))
    assert (one.verified, one.account, one.login, one.proven) == (1, 5, "ada", True)
    one = row(*commits, people=(told(None),))
    assert (one.verified, one.account) == (1, 0)


def signature(account: int, document: str) -> ClaSignature:
    return ClaSignature(account, "x", document, 1, "o/r", "2026-01-02T03:04:05Z")


@pytest.mark.parametrize(
    ("email", "people", "signed", "cla", "counts"),
    [
        ("ada@example.org", (told(ADA),), (5, NOW), (NOW,), True),
        ("ada@example.org", (told(ADA),), (5, OLD), (OLD,), False),
        ("ada@example.org", (told(ADA),), (6, NOW), (), False),
        ("ada@example.org", (), (5, NOW), (), False),
        ("5+ada@users.noreply.github.com", (), (5, NOW), (NOW,), True),
        ("ada@example.org", (), (0, NOW), (), False),
    ],
)
def test_agreements_follow_accounts(
    email: str,
    people: tuple[CommitAccount, ...],
    signed: tuple[int, str],
    cla: tuple[str, ...],
    counts: bool,
) -> None:
    one = row(entry(email=email), people=people, cla=Agreements((NOW,), (signature(*signed),)))
    assert (one.cla, one.cla_counts) == (cla, counts)


def test_without_a_document_nothing_counts_or_not() -> None:
    cla = Agreements((), (signature(5, NOW),))
    one = row(entry(), people=(told(ADA),), cla=cla)
    assert (one.cla, one.cla_counts) == ((NOW,), None)


@pytest.mark.parametrize(
    ("before", "new"),
    [
        (None, None),
        (frozenset({"ada@example.org"}), False),
        (frozenset({"bo@e.org"}), True),
    ],
)
def test_first_timers(before: frozenset[str] | None, new: bool | None) -> None:
    assert row(entry(), before=before).newcomer is new


def test_whoever_is_only_a_co_author_is_no_first_timer() -> None:
    made = booked(entry(SIGNED + "Co-authored-by: Bo <bo@e.org>\n"), before=frozenset())
    assert [(p.name, p.newcomer) for p in made.people] == [("Ada", True), ("Bo", None)]


def test_what_cannot_be_read_is_counted_as_such() -> None:
    made = booked(entry(oversize=2_000_000), entry(number=1))
    assert (made.unread, made.commits) == (1, 1)
    assert "Not counted: 1 commit too large" in render(made, "table")


def test_nobodies_are_kept_apart_by_name() -> None:
    made = booked(entry(name="", email=""), entry(name="X", email="", number=1))
    assert sorted(p.name for p in made.people) == ["", "X"]
    assert all(p.signed_off == 0 for p in made.people)


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MAX_PEOPLE", 2)
    people = [entry(name=n, email=f"{n}@e.org", number=i) for i, n in enumerate("abc")]
    with pytest.raises(TooLarge, match="more than 2 people"):
        booked(*people)
    monkeypatch.setattr(audit, "MAX_LATE", 0)
    ada = Person("Ada", "ada@example.org")
    late = f"R\n\n{wording(ada, '7' * 40)}\n\nSigned-off-by: Ada <ada@example.org>\n"
    with pytest.raises(TooLarge, match="late sign-offs"):
        booked(entry(late), mode="individual")


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Ada", "Ada"),
        ("a-b@c", "a-b@c"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "  '=1"),
        ('"=1', "\"'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("x;=1", "x;'=1"),
        ("x|@y", "x|'@y"),
    ],
)
def test_no_cell_is_a_formula(text: str, safe: str) -> None:
    assert inert(text) == safe


@given(st.text(max_size=60), st.text(max_size=60))
def test_csv_reads_back_and_holds_no_formula(name: str, email: str) -> None:
    text = render(booked(entry(name=name, email=email)), "csv")
    head, cells = csv.reader(io.StringIO(text))
    assert len(head) == len(cells) == 19
    for cell in cells:
        assert cell.isprintable()
        assert cell.lstrip(" '\"")[:1] not in tuple("=+-@") or cell.lstrip(' "')[:1] == "'"


@given(st.text(max_size=60), st.integers(40, 200))
def test_the_table_is_one_line_a_person(name: str, width: int) -> None:
    lines = render(booked(entry(name=name)), "table", width).split("\n")
    assert len(lines) == 9  # head, table of three lines, notes, blanks
    assert all(line.isprintable() for line in lines)


def test_json_is_the_whole_ledger() -> None:
    made = booked(entry(name="A\x1b[31m\u202e"), people=(told(ADA),))
    loaded = json.loads(render(made, "json"))
    assert (loaded["version"], loaded["commits"]) == (1, 1)
    assert loaded["people"][0]["name"] == "A\\x1b[31m\\u202e"
    assert loaded["people"][0]["account"] == 5


def test_the_table_says_what_it_shows() -> None:
    cla = Agreements((NOW,), (signature(5, OLD), signature(6, NOW)))
    made = booked(
        entry(),
        entry("T\n", 1, name="Bo", email="6+bo@users.noreply.github.com"),
        entry("T\n", 2, name="Cy", email="cy@e.org"),
        people=(told(ADA),),
        cla=cla,
        before=frozenset({"ada@example.org", "6+bo@users.noreply.github.com"}),
    )
    text = render(made, "table", 200)
    for part in (
        "3 people, 3 commits, 9 lines added, 3 removed",
        f"{OLD[:12]}, does not count",
        f"{NOW[:12]}, account only stated",
        "no known account",
        "2026-01-02 (new)",
        "33.3%",
        "0 of 1",
        "none; 1 verified",
        "Shares are of",
        ".mailmap is not read",
    ):
        assert part in text, part
