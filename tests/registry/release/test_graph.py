"""The drawing: well formed, nothing in it but text and shapes, and no text on other text."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.release.graph import ROWS, as_svg
from registry.release.layout import THREAD, Drawing, layout
from registry.release.lineage import Edge, Lineage, Missing, Node, lineage
from registry.release.values import Gated, Person, Pipeline, Release, Stage
from tests.registry.release.made import (
    DATA,
    HOSTILE,
    MODEL,
    hashed,
    minimal,
    record,
    releases,
    typical,
)

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SVG = "{http://www.w3.org/2000/svg}"
ROOT = hashed("e")
TAGS = {"svg", "g", "title", "desc", "style", "rect", "path", "text"}
ATTRIBUTES = {
    "role", "viewBox", "width", "height", "aria-label", "class", "x", "y", "rx", "d", "text-anchor",
}  # fmt: skip


def stages(count: int) -> Release:
    parts = tuple(
        Stage(f"s{i}", "run", ((f"p{i}", "") if i else (DATA, ""),), ((f"p{i + 1}", ""),))
        for i in range(count - 1)
    )
    last = Stage("last", "run", ((f"p{count - 1}", ""),), ((MODEL, hashed("a", 32)),))
    return replace(typical(), pipeline=Pipeline("dvc.lock", hashed("c"), (*parts, last)))


def strange() -> Release:
    people = (Person("مرحبا بالعالم" * 5, "x" * 90, 1), Person("漢字" * 30, "字" * 30, 4))
    letters = (Person("😀" * 30, "", 1), Person("WWWWWWWW" * 9, "", 1), Person("नमस्ते" * 9, "", 1))
    return replace(typical(), artifact="漢" * 60, contributors=people + letters, environment=())


SAMPLES = {
    "minimal": minimal(),
    "typical": typical(),
    "30 data sets": replace(
        typical(30),
        checks=tuple(Gated(f"check-{i}", "pass", "x") for i in range(14)),
        measurements=tuple(record(f"task-{i}") for i in range(9)),
    ),
    "10 stages": stages(10),
    "40 stages": stages(40),
    "strange letters": strange(),
}


def read(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def texts(svg: str) -> list[str]:
    return [one.text or "" for one in read(svg).iter(f"{SVG}text")]


def test_what_it_says() -> None:
    found = texts(as_svg(lineage(typical(), ROOT)))
    for line in (
        "acme/tiny 1.2.0", "Data (4)", "…ples/tiny-llm/data/00.txt", "bbbbbbbb", "prepare", "train",
        "Ada Lovelace (ada)", "12 commits", "Weights", "4 files, 952 kB, dvc-folder", "held-out",
        "Checks (2)", "against 1.1.0", "eeeeeeeeeeee", "Apache-2.0", "carol", "constraints.txt",
    ):  # fmt: skip
        assert line in found


def test_missing_links_are_drawn_and_told() -> None:
    svg = as_svg(lineage(minimal()))
    assert "Missing (11)" in texts(svg)
    assert "environment: no file pins the packages it was made with" in texts(svg)
    told = read(svg).find(f"{SVG}desc")
    assert told is not None
    assert "Missing: data: no training data is bound;" in (told.text or "")
    whole = as_svg(lineage(typical(), ROOT))
    assert "Missing" not in whole
    assert "Every link is there." in whole


def test_it_has_a_name_for_those_who_cannot_see_it() -> None:
    top = read(as_svg(lineage(typical(), ROOT)))
    assert top.get("role") == "img"
    assert top.get("aria-label") == "Lineage of acme/tiny 1.2.0"
    assert [child.tag for child in list(top)[:2]] == [f"{SVG}title", f"{SVG}desc"]


def test_it_has_colours_for_dark_pages_and_asks_for_nothing() -> None:
    svg = as_svg(lineage(typical(), ROOT))
    assert "prefers-color-scheme:dark" in svg
    assert not re.search(r"url\(|@import|href|<script|\son\w+=|<image|<foreignObject", svg)


def test_things_of_a_kind_share_a_box_up_to_a_limit() -> None:
    found = texts(as_svg(lineage(typical(60), ROOT)))
    assert "Data (60)" in found
    assert f"… and {60 - ROWS} more" in found


def test_wide_letters_take_the_room_of_two() -> None:
    people = (Person("漢" * 60, "", 1), Person("x" * 60, "", 1))
    found = texts(as_svg(lineage(replace(typical(), contributors=people))))
    assert max(len(one) for one in found if "漢" in one) == 13
    assert "x" * 25 + "…" in found


def test_many_stages_share_a_box() -> None:
    assert "Stages (40)" in texts(as_svg(lineage(stages(40))))
    assert texts(as_svg(lineage(stages(10)))).count("Stage") == 10


def test_lines_that_a_longer_way_says_are_not_drawn() -> None:
    svg = as_svg(lineage(typical(), ROOT))
    assert "Stage → Weights: writes" in svg
    assert "Weights → Release" not in svg


def test_the_same_lineage_gives_the_same_drawing() -> None:
    assert as_svg(lineage(typical(), ROOT)) == as_svg(lineage(typical(), ROOT))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    node = Node(text, "data", text, text, text)
    made = (
        Node("release", "release", text, text, text),
        node,
        Node("x", "stage", text, text, text),
    )
    graph = Lineage(made, (Edge(text, "release", text),), (Missing(text, text, text),))
    harmless(as_svg(graph))


@settings(max_examples=40, deadline=None)
@given(releases())
def test_any_text_stays_text(release: Release) -> None:
    harmless(as_svg(lineage(release, release.commit)))


def harmless(svg: str) -> None:
    for one in read(svg).iter():
        assert one.tag.removeprefix(SVG) in TAGS
        assert set(one.attrib) <= ATTRIBUTES
    assert svg.count("<style") == 1
    assert not re.search(r'[ "](?:inf|nan)[ "]', svg)


Sizes = dict[str, tuple[float, float]]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Sizes, list[tuple[str, str]]]:
    count = draw(st.integers(1, 14))
    names = [f"n{i}" for i in range(count)]
    side = st.floats(20, 400)
    sizes = {name: (draw(side), draw(side)) for name in names}
    pair = st.tuples(st.sampled_from(names), st.sampled_from(names))
    return sizes, draw(st.lists(pair, max_size=40))


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_boxes_never_overlap_and_lines_pass_beside_them(
    graph: tuple[Sizes, list[tuple[str, str]]],
) -> None:
    drawing = layout(*graph)
    apart(drawing)
    assert {box.name for box in drawing.boxes} == set(graph[0])


def apart(drawing: Drawing) -> None:
    for one, other in combinations(drawing.boxes, 2):
        beside = one.x + one.width <= other.x + 0.01 or other.x + other.width <= one.x + 0.01
        above = one.y + one.height <= other.y + 0.01 or other.y + other.height <= one.y + 0.01
        assert beside or above
    for box in drawing.boxes:
        assert box.x >= 0
        assert box.x + box.width <= drawing.width
        assert box.y + box.height <= drawing.height
    rows = {(box.y, box.floor): box for box in drawing.boxes}
    for line in drawing.lines:
        assert line.stops[0][2] <= line.stops[-1][1]  # down the page
        for x, top, floor in line.stops[1:-1]:
            assert (top, floor) in rows
            row = [box for box in drawing.boxes if box.y == top]
            for box in row:
                assert x + THREAD / 2 <= box.x + 0.01 or box.x + box.width <= x - THREAD / 2 + 0.01


def test_nothing_to_draw() -> None:
    assert layout({}, []).boxes == ()
    assert as_svg(Lineage((), ())).startswith("<svg")


def test_boxes_stand_below_what_came_into_them() -> None:
    drawing = layout(dict.fromkeys("abc", (50.0, 20.0)), [("c", "b"), ("b", "a"), ("c", "a")])
    at = {box.name: box.y for box in drawing.boxes}
    assert at["c"] < at["b"] < at["a"]
    assert {(line.of, line.to) for line in drawing.lines} == {("c", "b"), ("b", "a")}


MEASURE = """<!doctype html><meta charset="utf-8"><body style="margin:0">%s<pre id="out"></pre>
<script>
const found = [];
document.querySelectorAll("svg[data-name]").forEach(sheet => {
  const all = [...sheet.querySelectorAll("text")].map(t => {
    const r = t.getBoundingClientRect(), b = t.closest("svg").getBoundingClientRect();
    const cut = {left: Math.max(r.left, b.left), right: Math.min(r.right, b.right)};
    return {text: t.textContent, left: cut.left, right: cut.right, top: r.top, bottom: r.bottom,
      inside: r.top >= b.top - 1 && r.bottom <= b.bottom + 1, wide: r.right - b.right};
  });
  found.push({name: sheet.dataset.name, texts: all});
});
document.getElementById("out").textContent = JSON.stringify(found);
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs the package chromium")
def test_in_a_browser_no_text_lies_on_other_text(tmp_path: Path) -> None:
    sheets = "".join(
        as_svg(lineage(release, ROOT)).replace("<svg ", f'<svg data-name="{name}" ', 1)
        for name, release in SAMPLES.items()
    )
    page = tmp_path / "page.html"
    page.write_text(MEASURE % sheets)
    line = [
        str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
        f"--user-data-dir={tmp_path}/profile", "--disable-background-networking",
        "--disable-component-update", "--timeout=10000", "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    home = {
        "HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    done = subprocess.run(line, capture_output=True, timeout=60, env=os.environ | home)
    held = ElementTree.fromstring(
        re.search(r'<pre id="out">.*?</pre>', done.stdout.decode(), re.S)[0]  # type: ignore[index]
    ).text
    drawn = json.loads(held or "[]")
    assert [sheet["name"] for sheet in drawn] == list(SAMPLES)
    for sheet in drawn:
        assert len(sheet["texts"]) > 5
        for one in sheet["texts"]:
            assert one["inside"], one
            if one["text"].isascii():
                assert one["wide"] <= 0, one
        for one, other in combinations(sheet["texts"], 2):
            across = min(one["right"], other["right"]) - max(one["left"], other["left"])
            down = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
            assert across <= 0.5 or down <= 2, (sheet["name"], one, other)
