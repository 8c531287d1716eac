"""Path patterns as CODEOWNERS writes them: `*`, `?`, `**`, rooted by a slash, no ranges."""

from __future__ import annotations

from dataclasses import dataclass

PATTERN_LIMIT = 1_000  # characters


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern cut at its slashes. `below`: it also covers everything in a folder it names."""

    parts: tuple[str, ...]
    below: bool


def compiled(text: str) -> Pattern:
    """Read a pattern. Without a slash at its start or inside, it matches at any depth."""
    parts = [part for part in text.split("/") if part]
    if parts and "/" not in text[:-1]:
        parts.insert(0, "**")
    # "docs/*" is the files right in docs; "docs/" and "docs/**" are all files below it.
    below = bool(parts) and parts[-1] not in ("*", "**") and not text.endswith("/")
    if parts and (text.endswith("/") or parts[-1] == "**"):
        parts = [*parts, "**", "*"]
    return Pattern(tuple(parts), below)


def matches(pattern: Pattern, path: str) -> bool:
    """Whether a path from the root matches; time grows with pattern times path only."""
    parts, names = pattern.parts, path.split("/")
    if not parts:
        return False
    at = here = 0
    star, resume = -1, 0
    while here < len(names):
        if at < len(parts) and parts[at] == "**":
            star, resume = at, here
            at += 1
        elif at < len(parts) and _name(parts[at], names[here]):
            at, here = at + 1, here + 1
        elif at == len(parts) and pattern.below:
            return True
        elif star >= 0:
            resume += 1
            at, here = star + 1, resume
        else:
            return False
    return at == len(parts)


def any_matches(patterns: tuple[Pattern, ...], path: str) -> bool:
    """Whether one of the patterns matches."""
    return any(matches(pattern, path) for pattern in patterns)


def _name(pattern: str, name: str) -> bool:
    if "*" not in pattern and "?" not in pattern:
        return pattern == name
    at = here = 0
    star, resume = -1, 0
    while here < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, here
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", name[here]):
            at, here = at + 1, here + 1
        elif star >= 0:
            resume += 1
            at, here = star + 1, resume
        else:
            return False
    return all(char == "*" for char in pattern[at:])
