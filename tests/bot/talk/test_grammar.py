"""What is a command and what is none: the words of strangers, one form a row."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.talk.commands import COMMANDS
from bot.talk.grammar import BODY, LINE, MOST, Command, Unread, parse, read

CHECK = (Command("check", (), "/warden check"),)

# Read as the command `check`, and nothing else.
HEARD = {
    "alone": "/warden check",
    "newline": "/warden check\n",
    "crlf": "hello\r\n\r\n/warden check\r\n",
    "cr": "hello\r\r/warden check\r",
    "crlf in a paragraph": "hello\r\n/warden check\r\nthanks",
    "after text": "Please look again:\n/warden check",
    "before text": "/warden check\nThanks!",
    "trailing blanks": "/warden check   \t ",
    "hard break": "hello  \n/warden check",
    "backslash break": "hello\\\n/warden check",
    "after a quote": "> somebody said\n\n/warden check",
    "after a fence": "```\n/warden cancel\n```\n/warden check",
    "after a comment": "<!-- a template -->\n\n/warden check",
    "after a comment in text": "a <!-- b --> c\n/warden check",
    "after a folded part": "<details>\n\n/warden cancel\n\n</details>\n\n/warden check",
    "after an image": '<img width="10" src="x">\n\n/warden check',
    "after a break element": "a<br>\n/warden check",
    "after a list": "- a\n- b\n\n/warden check",
    "after a table": "|a|\n|-|\n|b|\n\n/warden check",
    "after a heading": "# a\n/warden check",
    "after a rule": "a\n\n---\n/warden check",
    "after a lone backtick": "a ` b\n/warden check",
    "after a lone star": "a * b\n/warden check",
    "after a whole span": "`/warden cancel`\n/warden check",
    "after an emphasis": "*a*\n/warden check",
    "after many brackets": "[" * 30 + "\n/warden check",
    "after a bad tag": "a < b > c\n/warden check",
    "after a definition": "[a]: https://example.org\n/warden check",
}

# No command at all, and nothing to answer.
UNHEARD = {
    "empty": "",
    "blanks": " \n\t\n",
    "mid-line": "say /warden check",
    "one blank before": " /warden check",
    "three blanks before": "   /warden check",
    "blank before, in a paragraph": "a\n /warden check",
    "tab before": "\t/warden check",
    "tab before, in a paragraph": "a\n\t/warden check",
    "indented code": "    /warden check",
    "indented after text": "a\n    /warden check",
    "wide blank before": "\u3000/warden check",
    "no-break blank before": "\u00a0/warden check",
    "zero-width before": "\u200b/warden check",
    "byte order mark before": "\ufeff/warden check",
    "right-to-left before": "\u202e/warden check",
    "line separator": "a\u2028/warden check",
    "paragraph separator": "a\u2029/warden check",
    "next line": "a\u0085/warden check",
    "vertical tab": "a\x0b/warden check",
    "form feed": "a\x0c/warden check",
    "nul before": "\0/warden check",
    "quote": "> /warden check",
    "quote without a blank": ">/warden check",
    "lazy quote": "> a\n/warden check",
    "nested quote": "> > /warden check",
    "quote in a list": "- > /warden check",
    "very deep quote": ">" * 40 + " /warden check",
    "fence": "```\n/warden check\n```",
    "fence of a language": "```sh\n/warden check\n```",
    "tilde fence": "~~~\n/warden check\n~~~",
    "open fence": "```\n/warden check",
    "longer fence": "````\n```\n/warden check\n````",
    "fence with crlf": "```\r\n/warden check\r\n```",
    "fence closed wrongly": "```\n~~~\n/warden check",
    "fence with info after": "```\n``` x\n/warden check",
    "span": "`/warden check`",
    "span over lines": "`a\n/warden check\nb`",
    "double span over lines": "``a\n/warden check ` b\n``",
    "link over lines": "[a\n/warden check\nb](https://example.org)",
    "link title over lines": '[a](https://example.org "b\n/warden check\nc")',
    "image over lines": "![a\n/warden check\nb](https://example.org)",
    "emphasis over lines": "*a\n/warden check\nb*",
    "strong over lines": "**a\n/warden check\nb**",
    "strikethrough over lines": "~~a\n/warden check\nb~~",
    "definition title over lines": '[a]: /x "b\n/warden check\nc"',
    "footnote": "[^1]: a b\n/warden check",
    "footnote of one word": "[^1]: a\n/warden check",
    "formula": "$$\n/warden check\n$$",
    "comment": "<!--\n/warden check\n-->",
    "comment with blank lines": "<!--\n\n/warden check\n\n-->",
    "comment in text": "a <!-- b\n/warden check\n-->",
    "open comment": "<!--\n/warden check",
    "comment with odd end": "<!-- --!>\n\n/warden check\n\n-->",
    "processing": "<?a\n/warden check\n?>",
    "declaration": "<!A\n/warden check\n>",
    "marked section": "<![CDATA[\n/warden check\n]]>",
    "block element": "<div>\n/warden check\n</div>",
    "block element, blank lines": "<div>\n\n/warden check\n\n</div>",
    "element that hides": "<div hidden>\n\n/warden check\n\n</div>",
    "paragraph that hides": "a</p><p hidden>b\n/warden check",
    "folded": "<details>\n\n/warden check\n\n</details>",
    "folded, closed wrongly": "<details><b>\n\n</b>\n\n/warden check",
    "quote element": "<blockquote>\n\n/warden check\n\n</blockquote>",
    "quote element, misnested": "<b><blockquote></b>\n\n/warden check",
    "pre": "<pre>\n/warden check\n</pre>",
    "open pre": "<pre>\n\n/warden check",
    "script": "<script>\n\n/warden check\n\n</script>",
    "code element": "<code>a\n/warden check\n</code>",
    "self-closed element": "<details/>\n\n/warden check",
    "attribute over paragraphs": '<div title="\n\n/warden check\n\n">',
    "attribute over lines": 'a <b title="\n/warden check\n">',
    "list": "- /warden check",
    "numbered list": "1. /warden check",
    "lazy list": "- a\n/warden check",
    "paragraph of a list": "- a\n\n  /warden check",
    "task": "- [ ] /warden check",
    "heading": "# /warden check",
    "underlined heading": "/warden check\n===",
    "table": "|a|\n|-|\n|/warden check|",
    "row without bars": "|a|\n|-|\n/warden check",
    "table head": "/warden check|a\n-|-",
    "escaped": "\\/warden check",
    "entity": "&#47;warden check",
    "emphasised": "*/warden check*",
    "full-width slash": "／warden check",
    "division slash": "∕warden check",
    "fraction slash": "⁄warden check",
    "big solidus": "⧸warden check",
    "two slashes": "//warden check",
    "cyrillic a": "/wаrden check",
    "full-width word": "/ｗａｒｄｅｎ check",
    "blank after the slash": "/ warden check",
    "longer word": "/wardens check",
    "hyphen": "/warden-check",
    "colon": "/warden: check",
    "path": "/warden/check",
    "address": "https://example.org/warden check",
    "mention": "@warden check",
}


@pytest.mark.parametrize("body", HEARD.values(), ids=HEARD.keys())
def test_heard(body: str) -> None:
    assert read(body) == CHECK


@pytest.mark.parametrize("body", UNHEARD.values(), ids=UNHEARD.keys())
def test_unheard(body: str) -> None:
    assert read(body) == ()


@pytest.mark.parametrize(
    ("line", "name", "values"),
    [
        ("/warden", "help", {}),
        ("/WARDEN Check", "check", {}),
        ("/warden\tcheck\tlicenses", "check", {"CHECK": "licenses"}),
        ("/warden   check   'licenses'", "check", {"CHECK": "licenses"}),
        ("/warden help waive", "help", {"COMMAND": "waive"}),
        ("/warden measure", "measure", {}),
        ("/warden measure --head 0123456789ab", "measure", {"SHA": "0123456789ab"}),
        ("/warden measure --HEAD=0123456789AB", "measure", {"SHA": "0123456789AB"}),
        (
            '/warden measure --suite "short answers" --head abc',
            "measure",
            {"SHA": "abc", "SUITE": "short answers"},
        ),
        ('/warden measure --suite="a b"', "measure", {"SUITE": "a b"}),
        ("/warden explain weights/pickle", "explain", {"RULE": "weights/pickle"}),
        (
            "/warden waive a/b UNTIL 2026-12-01 BECAUSE it's fine, because I said so",
            "waive",
            {"RULE": "a/b", "DATE": "2026-12-01", "because": "it's fine, because I said so"},
        ),
        (
            '/warden waive a/b until 2026-12-01 because "the `cache` comes"',
            "waive",
            {"RULE": "a/b", "DATE": "2026-12-01", "because": "the `cache` comes"},
        ),
        (
            "/warden waive a/b until 2026-12-01 because --head über 日本",
            "waive",
            {"RULE": "a/b", "DATE": "2026-12-01", "because": "--head über 日本"},
        ),
        ("/warden release", "release", {}),
        ("/warden release v1.2.0", "release", {"VERSION": "v1.2.0"}),
        ("/warden Sign-CLA", "sign-cla", {}),
    ],
)
def test_commands_as_typed(line: str, name: str, values: dict[str, str]) -> None:
    said = parse(line)
    assert isinstance(said, Command), said
    assert (said.name, dict(said.values)) == (name, values)
    assert said.value("NOTHING") == ""


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/warden chekc", "no command 'chekc'; did you mean 'check'?"),
        ("/warden 検査", "no command '検査'"),
        ("/warden check two names", "'names' is too much"),
        ("/warden cancel now", "'now' is too much"),
        ("/warden cancel --force", "no option '--force'"),
        ("/warden measure --haed abc", "no option '--haed'; did you mean '--head'?"),
        ("/warden measure —head abc", "no option '—head'; did you mean '--head'?"),
        ("/warden measure -h abc", "no option '-h'"),
        ("/warden measure abc", "'abc' is too much"),
        ("/warden measure --head", "'--head' needs a value"),
        ("/warden measure --head=", "'--head' needs a value"),
        ("/warden measure --head --suite x", "'--head' needs a value"),
        ("/warden measure --head a --head b", "'--head' is given twice"),
        ("/warden measure --suite 'a b", "quote is not closed"),
        ("/warden explain", "'RULE' is missing"),
        ("/warden waive", "'because' and the reason are missing"),
        ("/warden waive a/b because it is fine", "'until' is missing"),
        ("/warden waive a/b till 2026-12-01 because it is fine", "'until' is missing"),
        ("/warden waive a/b until because it is fine", "'DATE' is missing"),
        ("/warden waive a/b until 2026-12-01", "'because' and the reason are missing"),
        ("/warden waive a/b until 2026-12-01 because", "'because' and the reason are missing"),
        ("/warden waive a/b until 2026-12-01 because ''", "'because' and the reason are missing"),
        ("/warden waive a/b until 2026-12-01 because: x", "'because' and the reason are missing"),
        ("/warden waive a/b until 2026-12-01 x because y", "'x' is too much"),
        ("/warden\u00a0check", "U+00A0"),
        ("/warden\u3000check", "U+3000"),
        ("/warden\u200bcheck", "U+200B"),
        ("/warden check\u200b", "U+200B"),
        ("/warden check \u202elicenses", "U+202E"),
        ("/warden check lic\u00adenses", "U+00AD"),
        ("/warden check \x1b[31m", "U+001B"),
        ("/warden check \u3164", "U+3164"),
        ("/warden check \ud800", "U+D800"),
        ("/warden check \U000e0041", "U+E0041"),
        ("/warden check " + "x" * LINE, "more than 1,000"),
    ],
)
def test_lines_that_are_refused(line: str, why: str) -> None:
    (said,) = read(line)
    assert isinstance(said, Unread)
    assert why in said.why
    assert said.remedy
    assert said.line == line


def test_any_case_is_heard() -> None:
    assert read("/WARDEN Check") == (Command("check", (), "/WARDEN Check"),)


def test_a_nul_is_refused_although_the_parser_replaces_it() -> None:
    (said,) = read("/warden check\0")
    assert isinstance(said, Unread)
    assert "U+FFFD" in said.why


def test_several_in_order() -> None:
    said = read("/warden check\ntext\n\n/warden cancel\n/warden wat")
    assert [s.line for s in said] == ["/warden check", "/warden cancel", "/warden wat"]


def test_too_many_are_refused_once() -> None:
    assert len(read("/warden check\n" * MOST)) == MOST
    (said,) = read("/warden check\n" * (MOST + 1))
    assert isinstance(said, Unread)
    assert "6 commands" in said.why


def test_a_long_comment_is_refused_once_and_only_where_it_holds_a_command() -> None:
    assert read("x" * (BODY + 1)) == ()
    (said,) = read("x" * BODY + "\n/warden check")
    assert isinstance(said, Unread)
    assert "16,014 characters" in said.why
    assert said.line == ""


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "![",
        "<!--",
        "a\n- ",
        "|a|b|\n|-|-|\n",
        "*a **b ",
        "<b>",
        "`` ` ",
        "[^a]:\n",
        "<![CDATA[",
    ],
)
def test_a_flood_is_read_all_the_same(piece: str) -> None:
    body = (piece * BODY)[: BODY - 20] + "\n\n/warden check"
    assert read(body) in ((), CHECK)


PIECES = st.one_of(
    st.sampled_from(
        [
            *(
                "/warden check",
                "/warden cancel",
                "\n",
                "\n\n",
                "\r\n",
                " ",
                "\t",
                "`",
                "```",
                "~~~",
            ),
            *("<!--", "-->", "<b>", "</b>", "<div>", "> ", "- ", "|", "\\", "*", "[", "](x)", "&#"),
        ]
    ),
    st.text(max_size=4),
)
TEXTS = st.lists(PIECES, max_size=14).map("".join)


@settings(max_examples=300)
@given(TEXTS, st.sampled_from(("`", "~")), TEXTS)
def test_nothing_in_a_fence_is_ever_a_command(text: str, mark: str, before: str) -> None:
    fence = mark * 60  # longer than any the text makes
    body = f"{fence}\n{text}\n{fence}"
    assert read(body) == ()
    assert read(f"{fence}\n{before}\n{fence}\n{fence}\n{text}") == ()


@settings(max_examples=300)
@given(TEXTS)
def test_nothing_in_a_quote_or_indented_is_ever_a_command(text: str) -> None:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert read("\n".join(f"> {line}" for line in lines)) == ()
    assert read("\n".join(f"    {line}" for line in lines)) == ()


@settings(max_examples=300)
@given(TEXTS)
def test_any_text_is_read_without_a_crash(text: str) -> None:
    for said in read(text):
        assert said.line.lower().startswith("/warden") or isinstance(said, Unread)
        assert f"\n{said.line}" in "\n" + text.replace("\r", "\n").replace("\0", "\ufffd")


def test_every_example_of_the_table_is_read() -> None:
    for spec in COMMANDS.values():
        said = parse(spec.example)
        assert isinstance(said, Command)
        assert said.name == spec.name
