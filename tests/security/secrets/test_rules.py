"""Each rule finds its samples and leaves its counter-examples alone, by either finder."""

from __future__ import annotations

import re
from random import Random

import pytest

from security.secrets import BY_ID, RULES, Kind, mark, scan
from security.secrets.finding import Finder, finds, with_literals, with_re2
from security.secrets.samples import expand


@pytest.fixture(scope="module", params=["re2", "plain"])
def finder(request: pytest.FixtureRequest) -> Finder:
    if request.param == "plain":
        return with_literals()
    pytest.importorskip("re2", reason="google-re2 is not installed")
    return with_re2()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_samples_are_found(rule: object, finder: Finder) -> None:
    known = next(r for r in RULES if r is rule)
    random = Random(known.id)
    for template in known.samples:
        for _ in range(3):
            value = expand(template, random)
            hits = scan(f"x = 1\nsay {value} here\n".encode(), finder).hits
            assert [h.rule for h in hits] == [known.id], template
            assert hits[0].line >= 2
            assert hits[0].length <= len(value)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_counter_examples_are_not(rule: object, finder: Finder) -> None:
    known = next(r for r in RULES if r is rule)
    for other in known.others:
        text = expand(other, Random(0))
        assert not scan(f"say {text} here\n".encode(), finder).hits, text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_what_finds_a_rule_is_in_all_its_samples(rule: object) -> None:
    known = next(r for r in RULES if r is rule)
    pattern = re.compile(finds(known))
    assert all(pattern.search(expand(t, Random(1))) for t in known.samples)


def test_rules_are_named_once_and_stay_on_a_line() -> None:
    assert len(BY_ID) == len(RULES)
    for rule in RULES:
        rest = re.sub(r"\[\^(?:\\.|[^\]\\])*\]", "", rule.pattern)
        assert rule.id == "private-key" or r"\s" not in rest, rule.id


def test_twenty_of_a_kind_are_twenty(finder: Finder) -> None:
    random = Random(5)
    values = [expand("hf_{L34}", random) for _ in range(20)]
    text = "\n".join(f"t{n} = '{v}'" for n, v in enumerate(values)).encode()
    hits = scan(text, finder).hits
    assert [(h.line, h.column, h.length, h.head) for h in hits] == [
        (n + 1, 7 + (n > 9), 37, "hf_") for n in range(20)
    ]
    assert {h.mark for h in hits} == {mark(v.encode()) for v in values}


def test_a_value_is_told_once_by_its_own_rule(finder: Finder) -> None:
    token = expand("hf_{L34}", Random(2))
    hits = scan(f'api_key = "{token}"'.encode(), finder).hits
    assert [h.rule for h in hits] == ["huggingface-token"]


def test_several_heads_of_a_rule_are_found_in_any_order(finder: Finder) -> None:
    random = Random(3)
    heads = ("ghs_", "ghp_", "gho_", "ghp_")
    text = " ".join(expand(head + "{crc}", random) for head in heads)
    assert [h.head for h in scan(text.encode(), finder).hits] == list(heads)


@pytest.mark.parametrize(
    ("line", "doubt"),
    [
        ("4111 1111 1111 1111", "tests"),
        ("ssn 123-45-6789", "example"),
        ("gh" + "p_a1b2c3d4e5f6g7h8i9j0KLMNOPQRSTUVWX12", "checksum"),
    ],
)
def test_what_speaks_against_a_value_is_said(line: str, doubt: str, finder: Finder) -> None:
    (hit,) = scan(line.encode(), finder).hits
    assert doubt in hit.doubt


def test_lines_that_name_an_author_are_told(finder: Finder) -> None:
    lines = b"Copyright 2020 J <jane@kernel.org>\nuser jane@kernel.org\n"
    assert [h.credited for h in scan(lines, finder).hits] == [True, False]


def test_no_value_is_in_what_a_scan_returns(finder: Finder) -> None:
    for rule in RULES:
        for template in rule.samples:
            value = expand(template, Random(9))
            for hit in scan(value.encode(), finder).hits:
                said = repr(hit)
                assert value not in said
                assert hit.head in rule.anchors or hit.head == ""
                assert rule.kind is not Kind.PERSONAL or hit.head == ""
