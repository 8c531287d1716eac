"""Requests held against GitHub's own OpenAPI description, and against what it does not say."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

DATA = Path(__file__).parents[1] / "data" / "github" / "openapi.json"
COMMENT_CHARACTERS = 65_536
OUTPUT_BYTES = 65_535
TITLE_CHARACTERS = 255


@functools.cache
def description() -> dict[str, dict[str, Any]]:
    """Operations by path template and lower-case method."""
    found: dict[str, dict[str, Any]] = json.loads(DATA.read_text(encoding="utf-8"))
    return found


@functools.cache
def _validator(template: str, method: str) -> Draft202012Validator:
    return Draft202012Validator(description()[template][method]["body"])


def problems(
    template: str, method: str, params: dict[str, str], query: dict[str, str], body: Any
) -> Iterator[str]:
    """What the description forbids in this request."""
    operation = description().get(template, {}).get(method.lower())
    if operation is None:
        yield f"{method} {template} is not in the trimmed description"
        return
    known = {p["name"]: p for p in operation["parameters"]}
    values = params | query
    for name in query.keys() - known.keys():
        yield f"unknown query parameter {name}"
    for name, parameter in known.items():
        if name not in values:
            if parameter.get("required"):
                yield f"missing parameter {name}"
            continue
        value = _typed(values[name], parameter.get("schema", {}))
        for error in Draft202012Validator(parameter.get("schema", {})).iter_errors(value):
            yield f"parameter {name}: {error.message[:200]}"
    if "body" in operation:
        if body is None and operation["body_required"]:
            yield "a body is required"
        for error in _validator(template, method.lower()).iter_errors(body if body else {}):
            yield f"body {error.json_path}: {error.message[:200]}"
    elif body:
        yield "this operation takes no body"


def _typed(text: str, schema: dict[str, Any]) -> Any:
    kinds = schema.get("type", "string")
    if "integer" in kinds and text.lstrip("-").isdigit():
        return int(text)
    if "boolean" in kinds and text in ("true", "false"):
        return text == "true"
    return text


def unwritten(template: str, method: str, body: dict[str, Any]) -> Iterator[str]:
    """Rules that GitHub enforces and its description leaves out."""
    if method not in ("POST", "PATCH"):
        return
    if template.endswith(("/comments", "/comments/{comment_id}")):
        text = body.get("body")
        if isinstance(text, str) and len(text) > COMMENT_CHARACTERS:
            yield f"a comment of {len(text)} characters (maximum is {COMMENT_CHARACTERS})"
        if isinstance(text, str) and not text.strip():
            yield "an empty comment"
    if "/check-runs" in template and not template.endswith("rerequest"):
        yield from _run(body)


def _run(body: dict[str, Any]) -> Iterator[str]:
    output = body.get("output")
    if body.get("status") == "completed" and not body.get("conclusion"):
        yield "completed without a conclusion"
    if not isinstance(output, dict):
        return
    for name in ("summary", "text"):
        value = output.get(name)
        if isinstance(value, str) and len(value.encode("utf-8", "replace")) > OUTPUT_BYTES:
            yield f"output.{name} exceeds a maximum bytesize of {OUTPUT_BYTES}"
    title = output.get("title")
    if isinstance(title, str) and len(title) > TITLE_CHARACTERS:
        yield f"output.title is longer than {TITLE_CHARACTERS}"
    notes = output.get("annotations")
    for note in notes if isinstance(notes, list) else ():
        one = isinstance(note, dict) and note.get("start_line") == note.get("end_line")
        columns = isinstance(note, dict) and ("start_column" in note or "end_column" in note)
        if columns and not one:
            yield "columns of an annotation over several lines"
