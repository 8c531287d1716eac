"""The engine's own rules: how the policy was used, and what the policy does to findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from bot.change import Change
from bot.finding import Finding, Level, Location, Rule, waived
from bot.patterns import any_matches, compiled
from bot.policy import POLICY_PATH, Policy, Waiver
from bot.verdict import Verdict, outcome_of

NAME = "policy"

EDITED = Rule(
    "policy/edited",
    Level.WARNING,
    "The change edits the policy it is judged by.",
    "A change is judged by the policy at its base; what it edits counts from the next change on.",
    "Have an owner of the policy review the edit; merge it by itself first if the change needs it.",
)
EXPIRED = Rule(
    "policy/waiver-expired",
    Level.FAILURE,
    "A waiver in the policy is past its date.",
    "A waiver is a loan: when it ends, the finding is fixed or somebody decides again.",
    "Fix what it covered and delete the waiver, or give it a new date and reason.",
)
UNUSED = Rule(
    "policy/waiver-unused",
    Level.WARNING,
    "A check judged the change, and a waiver of one of its rules covers nothing.",
    "Waivers that no longer cover anything hide the next finding of their kind.",
    "Delete it if what it covered is fixed.",
)
RULES = (EDITED, EXPIRED, UNUSED)


def apply(
    policy: Policy, findings: tuple[Finding, ...], today: date
) -> tuple[tuple[Finding, ...], frozenset[int]]:
    """Return the findings with levels and waivers applied, and which waivers were used.

    A level never softens "could not tell", it can only make it a plain failure; a waiver, with
    date and reason, covers it.
    """
    used: set[int] = set()
    kept: list[Finding] = []
    for found in findings:
        finding = _level(policy, found)
        if finding is None:
            continue
        index = _waiver(policy.waivers, finding, today)
        if index is not None:
            used.add(index)
            finding = waived(finding, policy.waivers[index].reason)
        kept.append(finding)
    return tuple(kept), frozenset(used)


def _level(policy: Policy, finding: Finding) -> Finding | None:
    word = policy.levels.get(finding.rule)
    if word is None or (finding.severity is Level.UNKNOWN and word != "failure"):
        return finding
    return None if word == "off" else replace(finding, severity=Level(word))


def _waiver(waivers: Sequence[Waiver], finding: Finding, today: date) -> int | None:
    for index, waiver in enumerate(waivers):
        if waiver.rule == finding.rule and waiver.until >= today and _covers(waiver, finding):
            return index
    return None


def _covers(waiver: Waiver, finding: Finding) -> bool:
    path = finding.location.path
    return waiver.path in ("**", path) or any_matches((compiled(waiver.path),), path)


def verdict(
    change: Change, policy: Policy, used: frozenset[int], judged: frozenset[str], today: date
) -> Verdict:
    """Judge the policy itself: edited, expired and unused waivers.

    `judged` names the checks that reached an answer: no other can tell that a waiver is unused.
    """
    findings: list[Finding] = []
    edit = next((f for f in change.files if f.path == POLICY_PATH), None)
    if edit is not None:
        verb = "adds" if edit.added else "removes" if edit.deleted else "edits"
        findings.append(
            EDITED.at(
                f"the change {verb} the policy; it is judged by {policy.source}",
                Location("" if edit.deleted else POLICY_PATH),
            )
        )
    for index, waiver in enumerate(policy.root.waive):
        lines = policy.waiver_lines
        place = Location(POLICY_PATH, lines[index] if index < len(lines) else 0)
        if waiver.until < today:
            findings.append(
                EXPIRED.at(f"the waiver of {waiver.rule} ended on {waiver.until}", place)
            )
        elif index not in used and waiver.rule.partition("/")[0] in judged:
            findings.append(UNUSED.at(f"the waiver of {waiver.rule} covers nothing here", place))
    found = tuple(findings)
    return Verdict(NAME, outcome_of(found), found, policy.source)
