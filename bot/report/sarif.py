"""The report as SARIF 2.1.0, within what GitHub code scanning accepts."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from bot.finding import Finding, Level, Location, Rule
from bot.report.neutral import cut
from bot.report.options import Options
from bot.report.outline import LEVELS
from bot.verdict import Outcome, Report
from bot.wording import plural

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
RESULT_LIMIT = 5_000  # GitHub shows no more of one run
MESSAGE_LIMIT = 1_000
_LEVELS = {
    Level.NOTE: "note",
    Level.WARNING: "warning",
    Level.FAILURE: "error",
    Level.UNKNOWN: "error",  # an answer that is missing is no smaller thing
}
_NOTICES = {Outcome.ERROR: "error", Outcome.PENDING: "error", Outcome.SKIP: "note"}


def render(report: Report, rules: Mapping[str, Rule], options: Options) -> str:
    """Return the report as one SARIF run."""
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report, rules)]}
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _run(report: Report, rules: Mapping[str, Rule]) -> dict[str, Any]:
    found = [f for verdict in report.verdicts for f in verdict.findings]
    found.sort(key=lambda f: (bool(f.waived), LEVELS.index(f.severity)))
    shown, left_out = found[:RESULT_LIMIT], found[RESULT_LIMIT:]
    names = sorted({f.rule for f in shown})
    seen: Counter[str] = Counter()
    return {
        "tool": {"driver": {"name": "Modelwarden", "rules": [_rule(n, rules) for n in names]}},
        "automationDetails": {"id": "modelwarden/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report, len(left_out))],
        "results": [_result(f, names.index(f.rule), seen) for f in shown],
    }


def _rule(name: str, rules: Mapping[str, Rule]) -> dict[str, Any]:
    rule = rules.get(name)
    if rule is None:  # of a plugin that documents none
        return {"id": name, "shortDescription": {"text": name}}
    return {
        "id": name,
        "name": name,
        "shortDescription": {"text": rule.finds},
        "fullDescription": {"text": rule.why},
        "help": {
            "text": f"{rule.finds}\n\nWhy: {rule.why}\n\nWhat to do: {rule.remedy}",
            "markdown": f"{rule.finds}\n\n**Why:** {rule.why}\n\n**What to do:** {rule.remedy}",
        },
        "defaultConfiguration": {"level": _LEVELS[rule.level]},
        "properties": {"tags": ["modelwarden", name.partition("/")[0]]},
    }


def _invocation(report: Report, left_out: int) -> dict[str, Any]:
    notices = [
        {
            "level": _NOTICES[verdict.outcome],
            "message": {"text": _message(f"{verdict.check}: {verdict.reason or verdict.outcome}")},
        }
        for verdict in report.verdicts
        if verdict.outcome in _NOTICES
    ]
    if left_out:
        text = f"{plural(left_out, 'result')} left out: GitHub shows {RESULT_LIMIT:,}"
        notices.append({"level": "warning", "message": {"text": text}})
    return {
        "executionSuccessful": report.outcome not in (Outcome.ERROR, Outcome.PENDING),
        "exitCode": report.exit_code,
        "toolExecutionNotifications": notices,
    }


def _result(finding: Finding, index: int, seen: Counter[str]) -> dict[str, Any]:
    key = "\0".join((finding.rule, finding.location.path, finding.message))
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    seen[digest] += 1
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(f"{finding.message} What to do: {finding.remedy}")},
        "locations": [_location(finding.location)],
        "partialFingerprints": {"finding/v1": f"{digest}:{seen[digest]}"},
    }
    if finding.waived:
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": finding.waived}
        ]
    return result


def _message(text: str) -> str:
    # "[a](b)" is a link in SARIF messages, also in plain ones.
    return cut(text, MESSAGE_LIMIT).replace("](", "] (")


def _location(place: Location) -> dict[str, Any]:
    # GitHub refuses a result without a file, so a commit or the change stands in for one.
    uri = quote(place.path) or (f"commit-{place.commit[:12]}" if place.commit else "whole-change")
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": max(place.line, 1)},
        }
    }
    if place.commit:
        location["logicalLocations"] = [{"fullyQualifiedName": place.commit, "kind": "commit"}]
    return location
