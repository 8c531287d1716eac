"""What was measured of one model, for people and for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property

from bot.change import Change
from bot.exhibit import Exhibit, Table
from bot.exhibit import Record as RecordExhibit
from bot.verdict import Outcome, Report, Verdict
from lab.metrics.measure import Measurement, summarise
from lab.protocol import ModelScores, Task, TaskScores, Usage
from lab.record import Record, record
from lab.speed.slowdown import Latency
from lab.worker import versions


@dataclass(frozen=True)
class Measured:
    """One model's scores on all tasks; `reused` counts the items known from earlier runs."""

    scores: ModelScores
    tasks: tuple[Task, ...]
    reused: tuple[int, ...]
    latency: Latency | None = None

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """The record of each task, with what it came to."""
        return tuple(
            record(self.scores, task, found, versions(), summarise(task, found))
            for task, found in zip(self.tasks, self.scores.tasks, strict=True)
        )

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """All numbers of all tasks."""
        return tuple(one for kept in self.records for one in kept.measurements)


def as_json(found: Measured) -> str:
    """Return the model, the records with their digests, and how fast it is."""
    about = {k: v for k, v in asdict(found.scores).items() if k not in ("tasks", "notes")}
    records = [
        {"digest": one.digest, "reused": reused, **asdict(one)}
        for one, reused in zip(found.records, found.reused, strict=True)
    ]
    latency = found.latency and asdict(found.latency)
    return json.dumps({"model": about, "records": records, "latency": latency}, indent=2) + "\n"


def as_csv(found: Measured) -> str:
    """Return a row for each number, as `dvc plots` draws them; no interval: empty cells."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("metric", "value", "low", "high", "n"))
    for one in found.measurements:
        name = "/".join(filter(None, (one.task, one.slice, one.metric)))
        rows.writerow((name, one.value, one.low, one.high, one.n))
    return text.getvalue()


def as_text(found: Measured) -> str:
    """Return it as lines for a terminal."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Measured) -> Iterator[str]:
    scores = found.scores
    yield f"{scores.model}: {scores.about}"
    yield f"fingerprint {scores.fingerprint}"
    parts = zip(scores.tasks, found.records, found.reused, strict=True)
    for answer, kept, reused in parts:
        yield ""
        yield f"{kept.task}: {_count(kept, reused)}"
        yield from (f"  {line}" for line in _numbers(kept.measurements))
        yield from (f"  {line}" for line in (*_usage(answer.usage), *kept.notes))
        yield f"  record {kept.digest[:12]}"
    if found.latency is not None:
        yield ""
        yield speed(found.latency)


def _count(kept: Record, reused: int) -> str:
    count = f"{kept.n:,}" if kept.n == kept.of else f"{kept.n:,} of {kept.of:,}"
    again = f", {reused:,} from an earlier run" if reused else ""
    return f"{count} items of kind {kept.kind}{again}"


def _numbers(found: tuple[Measurement, ...]) -> list[str]:
    names = [" ".join(filter(None, (one.slice, one.metric))) for one in found]
    width = max(map(len, names), default=0)
    return [
        f"{name:<{width}}  {one.value:.4f}  {_between(one):<20}  n={one.n:,}"
        for name, one in zip(names, found, strict=True)
    ]


def _between(one: Measurement) -> str:
    if one.low is None or one.high is None:
        return ""
    return f"({one.low:.4f} to {one.high:.4f})"


def _usage(usage: Usage) -> tuple[str, ...]:
    if not usage.clock:
        return ()
    gpu = f", {usage.gpu:.2f} s of GPU" if usage.gpu else ""
    estimate = "" if usage.metered else " (estimate)"
    return (
        f"took {usage.cpu:.2f} s of CPU{gpu}, {usage.tokens / usage.clock:,.0f} tokens/s, "
        f"at most {usage.peak / 1e6:,.0f} MB, {usage.joules:,.0f} J{estimate}",
    )


def speed(latency: Latency) -> str:
    """Return how long a request takes, in one line."""
    writes = latency.tokens_per_second
    wrote = "" if writes is None else f", writing {writes:,.0f} tokens/s"
    return (
        f"latency: {latency.p50 * 1e3:,.1f} ms (median), {latency.p95 * 1e3:,.1f} ms (95th "
        f"percentile) of {latency.requests:,} requests{wrote}"
    )


def report(found: Measured) -> Report:
    """Return the report that formats without a form of their own for this show."""
    scores = found.scores
    about = f"{scores.architecture}, {scores.parameters:,} parameters, {scores.dtype}"
    if found.latency is not None:
        about = f"{about}; {speed(found.latency)}"
    verdict = Verdict("measure", Outcome.PASS, (), about, exhibits(found))
    print_ = scores.fingerprint
    return Report(Change(scores.model, print_, print_, print_, ()), "none", (verdict,))


def exhibits(found: Measured) -> tuple[Exhibit, ...]:
    """Return a table for each task, with its record."""
    shown: list[Exhibit] = []
    parts = zip(found.scores.tasks, found.records, found.reused, strict=True)
    for answer, kept, reused in parts:
        shown.append(_table(answer, kept, reused))
        shown.append(RecordExhibit(f"{kept.model} on {kept.task}", kept.digest, kept.facts))
    return tuple(shown)


def _table(answer: TaskScores, kept: Record, reused: int) -> Table:
    rows = tuple(
        (one.slice, one.metric, f"{one.value:.4f}", _between(one), f"{one.n:,}")
        for one in kept.measurements
    )
    columns = ("slice", "metric", "value", "95 % interval", "items")
    title = "; ".join((f"{kept.task}: {_count(kept, reused)}", *_usage(answer.usage)))
    return Table(title, columns, rows, kept.digest)
