"""The agreement: bound to an account and to a version; what is not known is never a pass."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from pydantic import TypeAdapter, ValidationError

from bot.change import Commit
from bot.checks import contributors
from bot.checks.contributors import Evidence, Settings
from bot.checks.contributors.cla import COMMAND, MAX_LISTED, Cla
from bot.checks.contributors.person import Person
from bot.finding import Finding
from bot.people import Account, ClaSignature, CommitAccount, People, dump_signatures
from tests.fakes import FakeWorld, commit

TEXT, OLD = "I agree.\n", "c" * 64
NOW = hashlib.sha256(TEXT.encode()).hexdigest()
ADA, BO, EVE = Account(5, "ada"), Account(6, "bo"), Account(66, "eve")
BOT, GITHUB = Account(49699333, "renovate[bot]", bot=True), Account(19864447, "web-flow")
BO_TYPED = "Co-authored-by: Bo <6+bo@users.noreply.github.com>"


def signed(account: int, document: str = NOW, login: str = "who") -> ClaSignature:
    return ClaSignature(account, login, document, 1, "octo/tiny", "2026-01-02T03:04:05Z")


BOTH = (signed(5), signed(6))


def by(author: Account | None, number: int = 0, committer: Account | None = None) -> CommitAccount:
    return CommitAccount(f"{number:040x}", author, committer or author, True)


def judged(
    people: People | None,
    *commits: Commit,
    base: dict[str, str] | None = None,
    head: dict[str, str] | None = None,
    signers: dict[str, str] | None = None,
    **cla: object,
) -> tuple[Finding, ...]:
    files = {"CLA.md": TEXT} if base is None else base
    world = FakeWorld(
        files, files | (head or {"a": "x"}), commits=commits, people=people, signers=signers
    )
    settings = Settings.model_validate(
        {"dco": "off", "cla": {"required": True, "document": "CLA.md"} | cla}
        | ({"signatures": "required", "allowed_signers": "keys"} if signers else {})
    )
    evidence = contributors.collect(world.change(), world, settings)
    adapter = TypeAdapter(Evidence)
    assert adapter.validate_json(adapter.dump_json(evidence)) == evidence
    contributors.exhibits(evidence, settings)
    found = contributors.judge(evidence, settings)
    return tuple(f for f in found if f.rule.startswith("contributors/cla"))


def told(findings: tuple[Finding, ...]) -> list[str]:
    return [f.rule.removeprefix("contributors/") for f in findings]


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        (People(ADA, (by(ADA),), (signed(5),)), []),
        (People(ADA, (by(ADA),)), ["cla"]),
        # Bound to the account: another's signature with the same login is nothing.
        (People(ADA, (by(ADA),), (signed(6, login="ada"),)), ["cla"]),
        (People(Account(5, "renamed"), (by(ADA),), (signed(5, login="ada"),)), []),
        # Bound to the version.
        (People(ADA, (by(ADA),), (signed(5, OLD),)), ["cla"]),
        (People(ADA, (by(ADA),), (signed(5, OLD), signed(5))), []),
        # Whoever opens it signs, and so does the author of each commit.
        (People(EVE, (by(ADA),), (signed(5),)), ["cla"]),
        (People(ADA, (by(EVE),), (signed(5),)), ["cla"]),
        (People(ADA, (by(BO, committer=ADA),), (signed(5), signed(6))), []),
        # An address nobody owns; a commit the platform did not speak of; an incomplete answer.
        (People(ADA, (by(None),), (signed(5),)), ["cla-account"]),
        (People(ADA, (), (signed(5),)), ["cla-unknown"]),
        (People(ADA, (by(ADA, 7),), (signed(5),)), ["cla-unknown"]),
        (replace(People(ADA, (by(ADA),), (signed(5),)), complete=False), ["cla-unknown"]),
    ],
)
def test_who_signs(people: People, expected: list[str]) -> None:
    assert told(judged(people, commit("T\n"))) == expected


def test_the_message_says_who_what_and_what_to_type() -> None:
    (finding,) = judged(People(ADA, (by(ADA),), (signed(5, OLD),)), commit("T\n"))
    assert finding.message == (
        f"ada (account 5), author of the pull request, has not signed CLA.md, version {NOW[:12]}, "
        f"only {OLD[:12]}, which no longer counts"
    )
    assert finding.remedy.endswith("just this line: `/warden sign-cla`")
    assert COMMAND in finding.remedy


def test_an_earlier_version_may_count_on() -> None:
    people = People(ADA, (by(ADA),), (signed(5, OLD),))
    assert judged(people, commit("T\n"), accepts=[OLD]) == ()
    assert told(judged(people, commit("T\n"), accepts=["d" * 64])) == ["cla"]


def test_line_ends_make_another_version() -> None:
    people = People(ADA, (by(ADA),), (signed(5),))
    crlf = {"CLA.md": TEXT.replace("\n", "\r\n")}
    assert told(judged(people, commit("T\n"), base=crlf)) == ["cla"]


@pytest.mark.parametrize(
    ("trailer", "signatures", "expected"),
    [
        (BO_TYPED, (signed(5), signed(6)), []),
        (BO_TYPED, (signed(5),), ["cla"]),
        ("Co-authored-by: Bo <bo@users.noreply.github.com>", BOTH, ["cla-account"]),
        ("Co-authored-by: Bo <bo@example.org>", (signed(5), signed(6)), ["cla-account"]),
        ("Co-authored-by: Bo", (signed(5), signed(6)), ["cla-account"]),
        ("Co-authored-by: Ada <ADA@example.org>", (signed(5),), []),  # the address of the commit
        ("Co-authored-by: x <06+bo@users.noreply.github.com>", BOTH, ["cla-account"]),
    ],
)  # fmt: skip
def test_co_authors(
    trailer: str, signatures: tuple[ClaSignature, ...], expected: list[str]
) -> None:
    people = People(ADA, (by(ADA),), signatures)
    assert told(judged(people, commit(f"T\n\n{trailer}\n"))) == expected


def test_a_co_author_is_known_by_a_later_commit() -> None:
    people = People(ADA, (by(ADA), by(BO, 1)), (signed(5), signed(6)))
    first = commit("T\n\nCo-authored-by: Bo <bo@example.org>\n")
    second = commit("T\n", name="Bo", email="bo@example.org", number=1)
    assert judged(people, first, second) == ()
    assert told(judged(replace(people, commits=(by(ADA), by(None, 1))), first, second)) == [
        "cla-account",
        "cla-account",
    ]


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        (People(BOT, (by(BOT, committer=GITHUB),)), []),
        (People(BOT, (by(BOT, committer=BOT),)), []),
        # Eve types the bot's address; her signature proves only that she committed.
        (People(BOT, (by(BOT, committer=EVE),)), ["cla"]),
        (People(EVE, (by(BOT, committer=GITHUB),)), ["cla"]),
        (People(BOT, (replace(by(BOT, committer=GITHUB), verified=False),)), ["cla"]),
    ],
)
def test_bots(people: People, expected: list[str]) -> None:
    assert told(judged(people, commit("T\n"), exempt=["Renovate[bot]"])) == expected


def test_a_typed_bot_is_no_bot() -> None:
    people = People(ADA, (by(ADA),), (signed(5),))
    trailer = "Co-authored-by: renovate[bot] <6+renovate[bot]@users.noreply.github.com>"
    assert told(judged(people, commit(f"T\n\n{trailer}\n"), exempt=["renovate[bot]"])) == ["cla"]


def test_what_the_merge_queue_made_was_judged_before() -> None:
    squash = commit("T\n\nCo-authored-by: Bo <bo@example.org>\n")
    people = People(EVE, (by(BO, committer=GITHUB),), (), queue=True)
    assert judged(people, squash) == ()  # nobody opens a group: Eve does not matter
    assert told(judged(replace(people, queue=False), squash)) == ["cla", "cla", "cla-account"]
    assert told(judged(replace(people, commits=(by(BO),)), squash)) == ["cla", "cla-account"]


LEDGER = dump_signatures((signed(5), signed(6))).decode()


@pytest.mark.parametrize(
    ("ledger", "expected"),
    [
        (LEDGER, []),
        (dump_signatures((signed(6),)).decode(), ["cla"]),
        (LEDGER + "{}\n", ["cla-unknown", "cla"]),
        (LEDGER.replace('"account":5', '"account":"5"'), ["cla-unknown", "cla"]),
        (None, ["cla-unknown", "cla"]),
    ],
)
def test_a_ledger_at_the_base_counts(ledger: str | None, expected: list[str]) -> None:
    base = {"CLA.md": TEXT} | ({"cla.jsonl": ledger} if ledger is not None else {})
    people = People(ADA, (by(ADA),))
    assert told(judged(people, commit("T\n"), base=base, signatures="cla.jsonl")) == expected


def test_whoever_adds_a_signature_to_the_ledger_is_judged_by_the_old() -> None:
    base = {"CLA.md": TEXT, "cla.jsonl": ""}
    found = judged(
        People(ADA, (by(ADA),)),
        commit("T\n"),
        base=base,
        head={"cla.jsonl": LEDGER, "CLA.md": "Nothing is agreed.\n"},
        signatures="cla.jsonl",
    )
    assert told(found) == ["cla-changed", "cla-changed", "cla"]


def test_whoever_edits_the_document_is_judged_by_the_old() -> None:
    easy = "Nothing is agreed.\n"
    own = signed(5, hashlib.sha256(easy.encode()).hexdigest())
    found = judged(People(ADA, (by(ADA),), (own,)), commit("T\n"), head={"CLA.md": easy})
    assert told(found) == ["cla-changed", "cla"]


def test_an_account_of_one_commit_does_not_speak_for_another() -> None:
    people = People(ADA, (by(None), by(ADA, 1)), (signed(5),))
    assert told(judged(people, commit("T\n"), commit("T\n", number=1))) == ["cla-account"]


@pytest.mark.parametrize("base", [{}, {"CLA.md/x": "a"}, {"CLA.md": "x" * 1_000_001}])
def test_no_usable_document_is_unknown(base: dict[str, str]) -> None:
    people = People(ADA, (by(ADA),), (signed(5),))
    (finding,) = judged(people, commit("T\n"), base=base)
    assert finding.rule == "contributors/cla-unknown"
    assert "contributors.cla" in finding.remedy


def test_without_the_platform_nothing_typed_settles_it() -> None:
    base = {"CLA.md": TEXT, "cla.jsonl": LEDGER}
    ours = commit("T\n", email="5+ada@users.noreply.github.com")
    (finding,) = judged(None, ours, base=base, signatures="cla.jsonl")
    assert finding.rule == "contributors/cla-unknown"
    assert "--people FILE" in finding.remedy
    assert told(judged(None, commit("T\n"))) == ["cla-unknown"]
    assert judged(None) == ()  # what is staged has no commits yet


@pytest.mark.parametrize(
    ("email", "principal", "expected"),
    [
        ("5+ada@users.noreply.github.com", "5+ada@users.noreply.github.com", []),
        ("5+ada@users.noreply.github.com", "", ["cla-unknown"]),
        ("5+ada@users.noreply.github.com", "6+bo@users.noreply.github.com", ["cla-unknown"]),
        ("ada@example.org", "ada@example.org", ["cla-unknown"]),
        ("7+x@users.noreply.github.com", "7+x@users.noreply.github.com", ["cla-unknown"]),
    ],
)
def test_an_allowed_key_and_a_ledger_settle_it(
    email: str, principal: str, expected: list[str]
) -> None:
    base = {"CLA.md": TEXT, "cla.jsonl": LEDGER, "keys": "k"}
    ours = commit("T\n", email=email, signature="-----BEGIN SSH SIGNATURE-----")
    found = judged(None, ours, base=base, signatures="cla.jsonl", signers={ours.id: principal})
    assert told(found) == expected


def test_not_required_is_only_shown() -> None:
    people = People(ADA, (by(ADA),))
    assert judged(people, commit("T\n"), required=False) == ()
    found = judged(people, commit("T\n"), required=False, head={"CLA.md": "new"})
    assert told(found) == ["cla-changed"]


def test_oversize_commits_and_commits_beyond_the_bound_are_unknown() -> None:
    people = People(ADA, (by(ADA), by(ADA, 1)), (signed(5),))
    assert told(judged(people, commit("", oversize=2_000_000))) == ["cla-unknown"]
    world = FakeWorld(
        {"CLA.md": TEXT}, {"a": "x"}, commits=(commit("T"), commit("T", number=1)), people=people
    )
    cla = {"required": True, "document": "CLA.md"}
    settings = Settings.model_validate({"dco": "off", "max_commits": 1, "cla": cla})
    found = contributors.judge(contributors.collect(world.change(), world, settings), settings)
    assert "contributors/too-many-commits" in [f.rule for f in found]


def test_a_crowd_is_told_briefly() -> None:
    commits = tuple(commit("T\n", number=n) for n in range(300))
    people = People(ADA, tuple(by(Account(1_000 + n, f"u{n}"), n) for n in range(300)))
    found = judged(people, *commits)
    assert len(found) == MAX_LISTED + 1
    assert found[-1].message == "and 281 more people"


def test_strangers_text_stays_on_one_line() -> None:
    people = People(ADA, (by(None),), (signed(5),))
    hostile = "a\n::error::\x1b[31m\u202e<x>@e.org" + "y" * 5_000
    ours = commit(f"T\n\nCo-authored-by: {hostile}\n", email=hostile)
    for finding in judged(people, ours):
        text = finding.message + finding.remedy
        assert text.isprintable()
        assert len(text) < 1_000


@pytest.mark.parametrize(
    ("address", "account"),
    [
        ("5+ada@users.noreply.github.com", 5),
        ("5+Ada@Users.NoReply.GitHub.com", 5),
        ("49699333+dependabot[bot]@users.noreply.github.com", 49699333),
        ("ada@users.noreply.github.com", 0),
        ("+ada@users.noreply.github.com", 0),
        ("0+ada@users.noreply.github.com", 0),
        ("-5+ada@users.noreply.github.com", 0),
        ("\u0665+ada@users.noreply.github.com", 0),
        ("\u00b2+ada@users.noreply.github.com", 0),
        ("5+ada@users.noreply.github.com.evil.org", 0),
        ("5+ada@evil.org", 0),
        ("5+ada@x@users.noreply.github.com", 0),
        ("5+@users.noreply.github.com", 0),
        ("1" * 17 + "+a@users.noreply.github.com", 0),
    ],
)
def test_the_account_in_an_address(address: str, account: int) -> None:
    assert Person("x", address).account == account


@pytest.mark.parametrize(
    "policy",
    [{"required": True}, {"accepts": ["abc"]}, {"accepts": ["C" * 64]}, {"documents": "x"}],
)
def test_policy_is_strict(policy: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Cla.model_validate(policy)


def test_an_ai_has_nothing_to_sign_with() -> None:
    people = People(ADA, (by(ADA), by(None, 1)), BOTH[:1])
    ai = "Co-authored-by: Claude <noreply@anthropic.com>"
    by_ai = commit("T\n", name="Claude", email="noreply@anthropic.com", number=1)
    assert judged(people, commit(f"T\n\n{ai}\n"), by_ai) == ()
    # Whoever opened the pull request answers for it, and has to sign.
    eve = People(EVE, (by(None, 1),), BOTH)
    (finding,) = judged(eve, by_ai)
    assert (finding.rule, "eve" in finding.message) == ("contributors/cla", True)


def test_a_person_is_no_ai_by_a_typed_name() -> None:
    eve = People(ADA, (by(EVE, 1),), BOTH)
    (finding,) = judged(eve, commit("T\n", name="Claude Code", email="eve@e.org", number=1))
    assert (finding.rule, "eve" in finding.message) == ("contributors/cla", True)
    nobody = People(ADA, (by(None, 1),), BOTH)
    (finding,) = judged(nobody, commit("T\n", name="Bo", email="bo@e.org", number=1))
    assert finding.rule == "contributors/cla-account"


def test_without_the_platform_an_ai_stays_unknown() -> None:
    by_ai = commit("T\n", name="Claude", email="noreply@anthropic.com")
    (finding,) = judged(None, by_ai)
    assert finding.rule == "contributors/cla-unknown"
