from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.metrics.measure import Measurement, metrics
from registry import history as module
from registry.documents import DocumentError
from registry.history import History, MetricSeries, history


def _read(files: Mapping[str, bytes], limits: list[int] | None = None) -> History:
    def read(commit: str, path: str, limit: int) -> bytes:
        assert path == "metrics.json"
        if limits is not None:
            limits.append(limit)
        if commit not in files:
            raise DocumentError("is not there")
        return files[commit]

    return history([("v1", "a"), ("v2", "b"), ("v3", "c")], "metrics.json", read)


def test_each_metric_of_each_task_is_a_series_and_a_missing_file_a_gap() -> None:
    limits: list[int] = []
    found = _read(
        {"a": b'{"arc": {"accuracy": 0.5, "bits": 2}}', "c": b'{"arc": {"accuracy": 1}}'}, limits
    )
    assert found == History(
        ("v1", "v2", "v3"),
        (
            MetricSeries("arc", "accuracy", (0.5, None, 1.0)),
            MetricSeries("arc", "bits", (2.0, None, None)),
        ),
        ("metrics.json is not there: v2",),
    )
    assert limits == [module.LIMIT] * 3


def test_it_reads_what_measure_writes() -> None:
    one = Measurement("prose", "bits_per_byte", 1.25, 1.0, 1.5, 10, 0.05)
    found = _read({"b": json.dumps(metrics([one]), indent=2).encode()})
    assert found.series == (MetricSeries("prose", "bits_per_byte", (None, 1.25, None)),)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "line 1: Expecting value"),
        (b"[]", "the file is not an object"),
        (b'{"arc": 0.5}', "'arc' is not an object"),
        (b'{"arc": {"accuracy": "0.5"}}', "'arc', 'accuracy' is not a number"),
        (b'{"arc": {"accuracy": true}}', "'arc', 'accuracy' is not a number"),
        (b'{"arc": {"accuracy": null}}', "'arc', 'accuracy' is not a number"),
        (b'{"arc": {"accuracy": NaN}}', "NaN is not JSON"),
        (b'{"arc": {"accuracy": 1e999}}', "'arc', 'accuracy' is not finite"),
        (b'{"arc": {"accuracy": 1' + b"0" * 400 + b"}}", "'arc', 'accuracy' is not finite"),
        (b'{"arc": {"accuracy": 1' + b"0" * 9_000 + b"}}", "digits"),
        (b'{"arc": {"a": 1}, "arc": {"a": 2}}', "duplicate key"),
        (b'{"' + b"x" * 300 + b'": {}}', "more than 200 characters"),
        (b"[" * 100, "nested deeper"),
        (b'{"a": {}}' + b" " * module.LIMIT, "bytes, more than"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_a_gap_with_its_reason(data: bytes, reason: str) -> None:
    found = _read({"a": b'{"arc": {"accuracy": 1}}', "b": data, "c": b"{}"})
    assert found.series == (MetricSeries("arc", "accuracy", (1.0, None, None)),)
    (note,) = found.notes
    assert note.startswith("metrics.json ")
    assert note.endswith(": v2")
    assert reason in note


def test_more_metrics_than_anyone_reads_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SERIES", 3)
    table = {"t": {f"m{i}": i for i in range(5)}}
    found = _read(dict.fromkeys("abc", json.dumps(table).encode()))
    assert [series.metric for series in found.series] == ["m0", "m1", "m2"]
    assert found.notes == ("2 more metrics left out",)


@given(st.binary(max_size=60))
def test_no_bytes_crash_it(data: bytes) -> None:
    found = _read({"a": data})
    assert found.notes[-1] == "metrics.json is not there: v2, v3"
    assert len(found.series) == 0
