"""The report as JSON. The types below are its format; `docs/report.schema.json` is made of them.

Keys are only ever added within one `version`. Numbers that JSON cannot hold become null.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from bot.change import FileChange, TreeEntry
from bot.finding import Finding, Level, Rule
from bot.report.exhibitdata import ExhibitData, exhibit_data
from bot.report.options import Options
from bot.verdict import Outcome, Report, Verdict


class EntryData(TypedDict):
    """What git holds at a path: the mode in octal and the object id."""

    mode: str
    blob: str


class FileData(TypedDict):
    """One changed path; `before` is null where it was added, `after` where it was deleted."""

    path: str
    before: EntryData | None
    after: EntryData | None


class ChangeData(TypedDict):
    """The change that was judged. `number` is 0 outside a pull request."""

    repository: str
    number: int
    author: str
    base: str
    head: str
    merge_base: str
    files: list[FileData]


class LocationData(TypedDict):
    """A path and 1-based line of the head, or a commit; empty and 0 where it is neither."""

    path: str
    line: int
    commit: str


class FindingData(TypedDict):
    """One statement about the change; `blocks` says whether it stops it."""

    rule: str
    severity: Level
    message: str
    remedy: str
    location: LocationData
    waived: str
    blocks: bool


class VerdictData(TypedDict):
    """What one check says. `seconds` is there only where timings were asked for."""

    check: str
    outcome: Outcome
    reason: str
    findings: list[FindingData]
    exhibits: list[ExhibitData]
    seconds: NotRequired[float]


class ReportData(TypedDict):
    """Every verdict of Modelwarden on one change."""

    version: Literal[1]
    outcome: Outcome
    exit_code: int
    policy: str
    change: ChangeData
    verdicts: list[VerdictData]


def render(report: Report, rules: Mapping[str, Rule], options: Options) -> str:
    """Return the report as JSON of version 1."""
    data = document(report, timings=options.timings)
    return json.dumps(data, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def document(report: Report, *, timings: bool = False) -> ReportData:
    """Return what the JSON holds."""
    return {
        "version": 1,
        "outcome": report.outcome,
        "exit_code": report.exit_code,
        "policy": report.policy,
        "change": {
            "repository": report.change.repository,
            "number": report.change.number,
            "author": report.change.author,
            "base": report.change.base,
            "head": report.change.head,
            "merge_base": report.change.merge_base,
            "files": [_file(f) for f in report.change.files],
        },
        "verdicts": [_verdict(v, timings) for v in report.verdicts],
    }


def _file(file: FileChange) -> FileData:
    return {"path": file.path, "before": _entry(file.before), "after": _entry(file.after)}


def _entry(entry: TreeEntry | None) -> EntryData | None:
    return None if entry is None else {"mode": entry.mode, "blob": entry.blob}


def _verdict(verdict: Verdict, timings: bool) -> VerdictData:
    data: VerdictData = {
        "check": verdict.check,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "findings": [_finding(f) for f in verdict.findings],
        "exhibits": [exhibit_data(e) for e in verdict.exhibits],
    }
    if timings:
        data["seconds"] = round(verdict.seconds, 3)
    return data


def _finding(finding: Finding) -> FindingData:
    place = finding.location
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "remedy": finding.remedy,
        "location": {"path": place.path, "line": place.line, "commit": place.commit},
        "waived": finding.waived,
        "blocks": finding.counts,
    }


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the report, the content of `docs/report.schema.json`."""
    from pydantic import TypeAdapter

    made = TypeAdapter(ReportData).json_schema()
    for part in (made, *made["$defs"].values()):
        if "properties" in part:
            part["additionalProperties"] = False
            for field in part["properties"].values():
                field.pop("title", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
