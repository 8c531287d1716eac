from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot import engine, policy
from bot.check import Check
from bot.errors import UsageError
from bot.finding import Level
from bot.policy import POLICY_PATH, Policy
from bot.verdict import Outcome, Report, Verdict
from registry.errors import MissingWeights
from tests.bot import toycheck
from tests.fakes import FakeWorld

TODAY = date(2026, 6, 1)
TOY = cast(Check, toycheck)
RULES = {rule.id: rule for rule in toycheck.RULES}


def review(files: dict[str, str], text: str = "", checks: tuple[Check, ...] = (TOY,)) -> Report:
    world = FakeWorld({}, files)
    used = policy.load(text.encode(), POLICY_PATH, "the test", checks, RULES)
    return engine.review(world.change(), used, world, checks, today=TODAY)


def twin(name: str, **parts: Any) -> Check:
    """The toy check under another name, some of its parts replaced."""
    own = {key: getattr(toycheck, key) for key in dir(toycheck) if not key.startswith("_")}
    return cast(Check, SimpleNamespace(**(own | {"NAME": name} | parts)))


@pytest.mark.parametrize(
    ("files", "outcome", "code"),
    [
        ({"a": "good"}, Outcome.PASS, 0),
        ({"a": "bad"}, Outcome.FAIL, 1),
        ({"a": "odd"}, Outcome.ERROR, 3),
        ({"a": "bad", "b": "odd"}, Outcome.ERROR, 3),
        ({"blind": ""}, Outcome.ERROR, 3),
        ({"crash": ""}, Outcome.ERROR, 3),
    ],
)
def test_outcomes_and_exit_codes(files: dict[str, str], outcome: Outcome, code: int) -> None:
    report = review(files)
    assert (report.verdicts[0].outcome, report.exit_code) == (outcome, code)


def test_no_change_is_skipped_with_a_reason() -> None:
    verdict = review({}).verdicts[0]
    assert (verdict.outcome, verdict.reason) == (Outcome.SKIP, "no file changed")


def test_a_disabled_check_says_so() -> None:
    verdict = review({"a": "bad"}, "toy: {enabled: false}").verdicts[0]
    assert (verdict.outcome, verdict.reason) == (Outcome.SKIP, "toy.enabled is false")


def test_one_broken_check_hides_no_other() -> None:
    def broken(*_: object) -> Any:
        raise ZeroDivisionError("one\ntwo")

    report = review({"a": "bad"}, checks=(twin("first", collect=broken), TOY))
    first, second, _ = report.verdicts
    assert first.outcome is Outcome.ERROR
    assert "ZeroDivisionError: one two" in first.reason
    assert second.outcome is Outcome.FAIL


def test_a_check_that_ends_the_process_is_an_error() -> None:
    def leave(*_: object) -> Any:
        raise SystemExit(0)

    report = review({"a": "x"}, checks=(twin("leaver", collect=leave), TOY))
    assert report.verdicts[0].outcome is Outcome.ERROR
    assert "SystemExit" in report.verdicts[0].reason
    assert report.exit_code == 3


def test_errors_of_the_lower_parts_are_no_surprise() -> None:
    def missing(*_: object) -> Any:
        raise MissingWeights("model.safetensors is not here", "fetch it")

    verdict = review({"a": "x"}, checks=(twin("first", collect=missing),)).verdicts[0]
    assert verdict.outcome is Outcome.ERROR
    assert verdict.reason == "model.safetensors is not here; fetch it"


def test_could_not_tell_gives_reason_and_remedy() -> None:
    assert review({"blind": ""}).verdicts[0].reason == "cannot see; open your eyes"


def waiver(until: str, path: str = "**", rule: str = "toy/bad") -> str:
    return f"waive: [{{rule: {rule}, path: '{path}', until: {until}, reason: known}}]"


@pytest.mark.parametrize(
    ("files", "text", "outcomes", "own"),
    [
        ({"a": "bad"}, waiver("2026-06-01"), "pass pass", []),
        ({"a": "bad"}, waiver("2026-05-31"), "fail fail", ["policy/waiver-expired"]),
        ({"a": "good"}, waiver("2026-05-31"), "pass fail", ["policy/waiver-expired"]),
        ({"a": "good"}, waiver("2026-12-31"), "pass pass", ["policy/waiver-unused"]),
        ({"x/a": "bad"}, waiver("2026-12-31", "x/*"), "pass pass", []),
        ({"y/a": "bad"}, waiver("2026-12-31", "x/*"), "fail pass", ["policy/waiver-unused"]),
        ({"x[1]/a": "bad"}, waiver("2026-12-31", "x[1]/a"), "pass pass", []),
        ({"a.bin": "bad"}, waiver("2026-12-31", "**/*.bin"), "pass pass", []),
        ({"x/y/a": "bad"}, waiver("2026-12-31", "x/"), "pass pass", []),
        ({"a": "odd"}, waiver("2026-12-31", rule="toy/odd"), "pass pass", []),
        ({}, waiver("2026-12-31"), "skip pass", []),  # nobody looked, so nobody can tell
        ({"blind": ""}, waiver("2026-12-31"), "error pass", []),
    ],
)
def test_waivers(files: dict[str, str], text: str, outcomes: str, own: list[str]) -> None:
    toy, conduct = review(files, text).verdicts
    assert f"{toy.outcome} {conduct.outcome}" == outcomes
    assert [finding.rule for finding in conduct.findings] == own
    if "policy/waiver-unused" in own:
        assert conduct.findings[0].severity is Level.WARNING


def test_a_waived_finding_is_still_shown() -> None:
    (finding,) = review({"a": "bad"}, waiver("2026-12-31")).verdicts[0].findings
    assert (finding.waived, finding.counts) == ("known", False)


@pytest.mark.parametrize(
    ("rule", "word", "outcome", "severities"),
    [
        ("toy/bad", "note", Outcome.PASS, [Level.NOTE]),
        ("toy/bad", "warning", Outcome.PASS, [Level.WARNING]),
        ("toy/bad", "off", Outcome.PASS, []),
        ("toy/odd", "off", Outcome.ERROR, [Level.UNKNOWN]),
        ("toy/odd", "note", Outcome.ERROR, [Level.UNKNOWN]),
        ("toy/odd", "failure", Outcome.FAIL, [Level.FAILURE]),
    ],
)
def test_levels(rule: str, word: str, outcome: Outcome, severities: list[Level]) -> None:
    files = {"a": rule.removeprefix("toy/")}
    verdict = review(files, f"levels: {{{rule}: {word}}}").verdicts[0]
    assert (verdict.outcome, [f.severity for f in verdict.findings]) == (outcome, severities)


def test_an_edit_of_the_policy_is_reported() -> None:
    verdict = review({POLICY_PATH: "good"}).verdicts[-1]
    assert [finding.rule for finding in verdict.findings] == ["policy/edited"]
    assert "adds the policy" in verdict.findings[0].message


def test_findings_come_worst_first_and_in_order() -> None:
    report = review({"b": "bad", "a": "bad", "c": "odd bad"})
    assert [(f.rule, f.location.path) for f in report.verdicts[0].findings] == [
        ("toy/odd", "c"), ("toy/bad", "a"), ("toy/bad", "b"), ("toy/bad", "c"),
    ]  # fmt: skip


def test_progress_hears_of_every_check() -> None:
    heard: list[Verdict] = []
    world = FakeWorld({}, {"a": "good"})
    checks = (TOY, twin("other"))
    engine.review(
        world.change(), policy.default(checks), world, checks, today=TODAY, notify=heard.append
    )
    assert {verdict.check for verdict in heard} == {"toy", "other"}


def test_select() -> None:
    checks = (TOY, twin("other"))
    assert engine.select(checks, ["other"])[0].NAME == "other"
    assert len(engine.select(checks, [])) == 2
    with pytest.raises(UsageError, match="no check 'tpy'"):
        engine.select(checks, ["tpy"])


def test_default_policy() -> None:
    used: Policy = policy.default((TOY,))
    assert used.section("toy").word == "bad"
    assert "no .github/modelwarden.yml" in used.source


@pytest.mark.parametrize(
    ("files", "outcome", "reason"),
    [
        ({"a": "bad"}, Outcome.PENDING, "waits for leave"),
        ({}, Outcome.SKIP, "no file changed"),
    ],
)
def test_a_waiting_check_is_only_asked_whether_it_applies(
    files: dict[str, str], outcome: Outcome, reason: str
) -> None:
    world = FakeWorld({}, files)
    used = policy.load(b"", POLICY_PATH, "the test", (TOY,), RULES)
    report = engine.review(
        world.change(), used, world, (TOY,), today=TODAY, waiting={"toy": "waits for leave"}
    )
    assert (report.verdicts[0].outcome, report.verdicts[0].reason) == (outcome, reason)


def test_a_check_without_memory_says_what_to_do() -> None:
    def collect(*_: object) -> None:
        raise MemoryError

    verdict = review({"a": "good"}, checks=(twin("toy", collect=collect),)).verdicts[0]
    assert verdict.outcome is Outcome.ERROR
    assert "more memory" in verdict.reason and "make the changed files smaller" in verdict.reason


def test_a_waiver_given_elsewhere_covers_and_is_never_called_unused() -> None:
    world = FakeWorld({}, {"a": "bad"})
    used = policy.load(b"", POLICY_PATH, "the test", (TOY,), RULES)
    given = [
        policy.Waiver(rule=rule.id, until=TODAY, reason="by lin in a comment")
        for rule in toycheck.RULES
    ]
    report = engine.review(
        world.change(), replace(used, added=tuple(given)), world, (TOY,), today=TODAY
    )
    assert report.outcome is Outcome.PASS
    assert [f.waived for f in report.verdicts[0].findings] == ["by lin in a comment"]
    assert not report.verdicts[-1].findings
