"""Numbers for Prometheus. The only caller of its client; labels are words of ours alone."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client import generate_latest as _text

from bot.serve.contract import Waiting

CONTENT_TYPE = CONTENT_TYPE_LATEST
EVENTS = frozenset(
    (
        "check_run", "check_suite", "installation", "installation_repositories", "issue_comment",
        "merge_group", "ping", "pull_request", "push",
    )
)  # fmt: skip
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Telemetry:
    """What this process counts. Safe to use from every thread."""

    def __init__(self) -> None:
        made = self._registry = CollectorRegistry()
        self._deliveries = Counter(
            "modelwarden_deliveries", "Webhook requests by event and outcome.",
            ("event", "outcome"), registry=made,
        )  # fmt: skip
        self._acknowledged = Histogram(
            "modelwarden_acknowledge_seconds", "From a request's headers to its answer.",
            registry=made, buckets=_SECONDS,
        )  # fmt: skip
        self._jobs = Gauge(
            "modelwarden_jobs", "Jobs by queue; state is waiting or running.",
            ("queue", "state"), registry=made,
        )  # fmt: skip
        self._failed = Gauge(
            "modelwarden_failed_jobs", "Jobs that ended without doing their work.", registry=made
        )
        self._judged = Counter(
            "modelwarden_judged", "Reports by part and outcome.", ("part", "outcome"),
            registry=made,
        )  # fmt: skip
        self._minutes = Counter("modelwarden_gpu_minutes", "GPU minutes spent.", registry=made)
        self._remaining = Gauge(
            "modelwarden_github_requests_remaining", "Left of GitHub's rate limit.", registry=made
        )
        self._mirrors = Gauge("modelwarden_mirror_bytes", "Room mirrors take.", registry=made)
        self._errors = Counter(
            "modelwarden_errors", "What went wrong, by part of the server.", ("part",),
            registry=made,
        )  # fmt: skip

    def delivery(self, event: str, outcome: str) -> None:
        """Count a webhook request: accepted, seen, forged, malformed, too_large, slow, refused."""
        self._deliveries.labels(event if event in EVENTS else "other", outcome).inc()

    def acknowledged(self, seconds: float) -> None:
        """Note how long an answer to a webhook took."""
        self._acknowledged.observe(seconds)

    def judged(self, part: str, outcome: str) -> None:
        """Count a report."""
        self._judged.labels(part, outcome).inc()

    def spent(self, minutes: float) -> None:
        """Count GPU minutes."""
        self._minutes.inc(max(0.0, minutes))

    def remaining(self, requests: int) -> None:
        """Note what is left of GitHub's rate limit."""
        self._remaining.set(requests)

    def mirrors(self, size: int) -> None:
        """Note how many bytes the mirrors take."""
        self._mirrors.set(size)

    def error(self, part: str) -> None:
        """Count a failure; `part` is a word of ours such as "github" or "database"."""
        self._errors.labels(part).inc()

    def text(self, jobs: Iterable[Waiting], failed: int = 0) -> bytes:
        """Return everything in Prometheus' text format, with the jobs as they are now."""
        self._failed.set(failed)
        tally = Tally((j.queue, "waiting" if j.position else "running") for j in jobs)
        self._jobs.clear()
        for (queue, state), count in tally.items():
            self._jobs.labels(queue, state).set(count)
        return _text(self._registry)
