"""The YAML at the head of a model card, as the hub reads it (hub-docs, modelcard.md)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import yaml

from lab.metrics.measure import Measurement
from lab.protocol import Kind
from lab.record import Record
from registry.release.pages import hub
from registry.release.pages.about import About
from registry.release.pages.prose import NAME, visible
from registry.release.values import Release

SLICES = 50  # of one measurement; the others are in measurements.json
TAGS = 50
LICENCE_FILES = ("LICENSE", "LICENSE.md")  # those the hub takes as a link
_GENERATES, _LABELS = "text-generation", "text-classification"


class _Dumper(yaml.SafeDumper):
    """Quotes every text: what YAML 1.1 and 1.2 read otherwise (no, 1e3, 0o7) stays a text."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write what is there twice twice."""
        return True

    def represent_text(self, data: str) -> yaml.ScalarNode:
        """Write a text in double quotes, on one line."""
        return self.represent_scalar("tag:yaml.org,2002:str", data, style='"')

    def represent_table(self, data: dict[str, Any]) -> yaml.MappingNode:
        """Write a mapping in its own order, its names without quotes: they are ours."""
        pairs = [
            (self.represent_scalar("tag:yaml.org,2002:str", key), self.represent_data(value))
            for key, value in data.items()
        ]
        return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=False)


_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(dict, _Dumper.represent_table)


def front(release: Release, about: About) -> str:
    """Return the block with both of its lines of dashes. What nobody stated is not in it."""
    table = {name: value for name, value in _fields(release, about) if value not in ("", [], None)}
    text = yaml.dump(
        table, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**31, encoding=None
    )
    return f"---\n{text}---\n"


def library(release: Release, about: About) -> str:
    """Return the library that loads the model: as stated, or what it was measured with."""
    if hub.is_slug(about.library):
        return about.library
    with_it = any(name == "transformers" for r in release.measurements for name, _ in r.versions)
    return "transformers" if with_it else ""


def licence_file(release: Release) -> str:
    """Return the file beside the weights that holds the licence, "" where there is none."""
    folder = release.weights.path.rstrip("/") + "/"
    paths = {e.path.removeprefix(folder) for e in (*release.weights.files, *release.outputs)}
    return next((name for name in LICENCE_FILES if name in paths), "")


def weights_licence(release: Release) -> str:
    """Return what the weights are under, "" where it is not stated."""
    return next((one.expression for one in release.licences if one.of == "weights"), "")


def _fields(release: Release, about: About) -> Iterator[tuple[str, Any]]:
    plain, tagged = hub.languages(about.languages)
    licence, name = hub.licence(weights_licence(release))
    models = [one for one in about.base_models if hub.is_repository(one)]
    yield "language", list(plain)
    yield "language_bcp47", list(tagged)
    yield "license", licence
    yield "license_name", name
    yield "license_link", licence_file(release) if name else ""
    yield "library_name", library(release, about)
    yield "pipeline_tag", about.task if hub.is_slug(about.task) else ""
    yield "tags", list(dict.fromkeys(visible(tag, 60) for tag in about.tags if tag.strip()))[:TAGS]
    yield "base_model", models
    yield (
        "base_model_relation",
        about.relation if models and about.relation in hub.RELATIONS else "",
    )
    yield "datasets", [one for one in about.datasets if hub.is_repository(one)]
    results = [found for one in release.measurements for found in _results(release, about, one)]
    yield "metrics", list(dict.fromkeys(m["type"] for found in results for m in found["metrics"]))
    index = {"name": visible(release.artifact, NAME), "results": results}
    yield "model-index", [index] if results else []


def kept(record: Record) -> tuple[Measurement, ...]:
    """Return what is shown of a measurement: all that has no slice, and the first slices."""
    names = list(dict.fromkeys(one.slice for one in record.measurements if one.slice))[:SLICES]
    shown = {"", *names}
    return tuple(one for one in record.measurements if one.slice in shown)


def _results(release: Release, about: About, record: Record) -> Iterator[dict[str, Any]]:
    usual = _LABELS if record.kind == Kind.LABEL else _GENERATES
    task = {"type": about.task if hub.is_slug(about.task) else usual}
    # No id of the hub: a suite of the same name there need not be this one.
    kind = f"urn:modelwarden:items:{visible(record.items, 64)}"
    finite = [one for one in kept(record) if math.isfinite(one.value)]
    for part in dict.fromkeys(one.slice for one in finite):
        args = {"data": visible(record.data, 64)} if record.data else {}
        dataset = {"type": kind, "name": visible(record.task, NAME)}
        dataset |= {"config": visible(part, NAME)} if part else {}
        found = {
            "task": task,
            "dataset": dataset | ({"args": args} if args else {}),
            "metrics": [_metric(record, one) for one in finite if one.slice == part],
        }
        address = hub.address(release.repository)
        if address:
            source = {"name": f"record {record.digest}", "url": address}
            found["source"] = source
        yield found


def _metric(record: Record, one: Measurement) -> dict[str, Any]:
    args: dict[str, Any] = {"n": one.n, "record": record.digest}
    if one.low is not None and one.high is not None and math.isfinite(one.low + one.high):
        share = round(1 - one.alpha, 6)
        args = {"low": one.low, "high": one.high, "confidence": share, **args}
    name = " ".join(filter(None, (one.metric, one.slice and f"({one.slice})")))
    kind = hub.METRICS.get(one.metric, one.metric)
    return {
        "type": visible(kind, NAME),
        "name": visible(name, NAME),
        "value": one.value,
        "args": args,
    }
