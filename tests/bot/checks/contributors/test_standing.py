"""The word of a person for what a tool wrote: who may give it, and what it weighs without."""

import pytest

from bot.change import Commit
from bot.checks.contributors import Settings, collect, exhibits, judge, summary
from bot.checks.contributors.hook import judge_message
from bot.checks.contributors.person import Person
from bot.finding import Finding, Level
from bot.people import Account, CommitAccount, People
from tests.fakes import FakeWorld, commit

ADA = "Signed-off-by: Ada <ada@example.org>"
BO = "Signed-off-by: Bo <bo@example.org>"
CLAUDE = "Signed-off-by: Claude <noreply@anthropic.com>"
COPILOT = "Signed-off-by: copilot <198982749+Copilot@users.noreply.github.com>"
DEPENDABOT = "Signed-off-by: dependabot[bot] <support@github.com>"
AI = {"name": "Claude", "email": "noreply@anthropic.com"}
BOT = {"name": "x[bot]", "email": "1+x[bot]@users.noreply.github.com"}
BY_BOT = "Signed-off-by: x[bot] <1+x[bot]@users.noreply.github.com>"
TWO = "contributors/ai-signoff", "contributors/sign-off"


def found(*commits: Commit, people: People | None = None, **policy: object) -> tuple[Finding, ...]:
    world = FakeWorld({"a": "1"}, {"a": "2"}, commits=commits, people=people)
    settings = Settings.model_validate(policy)
    evidence = collect(world.change(), world, settings)
    assert "signed off" in summary(evidence)
    exhibits(evidence, settings)
    return judge(evidence, settings)


def told(*commits: Commit, people: People | None = None, **policy: object) -> list[str]:
    each = found(*commits, people=people, ai_undeclared="off", **policy)
    return [f"{f.rule.removeprefix('contributors/')} {f.severity}" for f in each]


FAILS = ["ai-signoff failure"]


@pytest.mark.parametrize(
    ("lines", "who", "policy", "expected"),
    [
        ([ADA], {}, {}, []),
        ([ADA, CLAUDE], {}, {}, FAILS),
        ([ADA, COPILOT], {}, {}, FAILS),
        ([ADA, CLAUDE], {}, {"ai_signoff": "review"}, ["ai-signoff warning"]),
        ([ADA, CLAUDE], {}, {"ai_signoff": "note"}, ["ai-signoff note"]),
        ([ADA, CLAUDE], {}, {"ai_signoff": "off"}, []),
        ([CLAUDE], {}, {}, FAILS),
        ([CLAUDE], {}, {"ai_signoff": "review"}, ["ai-signoff warning", "sign-off failure"]),
        ([CLAUDE], {}, {"ai_signoff": "off"}, ["sign-off failure"]),
        # What an AI wrote: any person may answer for it, nobody else.
        ([ADA], AI, {}, []),
        ([CLAUDE], AI, {}, FAILS),
        ([CLAUDE], AI, {"ai_signoff": "review"}, ["ai-signoff warning"]),
        ([CLAUDE], AI, {"ai_signoff": "off"}, []),
        ([CLAUDE, ADA], AI, {}, FAILS),
        ([CLAUDE, COPILOT], AI, {}, FAILS),
        ([], AI, {}, ["sign-off failure"]),
        ([DEPENDABOT], AI, {}, FAILS),
        # A name that no person has, at a person's address.
        (["Signed-off-by: Claude Code <ada@example.org>"], {}, {}, FAILS),
        ([ADA, "Signed-off-by: Claude Code <ada@example.org>"], {}, {}, FAILS),
        ([ADA], {"name": "Claude Code"}, {}, []),
        (["Signed-off-by: Claude Code <ada@example.org>"], {"name": "Claude Code"}, {}, FAILS),
        ([BO], {"name": "Claude Code"}, {}, []),
        # Other bots.
        ([BY_BOT], BOT, {}, FAILS),
        ([ADA], BOT, {}, []),
        ([BY_BOT, ADA], BOT, {}, []),
        ([], BOT, {}, ["sign-off failure"]),
        ([ADA, DEPENDABOT], {}, {}, []),
        ([DEPENDABOT], {}, {}, ["sign-off failure"]),
        # The project's own.
        ([BO], {}, {}, ["sign-off failure"]),
        ([ADA, BO], {}, {"ai_accounts": ["BO@example.org"]}, FAILS),
        # People with a tool's name.
        (
            ["Signed-off-by: Claude Martin <cm@example.org>"],
            {"name": "Claude Martin", "email": "cm@example.org"},
            {},
            [],
        ),
        # No person's address after all.
        (["Signed-off-by: Ada <>"], AI, {}, ["sign-off failure"]),
        (["Signed-off-by: Ada"], AI, {}, ["sign-off failure"]),
    ],
)  # fmt: skip
def test_whose_word_counts(
    lines: list[str], who: dict[str, str], policy: dict[str, object], expected: list[str]
) -> None:
    assert told(commit("\n".join(["T", "", *lines, ""]), **who), **policy) == expected  # type: ignore[arg-type]


def test_a_tool_among_the_co_authors_is_asked_for_no_word() -> None:
    lines = "\nCo-authored-by: Claude <noreply@anthropic.com>\nCo-authored-by: Claude\n"
    assert told(commit(f"T\n\n{ADA}{lines}")) == []
    (finding,) = found(commit(f"T\n\n{ADA}\nCo-authored-by: Claude Martin <cm@e.org>\n"))
    assert finding.rule == "contributors/co-author"


def test_no_remedy_offers_a_tools_own_line() -> None:
    for message in ("T\n", f"T\n\n{CLAUDE}\n"):
        (finding, *_) = found(commit(message, **AI))  # type: ignore[arg-type]
        assert finding.rule in TWO
        assert "Signed-off-by: Claude" not in finding.remedy
        assert "person" in finding.remedy
        assert "Assisted-by: Claude" in finding.remedy


def test_the_remedy_takes_the_tools_line_out_and_adds_the_authors() -> None:
    (finding,) = found(commit(f"T\n\n{CLAUDE}\n"))
    assert "take that Signed-off-by line out" in finding.remedy
    assert "Signed-off-by: Ada <ada@example.org>" in finding.remedy


def test_a_later_commit_of_a_person_is_a_word_too() -> None:
    by_claude = commit("T\n", **AI)  # type: ignore[arg-type]
    late = f"I, Ada <ada@example.org>, hereby add my Signed-off-by to this commit: {'0' * 40}"
    assert told(by_claude, commit(f"T\n\n{late}\n\n{ADA}\n", number=1)) == ["sign-off failure"]
    signed = told(by_claude, commit(f"T\n\n{late}\n\n{ADA}\n", number=1), remediation="individual")
    assert signed == []


def test_a_bot_that_the_platform_knows_has_no_word() -> None:
    robot = Account(9, "robot", bot=True)
    people = People(Account(5, "ada"), (CommitAccount("0" * 40, robot, robot, True),))
    assert told(commit(f"T\n\n{ADA}\n"), people=people) == FAILS
    assert told(commit(f"T\n\n{ADA}\n{BO}\n"), people=people) == []
    # A listed bot whose commit is verified needs none: the project has said so.
    assert told(commit("T\n"), people=people, bots=["robot"]) == []


def test_the_hook_says_it_before_the_commit_is_made() -> None:
    ada = Person("Ada", "ada@example.org")
    (finding,) = judge_message(f"T\n\n{ADA}\n{CLAUDE}\n", ada, Settings())
    assert finding.rule == "contributors/ai-signoff"
    assert "git commit --amend" in finding.remedy
    (finding,) = judge_message(
        f"T\n\n{ADA}\nCo-authored-by: Claude <noreply@anthropic.com>\n",
        ada,
        Settings(ai_trailer="Assisted-by"),
    )
    assert (finding.rule, finding.severity) == ("contributors/ai-trailer", Level.FAILURE)
    assert judge_message("T\n", ada, Settings(dco="off")) == ()
