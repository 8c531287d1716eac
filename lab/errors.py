"""Errors of the lab: each says what is wrong and what to do, in one line without host paths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

REASON_LIMIT = 300
_PATH = re.compile(r"(?<![\w.])/[\w.@+-]+(?:/[\w.@+-]+)+/?")


class LabError(Exception):
    """Base of every error the lab raises on purpose. `hint` says what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SuiteError(LabError):
    """A suite cannot be used as it stands; `line` is 1-based, 0 where it is the whole file."""

    def __init__(self, message: str, hint: str, *, file: str = "", line: int = 0) -> None:
        super().__init__(message, hint)
        self.file = file
        self.line = line


class DataError(LabError):
    """A data file cannot be read as what its name says; `line` is 1-based, 0 for the whole."""

    def __init__(self, message: str, hint: str, *, line: int = 0) -> None:
        super().__init__(message, hint)
        self.line = line


class TooMuchData(DataError):
    """A data file goes beyond a bound; what lies beyond was not read."""


class NoReader(DataError):
    """What reads this kind of file is not installed: no fault of the file."""


class ModelError(LabError):
    """A model cannot be loaded or scored; `model` is its name where several are at hand."""

    def __init__(self, message: str, hint: str, model: str = "") -> None:
        super().__init__(message, hint)
        self.model = model


class DeviceError(ModelError):
    """The device that was asked for is not there: no fault of the model."""


class CompareError(LabError):
    """Two sets of scores cannot be compared."""


@contextmanager
def model_errors(step: str, hint: str) -> Iterator[None]:
    """Turn whatever a library raises at a stranger's file into one ModelError.

    The breadth is the point: at a hostile file transformers raises nearly any type there is,
    and tokenizers raises plain Exception.
    """
    try:
        yield
    except LabError:
        raise
    except Exception as error:
        raise ModelError(f"{step}: {one_line(error)}", hint) from error


def without_paths(text: str) -> str:
    """Return the text with absolute paths left out: what it says may be published."""
    return _PATH.sub("<path>", text)


def one_line(error: Exception) -> str:
    """Return the kind and first line of an error, without paths of the host, bounded."""
    first = next((s for s in str(error)[:4000].splitlines() if s.strip()), "")
    text = without_paths(f"{type(error).__name__}: {first.strip()}")
    return "".join(c if c.isprintable() else " " for c in text)[:REASON_LIMIT].rstrip(": ")
