from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.change import Change
from bot.finding import Finding, Level, Location
from bot.report import render
from bot.report.sarif import MESSAGE_LIMIT, RESULT_LIMIT
from bot.verdict import Outcome, Report, Verdict
from tests.bot.report.samples import RULES, report

SCHEMA = Path(__file__).parents[2] / "data" / "sarif" / "sarif-2.1.0.json"


def _run(given: Report) -> Any:
    log = json.loads(render(given, "sarif", RULES))
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8-sig"))).validate(log)
    return log["runs"][0]


def _one(*findings: Finding, outcome: Outcome = Outcome.FAIL) -> Any:
    change = Change("r", "b" * 40, "a" * 40, "b" * 40, ())
    return _run(Report(change, "defaults", (Verdict("c", outcome, findings, "why"),)))


def test_the_rich_report_validates_and_names_its_rules() -> None:
    run = _run(report())
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    help_text = {r["id"]: r["help"]["text"] for r in rules}["weights/pickle"]
    assert "Save the weights as safetensors." in help_text


@pytest.mark.parametrize(
    ("level", "shown"),
    [("note", "note"), ("warning", "warning"), ("failure", "error"), ("unknown", "error")],
)
def test_levels(level: str, shown: str) -> None:
    assert _one(Finding("a/b", Level(level), "m", "r"))["results"][0]["level"] == shown


@pytest.mark.parametrize(
    ("place", "uri", "line"),
    [
        (Location("a b/ü#?.py", 7), "a%20b/%C3%BC%23%3F.py", 7),
        (Location("a.py"), "a.py", 1),
        (Location("", 0, "c" * 40), "commit-cccccccccccc", 1),
        (Location(), "whole-change", 1),
        (Location("a\\377", 2), "a%5C377", 2),
    ],
)
def test_every_result_has_a_file_and_a_line(place: Location, uri: str, line: int) -> None:
    result = _one(Finding("a/b", Level.NOTE, "m", "r", place))["results"][0]
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == uri
    assert physical["region"]["startLine"] == line


def test_waived_findings_are_suppressed_with_their_reason() -> None:
    results = _run(report())["results"]
    reasons = [s["justification"] for r in results for s in r.get("suppressions", [])]
    assert reasons == ["kept until 2.0, see the policy"]


@pytest.mark.parametrize(
    ("outcome", "successful"),
    [("pass", True), ("fail", True), ("skip", True), ("error", False), ("pending", False)],
)
def test_what_could_not_tell_is_no_success(outcome: str, successful: bool) -> None:
    invocation = _one(outcome=Outcome(outcome))["invocations"][0]
    assert invocation["executionSuccessful"] is successful
    texts = [n["message"]["text"] for n in invocation["toolExecutionNotifications"]]
    assert texts == ([] if outcome in ("pass", "fail") else ["c: why"])


def test_fingerprints_follow_rule_path_and_message_not_line_or_remedy() -> None:
    first = Finding("a/b", Level.NOTE, "m", "r", Location("x.py", 1))
    same = replace(first, remedy="other", location=Location("x.py", 9))
    alone = _one(first)["results"][0]["partialFingerprints"]
    assert _one(same)["results"][0]["partialFingerprints"] == alone
    both = [r["partialFingerprints"]["finding/v1"] for r in _one(first, same)["results"]]
    assert len(set(both)) == 2
    for other in (replace(first, message="n"), replace(first, location=Location("y.py", 1))):
        assert _one(other)["results"][0]["partialFingerprints"] != alone


def test_too_many_results_are_cut_worst_first_and_said() -> None:
    notes = tuple(Finding("a/b", Level.NOTE, f"m{i}", "r") for i in range(RESULT_LIMIT + 4))
    run = _one(*notes, Finding("a/c", Level.FAILURE, "m", "r"))
    assert len(run["results"]) == RESULT_LIMIT
    assert run["results"][0]["ruleId"] == "a/c"
    assert "5 results left out" in json.dumps(run["invocations"])


def test_messages_are_short_and_hold_no_links() -> None:
    run = _one(Finding("a/b", Level.NOTE, "[x](https://evil.example) " + "y" * 1500, "r"))
    text = run["results"][0]["message"]["text"]
    assert "](" not in text
    assert len(text) < MESSAGE_LIMIT + 50
