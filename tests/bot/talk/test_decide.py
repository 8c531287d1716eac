"""Who may say what, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import catalog
from bot.github.values import Role, Target
from bot.people import Account, ClaSignature
from bot.serve.contract import Approval, Waived
from bot.talk.approving import LOADS
from bot.talk.commands import COMMANDS
from bot.talk.decide import decide
from bot.talk.grammar import parse, read
from bot.talk.quota import Left
from bot.talk.releasing import UNGRANTED, barred, inputs, started, unstarted
from bot.talk.reply import reply
from bot.talk.values import (
    Answer,
    Approve,
    Cancel,
    Declare,
    Effect,
    Recheck,
    Release,
    SignCla,
    Waive,
)
from bot.talk.waiving import NEVER, never
from tests.bot.talk.situations import AUTHOR, BASE, HEAD, NOW, OTHER, REPO, situation

WAIVE = "/warden waive regression/slower until 2026-12-01 because the new cache comes next week"
MEASURE = f"/warden measure --head {HEAD[:12]}"
# A line of each command that is fine, and the least role that may say it.
FINE = {
    "help": ("/warden help", Role.NONE),
    "check": ("/warden check", Role.TRIAGE),
    "measure": (MEASURE, Role.WRITE),
    "cancel": ("/warden cancel", Role.WRITE),
    "waive": (WAIVE, Role.MAINTAIN),
    "explain": ("/warden explain weights/pickle", Role.NONE),
    "sign-cla": ("/warden sign-cla", Role.NONE),
    "conflict": ("/warden conflict", Role.WRITE),
    "release": ("/warden release v1.2.0", Role.MAINTAIN),
}
MERGED: dict[str, Any] = {"pull_state": "closed", "pull_merged": True}


def fitting(name: str) -> dict[str, Any]:
    """What the pull request must be for a command."""
    return MERGED if name == "release" else {}


BY_AUTHOR = {"help", "check", "cancel", "explain", "sign-cla"}  # with no role at all
APPROVED = Approval(Target(REPO, 7, HEAD, BASE), LOADS, "", 12, "cleo", NOW - 60, NOW + 60)


def say(line: str, **changes: Any) -> Answer:
    return decide(parse(line), situation(**changes))


def effect(line: str, **changes: Any) -> Effect:
    answer = say(line, **changes)
    assert not answer.refused, answer.text
    (found,) = answer.effects
    return found


def refused(line: str, **changes: Any) -> str:
    answer = say(line, **changes)
    assert answer.refused, answer.text
    assert answer.effects == ()
    return answer.text


def test_the_table_is_whole() -> None:
    assert set(FINE) == set(COMMANDS)
    assert LOADS in {check.NAME for check in catalog.CHECKS}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("name", FINE)
def test_each_command_by_each_role(name: str, role: Role) -> None:
    line, least = FINE[name]
    answer = say(line, role=role, **fitting(name))
    assert answer.refused == (role < least)
    assert answer.line == line
    if role < least:
        word = "no role" if role is Role.NONE else f"the {role.name.lower()} role"
        assert f"{least.name.lower()} role" in answer.text
        assert f"has {word} here" in answer.text
        assert answer.effects == ()


@pytest.mark.parametrize("name", FINE)
def test_the_author_without_a_role(name: str) -> None:
    answer = say(FINE[name][0], role=Role.NONE, who=AUTHOR)
    assert answer.refused == (name not in BY_AUTHOR)


@pytest.mark.parametrize("name", FINE)
def test_a_name_like_the_authors_is_not_the_author(name: str) -> None:
    answer = say(FINE[name][0], role=Role.NONE, who=Account(99, AUTHOR.login))
    assert answer.refused == (FINE[name][1] is not Role.NONE)


@pytest.mark.parametrize("name", FINE)
def test_a_conflict_of_interest_bars_decisions_only(name: str) -> None:
    answer = say(FINE[name][0], conflicted=True)
    barred = name in ("measure", "waive", "release")
    assert answer.refused == barred
    assert barred == ("has declared a conflict of interest" in answer.text)


@pytest.mark.parametrize("name", FINE)
def test_a_closed_pull_request(name: str) -> None:
    answer = say(FINE[name][0], pull_state="closed")
    assert answer.refused == (name in ("check", "measure", "waive", "conflict", "release"))
    merged = say(FINE[name][0], **MERGED)
    assert merged.refused == (name in ("check", "measure", "waive", "conflict"))


def test_check() -> None:
    assert effect("/warden check") == Recheck()
    assert effect("/warden check Licenses") == Recheck(("licenses",))
    assert effect("/warden check", pull_draft=True) == Recheck()
    assert "only with an approval" in say("/warden check regression").text
    assert "did you mean &#39;licenses&#39;?" in refused("/warden check licences")


def test_measure_is_bound_to_the_commits_of_now() -> None:
    approval = Approval(
        Target(REPO, 7, HEAD, BASE), LOADS, "", OTHER.id, OTHER.login, NOW, NOW + 72 * 3600
    )
    assert effect(MEASURE) == Approve(approval)
    assert effect(f"/warden measure --head {HEAD.upper()}") == Approve(approval)
    assert effect(MEASURE, approval_seconds=60.0) == Approve(replace(approval, expires_at=NOW + 60))
    assert effect(MEASURE + " --suite 'short answers'") == Approve(
        replace(approval, suite="short answers")
    )


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("", "is missing"),
        (" --head 0", "too short"),
        (f" --head {HEAD[:11]}", "too short"),
        (f" --head {HEAD[:11]}f", "is not the head"),
        (" --head " + "f" * 40, "is not the head"),
        (f" --head {HEAD}0", "is not the head"),
        (f" --head {HEAD[1:14]}", "is not the head"),
        (" --head main", "is no commit id"),
        (" --head HEAD", "is no commit id"),
        (" --head '01234567 89ab'", "is no commit id"),
        (" --head ０１２３４５６７８９ab", "is no commit id"),
        (" --head " + "0" * 65, "is no commit id"),
    ],
)
@pytest.mark.parametrize("suite", ["", " --suite 'short answers'"])
def test_a_wrong_head_is_refused_with_the_right_line(head: str, suite: str, why: str) -> None:
    text = refused(f"/warden measure{head}{suite}")
    assert why in text
    right = f"/warden measure --head {HEAD[:12]}{suite}"
    assert f"```\n{right}\n```" in text
    assert isinstance(effect(right), Approve)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"pull_draft": True}, "is a draft"),
        ({"suites": ()}, "names no suite"),
        ({"estimate": 100.1}, "only 100 minutes of its author left"),
        ({"estimate": 200.5}, "100 minutes of its author and 200 minutes of the repository left"),
        ({"left": Left(100, 0, NOW + 3600)}, "0 minutes of the repository left"),
        ({"left": Left(0, 100, NOW + 3600)}, "frees at 2026-11-18 12:06 UTC"),
        ({"estimate": float("nan")}, "budget"),
    ],
)
def test_measure_is_refused(changes: dict[str, Any], why: str) -> None:
    assert why in refused(MEASURE, **changes)


def test_an_unknown_suite() -> None:
    assert "did you mean &#39;general&#39;?" in refused(MEASURE + " --suite genral")


@pytest.mark.parametrize(
    ("approval", "suite", "again"),
    [
        (APPROVED, "", False),
        (APPROVED, " --suite general", False),
        (replace(APPROVED, suite="general"), " --suite general", False),
        (replace(APPROVED, suite="general"), "", True),
        (replace(APPROVED, expires_at=NOW), "", True),
        (replace(APPROVED, target=Target(REPO, 7, "c" * 40, BASE)), "", True),
        (replace(APPROVED, target=Target(REPO, 7, HEAD, "c" * 40)), "", True),
    ],
)
def test_an_approval_that_holds_is_not_given_twice(
    approval: Approval, suite: str, again: bool
) -> None:
    answer = say(MEASURE + suite, approval=approval)
    assert not answer.refused
    assert bool(answer.effects) == again


def test_cancel() -> None:
    assert effect("/warden cancel") == Cancel("cancelled by bob in a comment")
    assert effect("/warden cancel", under_way=False, approval=APPROVED) == Cancel(
        "cancelled by bob in a comment"
    )
    assert say("/warden cancel", under_way=False).effects == ()


def test_waive() -> None:
    assert effect(WAIVE) == Waive(
        Waived(
            repo=1,
            number=7,
            rule="regression/slower",
            until="2026-12-01",
            reason="the new cache comes next week",
            by=11,
            login="bob",
            comment=77,
            at=NOW,
            head=HEAD,
        )
    )


def test_the_trust_file_says_who_may_waive() -> None:
    answer = say(WAIVE, unwaiving="`bob` has no role for it")
    assert (answer.effects, answer.refused) == ((), True)
    assert "no role" in answer.text and ".github/trust.toml" in answer.text


@pytest.mark.parametrize(
    ("until", "fine"),
    [
        ("2026-11-17", False),
        ("2026-11-18", False),  # today
        ("2026-11-19", True),
        ("2027-02-16", True),  # ninety days
        ("2027-02-17", False),
        ("9999-12-31", False),
        ("2026-11-31", False),
        ("20261201", False),
        ("2026-W49-1", False),
        ("２０２６-12-01", False),
        ("tomorrow", False),
    ],
)
def test_days_of_a_waiver(until: str, fine: bool) -> None:
    line = f"/warden waive regression/slower until {until} because it is fine for now"
    assert say(line).refused != fine


@pytest.mark.parametrize(
    ("reason", "fine"),
    [("x" * 11, False), ("x" * 12, True), ("x" * 500, True), ("x" * 501, False)],
)
def test_reasons_of_a_waiver(reason: str, fine: bool) -> None:
    line = f"/warden waive regression/slower until 2026-12-01 because {reason}"
    assert say(line).refused != fine


def test_a_secret_in_a_reason_is_not_kept() -> None:
    secret = "ghp_" + "a1" * 20
    line = f"/warden waive regression/slower until 2026-12-01 because it works with {secret}"
    found = effect(line)
    assert isinstance(found, Waive)
    assert found.waived.reason == "it works with [redacted: GitHub token]"
    assert secret not in say(line).text


def test_nobody_waives_findings_of_their_own_change() -> None:
    assert "own change" in refused(WAIVE, who=AUTHOR)
    assert "own change" in refused(WAIVE, who=Account(AUTHOR.id, "renamed"))


def test_an_unknown_rule_is_not_waived() -> None:
    line = "/warden waive regression/slow until 2026-12-01 because it is fine for now"
    assert "did you mean &#39;regression/slower&#39;?" in refused(line)


@pytest.mark.parametrize("rule", catalog.rules())
def test_what_a_comment_cannot_waive(rule: str) -> None:
    line = f"/warden waive {rule} until 2026-12-01 because it is fine for now"
    if never(rule):
        assert "cannot be waived by a comment" in refused(line)
    else:
        assert isinstance(effect(line), Waive)
    text = say(f"/warden explain {rule}").text
    assert ("No comment can waive it" in text) == bool(never(rule))
    assert len(text) < 2_000


def test_rules_that_are_never_waived_exist() -> None:
    rules = catalog.rules()
    for rule in NEVER:
        assert any(r.startswith(rule) if rule.endswith("/") else r == rule for r in rules), rule
    assert all(never(r) for r in rules if r.startswith(("policy/", "weights/pickle")))


def test_sign() -> None:
    assert effect("/warden sign-cla", role=Role.NONE) == SignCla(
        ClaSignature(11, "bob", "d" * 64, 77, "acme/tiny", "2026-11-18T11:06:40Z")
    )
    assert say("/warden sign-cla", signed=True).effects == ()
    assert "asks for no" in refused("/warden sign-cla", document=None)
    assert "a bot cannot" in refused("/warden sign-cla", who=Account(11, "bob", bot=True))


def test_conflict() -> None:
    assert effect("/warden conflict") == Declare(OTHER.id)
    assert say("/warden conflict", conflicted=True).effects == ()


def test_a_release_is_asked_for_once_it_is_merged() -> None:
    assert effect("/warden release", **MERGED) == Release()
    assert effect("/warden release v1.2.0", **MERGED) == Release("1.2.0")
    line = "/warden release 2026.11.1-rc.1"
    assert effect(line, **MERGED) == Release("2026.11.1-rc.1")
    assert "label" in refused("/warden release")
    assert "label" in refused("/warden release", pull_state="closed")  # closed, and not merged


@pytest.mark.parametrize(
    "words",
    [
        "latest", "v", "vv1", "1.2.0\u2028", "1.2;id", "'1 2'", "$(id)", "1" * 101, "../1",
        "1.0 now", "1.0 --force yes", "--version 1.0",
    ],
)  # fmt: skip
def test_what_is_no_version_is_refused(words: str) -> None:
    refused(f"/warden release {words}", **MERGED)


def test_only_those_whom_the_policy_names_ask_for_a_release() -> None:
    why = barred(("ann", "Cleo Smith"), "bob", "Bob")
    assert "`bob` is not among those" in why
    text = refused("/warden release", **MERGED, unreleasing=why)
    assert "release.who" in text and "Ask somebody" in text
    assert barred((), "bob", "") == ""
    assert barred(("BOB",), "bob", "") == barred(("Bob Ross",), "bob", "bob ross") == ""
    assert barred(("bo", ""), "bob", "") != ""  # no name is nobody's


def test_what_is_said_of_a_start() -> None:
    asked = Release("1.2.0")
    assert inputs(7, asked) == {"pull": "7", "version": "1.2.0"}
    assert "page Actions" in started("")
    by_hand = unstarted(UNGRANTED, 7, asked)
    assert "actions: write" in by_hand and "pull <code>&#55;</code>" in by_hand
    assert "version" in by_hand and "version" not in unstarted("x", 7, Release())


def test_help() -> None:
    text = say("/warden help", role=Role.READ).text
    assert text.count("\n- ") == len(COMMANDS)
    assert text.count("not yours here") == 6
    assert "not yours" not in say("/warden help").text
    for name, spec in COMMANDS.items():
        assert len(say(f"/warden help {name}").text) > len(spec.more)
    assert "did you mean &#39;waive&#39;?" in refused("/warden help wave")


def test_a_line_that_is_no_command_is_refused_with_its_line() -> None:
    answer = say("/warden chekc @bob")
    assert (answer.refused, answer.effects, answer.line) == (True, (), "/warden chekc @bob")


def test_explain_unknown() -> None:
    assert "did you mean &#39;weights/pickle&#39;?" in refused("/warden explain weights/pickel")


NASTY = st.lists(
    st.one_of(
        st.sampled_from(
            ["/warden check", " ", "@bob", "#1", "<!--", "-->", "`", "```", "|", "[a](http://x)"]
        ),
        st.sampled_from(["https://example.org", "ghp_" + "a1" * 20, "**", "<b>", "'", '"', "\\"]),
        st.text(st.characters(blacklist_characters="\n\r"), max_size=5),
    ),
    max_size=10,
).map("".join)


@given(NASTY, st.sampled_from(sorted(COMMANDS)), st.sampled_from(list(Role)))
def test_answers_are_no_commands_and_mention_nobody(text: str, name: str, role: Role) -> None:
    for line in (f"/warden {name} {text}", f"/warden {text}", f"{WAIVE} {text}"):
        answer = decide(parse(line), situation(role=role))
        shown = reply(77, (answer,))
        assert read(shown) == ()
        assert "@" not in shown.replace("@&#8203;", "")
        assert shown.count("<!--") == 1
        assert "ghp_" + "a1" * 20 not in shown
        assert not answer.refused or answer.effects == ()
