"""Moments as files state them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.moments import days_between, utc


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ("2026-01-28T10:17:05.322Z", "2026-01-28T10:17:05Z"),
        ("2026-01-28T10:17:05", "2026-01-28T10:17:05Z"),
        ("2026-01-28T10:17:05+02:00", "2026-01-28T08:17:05Z"),
        (datetime(2026, 1, 28, 10, 17, 5, 9, UTC), "2026-01-28T10:17:05Z"),
        (datetime(2026, 1, 28, 1, tzinfo=timezone(timedelta(hours=2))), "2026-01-27T23:00:00Z"),
        (datetime(2026, 1, 28), "2026-01-28T00:00:00Z"),
        ("", ""),
        ("2026-01-28", ""),
        (date(2026, 1, 28), ""),
        (time(10), ""),
        ("yesterday", ""),
        ("T", ""),
        ("2026-13-28T10:17:05Z", ""),
        ("0001-01-01T00:00:00+14:00", ""),
        ("9999-12-31T23:59:59-14:00", ""),
        ("2026-01-28T10:17:05Z" + "0" * 1000, ""),
        (1, ""),
        (None, ""),
        (True, ""),
        ({"T": 1}, ""),
    ],
)
def test_a_moment_is_in_utc_or_not_known(stated: object, told: str) -> None:
    assert utc(stated) == told


@pytest.mark.parametrize(
    ("earlier", "later", "days"),
    [
        ("2026-01-01T12:00:00Z", "2026-01-08T11:59:59Z", 6),
        ("2026-01-01T12:00:00Z", "2026-01-08T12:00:00Z", 7),
        ("2026-01-01T12:00:00Z", "2026-01-08", 6),
        ("2026-01-08T12:00:00Z", "2026-01-01T12:00:00Z", -7),
        ("", "2026-01-08", None),
        ("2026-01-08", "soon", None),
    ],
)
def test_days_are_whole(earlier: str, later: str, days: int | None) -> None:
    assert days_between(earlier, later) == days


@given(st.one_of(st.text(), st.datetimes(), st.datetimes(timezones=st.just(UTC)).map(str)))
def test_what_is_told_is_a_moment_again(stated: object) -> None:
    told = utc(stated)
    assert told == "" or utc(told) == told
