"""A release in MLflow's terms: tags, parameters, metrics, a description, a signature. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from lab.metrics.measure import Measurement
from lab.record import Record
from registry.mlflow.names import keyed
from registry.release.pages import prose
from registry.release.values import Pointed, Release

RELEASE, DOCUMENT, ROOT = "modelwarden.release", "modelwarden.document", "modelwarden.root"
ARTIFACT, VERSION = "modelwarden.artifact", "modelwarden.version"
MEASUREMENT = "modelwarden.measurement"  # digest of the record, on the run of one
COMPLETE = "modelwarden.complete"  # set last: everything of this document is there
WITHDRAWN = "modelwarden.withdrawn"  # why
VALUE = 4000  # characters of a tag or parameter; older servers take no more than 5,000
DATASETS = 100
_NAME, _DIGEST = 500, 36  # characters MLflow takes of a data set's name and digest
POINTERS = 1000  # named in MLmodel
_STORES = {"blob": "git", "lfs": "lfs", "dvc": "dvc", "dvc-folder": "dvc"}
_WRITES = ("ForCausalLM", "ForConditionalGeneration", "LMHeadModel")


def identity(release: Release) -> str:
    """Return what a release is called in one word: acme/small@1.2.0."""
    return f"{release.artifact}@{release.version}"


def tags(release: Release, root: str) -> Mapping[str, str]:
    """Return the tags of a release's run and of its model version."""
    found = {
        RELEASE: identity(release),
        ARTIFACT: release.artifact,
        VERSION: release.version,
        DOCUMENT: release.digest,
        ROOT: root,
        "modelwarden.fingerprint": release.fingerprint,
        "modelwarden.previous": release.previous.version if release.previous else "",
        "git.commit": release.commit,
        "git.tag": release.tag,
        "git.repository": release.repository,
        "licence": next((o.expression for o in release.licences if o.of == "weights"), ""),
    }
    data = [one for part in release.data for one in part.pointers]
    for role, pointers in (("weights", list(release.weights.pointers)), ("data", data)):
        for store in ("lfs", "dvc", "git"):
            named = [f"{p.path} {p.digest}" for p in pointers if _STORES.get(p.kind) == store]
            found[f"{store}.{role}"] = listed(named)
    return {name: _cut(text) for name, text in found.items() if text}


def run_tags(release: Release, root: str) -> Mapping[str, str]:
    """Return the tags of a release's run: also those that MLflow's pages show by themselves."""
    return {
        **tags(release, root),
        "mlflow.user": "modelwarden",
        "mlflow.source.type": "PROJECT",
        "mlflow.source.name": _cut(release.repository or release.artifact),
        "mlflow.source.git.commit": release.commit,
        "mlflow.note.content": describe(release, root),
    }


def measured_tags(release: Release, root: str, record: Record, parent: str) -> Mapping[str, str]:
    """Return the tags of one measurement's run, below the release's."""
    found = {
        RELEASE: identity(release),
        DOCUMENT: release.digest,
        ROOT: root,
        MEASUREMENT: record.digest,
        "modelwarden.fingerprint": record.fingerprint,
        "git.commit": release.commit,
        "mlflow.parentRunId": parent,
        "mlflow.user": "modelwarden",
        "mlflow.source.type": "PROJECT",
        "mlflow.source.name": _cut(release.repository or release.artifact),
        "mlflow.source.git.commit": release.commit,
        "mlflow.note.content": _cut("\n".join(f"- {prose.plain(n)}" for n in record.notes)),
    }
    return {name: text for name, text in found.items() if text}


def params(release: Release) -> Mapping[str, str]:
    """Return the parameters of a release's run."""
    first = release.measurements[0] if release.measurements else None
    found = {
        "version": release.version,
        "date": release.date,
        "architecture": first.architecture if first else "",
        "parameters": str(first.parameters) if first else "",
        "weights/files": str(len(release.weights.files or release.weights.pointers)),
        "weights/bytes": str(release.weights.size),
        "data": listed(one.path for one in release.data),
        "environment": listed(f"{lock.path} {lock.sha256}" for lock in release.environment),
        "pipeline": release.pipeline.sha256 if release.pipeline else "",
    }
    return _params(found.items())


def record_params(record: Record) -> Mapping[str, str]:
    """Return the parameters of one measurement's run: what it takes to reproduce it."""
    found = [
        ("model", record.model),
        ("architecture", record.architecture),
        ("parameters", str(record.parameters)),
        ("task", record.task),
        ("kind", record.kind),
        ("items", record.items),
        ("data", record.data),
        ("code", record.harness),
        ("code version", record.version),
        ("device", record.device),
        ("dtype", record.dtype),
        ("alpha", f"{record.alpha:g}"),
        ("n", str(record.n)),
        ("of", str(record.of)),
        ("level", record.level),
    ]
    found += [(f"seed/{name}", str(seed)) for name, seed in record.seeds]
    found += [(f"version/{name}", version) for name, version in record.versions]
    return _params(found)


def metrics(release: Release) -> Mapping[str, float]:
    """Return the metrics of a release's run: of all measurements, without their slices."""
    every = (one for record in release.measurements for one in record.measurements)
    return _metrics(one for one in every if not one.slice)


def record_metrics(record: Record) -> Mapping[str, float]:
    """Return the metrics of one measurement's run: task/slice/metric, and what it took."""
    used = record.usage
    cost = {
        "usage/cpu seconds": used.cpu,
        "usage/gpu seconds": used.gpu,
        "usage/seconds": used.clock,
        "usage/tokens": float(used.tokens),
        "usage/peak bytes": float(used.peak),
        "usage/joules": used.joules,
    }
    found = {**_metrics(record.measurements), **{n: v for n, v in cost.items() if v}}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def model(release: Release, root: str) -> Mapping[str, Any]:
    """Return what MLmodel says: where the weights are, by digest, and the signature."""
    pointers = release.weights.pointers[:POINTERS]
    inputs, outputs = signature(release)
    return {
        "date": release.date,
        "uuid": release.digest[:32],
        "size": release.weights.size,
        "inputs": inputs,
        "outputs": outputs,
        "flavor": {
            "release": identity(release),
            "root": root,
            "document": release.digest,
            "commit": release.commit,
            "tag": release.tag,
            "weights": [_pointer(one) for one in pointers],
        },
    }


def signature(release: Release) -> tuple[list[list[Any]], list[list[Any]]]:
    """Return inputs and outputs as (name, type, shape); no shape for a column of text.

    Text to text for what writes and has its tokenizer with it, else tokens to numbers.
    """
    made = release.measurements[0].architecture if release.measurements else ""
    names = (one.path for one in release.weights.files or release.weights.pointers)
    has_tokenizer = any("tokenizer" in name.rsplit("/")[-1] for name in names)
    if has_tokenizer and made.endswith(_WRITES):
        return [["prompt", "string", None]], [["completion", "string", None]]
    tokens = [["input_ids", "long", [-1, -1]]]
    if made and not made.endswith((*_WRITES, "ForMaskedLM")):
        return tokens, [["output", "float", [-1, -1]]]
    return tokens, [["logits", "float", [-1, -1, -1]]]


def describe(release: Release, root: str) -> str:
    """Return a few lines of Markdown: what this is, where it is from, how it compares."""
    lines = [
        f"Release {prose.code(identity(release))} from commit {prose.code(release.commit[:12])}, "
        f"tag {prose.code(release.tag)}.",
        "",
        f"The weights ({prose.size(release.weights.size)}) are not kept here: pointers of that "
        "commit name them.",
        f"What is signed has the root digest {prose.code(root)}.",
    ]
    if release.against:
        rows = [
            (prose.code(one.version), prose.plain(one.outcome), prose.plain(one.summary))
            for one in release.against
        ]
        lines += ["", *prose.table(("Compared with", "Outcome", "Summary"), rows)]
    return _cut("\n".join(lines))


def training(release: Release) -> list[list[str]]:
    """Return the data a release was trained on: name, digest, kind and place of it, context."""
    found = []
    for one in release.data[:DATASETS]:
        stores = {_STORES.get(pointer.kind, "") for pointer in one.pointers}
        digest = one.root or (one.pointers[0].digest if one.pointers else "unknown")
        source = {"repository": release.repository, "commit": release.commit, "path": one.path}
        kind = stores.pop() if len(stores) == 1 else "git"
        found.append(
            [one.path[:_NAME] or "data", digest[:_DIGEST], kind, json.dumps(source), "training"]
        )
    return found


def evaluated(record: Record) -> list[list[str]]:
    """Return the task as the data that was measured on."""
    source = json.dumps({"items": record.items, "data": record.data})
    return [[record.task[:_NAME] or "task", record.items[:_DIGEST], "task", source, "evaluation"]]


def moment(release: Release) -> int:
    """Return the release's date in ms, or 0: metrics logged twice at one moment are one."""
    try:
        found = datetime.fromisoformat(release.date)
    except ValueError:
        return 0
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return max(0, int(found.timestamp() * 1000))


def listed(texts: Iterable[str]) -> str:
    """Return texts with "; " between, whole ones only, and how many more there are."""
    found, length, more = [], 0, 0
    for text in texts:
        length += len(text) + 2
        if length > VALUE - 40:
            more += 1
        else:
            found.append(text)
    return "; ".join(found) + (f"; and {more} more" if more else "")


def _metrics(measured: Iterable[Measurement]) -> Mapping[str, float]:
    def every() -> Iterator[tuple[tuple[str, ...], float]]:
        for one in measured:
            for name, value in (("", one.value), (".low", one.low), (".high", one.high)):
                if value is not None and math.isfinite(value):
                    yield (one.task, one.slice, one.metric + name), float(value)

    return keyed(every())


def _params(found: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    return keyed(((name,), _cut(text)) for name, text in found if text)


def _pointer(one: Pointed) -> dict[str, Any]:
    named = {"path": one.path, "kind": one.kind, "digest": one.digest, "source": one.source}
    return named | ({"size": one.size} if one.size >= 0 else {})


def _cut(text: str) -> str:
    return text if len(text) <= VALUE else text[: VALUE - 1] + "…"
