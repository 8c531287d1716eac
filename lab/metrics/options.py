"""Options of metrics: text in a task, values here. Lists are written as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lab.errors import SuiteError
from lab.protocol import Metric
from security import strictjson

_LIST_LIMIT = 10_000

Reader = Callable[[str], Any]


def read(metric: Metric, readers: Mapping[str, Reader]) -> dict[str, Any]:
    """Return the options' values. Raises SuiteError for an unknown option or value."""
    found = {}
    for name, text in metric.options:
        if name not in readers:
            hint = f"known: {', '.join(sorted(readers))}" if readers else "leave its options out"
            raise SuiteError(f"metric {metric.name!r:.80} has no option {name!r:.80}", hint)
        try:
            found[name] = readers[name](text)
        except ValueError as error:
            message = f"metric {metric.name!r:.80}: {name} cannot be {text!r:.80}"
            raise SuiteError(message, str(error)) from error
    return found


def flag(text: str) -> bool:
    """Read true or false."""
    if text.lower() not in ("true", "false"):
        raise ValueError("write true or false")
    return text.lower() == "true"


def number(low: int, high: int) -> Reader:
    """Return a reader of whole numbers between these."""

    def reader(text: str) -> int:
        if not (text.isdecimal() and text.isascii() and low <= int(text[:9]) <= high):
            raise ValueError(f"write a whole number from {low} to {high}")
        return int(text)

    return reader


def one_of(*names: str) -> Reader:
    """Return a reader of one of these words."""

    def reader(text: str) -> str:
        if text not in names:
            raise ValueError(f"choose one of {', '.join(names)}")
        return text

    return reader


def strings(text: str) -> tuple[str, ...]:
    """Read a JSON list of strings."""
    try:
        found = strictjson.loads(text.encode(), limit=_LIST_LIMIT)
    except strictjson.StrictJSONError as error:
        raise ValueError(f"write a JSON list of strings: {error}") from error
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError("write a JSON list of strings")
    return tuple(found)
