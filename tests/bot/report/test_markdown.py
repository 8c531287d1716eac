from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from bot.exhibit import Table
from bot.finding import Finding, Level, Location
from bot.report import render
from bot.verdict import Outcome, Report, Verdict
from tests.bot.report.samples import HOSTILE, RULES, odd_exhibits, report

BYTES = 65_535
OWN_TAGS = {"<code>", "</code>", "<b>", "</b>", "</summary>"}


def _hostile() -> Report:
    places = (Location(HOSTILE, 3), Location("", 0, HOSTILE), Location())
    findings = tuple(
        Finding(rule, level, HOSTILE, HOSTILE, place, waiver)
        for rule in ("weights/pickle", HOSTILE)
        for level in Level
        for place in places
        for waiver in ("", HOSTILE)
    )
    table = Table(HOSTILE, (HOSTILE, "- x"), ((HOSTILE, "1. y"),))
    change = replace(report().change, repository=HOSTILE, author=HOSTILE)
    verdict = Verdict(HOSTILE, Outcome.ERROR, findings, HOSTILE, (table, *odd_exhibits()))
    return Report(change, HOSTILE, (verdict,))


def _many(checks: int, findings: int, text: str) -> Report:
    found = tuple(
        Finding("a/b", Level.FAILURE, text, f"{i} {text}", Location(f"{i}/{text}"))
        for i in range(findings)
    )
    verdicts = tuple(Verdict(f"c{i}", Outcome.FAIL, found, text) for i in range(checks))
    return replace(report(), verdicts=verdicts)


@pytest.mark.parametrize("given", [report(), _hostile()], ids=["rich", "hostile"])
def test_only_our_own_structure_is_there(given: Report) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(render(given, "markdown", RULES))
    kinds = {t.type for t in tokens}
    assert not kinds & {"fence", "code_block", "blockquote_open", "hr"}
    assert [t.tag for t in tokens if t.type == "heading_open"] == ["h2", "h3"]
    for token in tokens:
        if token.type == "html_block":
            assert re.fullmatch(
                r"<details><summary>[^<>]*</summary>|</details>", token.content.strip()
            )
        for part in token.children or ():
            assert part.type not in ("image", "link_open", "code_inline", "em_open")
            assert part.type != "html_inline" or part.content in OWN_TAGS
    lists = [t for t in tokens if t.type.endswith("list_open")]
    assert {t.level for t in lists} <= {0}


@pytest.mark.parametrize("given", [report(), _hostile()], ids=["rich", "hostile"])
def test_no_mention_reference_or_marker(given: Report) -> None:
    shown = render(given, "markdown", RULES)
    assert "<!--" not in shown
    assert "<script" not in shown
    assert not re.search(r"@[A-Za-z0-9]|(?<!&)#[0-9]|(?i:gh-)[0-9]|://|www\.", shown)


def test_verdict_first_then_what_to_do_then_details() -> None:
    lines = render(report(), "markdown", RULES).split("\n")
    assert lines[0] == "## ❗ ERROR: 2 checks could not tell, 4 findings block this change"
    todo, table = (
        lines.index("### What to do"),
        lines.index("| Check | Verdict | Findings | What was judged |"),
    )
    details = [i for i, line in enumerate(lines) if line.startswith("<details>")]
    assert todo < table < details[0]
    assert [lines[i].split(">")[2].split(":")[0] for i in details] == [
        "licenses",
        "regression",
        "contributors",
        "weights",
        "dependencies",
        "community",
    ]


@pytest.mark.parametrize(
    ("checks", "findings", "text"),
    [
        (1, 5_000, "x"),
        (20, 30, "word " * 15),
        (20, 40, "``|" * 500),
        (3, 300, "\U0001f600" * 390),
        (2_000, 0, "é|" * 200),
    ],
)
def test_the_limit_is_bytes(checks: int, findings: int, text: str) -> None:
    shown = render(_many(checks, findings, text), "markdown", RULES)
    assert len(shown.encode()) <= BYTES
    assert shown.count("<details>") == shown.count("</details>")
    assert re.search(r"not shown|left out|… cut|… and", shown)


def test_code_between_backticks_is_shown_as_code() -> None:
    finding = Finding("a/b", Level.FAILURE, "m", "Run `a_b --c` and one ` more", Location("x"))
    balanced = replace(finding, remedy="Run `a_b --c` now")
    for given, wanted in (
        (finding, "Run &#96;a&#95;b --c&#96; and one &#96; more"),
        (balanced, "Run <code>a&#95;b --c</code> now"),
    ):
        one = replace(report(), verdicts=(Verdict("a", Outcome.FAIL, (given,)),))
        assert f"What to do: {wanted}\n" in render(one, "markdown", RULES)


def test_intervals_trends_and_records_are_tables() -> None:
    lines = html.unescape(render(report(), "markdown", RULES)).split("\n")
    wanted = (
        "|  | share of right answers | interval | base → head | verdict | record |",
        "| arc-easy | -0.02100 | [-0.03400, -0.00800] | 0.6120 → 0.5910 | regressed "
        "| 4f1c4f1c4f1c |",
        "| accuracy | v0.9 | v1.0 | v1.1 | v1.2 | v1.3-rc1 | this change |",
        "| held-out answers | – | 0.2800 | – | 0.3100 | 0.3000 | 0.3200 |",
        "Record: <code>9b079b079b07</code>",
        "| record | 4f1c4f1c4f1c |",
        f"| base weights | sha256 {'1a' * 32} |",
        "|  | nats per token, lower is better | interval | verdict |",  # no side is known there
    )
    assert [line for line in wanted if line not in lines] == []
