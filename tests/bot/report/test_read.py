from __future__ import annotations

import copy
import json
import math
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import catalog
from bot.change import Change, FileChange, TreeEntry
from bot.errors import CouldNotTell
from bot.exhibit import (
    Histogram,
    Interval,
    IntervalPlot,
    Record,
    ScatterPlot,
    Series,
    Table,
    Trend,
)
from bot.finding import Finding, Level, Location
from bot.report import html, markdown, render
from bot.report.exhibitread import exhibit
from bot.report.json import document
from bot.report.neutral import scrub
from bot.report.options import Options
from bot.report.read import TEXT, BadReport, load
from bot.verdict import WORST_FIRST, Outcome, Report, Verdict, outcome_of
from tests.bot.report.samples import HOSTILE, RULES, odd_exhibits, report


def written(given: Report, **options: Any) -> bytes:
    return render(given, "json", RULES, **options).encode()


def test_the_rich_report_comes_back() -> None:
    given = replace(report(), verdicts=tuple(replace(v, seconds=0.0) for v in report().verdicts))
    assert load(written(given)) == scrub(given)
    assert load(written(report())) == scrub(given)
    assert load(written(report(), timings=True)) == scrub(report())


@pytest.mark.parametrize("format", ["html", "markdown", "sarif", "text", "json"])
def test_it_renders_as_the_original_does(format: str) -> None:
    assert render(load(written(report())), format, RULES) == render(report(), format, RULES)


def test_numbers_that_are_none_come_back_as_none_or_nan() -> None:
    odd = replace(report(), verdicts=(Verdict("o", Outcome.PASS, (), "", odd_exhibits()),))
    shown = load(written(odd)).verdicts[0].exhibits
    plot, sides, trend = shown[4], shown[15], shown[18]
    assert isinstance(plot, IntervalPlot) and isinstance(sides, IntervalPlot)
    assert [math.isnan(v) for v in (plot.intervals[1].low, plot.intervals[1].estimate)] == [1, 0]
    assert (sides.intervals[0].base, sides.intervals[0].head) == (None, None)
    assert isinstance(trend, Trend) and trend.series[1].values == (None, None)
    assert len(shown) == len(odd_exhibits())
    assert json.loads(written(load(written(odd)))) == json.loads(written(odd))


def test_every_rule_there_is_can_be_read() -> None:
    found = tuple(Finding(r.id, Level.NOTE, "m", "r") for r in catalog.rules().values())
    given = replace(report(), verdicts=(Verdict("all", Outcome.PASS, found),))
    assert load(written(given)).verdicts[0].findings == scrub(found)


def test_texts_that_were_cut_come_back_as_they_were_written() -> None:
    longest = "\U000e0100" * 5_000
    given = replace(report(), verdicts=(Verdict("o", Outcome.ERROR, (), longest),))
    read = load(written(given))
    assert read == scrub(given)
    assert len(read.verdicts[0].reason) <= TEXT
    options = Options()
    assert html.render(read, RULES, options) == html.render(scrub(given), RULES, options)


# --- any report -------------------------------------------------------------------------

WORDS = st.one_of(st.text(max_size=30), st.sampled_from([HOSTILE, "", "a", "`x` y"]))
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
MAYBE = st.none() | NUMBER
ID = st.sampled_from(["a" * 40, "0" * 40, "0123456789abcdef" * 4])
SLUG = st.sampled_from(["weights", "a-b", "files", "x.y_z"])


def tuples(of: st.SearchStrategy[Any], most: int = 4) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, max_size=most).map(tuple)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    columns = draw(tuples(WORDS))
    row = st.tuples(*(WORDS for _ in columns))
    return Table(draw(WORDS), columns, draw(tuples(row)), draw(WORDS))


@st.composite
def histograms(draw: st.DrawFn) -> Histogram:
    counts = draw(tuples(st.integers(0, 2**53)))
    edges = draw(st.tuples(*(NUMBER for _ in range(len(counts) + 1)))) if counts else ()
    return Histogram(draw(WORDS), draw(WORDS), edges, counts, draw(WORDS))


@st.composite
def trends(draw: st.DrawFn) -> Trend:
    names = draw(tuples(WORDS))
    line = st.builds(Series, WORDS, st.tuples(*(MAYBE for _ in names)))
    return Trend(draw(WORDS), draw(WORDS), names, draw(tuples(line)), draw(WORDS))


INTERVAL = st.builds(Interval, WORDS, NUMBER, NUMBER, NUMBER, WORDS, MAYBE, MAYBE, WORDS)
EXHIBIT = st.one_of(
    tables(),
    st.builds(IntervalPlot, WORDS, WORDS, tuples(INTERVAL), WORDS),
    st.builds(ScatterPlot, WORDS, WORDS, WORDS, tuples(st.tuples(NUMBER, NUMBER)), WORDS),
    histograms(),
    trends(),
    st.builds(Record, WORDS, WORDS, tuples(st.tuples(WORDS, WORDS))),
)
LOCATION = st.builds(Location, WORDS, st.integers(0, 2**53), st.just("") | ID)
FINDING = st.builds(
    Finding, st.sampled_from([*RULES, "other/rule"]), st.sampled_from(Level), WORDS, WORDS,
    LOCATION, WORDS,
)  # fmt: skip


@st.composite
def verdicts(draw: st.DrawFn, name: str) -> Verdict:
    findings = scrub(draw(tuples(FINDING)))
    least = outcome_of(findings)
    allowed = [
        o for o in Outcome
        if least is Outcome.PASS or WORST_FIRST.index(o) <= WORST_FIRST.index(least)
    ]  # fmt: skip
    outcome = draw(st.sampled_from(allowed))
    return Verdict(name, outcome, findings, draw(WORDS), draw(tuples(EXHIBIT)))


@st.composite
def files(draw: st.DrawFn) -> FileChange:
    path = draw(WORDS)
    entry = st.builds(TreeEntry, st.just(path), st.sampled_from(["100644", "120000"]), ID)
    before, after = draw(entry | st.none()), draw(entry | st.none())
    return FileChange(path, before, after if before else draw(entry))


@st.composite
def reports(draw: st.DrawFn) -> Report:
    change = Change(
        draw(WORDS), draw(ID), draw(ID), draw(ID), draw(tuples(files())),
        draw(st.integers(0, 2**53)), draw(WORDS),
    )  # fmt: skip
    names = draw(st.lists(SLUG, min_size=1, max_size=3, unique=True))
    return Report(change, draw(WORDS), tuple(draw(verdicts(name)) for name in names))


@settings(max_examples=150, deadline=None)
@given(given=reports())
def test_any_report_comes_back_equal(given: Report) -> None:
    read, wanted, options = load(written(given)), scrub(given), Options()
    assert read == wanted
    assert html.render(read, RULES, options) == html.render(wanted, RULES, options)
    assert markdown.render(read, RULES, options) == markdown.render(wanted, RULES, options)
    assert hash(read) == hash(wanted)  # frozen all the way down


@settings(max_examples=100, deadline=None)
@given(start=st.integers(0, 20_000), junk=st.binary(max_size=6))
def test_damage_gives_a_report_or_one_kind_of_error(start: int, junk: bytes) -> None:
    data = written(report())
    damaged = data[: start % len(data)] + junk + data[start % len(data) + len(junk) :]
    try:
        load(damaged)
    except BadReport as error:
        assert error.message.isascii() and error.message.isprintable()


# --- what must be refused ---------------------------------------------------------------

Spoil = Callable[[Any], object]


def put(*path: str | int, value: Any) -> Spoil:
    def spoil(data: Any) -> None:
        for part in path[:-1]:
            data = data[part]
        data[path[-1]] = value

    return spoil


def drop(*path: str | int) -> Spoil:
    def spoil(data: Any) -> None:
        for part in path[:-1]:
            data = data[part]
        del data[path[-1]]

    return spoil


V = ("verdicts", 0)
F = ("verdicts", 0, "findings", 0)
E = ("verdicts", 4, "exhibits")
HOSTILE_SPOILS: dict[str, Spoil] = {
    "unknown key at the top": put("surprise", value=1),
    "unknown key deep inside": put(*F, "location", "surprise", value=1),
    "unknown key of an exhibit": put(*E, 0, "surprise", value=1),
    "missing key": drop("policy"),
    "missing key deep inside": drop(*F, "waived"),
    "version 2": put("version", value=2),
    "version true": put("version", value=True),
    "version as text": put("version", value="1"),
    "version 1.0": put("version", value=1.0),
    "outcome made milder": put("outcome", value="pass"),
    "unknown outcome": put("outcome", value="neutral"),
    "exit code made 0": put("exit_code", value=0),
    "exit code true": put("exit_code", value=True),
    "verdict made milder than its findings": put(*V, "outcome", value="pass"),
    "verdict skipped in spite of findings": put(*V, "outcome", value="skip"),
    "unknown is no mere failure": put("verdicts", 2, "outcome", value="fail"),
    "finding says it does not block": put(*F, "blocks", value=False),
    "waived finding says it blocks": put("verdicts", 3, "findings", 1, "blocks", value=True),
    "unknown level": put(*F, "severity", value="fatal"),
    "level in capitals": put(*F, "severity", value="FAILURE"),
    "message is a number": put(*F, "message", value=1),
    "message is null": put(*F, "message", value=None),
    "message too long": put(*F, "message", value="x" * (TEXT + 1)),
    "rule with a line break": put(*F, "rule", value="a/b\nc"),
    "rule with two slashes": put(*F, "rule", value="a/b/c"),
    "rule that is markup": put(*F, "rule", value="<script>"),
    "negative line": put(*F, "location", "line", value=-1),
    "huge line": put(*F, "location", "line", value=10**30),
    "line is no whole number": put(*F, "location", "line", value=1.5),
    "line is true": put(*F, "location", "line", value=True),
    "commit is a branch": put(*F, "location", "commit", value="main"),
    "no verdicts": put("verdicts", value=[]),
    "verdicts is an object": put("verdicts", value={}),
    "a check twice": lambda d: d["verdicts"].append(d["verdicts"][5]),
    "name of a check with markup": put("verdicts", 5, "check", value="a b"),
    "more verdicts than there are checks": put(
        "verdicts",
        value=[
            {"check": f"c{i}", "outcome": "error", "reason": "", "findings": [], "exhibits": []}
            for i in range(101)
        ],
    ),
    "seconds negative": put(*V, "seconds", value=-1.0),
    "seconds is text": put(*V, "seconds", value="1"),
    "head is a branch": put("change", "head", value="main"),
    "head is cut": put("change", "head", value="a" * 12),
    "head in capitals": put("change", "head", value="A" * 40),
    "head with a line break": put("change", "head", value="a" * 40 + "\n"),
    "base is an option": put("change", "base", value="--upload-pack=x"),
    "number negative": put("change", "number", value=-1),
    "number is a float": put("change", "number", value=42.0),
    "mode is no mode": put("change", "files", 0, "after", "mode", value="0100644"),
    "blob is no id": put("change", "files", 0, "after", "blob", value="HEAD"),
    "file on neither side": put("change", "files", 1, "after", value=None),
    "entry with a path of its own": put("change", "files", 0, "after", "path", value="other"),
    "unknown kind of exhibit": put(*E, 0, "kind", value="video"),
    "table under another kind": put(*E, 3, "kind", value="record"),
    "ragged table": lambda d: d["verdicts"][4]["exhibits"][3]["rows"][0].append("more"),
    "row of numbers": put(*E, 3, "rows", 0, value=[1, 2, 3, 4]),
    "point of three": put(*E, 1, "points", 0, value=[1.0, 2.0, 3.0]),
    "point of text": put(*E, 1, "points", 0, value=["1", "2"]),
    "count negative": put(*E, 2, "counts", 0, value=-1),
    "count huge": put(*E, 2, "counts", 0, value=10**40),
    "one edge too few": lambda d: d["verdicts"][4]["exhibits"][2]["edges"].pop(),
    "more values than names": lambda d: d["verdicts"][4]["exhibits"][5]["names"].pop(),
    "fact of three": put(*E, 7, "facts", 0, value=["a", "b", "c"]),
    "too many values": put(*E, 1, "points", value=[[0, 0]] * 200_001),
    "too many exhibits": put(*E, value=[{"kind": "record", "title": "", "digest": "", "facts": []}]
                             * 1_001),
    "too many findings": lambda d: d["verdicts"][5].update(findings=[
        {"rule": "a/b", "severity": "note", "message": "", "remedy": "", "waived": "",
         "location": {"path": "", "line": 0, "commit": ""}, "blocks": False}] * 100_001),
    "too many files": put("change", "files", value=[
        {"path": "", "before": None, "after": {"mode": "100644", "blob": "a" * 40}}] * 200_001),
}  # fmt: skip


@pytest.fixture(scope="module")
def good() -> Any:
    return json.loads(written(report()))


@pytest.mark.parametrize("name", HOSTILE_SPOILS)
def test_what_no_check_writes_is_refused(good: Any, name: str) -> None:
    data = copy.deepcopy(good)
    HOSTILE_SPOILS[name](data)
    with pytest.raises(BadReport) as caught:
        load(json.dumps(data).encode(), limit=50_000_000)
    assert isinstance(caught.value, CouldNotTell) and caught.value.hint
    assert caught.value.message.isprintable() and len(caught.value.message) < 350


TEXTS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda d: b"",
    "null": lambda d: b"null",
    "a list": lambda d: b"[" + d + b"]",
    "two documents": lambda d: d + d,
    "a byte-order mark": lambda d: b"\xef\xbb\xbf" + d,
    "UTF-16": lambda d: d.decode().encode("utf-16"),
    "not UTF-8": lambda d: d.replace(b"contributors", b"contributor\xff", 1),
    "a lone surrogate": lambda d: d.replace(b"2 commits by", b"\\ud800", 1),
    "cut short": lambda d: d[:-10],
    "a duplicate key": lambda d: d.replace(b'"exit_code": 3', b'"exit_code": 0, "exit_code": 3'),
    "a duplicate outcome": lambda d: d.replace(b"{", b'{"outcome": "pass",', 1),
    "NaN": lambda d: d.replace(b"0.612", b"NaN", 1),
    "Infinity": lambda d: d.replace(b"0.612", b"-Infinity", 1),
    "a number beyond floats": lambda d: d.replace(b"0.612", b"1e999", 1),
    "a whole number beyond floats": lambda d: d.replace(b"0.612", b"9" * 400, 1),
    "a number of many digits": lambda d: d.replace(b'"number": 42', b'"number": ' + b"9" * 5_000),
    "depth": lambda d: b"[" * 100_000 + b"]" * 100_000,
    "depth in a value": lambda d: d.replace(b"0.612", b"[" * 5_000 + b"]" * 5_000, 1),
    "a comment": lambda d: b"// x\n" + d,
    "a pickle": lambda d: b"\x80\x04\x95",
    "a zip": lambda d: b"PK\x03\x04" + d,
    "a key with an escape sequence": lambda d: d.replace(b"{", b'{"\\u001b[2J": 1,', 1),
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_no_plain_json_is_refused(name: str) -> None:
    data = written(report())
    spoiled = TEXTS[name](data)
    assert spoiled != data
    with pytest.raises(BadReport) as caught:
        load(spoiled)
    assert caught.value.message.isprintable() and caught.value.message.isascii()


def test_nothing_above_the_bound_is_parsed() -> None:
    data = written(report())
    assert load(data, limit=len(data))
    with pytest.raises(BadReport, match="more than"):
        load(data, limit=len(data) - 1)
    with pytest.raises(BadReport, match="more than 20,000,000"):
        load(b" " * 20_000_001)


@pytest.mark.parametrize("where", [("change", "files"), ("verdicts",), (*F[:3],), E])
def test_a_flood_of_what_fits_nothing_ends_at_its_first(good: Any, where: tuple[Any, ...]) -> None:
    data = copy.deepcopy(good)
    put(*where, value=[{}] * 200_000)(data)
    raw = json.dumps(data).encode()
    tracemalloc.start()
    try:
        with pytest.raises(BadReport):
            load(raw)
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


def test_an_exhibit_of_every_kind_is_the_one_that_was_written() -> None:
    kinds = {type(e) for v in report().verdicts for e in v.exhibits}
    assert len(kinds) == 6
    shown = document(scrub(report()))["verdicts"][4]["exhibits"]
    assert tuple(map(exhibit, shown)) == scrub(report()).verdicts[4].exhibits
