"""Trailers of a commit message, found by the rules of `git interpret-trailers`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import dropwhile

SPACE = " \t\n\r"  # what git calls space; \v and \f are not
KEY = re.compile(r"(?:[A-Za-z0-9-]+[ \t]*)?:")
SCISSORS = "# ------------------------ >8 ------------------------"
GENERATED = ("Signed-off-by: ", "(cherry picked from commit ")


@dataclass(frozen=True, slots=True)
class Trailer:
    """One `Key: value` line of the last paragraph, its continuation lines unfolded."""

    key: str
    value: str


def parse(message: str) -> tuple[Trailer, ...]:
    """Return the trailers git would report; a look-alike in the prose is none."""
    lines = _kept(message)
    found: list[tuple[str, list[str]]] = []
    open_trailer = False  # whether an indented line continues the one before it
    for line in lines[_block_start(lines) :]:
        if open_trailer and line[:1] in ("", *SPACE):
            found[-1][1].append(line)
            continue
        colon = _separator(line)
        open_trailer = colon >= 1
        if open_trailer:
            found.append((line[:colon].strip(SPACE), [line[colon + 1 :]]))
    return tuple(Trailer(key, _unfolded(parts)) for key, parts in found)


def _kept(message: str) -> list[str]:
    # Git reads a message as a C string, and ignores what follows the scissors as well as
    # comments, blank lines and an old "Conflicts:" list at the end.
    *lines, rest = message.partition("\0")[0].split("\n")
    if SCISSORS in lines:
        lines, rest = lines[: lines.index(SCISSORS)], ""
    # Blank lines at the start are no title, to `git log` as to `git commit`.
    lines = list(dropwhile(lambda line: not line.strip(SPACE), lines))
    ended = len(lines)  # lines that a newline ends
    lines += [rest] if rest else []
    end, conflicts = 0, False
    for number, line in enumerate(lines):
        if line == "" or line.startswith("#"):
            end = end or number
        elif line == "Conflicts:" and number < ended:
            end, conflicts = end or number, True
        elif not (conflicts and line.startswith("\t")) and end:
            end, conflicts = 0, False
    return lines[:end] if end else lines


def _block_start(lines: list[str]) -> int:
    """Index of the first line of the last paragraph, if git takes it for trailers."""
    title_end = _title_end(lines)
    trailers = others = maybe = 0  # maybe: indented lines whose owner is not known yet
    generated = False
    for number in range(len(lines) - 1, title_end - 1, -1):
        line = lines[number]
        if line.startswith("#"):
            others, maybe = others + maybe, 0
        elif not line.strip(SPACE):
            if not (trailers or others or maybe):
                continue
            others += maybe
            accepted = (generated and trailers * 3 >= others) or (trailers and not others)
            return number + 1 if accepted else len(lines)
        elif line.startswith(GENERATED):
            trailers, maybe, generated = trailers + 1, 0, True
        elif _separator(line) >= 1:
            trailers, maybe = trailers + 1, 0
        elif line[0] in SPACE:
            maybe += 1
        else:
            others, maybe = others + maybe + 1, 0
    return len(lines)


def _title_end(lines: list[str]) -> int:
    for number, line in enumerate(lines):
        if not line.startswith("#") and not line.strip(SPACE):
            return number
    return len(lines)


def _separator(line: str) -> int:
    """Index of the colon that ends a key, or -1."""
    key = KEY.match(line)
    return key.end() - 1 if key else -1


def _unfolded(parts: list[str]) -> str:
    first, *rest = parts
    return " ".join([first, *(part.lstrip(SPACE) for part in rest)]).strip(SPACE)
