"""The queues of jobs: their names and limits, and what their rows say to people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.serve.contract import Plain, Waiting

WEB, GPU, TURN = "web", "gpu", "gpu-turn"
GPU_KINDS = frozenset({"measure"})
LIMIT = 2000  # jobs listed at most
ALIVE = ["PENDING", "ENQUEUED", "DELAYED"]
ENDED = ["SUCCESS", "ERROR", "CANCELLED"]
FAILED = ["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much runs at once: web jobs in a process, GPU jobs of a worker, author, repository."""

    web: int = 8
    worker: int = 1
    author: int = 1
    repo: int = 1


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between looks at a queue, signs of life, and until a silent worker counts dead.

    `look` is between two looks for what is due by the clock.
    """

    poll: float = 0.5
    beat: float = 10.0
    dead: float = 60.0
    look: float = 30.0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job that ended without doing its work: its flow raised, or its worker died each time."""

    kind: str
    key: str
    payload: Mapping[str, Plain]
    why: str
    at: float


def queue(kind: str) -> str:
    """Return the queue of a kind of job."""
    return GPU if kind in GPU_KINDS else WEB


def outer(kind: str, key: str) -> str:
    """Return the id of a job, or of its turn where it waits for one."""
    return f"{kind}:{key}"


def inner(kind: str, key: str) -> str:
    """Return the id of a job that waited for its turn."""
    return f"+{kind}:{key}"


def listed(rows: Iterable[Any]) -> tuple[Waiting, ...]:
    """Return rows of the engine as jobs: running first, then each queue in its order."""
    known = {row.workflow_id: row for row in rows}
    jobs = [_job(row, known) for id, row in known.items() if not id.startswith("+")]
    jobs.sort(key=lambda job: (job.position, job.since, job.key))
    places: dict[str, int] = {}
    numbered = []
    for job in jobs:
        if job.position:
            places[job.queue] = places.get(job.queue, 0) + 1
        place = places[job.queue] if job.position else 0
        numbered.append(
            Waiting(job.key, job.kind, job.queue, place, job.since, job.about, job.worker)
        )
    return tuple(numbered)


def _job(row: Any, known: Mapping[str, Any]) -> Waiting:
    kind, _, key = row.workflow_id.partition(":")
    job = row
    if queue(kind) == GPU:  # it runs when the job does that waited for its turn
        job = known.get(inner(kind, key))
    runs = job is not None and job.status == "PENDING"
    return Waiting(
        key=key,
        kind=kind,
        queue=queue(kind),
        position=0 if runs else 1,
        since=(row.created_at or 0) / 1000,
        about=str((row.attributes or {}).get("about", "")),
        worker=(job.executor_id or "") if runs else "",
    )


def failed(rows: Iterable[Any]) -> tuple[DeadLetter, ...]:
    """Return rows of jobs that did not do their work, with what was asked of them."""
    letters = []
    for row in rows:
        kind, _, key = row.workflow_id.removeprefix("+").partition(":")
        args: Any = row.input["args"] if isinstance(row.input, dict) else ()
        payload = args[2] if len(args) > 2 and isinstance(args[2], dict) else {}
        if row.status == "ERROR":
            why = str(getattr(row.error, "message", row.error))[:500]
        else:
            why = f"its worker died each of the {row.recovery_attempts} times it was started"
        letters.append(DeadLetter(kind, key, payload, why, (row.updated_at or 0) / 1000))
    return tuple(letters)
