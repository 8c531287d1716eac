"""GitHub workflows and composite actions: what their `run` steps install."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from registry.documents import (
    ALIASES,
    Document,
    DocumentError,
    KeyPath,
    load_yaml,
    text_of,
)
from registry.manifests.expansion import CHOICES, open_piece
from registry.manifests.installs import Session, mentions, merged, setting
from registry.manifests.requirement import Item, Manifest, Problem, manifest
from registry.manifests.tables import items_at, table_at, text_at

SCRIPTS = 5_000  # steps of one file that may install something
VARIABLES = 1_000  # of one step
OTHER_SHELLS = ("python", "node", "perl", "ruby")  # of a step: not a script of commands
Variables = dict[str, tuple[str, ...]]


def read_workflow(data: bytes) -> Manifest:
    """Read the install lines of a workflow or an action. Raises DocumentError."""
    text = text_of(data, limit=len(data))
    if not mentions(text):
        return manifest("workflow", ())
    document = load_yaml(data, limit=len(data), aliases=ALIASES)
    return manifest("workflow", merged(_items(document, text.split("\n"))))


def _items(document: Document, rows: list[str]) -> Iterator[Item]:
    top: Variables = dict(_inputs(document.value))
    jobs = [*table_at(document.value, "jobs").values(), table_at(document.value, "runs")]
    steps = sum(len(items_at(job, "steps")) for job in jobs)
    if len(top) > VARIABLES:
        raise DocumentError(f"more than {VARIABLES:,} inputs")
    if steps > SCRIPTS:
        raise DocumentError(f"more than {SCRIPTS:,} steps")
    yield from _variables(document, ("env",), top)
    for name, job in table_at(document.value, "jobs").items():
        path: KeyPath = ("jobs", name)
        values = {**top, **dict(_matrix(job))}
        yield from _variables(document, (*path, "env"), values)
        yield from _steps(document, (*path, "steps"), values, rows)
    yield from _steps(document, ("runs", "steps"), top, rows)


def _steps(document: Document, path: KeyPath, values: Variables, rows: list[str]) -> Iterator[Item]:
    for number, step in enumerate(items_at(document.value, *map(str, path))):
        own = dict(values)
        yield from _variables(document, (*path, number, "env"), own)
        script, shell = text_at(step, "run"), text_at(step, "shell")
        if not script or shell.startswith(OTHER_SHELLS) or not mentions(script):
            continue
        line = document.line((*path, number, "run"))
        row = rows[line - 1] if 0 < line <= len(rows) else ""
        after = row.partition("run")[2].lstrip(" :\"'")
        block = after[:1] in ("|", ">")
        try:
            yield from Session(own).run(script, line + block)
        except DocumentError as error:
            yield Problem(error.message, error.line or line)


def _variables(document: Document, path: KeyPath, values: Variables) -> Iterator[Item]:
    found: Any = document.value
    for key in path:
        if isinstance(key, int):
            found = found[key] if isinstance(found, list) and key < len(found) else None
        else:
            found = found.get(key) if isinstance(found, dict) else None
    for name, value in found.items() if isinstance(found, dict) else ():
        if len(values) > VARIABLES:
            raise DocumentError(f"more than {VARIABLES:,} variables", document.line(path))
        text = _scalar(value)
        if "${{" in text:
            text = open_piece(str(name))
        values[str(name)] = (text[:10_000],)
        if "\0" not in text:
            yield from setting(str(name), (text,), document.line((*path, name)))


def _matrix(job: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    matrix = table_at(job, "strategy", "matrix")
    found: dict[str, list[str]] = {}
    for key, listed in matrix.items():
        if isinstance(listed, list) and key not in ("include", "exclude"):
            found[key] = [_scalar(v) for v in listed]
    for row in items_at(matrix, "include"):
        for key, value in row.items() if isinstance(row, dict) else ():
            found.setdefault(str(key), []).append(_scalar(value))
    for key, texts in found.items():
        known = tuple(dict.fromkeys(texts))
        if len(known) <= CHOICES and not any("${{" in t for t in known):
            yield f"matrix.{key}", known


def _inputs(value: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    called = [table_at(value, "inputs")]
    for event in ("workflow_dispatch", "workflow_call"):
        called.append(table_at(value, "on", event, "inputs"))
    for inputs in called:
        for name, row in inputs.items():
            if isinstance(row, Mapping) and "default" in row and row["default"] is not None:
                yield f"inputs.{name}", (_scalar(row["default"]),)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)[:10_000] if isinstance(value, str | int | float) else ""
