"""What shuts the gate of a release; nothing that is not known opens it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from registry.release.gate import CheckRun, GateFacts, GateRules, Proof, Waiver, judge
from registry.release.ledger import Issued
from registry.release.links import Missing
from registry.release.values import Approval, Gated

OWN, OTHER = "a" * 64, "b" * 64
COMMIT = "c" * 40
OUT = Issued("acme/small", "1.0.0", "d" * 40, OTHER, "v1.0.0", "e" * 64, "2026-10-01", "ada")
FACTS = GateFacts(
    artifact="acme/small",
    version="1.1.0",
    commit=COMMIT,
    actor="ada",
    signers=("ada",),
    fingerprint=OWN,
    checks=(Gated("weights", "pass", "fine"), Gated("licences", "skip", "none changed")),
    runs=(CheckRun("Modelwarden", "success"), CheckRun("tests", "failure")),
    evidence=(Proof("quiz", OWN, 100, 100, ("ada",)),),
    approvals=(Approval("Bob", "review", "2026-10-02"),),
    issued=(OUT,),
    previous="1.0.0",
    merged=True,
)
RULES = GateRules(
    who=("ada",),
    approvals=1,
    required=("Modelwarden",),
    checks=("weights", "licences"),
    suites=("quiz",),
)


def said(facts: GateFacts, rules: GateRules = RULES) -> list[str]:
    found = judge(facts, rules)
    assert all(shut.why.isprintable() and shut.remedy.isprintable() for shut in found)
    assert all(shut.remedy for shut in found)
    return [shut.why for shut in found]


def test_a_release_that_may_be_made() -> None:
    assert said(FACTS) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"version": "1.0.0"}, "acme/small 1.0.0 is released at 2026-10-01 from dddddddddddd"),
        ({"version": "1.0"}, "acme/small 1.0 is released at 2026-10-01 from dddddddddddd"),
        ({"version": "1.0.0+other"}, "is released at 2026-10-01"),
        ({"version": "0.9.0"}, "acme/small 0.9.0 does not come after 1.0.0"),
        ({"version": "1.0.0-rc.1"}, "does not come after 1.0.0"),
        ({"previous": "1.1.0"}, "acme/small 1.1.0 does not come after 1.1.0"),
        ({"version": "one"}, "is not a version"),
        ({"previous": "none"}, "is not a version"),
        ({"version": "1.0.0", "issued": (replace(OUT, withdrawn="it leaks"),)},
         "withdrawn: it leaks"),
        ({"merged": False}, "cccccccccccc is not merged into main"),
        ({"merged": None}, "whether cccccccccccc is merged into main could not be told"),
        ({"actor": "mallory", "signers": ("mallory",)}, "mallory may not release acme/small"),
        ({"actor": "", "signers": ()}, "who releases acme/small is not known"),
        ({"approvals": ()}, "1 other person than ada must agree to acme/small 1.1.0"),
        ({"approvals": (Approval("ADA", "signature", ""),)}, "1 other person than ada"),
        ({"approvals": (Approval("@ada ", "review", ""),)}, "1 other person than ada"),
        ({"actor": "release-bot", "approvals": (Approval("ada", "review", ""),)},
         "1 other person than release-bot"),
        ({"approvals": (Approval(" ", "review", ""),)}, "1 other person than ada"),
        ({"checks": (Gated("weights", "fail", "a pickle"), Gated("licences", "pass", ""))},
         "the check weights says fail: a pickle"),
        ({"checks": (Gated("weights", "error", "?"), Gated("licences", "pass", ""))}, "says error"),
        ({"checks": (Gated("weights", "pending", "?"), Gated("licences", "pass", ""))},
         "says pending"),
        ({"checks": (Gated("weights", "PASS", "?"), Gated("licences", "pass", ""))}, "says PASS"),
        ({"checks": (Gated("weights", "pass", ""),)}, "the check licences was not run"),
        ({"runs": None}, "could not be asked of GitHub"),
        ({"runs": ()}, "no check run Modelwarden on cccccccccccc"),
        ({"runs": (CheckRun("Modelwarden", ""),)}, "Modelwarden is still running"),
        ({"runs": (CheckRun("Modelwarden", "failure"),)}, "Modelwarden ended with failure"),
        ({"runs": (CheckRun("Modelwarden", "neutral"),)}, "Modelwarden ended with neutral"),
        ({"runs": (CheckRun("Modelwarden", "skipped"),)}, "Modelwarden ended with skipped"),
        ({"runs": (CheckRun("Modelwarden", "success"), CheckRun("Modelwarden", "cancelled"))},
         "Modelwarden ended with cancelled"),
        ({"evidence": ()}, "nothing was measured on quiz"),
        ({"evidence": (Proof("quiz", OTHER, 100, 100, ("ada",)),)},
         "the measurement on quiz is of other bytes (bbbbbbbbbbbb, released are aaaaaaaaaaaa)"),
        ({"evidence": (*FACTS.evidence, Proof("quiz", OTHER, 9, 9, ("ada",)))}, "of other bytes"),
        ({"evidence": (Proof("quiz", OWN, 99, 100, ("ada",)),)}, "ended early: 99 of 100 items"),
        ({"evidence": (Proof("quiz", OWN, 0, 0, ("ada",)),)}, "ended early: 0 of 0 items"),
        ({"evidence": (Proof("quiz", OWN, 101, 100, ("ada",)),)}, "ended early: 101 of 100"),
        ({"evidence": (Proof("quiz", OWN, 100, 100),)}, "nobody trusted signed"),
        ({"fingerprint": ""}, "what the released weights are was not measured"),
        ({"fingerprint": "", "evidence": (Proof("quiz", "", 1, 1, ("ada",)),)}, "was not measured"),
        ({"missing": (Missing("data", "no pointer names it", "add it: dvc add data"),)},
         "data is missing: no pointer names it"),
    ],
)  # fmt: skip
def test_one_thing_shuts_it(change: dict[str, Any], why: str) -> None:
    found = said(replace(FACTS, **change))
    assert len(found) == 1, found
    assert why in found[0]


@pytest.mark.parametrize(
    "change",
    [
        {"version": "1.0.1-rc.1"},
        {"version": "1.0.0", "issued": (replace(OUT, artifact="acme/large"),), "previous": ""},
        {"actor": "ci", "signers": ("ada", "carol")},
        {"actor": "Ada"},
        {"runs": None, "waivers": (Waiver("Modelwarden", "ada", "the runner is down"),)},
        {"checks": (Gated("weights", "fail", "x"), Gated("licences", "pass", "")),
         "waivers": (Waiver("weights", "ada", "known, issue 12"),)},
        {"checks": (Gated("licences", "pass", ""),),
         "waivers": (Waiver("weights", "ada", "no weights in it"),)},
    ],
)  # fmt: skip
def test_what_does_not_shut_it(change: dict[str, Any]) -> None:
    assert said(replace(FACTS, **change)) == []


@pytest.mark.parametrize(
    "waiver",
    [Waiver("weights", "ada", " "), Waiver("weights", "", "because"), Waiver("weight", "ada", "x")],
)
def test_a_waiver_says_who_and_why(waiver: Waiver) -> None:
    failed = (Gated("weights", "fail", "x"), Gated("licences", "pass", ""))
    assert len(said(replace(FACTS, checks=failed, waivers=(waiver,)))) == 1


def test_two_people_are_two() -> None:
    rules = replace(RULES, approvals=2)
    twice = (Approval("bob", "review", ""), Approval("BOB", "signature", ""))
    assert said(replace(FACTS, approvals=twice), rules) == [
        "1 other person than ada must agree to acme/small 1.1.0; so far: bob"
    ]
    both = (*twice, Approval("carol", "review", ""))
    assert said(replace(FACTS, approvals=both), rules) == []


def test_unsigned_measurements_where_the_policy_takes_them() -> None:
    unsigned = replace(FACTS, evidence=(Proof("quiz", OWN, 1, 1),))
    assert said(unsigned, replace(RULES, signed=False)) == []


def test_everything_is_told_at_once() -> None:
    nothing = GateFacts("acme/small", "1.0.0", COMMIT, "", (), "", issued=(OUT,))
    assert len(said(nothing)) == 8


@pytest.mark.parametrize(
    "conclusion", ["neutral", "skipped", "stale", "", "timed_out", "SUCCESS", "action_required"]
)
def test_only_success_is_success(conclusion: str) -> None:
    assert said(replace(FACTS, runs=(CheckRun("Modelwarden", conclusion),)))


@pytest.mark.parametrize(
    ("summary", "remedy"),
    [
        ("weights/pickle: a pickle: here",
         "correct it, or accept it with a reason: --waive weights/pickle=REASON"),
        ("weights/pickle, weights/nan: x", "correct it, or accept it with a reason: "
         "--waive weights/pickle=REASON --waive weights/nan=REASON"),
        ("it could not be judged", "correct it"),
        ("licences/x: of another check", "correct it"),
        ("", "correct it"),
    ],
)  # fmt: skip
def test_a_check_that_fails_is_accepted_by_its_rules(summary: str, remedy: str) -> None:
    failed = (Gated("weights", "fail", summary), Gated("licences", "pass", ""))
    (shut,) = judge(replace(FACTS, checks=failed), RULES)
    assert shut.remedy == remedy
