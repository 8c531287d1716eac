"""The card: the hub's own library reads it, and no text of a stranger becomes more than text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import model_index_to_eval_results
from hypothesis import given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from lab.metrics.measure import Measurement
from lab.protocol import Usage
from registry.licenses.statements import in_card
from registry.release.pages import hub, prose
from registry.release.pages.about import About
from registry.release.pages.card import card
from registry.release.pages.frontmatter import front
from registry.release.values import Artifact, Licence, Pointed, Release
from tests.registry.release.made import (
    HOSTILE,
    abouts,
    hashed,
    minimal,
    record,
    releases,
    told,
    typical,
)

HEADINGS = [
    "Uses", "Measurements", "Licences", "Training data", "Limits", "Energy", "Languages",
    "How to verify", "Environment", "Who made it", "Checks",
]  # fmt: skip
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def split(page: str) -> tuple[dict[str, Any], str]:
    """Return what the hub finds in the front matter, and the page below it."""
    held: Any = ModelCard(page)
    return held.data.to_dict(), held.text


def tokens(text: str) -> Iterator[Token]:
    """Yield what GitHub's and the hub's Markdown make of a page."""
    for token in PARSER.parse(text):
        yield token
        yield from token.children or ()


def headings(text: str, level: str = "h2") -> list[str]:
    found = PARSER.parse(text)
    pairs = pairwise(found)
    return [
        inline.content for one, inline in pairs if one.type == "heading_open" and one.tag == level
    ]


def harmless(text: str, repository: str) -> None:
    """Assert that a page holds nothing that was not meant."""
    kinds = {token.type for token in tokens(text)}
    assert not kinds & {"html_inline", "html_block", "image", "hr", "blockquote_open", "s_open"}
    assert not kinds & {"em_open", "code_block", "ordered_list_open", "lheading_open"}
    links = [token.attrGet("href") for token in tokens(text) if token.type == "link_open"]
    assert set(links) <= {hub.address(repository)} - {""}
    # What the hub and GitHub look for after or beside Markdown: bare links, mentions, references,
    # mathematics. Code is exempt from all of them.
    bare = re.sub(r"`[^`]*`|^```.*?^```$|<https://[^>]*>", "", text, flags=re.S | re.M)
    assert not re.search(r"(?i)@\w|(?<!&)#\d|://|www\.|gh-\d|\$|\\\(", bare)


def test_the_hub_reads_what_was_measured() -> None:
    held: Any = ModelCard(card(typical(), told()))
    data = held.data
    assert data.language == ["en"]
    assert data["language_bcp47"] == ["pt-BR"]
    assert (data.license, data.license_name) == ("apache-2.0", None)
    assert (data.library_name, data.pipeline_tag) == ("transformers", "text-generation")
    assert data.tags == ["tiny", "shakespeare"]
    assert data.metrics == ["accuracy", "bits_per_byte"]
    assert data.model_name == "acme/tiny"
    found = data.eval_results
    assert found is not None
    assert [(r.dataset_name, r.dataset_config, r.metric_type, r.metric_value) for r in found] == [
        ("held-out", None, "accuracy", 0.907),
        ("held-out", None, "bits_per_byte", 2.63),
        ("held-out", "act: 5", "accuracy", 0.7),
        ("next-line", None, "accuracy", 0.907),
        ("next-line", None, "bits_per_byte", 2.63),
        ("next-line", "act: 5", "accuracy", 0.7),
    ]
    first = found[0]
    assert first.task_type == "text-generation"
    assert first.metric_args is not None
    assert (first.metric_args["low"], first.metric_args["confidence"]) == (0.857, 0.95)
    assert (first.metric_args["n"], first.metric_args["record"]) == (
        107,
        typical().measurements[0].digest,
    )
    assert first.source_url == "https://github.com/acme/tiny"
    assert "low" not in (found[2].metric_args or {})  # too few to tell
    assert first.verified is None  # only the hub itself may say so


def test_what_the_library_writes_again_is_the_same() -> None:
    held: Any = ModelCard(card(typical(), told()))
    again: Any = ModelCard(held.content)
    assert again.data.to_dict() == held.data.to_dict()
    assert again.text == held.text


def test_the_same_release_gives_the_same_page() -> None:
    assert card(typical(), told(), typical()) == card(typical(), told(), typical())


@pytest.mark.parametrize(
    "line",
    [
        "# Tiny LLM",
        "A small model.\n\nIt is real in every part.",
        "| Version | `1.2.0` |",
        f"| Released from | commit `{hashed('c', 40)}` of 2026-11-22T10:00:00Z |",
        "| Parameters | 440,000 |",
        "| Weights | 4 files, 952 kB |",
        "| Metric | Slice | Value | 95 % interval | n | Better is |",
        "| `accuracy` | all | 0.9070 | 0.8570 to 0.9570 | 107 | higher |",
        "| `accuracy` | act: 5 | 0.7000 | – | 12 | higher |",
        f"record `{record('held-out').digest}`",
        "| `examples/tiny-llm/data/00.txt` | 1 file | 130 kB | blob `" + hashed("b", 40) + "` |",
        "| weights | the repository's | `Apache-2.0` |",
        "Text of the licence: `LICENSE`.",
        "- Measuring: 0.02 Wh (an estimate from seconds).",
        "- Training: not stated.",
        "modelwarden verify . --artifact acme/tiny --trust trust.toml",
        "It must name version `1.2.0`",
        f"| `constraints.txt` | 265 | `{hashed('d')}` |",
        "- Measured on cpu, float32: torch 2.13.0, transformers 4.57.1",
        "- Ada Lovelace (`ada`), 12 commits",
        "- carol agreed by review, 2026-11-21T09:00:00Z",
        "- `licenses`: old package, replaced in 1.3",
    ],
)
def test_the_page_says(line: str) -> None:
    assert line in card(typical(), told())


def test_headings_come_in_one_order() -> None:
    assert headings(split(card(typical(), told()))[1]) == HEADINGS
    assert headings(split(card(minimal(), About()))[1]) == HEADINGS


def test_what_nobody_stated_is_not_made_up() -> None:
    data, text = split(card(minimal(), About()))
    assert data == {"license": "unknown"}
    for line in (
        "| Parameters | not stated |",
        "| Weights | not stated |",
        "Not measured.",
        "| weights | – | not stated |",
        "The files it was trained on: not stated.",
        "- Measuring: not stated.",
        "Files that pin packages: not stated.",
    ):
        assert line in text
    assert text.count("Not stated.") == 6  # summary, uses, limits, languages, people, checks


def test_what_was_measured_before_stands_beside() -> None:
    before = replace(
        typical(),
        version="1.1.0",
        measurements=(
            record("held-out", 0.88),
            record("gone"),
            record("next-line", items=hashed("0")),
        ),
    )
    text = card(typical(), told(), before)
    assert "- Against `1.1.0`: **equivalent**. held-out: -0.001 bits Report `555555555555`." in text
    rows = [
        line
        for line in text.splitlines()
        if line.startswith(("| held-out |", "| gone |", "| next-line |"))
    ]
    then, now = "0.8800 (0.8300 to 0.9300)", "0.9070 (0.8570 to 0.9570)"
    assert rows[0] == f"| held-out | `accuracy` | all | {then} | {now} | +0.0270 | better |"
    assert "| same |" in rows[1]
    assert "other items: not comparable" in rows[3]
    assert rows[-3].endswith("| – | – | no longer measured |")


def test_a_lower_number_may_be_the_better_one() -> None:
    worse = Measurement("held-out", "bits_per_byte", 2.7, 2.6, 2.8, 107, 0.05)
    after = replace(typical(), measurements=(record("held-out", measurements=(worse,)),))
    assert "| +0.0700 | worse |" in card(after, told(), typical())


@pytest.mark.parametrize(
    ("expression", "expected", "name"),
    [
        ("Apache-2.0", "apache-2.0", None),
        ("MIT", "mit", None),
        ("GPL-3.0-only", "gpl-3.0", None),
        ("GPL-3.0-or-later", "other", "gpl-3.0-or-later"),
        ("MIT OR Apache-2.0", "other", "mit-or-apache-2.0"),
        ("LicenseRef-acme-Open", "other", "acme-open"),
        ("gemma", "gemma", None),
        ("", "unknown", None),
        ("NOASSERTION", "unknown", None),
        ("../../etc", "other", "etc"),
        ("***", "other", "see-card"),
    ],
)
def test_licences_as_the_hub_has_them(expression: str, expected: str, name: str | None) -> None:
    release = replace(typical(), licences=(Licence("weights", "", expression),))
    data = split(card(release, told()))[0]
    assert (data["license"], data.get("license_name")) == (expected, name)
    assert data.get("license_link") == ("LICENSE" if name else None)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://github.com/acme/tiny", "https://github.com/acme/tiny"),
        ("https://host.example:8443/a", "https://host.example:8443/a"),
        ("http://github.com/acme/tiny", ""),
        ("https://github.com/a b", ""),
        ("https://github.com/a> <script>", ""),
        ("https://me:secret@github.com/acme", ""),
        ("https://github.com/a?token=x", ""),
        ("https://github.com/a\n", ""),
        ("git@github.com:acme/tiny.git", ""),
        ("javascript:alert(1)", ""),
        ("acme/tiny", ""),
        ("", ""),
    ],
)
def test_only_plain_addresses_become_links(text: str, address: str) -> None:
    page = card(replace(typical(), repository=text), told())
    assert ("url:" in page) is bool(address)
    assert (f"| Repository | <{address}> |" in page) is bool(address)
    assert hub.address(text) == address


@pytest.mark.parametrize(
    "about",
    [
        About(languages=("English", "EN", "e", "english", "")),
        About(task="Text Generation"),
        About(base_models=("../x", "a/b/c", "https://x.example/y", "a b"), relation="finetune"),
        About(base_models=("meta/llama",), relation="stolen"),
        About(datasets=("data/../x", "", "a/b/c")),
        About(library="trans formers"),
        About(tags=("", "  ")),
    ],
)
def test_what_the_hub_would_refuse_is_left_to_the_page(about: About) -> None:
    names = {
        "language",
        "language_bcp47",
        "pipeline_tag",
        "base_model_relation",
        "datasets",
        "tags",
    }
    data = split(card(minimal(), about))[0]
    assert not names & set(data)
    assert data.get("base_model") in (None, ["meta/llama"])


def test_a_base_model_and_how_it_was_used() -> None:
    about = About(base_models=("meta/llama",), relation="finetune", datasets=("squad",))
    data, text = split(card(minimal(), about))
    assert (data["base_model"], data["base_model_relation"]) == (["meta/llama"], "finetune")
    assert data["datasets"] == ["squad"]
    assert "| Base model | `meta/llama` |" in text
    assert "Data sets on the hub: `squad`." in text


def test_data_of_the_repository_are_no_data_sets_of_the_hub() -> None:
    pointer = Pointed("squad", "dvc", hashed("a", 32), 5, "squad.dvc")
    release = replace(typical(), data=(Artifact("squad", "data", (pointer,)),))
    assert "datasets" not in split(card(release, told()))[0]


def test_numbers_that_are_none_stay_out_of_the_front_matter() -> None:
    odd = tuple(
        Measurement("t", f"m{i}", value, None, None, 3, 0.05)
        for i, value in enumerate((math.nan, math.inf, -math.inf, 0.5))
    )
    release = replace(typical(), measurements=(record("t", measurements=odd),))
    data, text = split(card(release, told()))
    assert data["metrics"] == ["m3"]
    assert text.count("| n/a |") == 3


def test_energy_says_whether_it_was_measured() -> None:
    metered = record("a", usage=Usage(clock=1.0, joules=7200.0, metered=True))
    silent = record("b", usage=Usage())
    release = replace(typical(), measurements=(metered,))
    assert "- Measuring: 2 Wh (measured by the GPU)." in card(release, told())
    release = replace(typical(), measurements=(metered, silent))
    assert "1 measurement without a figure" in card(release, told())
    release = replace(typical(), measurements=(metered, record("c")))
    assert "(an estimate from seconds)" in card(release, told())
    assert "- Training: 1 Wh, as its makers state." in card(
        typical(), replace(told(), training_joules=3600.0)
    )


def test_many_slices_are_cut_and_counted() -> None:
    many = tuple(Measurement("t", "accuracy", 0.5, None, None, 3, 0.05, f"s{i}") for i in range(80))
    release = replace(typical(), measurements=(record("t", measurements=many),))
    text = card(release, told())
    assert "30 more numbers of slices in `release/measurements.json`." in text
    assert text.count("config:") == 50


def test_our_own_reader_finds_the_licence() -> None:
    found = in_card(card(typical(), told()).encode())
    assert found is not None
    assert found.license == "Apache-2.0"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    about = About(
        title=text, summary=f"{text}\n\n{text}", uses=text, limits=text, languages=(text,),
        tags=(text,), task=text, library=text, base_models=(text,), relation=text, datasets=(text,),
        data=text,
    )  # fmt: skip
    release = replace(
        typical(),
        artifact=text or "x",
        licences=(Licence("code", text, text), Licence("weights", text, text)),
        measurements=(record(text),),
    )
    page = card(release, about)
    data, body = split(page)
    assert headings(body) == HEADINGS
    harmless(body, release.repository)
    name = prose.visible(text or "x", prose.NAME)
    assert data["model-index"][0]["name"] == name


def test_half_a_character_is_escaped() -> None:
    page = card(typical(), About(title="a\ud800", summary="\udfff", tags=("\ud800",)))
    assert b"# a&#92;ud800" in page.encode()


@settings(max_examples=120, deadline=None)
@given(releases(), abouts())
def test_any_text_stays_text(release: Release, about: About) -> None:
    page = card(release, about, release)
    page.encode()  # no lone surrogates
    data, body = split(page)
    assert headings(body) == HEADINGS
    harmless(body, release.repository)
    results = model_index_to_eval_results(data["model-index"])[1]
    assert all(math.isfinite(one.metric_value) for one in results)
    widths = [(r.count("|") - r.count("\\|")) for r in body.splitlines() if r.startswith("| ---")]
    assert widths
    assert page == card(release, about, release)


@settings(max_examples=60, deadline=None)
@given(releases(), abouts())
def test_every_text_of_the_front_matter_is_quoted(release: Release, about: About) -> None:
    block = front(release, about)
    assert block.startswith("---\n")
    assert block.count("\n---\n") == 1
    for line in block.splitlines()[1:-1]:
        assert re.fullmatch(
            r'[ -]*(?:[a-z_0-9-]+:)? ?(?:"(?:[^"\\]|\\.)*"|-?[0-9][0-9.e+-]*)?', line
        ), line
    table = yaml.safe_load(block.strip("-\n"))
    assert isinstance(table, dict)
    assert table["license"] in {*hub.LICENCES, "other", "unknown"}
