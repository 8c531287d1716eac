"""The record of a measurement: everything needed to reproduce it, named by its own digest.

`key` is known before anything runs: where it is the same, so are the scores, and they need not
be computed again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from lab.errors import LabError
from lab.items.slices import slices
from lab.metrics.measure import Measurement
from lab.metrics.tally import seed_of
from lab.protocol import ModelScores, Task, TaskScores, Usage

RECORD_LIMIT = 10_000_000
HALVES = ("bfloat16", "float16")


class RecordError(LabError):
    """The bytes are no record."""


@dataclass(frozen=True, slots=True)
class Record:
    """What was measured, with what, how far, and what came out.

    `fingerprint` is of weights, configuration and tokenizer, `items` of the task as it was
    scored, `data` of the file it was read from ("" where nobody said), `harness` of the code
    that scored. `n` of the task's `of` items were scored.
    """

    model: str
    fingerprint: str
    parameters: int
    architecture: str
    task: str
    kind: str
    items: str
    data: str
    harness: str
    version: str
    device: str
    dtype: str
    seeds: tuple[tuple[str, int], ...]
    versions: tuple[tuple[str, str], ...]
    alpha: float
    n: int
    of: int
    level: Literal["plain", "prefix"]
    gap: float | None
    usage: Usage
    measurements: tuple[Measurement, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Return the name of this record: the SHA-256 of its JSON."""
        return hashlib.sha256(dump(self)).hexdigest()

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Return what a reader wants to know of it, name by name."""
        gap = "" if self.gap is None else f", within {self.gap:.1e} nats of the plain way"
        libraries = ", ".join(f"{name} {version}" for name, version in self.versions)
        found = (
            ("Model", f"{self.model}: {self.architecture}, {self.parameters:,} parameters"),
            ("Weights and tokenizer", self.fingerprint),
            ("Task", f"{self.task} ({self.kind}), {self.n:,} of {self.of:,} items"),
            ("Items", self.items),
            ("Data", self.data),
            ("Code", f"{self.harness} {self.version}".rstrip()),
            ("Device", f"{self.device}, {self.dtype}"),
            ("Scored", f"{self.level}{gap}"),
            ("Seeds", ", ".join(f"{name} {seed}" for name, seed in self.seeds)),
            ("Libraries", libraries),
            ("Notes", "; ".join(self.notes)),
        )
        return tuple((name, text) for name, text in found if text)


_RECORD = TypeAdapter(Record)
_TASK = TypeAdapter(Task)


def record(
    scores: ModelScores,
    task: Task,
    task_scores: TaskScores,
    versions: tuple[tuple[str, str], ...],
    measurements: tuple[Measurement, ...] = (),
    alpha: float = 0.05,
) -> Record:
    """Return the record of one task's scores and what they came to."""
    n, of = len(task_scores.items), len(task.items)
    return Record(
        model=scores.model,
        fingerprint=scores.fingerprint,
        parameters=scores.parameters,
        architecture=scores.architecture,
        task=task.name,
        kind=task.kind,
        items=digest_of(task),
        data=task.digest,
        harness=harness(),
        version=_version(),
        device=scores.device,
        dtype=scores.dtype,
        seeds=(("scoring", 0), ("bootstrap", seed_of(task.name))),
        versions=versions,
        alpha=alpha,
        n=n,
        of=of,
        level=task_scores.level,
        gap=task_scores.gap,
        usage=task_scores.usage,
        measurements=measurements,
        notes=(
            *scores.notes,
            *([] if n == of else [f"ended early: {n:,} of {of:,} items scored"]),
            *caveats(scores.device, scores.dtype),
            *slices(task).skipped,
        ),
    )


def key(
    fingerprint: str,
    items: str,
    device: str,
    versions: tuple[tuple[str, str], ...],
    dtype: str = "",
) -> str:
    """Return what names a measurement before it runs; `items` is the task's `digest_of`."""
    parts = [fingerprint, items, harness(), _version(), device, dtype, sorted(versions)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def digest_of(task: Task) -> str:
    """Return the SHA-256 of everything a task says: items, kind, metrics and generation."""
    return hashlib.sha256(_TASK.dump_json(task)).hexdigest()


@cache
def harness() -> str:
    """Return the SHA-256 of the lab's own sources: other code may score otherwise."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def caveats(device: str, dtype: str) -> tuple[str, ...]:
    """Return why the same measurement may come out otherwise elsewhere, a line each."""
    found = []
    if dtype in HALVES:
        found.append(f"half precision ({dtype}): sums depend on the batch")
    if device.startswith("cuda"):
        found.append("on a GPU: the last digits depend on its model, driver and libraries")
    return tuple(found)


def dump(one: Record) -> bytes:
    """Return the record as JSON."""
    return _RECORD.dump_json(one)


def read(data: bytes) -> Record:
    """Parse a record. Raises RecordError."""
    hint = "delete it, and measure again"
    if len(data) > RECORD_LIMIT:
        raise RecordError(f"a record of {len(data):,} bytes", hint)
    try:
        return _RECORD.validate_json(data, strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in found["loc"])
        raise RecordError(f"not a record: {where}: {found['msg']}"[:300], hint) from error


def _version() -> str:
    try:
        return installed("modelwarden")
    except PackageNotFoundError:  # run from a checkout
        return ""
