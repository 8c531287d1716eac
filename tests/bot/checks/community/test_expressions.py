import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.checks.community.expressions import contexts, expressions, strangers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("none", []),
        ("${{ a }} and ${{b}}", [" a ", "b"]),
        ("${{ '}}' }}x", [" '}}' "]),
        ("${{ open", [" open"]),
        ("${{ 'open }}", [" 'open }}"]),
        ("$ {{ a }}", []),
    ],
)
def test_expressions(text: str, expected: list[str]) -> None:
    assert list(expressions(text)) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("github.event.issue.title", ("github.event.issue.title",)),
        (" GitHub . Event [ 'Issue' ] . TITLE ", ("github.event.issue.title",)),
        ("github['event']['issue']['title']", ("github.event.issue.title",)),
        ("github.event.commits[0].message", ("github.event.commits.*.message",)),
        ("github.event.commits.*.message", ("github.event.commits.*.message",)),
        ("'github.event.issue.title'", ()),
        ("contains(github.event.issue.title, ')')", ()),
        ("contains(github.event.issue.title, 'x') && github.head_ref", ("github.head_ref",)),
        ("startsWith(github.head_ref, 'a') || env.X", ("env.x",)),
        ("github.head_ref == 'main'", ()),
        ("github.head_ref != 'x' && github.head_ref", ("github.head_ref",)),
        ("mygithub.head_ref", ()),
        ("secrets.TOKEN", ()),
    ],
)
def test_contexts(expression: str, expected: tuple[str, ...]) -> None:
    assert contexts(expression) == expected


@pytest.mark.parametrize(
    "value",
    [
        "github.head_ref",
        "github.event.issue.title",
        "github.event.issue.body",
        "github.event.pull_request.title",
        "github.event.pull_request.head.ref",
        "github.event.pull_request.head.label",
        "github.event.pull_request.head.repo.default_branch",
        "github.event.comment.body",
        "github.event.review.body",
        "github.event.discussion.title",
        "github.event.pages[0].page_name",
        "github.event.commits[0].author.email",
        "github.event.head_commit.message",
        "github.event.head_commit.author.name",
        "github.event.workflow_run.head_branch",
        "format('{0}', github.event.issue.title)",
        "github.event.issue.title || 'none'",
        "toJSON(github)",
        "toJSON(github.event)",
        "toJSON(github.event.pull_request)",
        "env.TITLE",
    ],
)
def test_what_a_stranger_chooses(value: str) -> None:
    assert strangers("echo ${{ " + value + " }}", frozenset(("title",)))


@pytest.mark.parametrize(
    "value",
    [
        "github.sha",
        "github.actor",
        "github.event.number",
        "github.event.pull_request.number",
        "github.event.pull_request.base.ref",
        "github.event.repository.default_branch",
        "github.event.inputs.title",
        "github.event.client_payload.body",
        "secrets.TITLE",
        "env.OTHER",
        "toJSON(github.event.pull_request.number)",
        "toJSON(steps)",
    ],
)
def test_what_only_the_project_chooses(value: str) -> None:
    assert not strangers("echo ${{ " + value + " }}", frozenset(("title",)))


@given(st.text("${}' [].github_ev-0=&|()", max_size=300))
def test_any_text_is_read(text: str) -> None:
    for expression, context in strangers(text):
        assert expression in text
        assert context.startswith("github")


def test_hostile_texts_take_no_time() -> None:
    started = time.perf_counter()
    for text in ("${{ contains(" * 30_000, "${{'" * 100_000, "${{ github" + ".event" * 50_000,
                 "${{ a" + "[" * 200_000):  # fmt: skip
        strangers(text)
    assert time.perf_counter() - started < 5
