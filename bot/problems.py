"""What is wrong in one file, and what a change made wrong that was right before."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

from bot.finding import Finding, Level, Location, Rule


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong. `key` tells it from others of its rule, wherever the line moved."""

    rule: str
    key: str
    message: str
    line: int = 0
    subject: str = ""  # what a setting can name, such as an action


@dataclass(frozen=True, slots=True)
class Problems:
    """Everything wrong in one file, in the order of its lines."""

    each: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class FileProblems:
    """One path before and after the change; `gone` where the change removes the file."""

    path: str
    before: tuple[Problem, ...]
    after: tuple[Problem, ...]
    gone: bool = False


def key_of(text: str) -> str:
    """Return a short key of a text of any length."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def judge(files: tuple[FileProblems, ...], rules: dict[str, Rule]) -> list[Finding]:
    """Return a finding for each problem the change adds, and one note for the old of a file.

    A problem is old if the file had it before, or a file that the change removes: a renamed
    file brings nothing new.
    """
    moved = Counter((p.rule, p.key) for f in files if f.gone for p in f.before)
    found: list[Finding] = []
    for file in files:
        known = Counter((p.rule, p.key) for p in file.before)
        old: dict[str, list[Problem]] = {}
        for problem in file.after:
            if _taken(known, problem) or _taken(moved, problem):
                old.setdefault(problem.rule, []).append(problem)
                continue
            place = Location(file.path, problem.line)
            found.append(rules[problem.rule].at(problem.message, place))
        found.extend(_note(file.path, rules[rule], those) for rule, those in old.items())
    return found


def _taken(counter: Counter[tuple[str, str]], problem: Problem) -> bool:
    key = (problem.rule, problem.key)
    counter[key] -= 1
    return counter[key] >= 0


def _note(path: str, rule: Rule, problems: list[Problem]) -> Finding:
    first, more = problems[0], len(problems) - 1
    message = f"{first.message} (as before the change" + (f", and {more:,} more)" if more else ")")
    return rule.at(message, Location(path, first.line), level=Level.NOTE)
