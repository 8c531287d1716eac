from __future__ import annotations

import json

from bot.drift import HEAD as THIS
from bot.drift import drift, trends
from bot.exhibit import Series, Trend
from bot.releasing.settings import Settings
from bot.repository import GitWorld
from registry.history import LIMIT, History, MetricSeries
from tests.fakes import HEAD, FakeWorld
from tests.gitrepo import Repo

PAST = History(
    ("v1", "v2"),
    (MetricSeries("arc", "accuracy", (0.5, None)), MetricSeries("old", "f1", (0.1, 0.2))),
    ("metrics.json is not there: v2",),
)


def test_one_trend_for_each_metric_ends_with_the_head() -> None:
    head = {"arc": {"accuracy": 0.6, "bits": 2.0}, "new": {"accuracy": 0.7}}
    assert trends(PAST, head) == (
        Trend(
            "accuracy over the last releases",
            "accuracy",
            ("v1", "v2", THIS),
            (Series("arc", (0.5, None, 0.6)), Series("new", (None, None, 0.7))),
            "metrics.json is not there: v2",
        ),
    )
    assert trends(History((), ()), head) == ()


def test_a_release_that_cannot_be_read_is_a_gap() -> None:
    good = json.dumps({"arc": {"accuracy": 0.5}})
    releases = {
        "v1": {"m.json": good},
        "v2": {},
        "v3": {"m.json": "x" * (LIMIT + 1)},
        "v4": {"m.json/a": "a folder"},
    }
    found = drift(FakeWorld({}, {}, releases=releases), HEAD, "m.json", Settings())
    assert found.series == (MetricSeries("arc", "accuracy", (0.5, None, None, None)),)
    assert found.notes == (
        "m.json is not there: v2",
        f"m.json cannot be read: {LIMIT + 1:,} bytes, more than {LIMIT:,}: v3",
        "m.json is not a regular file: v4",
    )


def test_the_releases_of_a_repository(repo: Repo) -> None:
    for number in range(3):
        head = repo.commit({"metrics.json": json.dumps({"arc": {"accuracy": number / 4}})})
        repo.git("tag", "-a", "-m", "x", f"v1.{number}")
    head = repo.commit({"metrics.json": "no longer read"})
    with GitWorld(repo.path) as world:
        found = drift(world, head, "metrics.json", Settings(), 2)
    assert found == History(("v1.1", "v1.2"), (MetricSeries("arc", "accuracy", (0.25, 0.5)),))
