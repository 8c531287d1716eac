"""The header of NumPy's own files, as far as two readers cannot differ on it."""

from __future__ import annotations

import ast
import re
from typing import Any

LIMIT = 10_000  # bytes; NumPy's own bound
_TEXT = re.compile(r"'[^'\\\n]*'")
_REST = re.compile(r"(?:[\s{}()\[\],:']|True|False|\d+(?!\w))*\Z")


def literal(text: str) -> Any:
    """Return the value a header says. Raises ValueError for anything but plain literals."""
    # The parser of Python warns of what it finds odd: it gets nothing odd to see.
    if len(text) > LIMIT or not _REST.match(_TEXT.sub("''", text)):
        raise ValueError("not a header")
    try:
        return ast.literal_eval(text.strip())
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError("not a header") from error
