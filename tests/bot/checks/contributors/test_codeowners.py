import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.checks.contributors import codeowners
from bot.checks.contributors.codeowners import parse
from registry.documents import DocumentError

TEXT = """\
# who reviews what
*                 @example/everyone
*.js              @js-owner #a comment
/build/logs/      @doctocat ops@example.org
docs/*            docs@example.org
apps/             @octocat
/apps/open
with\\ space/     @spacey
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("README.md", ("@example/everyone",)),
        ("a/b.js", ("@js-owner",)),
        ("build/logs/x", ("@doctocat", "ops@example.org")),
        ("docs/a.md", ("docs@example.org",)),
        ("docs/a/b.md", ("@example/everyone",)),
        ("x/apps/y", ("@octocat",)),
        ("apps/open/y", ()),
        ("with space/a", ("@spacey",)),
    ],
)
def test_the_last_line_that_matches_decides(path: str, owners: tuple[str, ...]) -> None:
    assert parse(TEXT.encode()).of(path) == owners


@pytest.mark.parametrize(
    "line",
    ["!*.js @a", "[a-z].py @a", "*.py a", "*.py @", "*.py @a/b/c", "*.py @a/", "/ @a",
     "*.py @a,@b", "x" * 2000 + " @a", "*.py user@host"],
)  # fmt: skip
def test_lines_github_skips(line: str) -> None:
    owners = parse(f"* @all\n{line}\n".encode())
    assert [bad.number for bad in owners.bad] == [2]
    assert owners.of("a.py") == ("@all",)


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe*",
        b"* @a\0",
        b"#" * (codeowners.SIZE_LIMIT + 1),
        b"* @a\n" * (codeowners.MAX_RULES + 1),
    ],
)
def test_what_is_no_codeowners_file_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentError):
        parse(data)


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    try:
        owners = parse(text.encode())
    except (DocumentError, UnicodeEncodeError):
        return
    assert all(len(line.pattern.parts) for line in owners.lines)
