"""What is written under a pull request."""

from __future__ import annotations

import html

import pytest

from bot.talk.commands import COMMANDS
from bot.talk.decide import decide
from bot.talk.grammar import BODY, MOST, Command, parse, read
from bot.talk.quota import Left
from bot.talk.reply import BYTES, FILES, approval_request, marker, reply
from bot.talk.shown import code, ended, listed, minutes, moment, prose, typed
from bot.talk.values import Answer
from tests.bot.talk.situations import HEAD, NOW, PULL, situation

LEFT = Left(100.0, 200.0, NOW + 3_600)


def test_one_reply_holds_every_answer_after_its_line() -> None:
    shown = reply(77, (Answer("one", line="/warden a"), Answer("two", line="/warden b")))
    assert shown == (
        "<!-- modelwarden:reply:77 -->\n\n"
        "<code>/warden a</code>\n\none\n\n<code>/warden b</code>\n\ntwo\n"
    )
    assert shown.startswith(marker(77))


def test_an_answer_to_the_comment_as_a_whole_has_no_line() -> None:
    assert reply(7, (Answer("one"),)) == "<!-- modelwarden:reply:7 -->\n\none\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_our_own_answers_fit_beside_others(name: str) -> None:
    for line in (COMMANDS[name].example, f"/warden help {name}", "/warden help"):
        answer = decide(parse(line), situation(suites=("x" * 100,) * 50))
        shown = reply(1, (answer,) * MOST)
        assert "too long to show" not in shown
        assert len(shown.encode()) <= BYTES


def test_a_reply_has_a_bound() -> None:
    shown = reply(1, [Answer("x" * 100_000, line="/warden " + "@" * 900)] * MOST)
    assert shown.count("which is too long to show") == MOST
    assert len(shown.encode()) <= BYTES


def test_a_refusal_of_a_long_comment_is_one_short_reply() -> None:
    (said,) = read("/warden check\n" + "x" * BODY)
    shown = reply(1, (decide(said, situation()),))
    assert shown.count("Not done") == 1
    assert "more than 16,000. Write the command in a comment of its own." in shown.replace(
        "\n\n", " "
    )


def request(**changes: object) -> str:
    values: dict[str, object] = {
        "files": (),
        "suites": ("general",),
        "estimate": 20.0,
        "left": LEFT,
        "expires_at": NOW + 3_600,
    }
    return approval_request(PULL, **(values | changes))  # type: ignore[arg-type]


def test_a_request_says_what_an_approver_must_know() -> None:
    shown = request(files=(("m/@bob|`.py", "Python code"),))
    for words in (
        *("from a fork", "by <code>ann</code>", f"head <code>{HEAD[:12]}</code>"),
        *("1 changed file could run code", "`.py</code>: Python code", "20 minutes"),
        *("100 minutes for <code>ann</code>", "200 minutes for the repository"),
        *("Approve GPU run", "until 2026-11-18 12:06 UTC", "A push, a force-push"),
        f"```\n/warden measure --head {HEAD[:12]}\n```",
    ):
        assert words in html.unescape(shown)
    assert "@bob" not in shown
    assert "Not now" not in shown
    assert read(shown) == ()


def test_the_line_of_a_request_approves() -> None:
    line = request().split("```\n")[1].strip()
    said = parse(line)
    assert isinstance(said, Command)
    assert not decide(said, situation()).refused


def test_a_request_without_budget_says_when() -> None:
    assert "**Not now:** the run is estimated at 101 minutes" in request(estimate=101.0)


def test_many_files_are_counted() -> None:
    files = tuple((f"{n}.py", "Python code") for n in range(FILES + 5))
    shown = request(files=files)
    assert f"{FILES + 5} changed files could run code" in shown
    assert "… and 5 more" in shown
    assert shown.count("Python code") == FILES
    assert len(request(files=tuple(("@" * 4_000, "x") for _ in files)).encode()) < 60_000


def test_what_would_be_refused_is_not_asked_for() -> None:
    shown = request(suites=(), files=(("a.py", "Python code"),))
    assert "/warden measure" not in shown and "Approve GPU run" not in shown
    assert "**Nothing to approve yet:**" in shown and "regression.suite" in shown
    assert read(shown) == ()


def test_what_to_read_is_a_list_of_its_own() -> None:
    shown = request(files=(("a.py", "Python code"),))
    between = shown[shown.index("- Left today") : shown.index("a.py")]
    assert "\n\n**Read these first.**" in between
    assert shown.index("a.py") < shown.index("**To approve**")


def test_no_files() -> None:
    assert "none of the changed files could run code" in request()


def test_words() -> None:
    assert code("a`@b") == "<code>a&#96;@&#8203;b</code>"
    assert prose("run `a b` now") == "run <code>a b</code> now"
    assert prose("one ` only") == "one &#96; only"
    assert typed("a`\nb") == "```\na'\\nb\n```"
    assert [ended(t) for t in ("a", "a.", "a?")] == ["a.", "a.", "a?"]
    assert moment(NOW) == "2026-11-18 11:06 UTC"
    assert [minutes(n) for n in (-1, 0, 0.1, 1, 1.1, 1e4)] == [
        *("0 minutes", "0 minutes", "1 minute", "1 minute", "2 minutes", "10,000 minutes")
    ]
    assert minutes(float("inf")) == "an unknown number of minutes"
    assert listed([f"n{n}" for n in range(12)]).endswith("<code>n9</code> and 2 more")
