from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bot.exhibit import Interval, IntervalPlot, Record, Series, Table, Trend
from bot.finding import Location
from bot.report import render
from bot.report.bars import columns, draw
from bot.verdict import Outcome, Report, Verdict
from tests.bot.report.samples import HOSTILE, RULES, SIGN_OFF, odd_exhibits, report

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def _only(*verdicts: Verdict) -> Report:
    return replace(report(), verdicts=verdicts)


@pytest.mark.parametrize(
    ("verdicts", "first", "last"),
    [
        ((), "SKIP  no check applies to this change", "Next: nothing to do."),
        (
            (Verdict("a", Outcome.PASS),),
            "PASS  nothing blocks this change",
            "Next: nothing to do.",
        ),
        (
            (Verdict("a", Outcome.FAIL, (SIGN_OFF.at("m"),)),),
            "FAIL  1 finding blocks this change",
            "  `modelwarden rules contributors/sign-off` explains a rule; then run the same command"
            "\n  again.",
        ),
        (
            (Verdict("a", Outcome.ERROR, (), "no weights"),),
            "ERROR  1 check could not tell",
            "  1. Settle why a could not tell: no weights (a)\n  then run the same command again.",
        ),
        (
            (Verdict("a", Outcome.PENDING),),
            "PENDING  1 check still to finish",
            "Next: nothing until a is settled.",
        ),
    ],
)
def test_it_begins_with_the_verdict_and_ends_with_what_to_do(
    verdicts: tuple[Verdict, ...], first: str, last: str
) -> None:
    shown = render(_only(*verdicts), "text", RULES)
    assert shown.split("\n")[0] == first
    assert shown.endswith(last + "\n")


def test_each_check_has_its_line() -> None:
    lines = render(report(), "text", RULES).split("\n")
    for verdict in report().verdicts:
        begin = f"  {verdict.outcome.upper():7}  {verdict.check} "
        assert [line for line in lines if line.startswith(begin)], verdict.check


def test_one_remedy_stands_once_under_its_places() -> None:
    shown = render(report(), "text", RULES)
    section = shown.split("\ncontributors  FAIL\n")[1].split("\n\nweights")[0]
    assert section == (
        "\n  FAILURE  contributors/sign-off  A commit that its author did not sign off.\n"
        '    commit 1f2e3d4c5b00  "Train longer" has no Signed-off-by line of ada@example.org\n'
        "    commit 9a8b7c6d5e00\n"
        '      "Swap the tokenizer" has no Signed-off-by line of ada@example.org\n'
        "    Fix: Run `git rebase --signoff BASE` and push again."
    )


def test_notes_and_waived_findings_are_counted_unless_verbose() -> None:
    brief = render(report(), "text", RULES)
    whole = render(report(), "text", RULES, verbose=True)
    assert "1 waived not shown (--verbose shows them)" in brief
    assert "kept until 2.0" not in brief
    assert "no model card" not in brief
    assert "legacy/old.bin" in whole
    assert "waived: kept until 2.0, see the policy" in whole
    assert "the repository has no model card" in whole


def test_many_findings_are_cut_with_their_number() -> None:
    many = tuple(SIGN_OFF.at(f"number {i}", Location(f"{i:03}.py")) for i in range(250))
    given = _only(Verdict("contributors", Outcome.FAIL, many))
    brief = render(given, "text", RULES)
    assert "… and 230 more (--verbose shows them)" in brief
    assert "249.py" not in brief
    assert "249.py" in render(given, "text", RULES, verbose=True)
    assert "(000.py, 001.py, 002.py and 247 more)" in " ".join(brief.split())


def test_colour_only_where_asked_and_never_the_only_sign() -> None:
    plain = render(report(), "text", RULES)
    assert "\x1b" not in plain
    coloured = render(report(), "text", RULES, colour=True)
    assert "\x1b[1;31mERROR\x1b[0m" in coloured
    assert ANSI.sub("", coloured) == plain


def test_escapes_of_strangers_do_not_reach_the_terminal() -> None:
    shown = ANSI.sub("", render(report(), "text", RULES, colour=True, verbose=True))
    assert "\x1b" not in shown
    assert "\\x1b[31mred" in shown


@pytest.mark.parametrize("width", [40, 72, 120])
def test_sentences_keep_the_width(width: int) -> None:
    longest = " ".join(["word"] * 90)
    given = _only(Verdict("a", Outcome.FAIL, (SIGN_OFF.at(longest, remedy=longest),), longest))
    assert max(map(len, render(given, "text", {}, width=width).split("\n"))) <= width


def test_interval_bars_share_one_axis() -> None:
    plot = IntervalPlot("t", "u", (Interval("a", -1, 0, 1), Interval("bb", 0.5, 0.75, 1)))
    assert draw(plot, 60) == [
        "t (u)",
        "  a    ├──────────●─────────┤   0.000  [-1.000, +1.000]",
        "  bb              ┊    ├─●──┤   +0.750 [+0.500, +1.000]",
    ]


def test_intervals_say_both_sides_and_their_record() -> None:
    one = Interval("a", -1, 0, 1, "regressed", 0.612, 0.598, "4f1c" * 16)
    two = Interval("bb", 0, 1, 1, "", None, 0.25, "4f1c" * 16)
    assert draw(IntervalPlot("t", "u", (one, two)), 86) == [
        "t (u)",
        "  a    ├──────────●───────────┤   0.000  [-1.000, +1.000]  0.6120 → 0.5980  regressed",
        "  bb              ├───────────●   +1.000 [0.000, +1.000]   – → 0.2500",
        "  record 4f1c4f1c4f1c: a and 1 more",
    ]
    assert draw(IntervalPlot("t", "u", (one,)), 66)[1] == (
        "  a  0.000 [-1.000, +1.000]  0.6120 → 0.5980  regressed"
    )


def test_a_trend_is_a_line_and_the_latest_numbers_that_fit() -> None:
    arc, new = Series("arc", (0.5, None, 0.75, 1.0)), Series("new", (None, None, None, 2.0))
    trend = Trend("t", "u", ("v1", "v2", "v3", "this change"), (arc, new), "a note")
    assert draw(trend, 88) == [
        "t (u)",
        "             v1     v2  v3     this change",
        "  ───  ────  ─────  ──  ─────  ───────────",
        "  arc  ▁·▅█  0.500  –   0.750  1.000",
        "  new  ···▄  –      –   –      2.000",
        "  a note",
    ]
    assert draw(trend, 32)[1:4] == [
        "             v3     this change",
        "  ───  ────  ─────  ───────────",
        "  arc  ▁·▅█  0.750  1.000",
    ]


def test_a_table_and_a_record_say_their_digest() -> None:
    assert draw(Table("t", ("a",), (("1",),), "4f1c" * 16), 80)[-1] == "  record 4f1c4f1c4f1c"
    assert draw(Record("t", "4f1c" * 16, (("device", "cpu"), ("n", "3"))), 80) == [
        "t (record 4f1c4f1c4f1c)",
        "  device  cpu",
        "  n       3",
    ]


def test_tables_are_aligned_also_with_wide_characters() -> None:
    lines = draw(Table("t", ("name", "n"), (("模型", "1"), ("long one", "22"))), 80)
    assert lines[1:] == ["  name      n", "  ────────  ──", "  模型      1", "  long one  22"]
    assert len({columns(line) - len(line.split()[-1]) for line in lines[3:]}) == 1


@pytest.mark.parametrize("position", range(len(odd_exhibits())))
def test_odd_exhibits_are_drawn_or_named(position: int) -> None:
    exhibit = odd_exhibits()[position]
    lines = draw(exhibit, 88)
    assert lines[0].startswith(exhibit.title)
    assert len(lines) < 50


def test_hostile_paths_stay_on_one_line() -> None:
    finding = SIGN_OFF.at("m", Location(HOSTILE, 3))
    shown = render(_only(Verdict("a", Outcome.FAIL, (finding,))), "text", RULES)
    assert "\n# heading" not in shown
