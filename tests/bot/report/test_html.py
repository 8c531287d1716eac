from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from bot.exhibit import Interval, IntervalPlot
from bot.report import render
from bot.report.html import POLICY
from bot.report.plots import draw
from bot.verdict import Outcome, Report, Verdict
from tests.bot.report.samples import HOSTILE, RULES, odd_exhibits, report

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
    shown = draw(next(e for e in odd_exhibits() if e.title == "many"))
    assert "One in 3 is drawn." in shown
    assert shown.count("h0") == 1667


def test_an_interval_without_numbers_gets_no_mark() -> None:
    nan = float("nan")
    shown = draw(IntervalPlot("t", "u", (Interval("a", nan, nan, nan), Interval("b", 1, 2, 3))))
    strips = [part.split("</svg>")[0] for part in shown.split('<svg class="strip')[1:]]
    assert [s.count("<circle") for s in strips] == [0, 1]
    assert [s.count('y1="32%"') + s.count('y1="50%"') for s in strips] == [0, 3]
