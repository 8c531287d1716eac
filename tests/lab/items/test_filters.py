"""Filters, and a table of what they make, held against lm-evaluation-harness's own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from lab.errors import SuiteError
from lab.items.filters import INVALID, TEXT_LIMIT, apply, check
from lab.protocol import Filter, Item

ITEM = Item("a", "", ("x",))
# Each case: the filters as a harness task writes them, what the model wrote, what comes out.
CASES: tuple[tuple[list[dict[str, Any]], str, str], ...] = (
    ([{"function": "regex"}], "so 3 + 4\n#### 1,234.5 is it", "1,234.5"),
    ([{"function": "regex"}], "#### -7 or #### 8", "-7"),
    ([{"function": "regex"}], "no number", INVALID),
    ([{"function": "regex"}], "", INVALID),
    ([{"function": "regex", "group_select": -1}], "#### -7 or #### 8", "8"),
    ([{"function": "regex", "regex_pattern": r"\d+", "fallback": "0"}], "none", "0"),
    ([{"function": "regex", "regex_pattern": r"(-?[$0-9.,]{2,})|(-?[0-9]+)"}], "is 5", "5"),
    ([{"function": "regex", "regex_pattern": r"(a)?(b)?c"}], "c", INVALID),
    ([{"function": "regex", "regex_pattern": r"(a)?(b)?c"}], "bc", "b"),
    ([{"function": "regex", "regex_pattern": r"is(.*)"}], "it is  so  \nis x", "so"),
    ([{"function": "regex", "regex_pattern": r"x*"}], "y", ""),
    ([{"function": "regex", "regex_pattern": r"(?s)A.C"}], "A\nC", "A\nC"),
    ([{"function": "regex", "regex_pattern": r"\w+"}], "naïve", "naïve"),
    ([{"function": "remove_whitespace"}], " \t a b\u3000\n", "a b"),
    ([{"function": "lowercase"}], "ÀB İ", "àb i̇"),
    ([{"function": "uppercase"}], "straße", "STRASSE"),
    ([{"function": "map", "mapping_dict": {"A": "yes"}, "default_value": "no"}], "A", "yes"),
    ([{"function": "map", "mapping_dict": {"A": "yes"}, "default_value": "no"}], "B", "no"),
    ([{"function": "map", "mapping_dict": {"A": 0}, "default_value": -1}], "A", "0"),
    ([{"function": "map", "mapping_dict": {"A": 0}, "default_value": -1}], "a", "-1"),
    ([{"function": "take_first"}], " a ", " a "),
    (
        [
            {"function": "regex", "regex_pattern": r"answer is (\w)"},
            {"function": "lowercase"},
            {"function": "map", "mapping_dict": {"b": "2"}, "default_value": "0"},
            {"function": "take_first"},
        ],
        "So the answer is B.",
        "2",
    ),
)
ORACLE = """
import json, sys
from lm_eval.api.instance import Instance
from lm_eval.filters import build_filter_ensemble
answers = []
for steps, text, _ in json.load(sys.stdin):
    parts = [(s.pop("function"), s) for s in steps]
    one = Instance("generate_until", {}, ("", {}), 0)
    one.resps = [text]
    build_filter_ensemble("f", parts).apply([one])
    found = one.filtered_resps["f"]
    answers.append(str(found[0] if isinstance(found, list) else found))
print("\\n" + json.dumps(answers))
"""


def steps(written: list[dict[str, Any]]) -> tuple[Filter, ...]:
    """Return the filters as a suite holds them: what is no string as its JSON."""
    return tuple(
        Filter(
            step["function"],
            tuple(
                (name, value if isinstance(value, str) else json.dumps(value))
                for name, value in step.items()
                if name != "function"
            ),
        )
        for step in written
    )


@pytest.mark.parametrize(("written", "text", "right"), CASES)
def test_what_filters_make(written: list[dict[str, Any]], text: str, right: str) -> None:
    check(steps(written))
    assert apply(steps(written), text, ITEM) == right


def test_the_harness_makes_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ORACLE],
        input=json.dumps(CASES), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout.splitlines()[-1]) == [right for _, _, right in CASES]


def test_nothing_to_do() -> None:
    assert apply((), " as it is ", ITEM) == " as it is "


@pytest.mark.parametrize(
    ("text", "place"), [("#### 1", "1"), ("#### 1", "-2"), ("#### 1 #### 2", "99999999999")]
)
def test_a_match_that_is_not_there(text: str, place: str) -> None:
    assert apply((Filter("regex", (("group_select", place),)),), text, ITEM) == INVALID


def test_long_texts_are_cut() -> None:
    text = "a" * TEXT_LIMIT + "b"
    assert apply((Filter("uppercase"),), text, ITEM) == "A" * TEXT_LIMIT


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (Filter("custom"), "filter 'custom' is not supported"),
        (Filter("majority_vote"), "filter 'majority_vote' is not supported"),
        (Filter("regex", (("pattern", "a"),)), "unknown option 'pattern'"),
        (Filter("regex", (("regex_pattern", "("),)), "unterminated subpattern"),
        (Filter("regex", (("regex_pattern", "a{99999999999}"),)), "repetition number"),
        (Filter("regex", (("regex_pattern", "(" * 5_000 + ")" * 5_000),)), "filter 'regex': "),
        (Filter("regex", (("group_select", "one"),)), "Expecting value"),
        (Filter("regex", (("group_select", "true"),)), "group_select must be of type int"),
        (Filter("map", (("mapping_dict", "[" * 99_999),)), "filter 'map': "),
        (Filter("map", (("mapping_dict", '{"a": [1]}'),)), "mapping_dict must be of strings"),
        (Filter("lowercase", (("a\nb", "c"),)), r"unknown option 'a\nb'"),
    ],
)
def test_filters_that_are_refused(one: Filter, said: str) -> None:
    with pytest.raises(SuiteError) as caught:
        check((one,))
    assert said in caught.value.message
    assert caught.value.message.isprintable()
    with pytest.raises(SuiteError):
        apply((one,), "text", ITEM)
    if one.name in ("custom", "majority_vote"):
        assert "regex, remove_whitespace" in caught.value.hint
