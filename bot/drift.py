"""How the metrics moved over the last releases up to this change, as exhibits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.errors import CouldNotTell, Missing, TooLarge
from bot.exhibit import Series, Trend
from bot.releasing.ledger.past import before, past
from bot.releasing.settings import Settings
from bot.world import World
from registry.documents import DocumentError
from registry.errors import RegistryError
from registry.history import History, history

RELEASES = 10
HEAD = "this change"


def drift(
    world: World, commit: str, path: str, releases: Settings, limit: int = RELEASES
) -> History:
    """Return what the metrics file at `path` says at the last releases before a commit.

    Releases are those of the ledger, where the base repository has one; else tags of versions.
    """
    note = ""
    try:
        held = past(world, releases)
    except (RegistryError, CouldNotTell) as error:
        held, note = None, f"the ledger of releases cannot be read ({error.message}): tags count"
    found = before(world, held, commit, limit) if held else world.releases(commit, limit)
    read = metrics_at(world, found, path)
    return replace(read, notes=(note, *read.notes)) if note else read


def metrics_at(world: World, commits: Sequence[tuple[str, str]], path: str) -> History:
    """Return what the metrics file at `path` says at each (name, commit)."""

    def read(commit: str, path: str, limit: int) -> bytes:
        try:
            entry = world.entry(commit, path)
            if entry is None:
                raise DocumentError("is not there")
            if not entry.is_file:
                raise DocumentError("is not a regular file")
            return world.read(entry.blob, limit)
        except (Missing, TooLarge) as error:
            raise DocumentError(f"cannot be read: {error.message}") from error

    return history(commits, path, read)


def trends(past: History, head: Mapping[str, Mapping[str, float]]) -> tuple[Trend, ...]:
    """Return one trend for each metric of the head ({task: {metric: number}}), the head last.

    A metric that no release has gives no trend.
    """
    known = {(series.task, series.metric): series.values for series in past.series}
    gaps = (None,) * len(past.releases)
    found: dict[str, list[Series]] = {}
    for task, metrics in head.items():
        for metric, value in metrics.items():
            values = (*known.get((task, metric), gaps), value)
            found.setdefault(metric, []).append(Series(task, values))
    return tuple(
        Trend(
            f"{metric} over the last releases",
            metric,
            (*past.releases, HEAD),
            tuple(series),
            "; ".join(past.notes),
        )
        for metric, series in found.items()
        if any(value is not None for one in series for value in one.values[:-1])
    )
