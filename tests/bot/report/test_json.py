from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.report import render
from bot.report.json import schema
from bot.verdict import Outcome, Verdict
from tests.bot.report.samples import DIGEST, OTHER, RULES, odd_exhibits, report

PUBLISHED = Path(__file__).parents[3] / "docs" / "report.schema.json"


def _data(**options: Any) -> Any:
    return json.loads(render(report(), "json", RULES, **options))


def _valid(data: Any) -> None:
    jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text())).validate(data)


def test_the_published_schema_is_the_one_of_the_code() -> None:
    wanted = json.dumps(schema(), indent=2) + "\n"
    assert PUBLISHED.read_text() == wanted, (
        f"write json.dumps(bot.report.json.schema(), indent=2) and a newline to {PUBLISHED}"
    )


@pytest.mark.parametrize("timings", [False, True])
def test_reports_validate(timings: bool) -> None:
    data = _data(timings=timings)
    _valid(data)
    assert all(("seconds" in v) is timings for v in data["verdicts"])


def test_the_schema_refuses_what_it_does_not_know() -> None:
    for broken in ({"surprise": 1}, {"version": 2}, {"outcome": "maybe"}):
        with pytest.raises(jsonschema.ValidationError):
            _valid({**_data(), **broken})


def test_everything_is_there() -> None:
    data, given = _data(), report()
    assert (data["version"], data["outcome"], data["exit_code"]) == (1, "error", 3)
    assert [f["path"] for f in data["change"]["files"]] == [f.path for f in given.change.files]
    assert [f["before"] is None for f in data["change"]["files"]] == [False, True, False]
    assert [v["check"] for v in data["verdicts"]] == [v.check for v in given.verdicts]
    for shown, verdict in zip(data["verdicts"], given.verdicts, strict=True):
        assert len(shown["findings"]) == len(verdict.findings)
    weights = data["verdicts"][3]["findings"]
    assert weights[1]["waived"] == "kept until 2.0, see the policy"
    assert [f["blocks"] for f in weights] == [True, False]
    kinds = [e["kind"] for e in data["verdicts"][4]["exhibits"]]
    new = ["intervals", "trend", "table", "record", "record"]
    assert kinds == ["intervals", "scatter", "histogram", "table", *new]
    assert len(data["verdicts"][4]["exhibits"][1]["points"]) == 240


def test_what_a_measurement_came_from_is_there() -> None:
    shown = _data()["verdicts"][4]["exhibits"]
    plot, trend, table, record, _ = shown[4:]
    first = plot["intervals"][0]
    assert (first["base"], first["head"], first["record"]) == (0.612, 0.591, DIGEST)
    assert shown[0]["intervals"][0]["base"] is None
    assert (table["record"], shown[3]["record"]) == (OTHER, "")
    assert trend["names"][-1] == "this change"
    assert trend["series"][1]["values"][:2] == [None, 0.28]
    assert (record["digest"], record["facts"][3]) == (DIGEST, ["device", "cpu, 2 threads, float32"])


def test_numbers_that_are_none_become_null() -> None:
    odd = replace(report(), verdicts=(Verdict("o", Outcome.PASS, (), "", odd_exhibits()),))
    shown = render(odd, "json", RULES)
    data = json.loads(shown, parse_constant=lambda name: pytest.fail(name))
    _valid(data)
    assert data["verdicts"][0]["exhibits"][4]["intervals"][0]["low"] is None
