from __future__ import annotations

from bot.github.remembered import LARGEST, Remembered
from bot.github.transport import Reply


def reply(tag: str, text: str = "[]") -> Reply:
    return Reply(200, {"etag": tag} if tag else {}, text)


class Asked:
    def __init__(self, *answers: Reply) -> None:
        self.answers = list(answers)
        self.tags: list[str] = []

    def __call__(self, tag: str) -> Reply:
        self.tags.append(tag)
        return self.answers.pop(0)


SAME = Reply(304)


def test_an_answer_that_did_not_change_is_ours() -> None:
    kept, send = Remembered(), Asked(reply("a", "[1]"), SAME, SAME, reply("b", "[2]"), SAME)
    texts = [kept.ask("q", send).text for _ in range(5)]
    assert texts == ["[1]", "[1]", "[1]", "[2]", "[2]"]
    assert send.tags == ["", "a", "a", "a", "b"]


def test_another_question_has_no_answer_yet() -> None:
    kept = Remembered()
    kept.ask((1, 7, "/x"), Asked(reply("a")))
    other = Asked(reply("a"))
    kept.ask((2, 7, "/x"), other)
    assert other.tags == [""]


def test_what_has_no_tag_or_is_large_is_not_kept() -> None:
    for answer in (reply(""), reply("a", "x" * (LARGEST + 1)), Reply(202, {"etag": "a"}, "{}")):
        kept, send = Remembered(), Asked(answer, answer)
        kept.ask("q", send)
        kept.ask("q", send)
        assert send.tags == ["", ""]


def test_the_oldest_make_room() -> None:
    kept = Remembered(room=10)
    for name in "abc":
        kept.ask(name, Asked(reply(name, "x" * 5)))
    tags = []
    for name in "cba":
        send = Asked(reply("new", "x" * 5))
        kept.ask(name, send)
        tags += send.tags
    assert tags == ["c", "b", ""]


def test_room_is_counted_over_replacements() -> None:
    kept = Remembered(room=10)
    for number in range(20):
        kept.ask("q", Asked(reply(str(number), "x" * 9)))
    send = Asked(SAME)
    assert kept.ask("q", send).text == "x" * 9 and send.tags == ["19"]
