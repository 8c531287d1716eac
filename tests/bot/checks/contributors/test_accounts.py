"""Which commits need no sign-off: only what the platform proves counts."""

from __future__ import annotations

import pytest

from bot.checks import contributors
from bot.checks.contributors import Settings
from bot.checks.contributors.accounts import excused
from bot.people import Account, CommitAccount, People
from tests.fakes import FakeWorld, commit

BOT = Account(49699333, "dependabot[bot]", bot=True)
GITHUB = Account(19864447, "web-flow")
EVE, ADA, LIKE = Account(66, "eve"), Account(5, "ada"), Account(7, "dependabot")
ID = f"{0:040x}"


def told(by: CommitAccount, *bots: str, queue: bool = False) -> list[str]:
    people = People(EVE, (by,), queue=queue)
    world = FakeWorld({}, {"a": "x"}, commits=(commit("Bump x\n"),), people=people)
    settings = Settings(bots=bots)
    evidence = contributors.collect(world.change(), world, settings)
    return [f.rule.partition("/")[2] for f in contributors.judge(evidence, settings)]


@pytest.mark.parametrize(
    ("by", "bots", "expected"),
    [
        (CommitAccount(ID, BOT, GITHUB, True), ("dependabot[bot]",), []),
        (CommitAccount(ID, BOT, BOT, True), ("dependabot[bot]",), []),
        (CommitAccount(ID, BOT, BOT, True), ("Dependabot[bot]",), []),
        # Not listed, or not verified.
        (CommitAccount(ID, BOT, GITHUB, True), (), ["sign-off"]),
        (CommitAccount(ID, BOT, GITHUB, True), ("dependabot",), ["sign-off"]),
        (CommitAccount(ID, BOT, GITHUB, False), ("dependabot[bot]",), ["sign-off"]),
        (CommitAccount(ID, BOT, BOT, False), ("dependabot[bot]",), ["sign-off"]),
        # Eve signs with her own key and types the bot's address as the author.
        (CommitAccount(ID, BOT, EVE, True), ("dependabot[bot]",), ["sign-off"]),
        (CommitAccount(ID, BOT, None, True), ("dependabot[bot]",), ["sign-off"]),
        # The bot is only the committer; the platform knows no author.
        (CommitAccount(ID, EVE, BOT, True), ("dependabot[bot]",), ["sign-off"]),
        (CommitAccount(ID, None, BOT, True), ("dependabot[bot]",), ["sign-off"]),
        # A login that looks like the bot's.
        (CommitAccount(ID, LIKE, GITHUB, True), ("dependabot[bot]",), ["sign-off"]),
        # Another commit of the change.
        (CommitAccount("f" * 40, BOT, GITHUB, True), ("dependabot[bot]",), ["sign-off"]),
    ],
)  # fmt: skip
def test_bots(by: CommitAccount, bots: tuple[str, ...], expected: list[str]) -> None:
    assert told(by, *bots) == expected


@pytest.mark.parametrize(
    ("by", "queue", "expected"),
    [
        (CommitAccount(ID, ADA, GITHUB, True), True, []),
        (CommitAccount(ID, ADA, GITHUB, True), False, ["sign-off"]),
        (CommitAccount(ID, ADA, GITHUB, False), True, ["sign-off"]),
        (CommitAccount(ID, GITHUB, ADA, True), True, ["sign-off"]),
        (CommitAccount(ID, ADA, Account(7, "web-flow-"), True), True, ["sign-off"]),
        (CommitAccount(ID, ADA, None, True), True, ["sign-off"]),
    ],
)
def test_the_merge_queue(by: CommitAccount, queue: bool, expected: list[str]) -> None:
    assert told(by, queue=queue) == expected


def test_a_bots_commit_still_needs_its_co_authors() -> None:
    people = People(EVE, (CommitAccount(ID, BOT, GITHUB, True),))
    message = "Bump x\n\nCo-authored-by: Bo <bo@example.org>\n"
    world = FakeWorld({}, {"a": "x"}, commits=(commit(message),), people=people)
    settings = Settings(bots=("dependabot[bot]",))
    evidence = contributors.collect(world.change(), world, settings)
    assert [f.rule for f in contributors.judge(evidence, settings)] == ["contributors/co-author"]
    (table,) = contributors.exhibits(evidence, settings)
    assert table.rows[0][2] == "not needed"  # type: ignore[union-attr]


def test_without_people_nothing_is_excused() -> None:
    assert excused(None, ("dependabot[bot]",)) == excused(People(ADA), ("ada",))
