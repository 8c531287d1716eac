from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from bot.exhibit import Interval, IntervalPlot, ScatterPlot, Series, Trend
from bot.report import render
from bot.report.html import POLICY
from bot.report.plots import draw
from bot.verdict import Outcome, Report, Verdict
from tests.bot.report.samples import DIGEST, HOSTILE, OTHER, RULES, odd_exhibits, report

VOID = {"meta"}


class Page(HTMLParser):
    """Collects tags, attributes, ids and text; fails on tags that do not match."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.comments: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.seen if tag in tags]


def _odd() -> Report:
    verdict = Verdict(HOSTILE, Outcome.ERROR, (), HOSTILE, odd_exhibits())
    return replace(report(), verdicts=(*report().verdicts, verdict), policy=HOSTILE)


@pytest.fixture(params=["rich", "odd", "empty"])
def page(request: pytest.FixtureRequest) -> Page:
    given = {"rich": report(), "odd": _odd(), "empty": replace(report(), verdicts=())}
    return Page(render(given[request.param], "html", RULES, timings=True))


def test_it_is_well_formed_and_hostile_text_makes_no_tag(page: Page) -> None:
    assert not page.all("script", "img", "iframe", "link", "object", "base", "form", "i")
    assert page.comments == []
    assert not any(key.startswith("on") for _, a in page.seen for key in a)


def test_it_asks_for_nothing_from_outside(page: Page) -> None:
    for tag, attributes in page.seen:
        assert not {"src", "srcset", "data", "action", "xlink:href"} & attributes.keys(), tag
        assert attributes.get("href", "#").startswith("#")
        assert "style" not in attributes
    assert {"http-equiv": "Content-Security-Policy", "content": POLICY} in page.all("meta")
    source = render(report(), "html", RULES)
    style = source.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_every_link_has_its_target_and_every_id_is_one(page: Page) -> None:
    ids = [a["id"] for _, a in page.seen if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for a in page.all("a")} <= set(ids)


def test_it_can_be_read_without_seeing_it(page: Page) -> None:
    tags = [tag for tag, _ in page.seen]
    assert page.all("html") == [{"lang": "en"}]
    assert tags.count("h1") == 1
    assert all(a.get("scope") in ("col", "row") for a in page.all("th"))
    for position, (tag, attributes) in enumerate(page.seen):
        if tag == "svg" and attributes.get("aria-hidden") != "true":
            assert attributes["role"] == "img"
            assert tags[position + 1] == "title"


def test_drawings_hold_no_number_that_is_none(page: Page) -> None:
    for _, attributes in page.seen:
        for name in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height", "d"):
            value = attributes.get(name, "")
            assert not re.search(r"nan|inf|e[+-]?[0-9]", value), (name, value)
            numbers = [float(n) for n in re.findall(r"-?[0-9.]+", value)]
            assert all(-1 <= n <= 401 for n in numbers), (name, value)


def test_the_rich_page_says_everything() -> None:
    page = Page(render(report(), "html", RULES))
    for verdict in report().verdicts:
        assert verdict.check in page.text
        assert verdict.outcome.upper() in page.text
    for words in (
        "2 checks could not tell, 4 findings block this change",
        "imports os.system when it is loaded",
        "Waived: kept until 2.0, see the policy",
        "the repository has no model card",
        "Whoever loads a pickle runs what its author wrote.",
        "git rebase --signoff BASE",
        "172 of 240 points above the diagonal, 68 below.",
        "+0.0580 [+0.0410, +0.0750] regressed",
        "\\x1b[31mred\\x1b[0m",
    ):
        assert words in page.text, words
    assert page.text.index("What to do") < page.text.index("What was judged")


@pytest.mark.parametrize("position", range(len(odd_exhibits())))
def test_odd_exhibits_are_drawn_or_said_to_be_empty(position: int) -> None:
    exhibit = odd_exhibits()[position]
    figure = Page(draw(exhibit))
    assert exhibit.title in figure.text
    assert len(draw(exhibit)) < 250_000


def test_a_drawing_of_many_points_says_how_many_it_shows() -> None:
    shown = draw(
        next(e for e in odd_exhibits() if isinstance(e, ScatterPlot) and e.title == "many")
    )
    assert "One in 3 is drawn." in shown
    assert shown.count("h0") == 1667


def test_an_interval_without_numbers_gets_no_mark() -> None:
    nan = float("nan")
    shown = draw(IntervalPlot("t", "u", (Interval("a", nan, nan, nan), Interval("b", 1, 2, 3))))
    strips = [part.split("</svg>")[0] for part in shown.split('<svg class="strip')[1:]]
    assert [s.count("<circle") for s in strips] == [0, 1]
    assert [s.count('y1="32%"') + s.count('y1="50%"') for s in strips] == [0, 3]


def test_numbers_link_to_the_record_of_their_measurement() -> None:
    shown = render(report(), "html", RULES)
    page = Page(shown)
    links = [a["href"] for a in page.all("a") if a.get("class") == "source"]
    # Two numbers each of three intervals, and a table; the fourth interval has no record here.
    assert links == [f"#record-{DIGEST[:12]}"] * 4 + [f"#record-{OTHER[:12]}"] * 3
    article = shown.split(f'<article id="record-{DIGEST[:12]}">')[1].split("</article>")[0]
    assert DIGEST in article
    assert "torch 2.13.0, transformers 5.3.0" in article
    assert shown.count(f'id="record-{DIGEST[:12]}"') == 1
    assert "-0.02100 [-0.03400, -0.00800] 0.6120 → 0.5910 regressed" in page.text


def test_without_records_nothing_links_to_one() -> None:
    shown = draw(IntervalPlot("t", "u", (Interval("a", 1, 2, 3, "", 4.0, 5.0, DIGEST),)))
    assert "<a" not in shown
    assert "4.000 → 5.000" in shown


def test_a_trend_has_its_values_in_a_table_and_a_break_at_a_gap() -> None:
    trend = Trend("t", "share", ("v1", "v2", "v3", "head"), (Series("arc", (0.1, None, 0.3, 0.4)),))
    shown = draw(trend)
    page = Page(shown)
    (line,) = (a["d"] for a in page.all("path") if a["class"] == "line s0" and "M1 " not in a["d"])
    assert re.sub(r"[0-9. ]+", "", line) == "MML"
    titles = re.findall(r"<circle[^>]*><title>([^<]*)", shown)
    assert titles == ["arc, v1: 0.1000", "arc, v3: 0.3000", "arc, head: 0.4000"]
    body = shown.split("<tbody>")[1]
    assert re.findall(r"<td[^>]*>([^<]*)", body) == ["0.1000", "–", "0.3000", "0.4000"]
    assert '<tr class="head"><th scope="row">head</th>' in body
    heights = [float(y) for y in re.findall(r'cy="([0-9.]+)"', shown)[:-1]]
    assert heights == sorted(heights, reverse=True)


def test_many_series_make_several_pictures_and_the_rest_is_counted() -> None:
    shown = draw(next(e for e in odd_exhibits() if isinstance(e, Trend) and e.title == "many"))
    assert shown.count('role="img"') == 4
    assert "270 earlier releases left out." in shown
    assert "… and 36 more series" in shown
    assert "release-number-299" in shown
    assert "release-number-269<" not in shown


def test_names_under_a_trend_do_not_overlap() -> None:
    names = (*(f"v1.{i}.0" for i in range(25)), "this change")
    shown = draw(Trend("t", "u", names, (Series("a", tuple(map(float, range(26)))),)))
    labels = re.findall(r'<text x="([0-9.]+)" y="232" [^>]*>([^<]*)', shown)
    assert labels[0][1] == "this change"
    ends = [(float(x) - len(w) * 3.25, float(x) + len(w) * 3.25) for x, w in labels]
    assert len(ends) >= 5
    assert all(left[1] < right[0] for right, left in pairwise(ends))
    assert ends[0][1] <= 400
