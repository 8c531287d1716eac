from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import stamina
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.github import transport
from bot.github.errors import Denied, GitHubError, Limited, NotFound, Refused, Unavailable
from bot.github.transport import Expired, Moved, Reply

NOW = 1_800_000_000.0
DATE = "Fri, 15 Jan 2027 08:00:00 GMT"  # the same moment


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


def said(text: str) -> str:
    return json.dumps({"message": text})


@pytest.mark.parametrize(
    ("status", "headers", "text", "error"),
    [
        (401, {}, said("Bad credentials"), Expired),
        (403, {}, said("Resource not accessible by integration"), Denied),
        (403, {"x-ratelimit-remaining": "17"}, said("Must have admin rights"), Denied),
        (404, {}, said("Not Found"), NotFound),
        (410, {}, said("Issues are disabled for this repo"), NotFound),
        (409, {}, said("Conflict"), Refused),
        (422, {}, said("Validation Failed"), Refused),
        (400, {}, "<html>", Refused),
        (302, {}, "", Moved),
        (308, {"location": "x"}, said("Moved Permanently"), Moved),
        (304, {}, "", Refused),
        (408, {}, "", Unavailable),
        (500, {}, "<html>Unicorn!", Unavailable),
        (502, {}, said("Server Error"), Unavailable),
        (503, {"retry-after": "3"}, "", Unavailable),
        (429, {}, said("Too many requests"), Limited),
        (429, {}, "<html>", Limited),
        (403, {"retry-after": "60"}, said("Please wait."), Limited),
        (403, {"x-ratelimit-remaining": "0"}, said("API rate limit exceeded"), Limited),
        (403, {}, said("You have exceeded a secondary rate limit. Please wait."), Limited),
        (403, {}, said("You have triggered an abuse detection mechanism."), Limited),
    ],
)
def test_each_answer_says_what_to_do_next(
    status: int, headers: dict[str, str], text: str, error: type[GitHubError]
) -> None:
    failed = transport.failure(status, headers, text, "GET /x", NOW)
    assert type(failed) is error
    assert failed.hint and str(status) in failed.message and "GET /x" in failed.message


@pytest.mark.parametrize(
    ("headers", "low", "high"),
    [
        ({"retry-after": "60"}, 60, 60),
        ({"retry-after": "0"}, 1, 1),
        ({"retry-after": "999999999"}, transport.LONGEST, transport.LONGEST),
        ({"retry-after": "-5"}, 60, 75),
        ({"retry-after": "soon"}, 60, 75),
        ({"retry-after": "²"}, 60, 75),
        ({}, 60, 75),
        ({"x-ratelimit-remaining": "12", "x-ratelimit-reset": str(int(NOW) + 9)}, 60, 75),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 90)}, 91, 91),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) - 90)}, 1, 1),
        ({"x-ratelimit-remaining": "0"}, 60, 75),
    ],
)
def test_a_limit_ends(headers: dict[str, str], low: float, high: float) -> None:
    for more in ({}, {"date": DATE}, {"date": "nonsense"}):
        assert low <= transport.until(headers | more, NOW) - NOW <= high


def test_a_reset_is_read_by_githubs_clock() -> None:
    spent = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 90), "date": DATE}
    assert transport.until(spent, NOW - 5_000) == NOW - 5_000 + 91


def test_a_limit_that_says_nothing_is_waited_for_longer_each_time() -> None:
    waits = [transport.until({}, NOW, strikes) - NOW for strikes in (0, 1, 2, 3, 50)]
    assert waits == sorted(waits) and waits[1] >= 120 and waits[4] == transport.LONGEST


@pytest.mark.parametrize(
    ("text", "due"),
    [
        (said("Not\n Found"), "Not Found"),
        (said("token ghs_" + "a" * 36), "token [redacted: GitHub token]"),
        (said("a\u202eb\x1b[31m"), "a\\u202eb\\x1b[31m"),
        (said("x" * 5000), "x" * 299 + "…"),
        (json.dumps({"message": "Invalid", "errors": ["no ghp_" + "b" * 36]}),
         'Invalid ["no [redacted: GitHub token]"]'),
        ("<html>", ""),
        ("[1]", ""),
        ("", ""),
        ('{"message": 5}', ""),
        ("[" * 200_000, ""),
    ],
)  # fmt: skip
def test_github_is_quoted_without_secrets_and_shortly(text: str, due: str) -> None:
    assert transport.message(text) == due


@settings(max_examples=300)
@given(
    st.integers(300, 599),
    st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "date"]),
        st.text(max_size=30) | st.integers().map(str),
    ),
    st.text(max_size=200) | st.text(max_size=200).map(said),
)
def test_any_answer_is_an_error_with_an_end(
    status: int, headers: dict[str, str], text: str
) -> None:
    failed = transport.failure(status, headers, text, "GET /x", NOW)
    assert len(failed.message) < 500 and failed.message.isprintable()
    if isinstance(failed, Limited):
        assert NOW + 1 <= failed.until <= NOW + transport.LONGEST


class Script:
    """Answers in order; an exception is raised."""

    def __init__(self, *answers: Reply | GitHubError) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def ask(self, verb: str, path: str, query: object = None, body: object = None) -> Reply:
        self.asked.append(f"{verb} {path} {query or ''}".strip())
        answer = self.answers.pop(0)
        if isinstance(answer, GitHubError):
            raise answer
        return answer


DOWN = Unavailable("down", "wait")
YES = Reply(200, {}, "yes")


def test_reading_is_tried_again_and_not_for_ever() -> None:
    wire = Script(DOWN, DOWN, YES)
    assert transport.get(wire, "/x") is YES
    wire = Script(*[DOWN] * 9)
    with pytest.raises(Unavailable):
        transport.get(wire, "/x")
    assert len(wire.asked) == 4


@pytest.mark.parametrize(
    "error",
    [
        Refused("no", "h"), NotFound("no", "h"), Denied("no", "h"),
        Limited("no", "h", 32_503_680_000.0),
    ],
)  # fmt: skip
def test_what_would_not_change_is_not_tried_again(error: GitHubError) -> None:
    wire = Script(error, YES)
    with pytest.raises(type(error)):
        transport.get(wire, "/x")
    assert len(wire.asked) == 1


def test_a_limit_of_seconds_is_waited_for() -> None:
    wire = Script(Limited("short", "h", 0.0), YES)
    assert transport.get(wire, "/x") is YES


def test_a_write_is_looked_for_first_and_after_each_lost_answer() -> None:
    stored: list[str] = []
    steps: list[str] = []

    def look() -> str | None:
        steps.append("look")
        return stored[0] if stored else None

    def write() -> str:
        steps.append("write")
        stored.append("made")
        raise DOWN

    assert transport.once(look, write) == "made"
    assert steps == ["look", "write", "look"] and len(stored) == 1


def link(page: int) -> dict[str, str]:
    return {"link": f'<https://x/y?page=1>; rel="prev", <https://x/y?page={page}>; rel="next"'}


def test_pages_are_read_to_the_last() -> None:
    wire = Script(Reply(200, link(2), "a"), DOWN, Reply(200, link(3), "b"), Reply(200, {}, "c"))
    assert [reply.text for reply in transport.pages(wire, "/x", {"q": "v"})] == ["a", "b", "c"]
    assert wire.asked[-1] == "GET /x {'per_page': 100, 'q': 'v', 'page': 3}"


def test_a_list_without_an_end_is_no_answer() -> None:
    wire = Script(*[Reply(200, link(9), "a")] * 5)
    with pytest.raises(GitHubError, match="more than 3 pages"):
        list(transport.pages(wire, "/x", most=3))
    assert len(wire.asked) == 3
