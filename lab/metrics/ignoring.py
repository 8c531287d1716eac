"""Texts without what regular expressions match, however long these would take.

What a model wrote meets expressions of a task, and one that backtracks ends only with its
process: those that can take long run in a child.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence

from lab.errors import SuiteError

SECONDS = 60.0
_REPEATS = frozenset("*+{")
_CHILD = """
import json, re, sys
patterns, texts = json.load(sys.stdin)
for pattern in map(re.compile, patterns):
    texts = [pattern.sub("", text) for text in texts]
json.dump(texts, sys.stdout)
"""


def without(patterns: Sequence[str], texts: Sequence[str], task: str) -> list[str]:
    """Return the texts without what each pattern matches, one after the other.

    Raises SuiteError where a pattern is none, or where they take longer than SECONDS.
    """
    compiled = [_compiled(pattern, task) for pattern in patterns]
    if not any(_REPEATS & set(pattern) for pattern in patterns):
        for pattern in compiled:
            texts = [pattern.sub("", text) for text in texts]
        return list(texts)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _CHILD],
            input=json.dumps([list(patterns), list(texts)]).encode(),
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        message = f"{task}: regexes_to_ignore take too long on what the model wrote"
        raise SuiteError(message, "write expressions that do not backtrack, or filters") from error
    found: list[str] = json.loads(done.stdout)
    return found


def _compiled(pattern: str, task: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        hint = f"write a regular expression of Python: {error}"
        raise SuiteError(f"{task}: regexes_to_ignore holds one that is none", hint) from error
