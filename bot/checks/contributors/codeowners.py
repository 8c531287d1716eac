"""CODEOWNERS as GitHub reads it: which line covers a path, and who owns it."""

from __future__ import annotations

import string
from dataclasses import dataclass

from bot.patterns import PATTERN_LIMIT, Pattern, compiled, matches
from registry.documents import DocumentError, text_of

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")  # the first one counts
SIZE_LIMIT = 3_000_000  # bytes; GitHub ignores a larger file
MAX_RULES = 20_000
_NAME = frozenset(string.ascii_letters + string.digits + "-_.")


@dataclass(frozen=True, slots=True)
class Line:
    """One pattern with its owners; without owners it says that nobody owns these paths."""

    number: int
    text: str
    pattern: Pattern
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line GitHub skips, and why."""

    number: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Owners:
    """A whole file: the lines that count and those that do not."""

    lines: tuple[Line, ...] = ()
    bad: tuple[BadLine, ...] = ()

    def of(self, path: str) -> tuple[str, ...]:
        """Return the owners of a path: the last line that matches decides."""
        for line in reversed(self.lines):
            if matches(line.pattern, path):
                return line.owners
        return ()


def parse(data: bytes) -> Owners:
    """Read a CODEOWNERS file. Raises DocumentError beyond its bounds or if it is not text."""
    lines: list[Line] = []
    bad: list[BadLine] = []
    for number, text in enumerate(text_of(data, limit=SIZE_LIMIT).split("\n"), start=1):
        words = _words(text)
        if not words:
            continue
        pattern, *owners = words
        why = _trouble(pattern, owners)
        if why:
            bad.append(BadLine(number, pattern[:100], why))
        else:
            lines.append(Line(number, pattern, compiled(pattern), tuple(owners)))
        if len(lines) + len(bad) > MAX_RULES:
            raise DocumentError(f"more than {MAX_RULES:,} lines", number)
    return Owners(tuple(lines), tuple(bad))


def _words(line: str) -> list[str]:
    """Cut a line at its blanks; a backslash keeps a blank, `#` starts a comment."""
    words: list[str] = []
    word, escaped = "", False
    for char in line + " ":
        if escaped:
            word, escaped = word + (char if char == " " else "\\" + char), False
        elif char == "\\":
            escaped = True
        elif char == "#" and not word:
            break
        elif char in " \t\r":
            words += [word] if word else []
            word = ""
        else:
            word += char
    return words


def _trouble(pattern: str, owners: list[str]) -> str:
    if len(pattern) > PATTERN_LIMIT:
        return "the pattern is too long"
    if pattern.startswith("!"):
        return "patterns cannot be negated with !"
    if "[" in pattern or "]" in pattern:
        return "character ranges [ ] are not supported"
    if not compiled(pattern).parts:
        return "the pattern matches nothing"
    for owner in owners:
        if not _is_owner(owner):
            return f"{owner[:60]} is not @user, @organisation/team or an e-mail address"
    return ""


def _is_owner(text: str) -> bool:
    if text.startswith("@"):
        names = text[1:].split("/")
        return len(names) <= 2 and all(name and set(name) <= _NAME for name in names)
    local, at, domain = text.rpartition("@")
    return bool(at and local and "." in domain)
