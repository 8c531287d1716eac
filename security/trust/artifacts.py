"""Names of artifacts, canonical before anything is matched, and the patterns roles have for them.

    name = part *("/" part) ["#" tensor]

A pattern covers what it names and all that is in it. `*` stands for any text inside one part (or
anywhere in a tensor's name), a part `**` for any number of parts. Case counts.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from security.errors import Untrusted

NAME_LIMIT = 1_000  # characters
PARTS_LIMIT = 32


@dataclass(frozen=True, slots=True)
class Name:
    """An artifact, a file in it, or one tensor of such a file (`tensor` "" for all of it)."""

    parts: tuple[str, ...]
    tensor: str = ""


def canonical(text: str) -> Name:
    """Read the name of an artifact. Raises Untrusted if it is not the one way to write it."""
    why = _fault(text)
    if why:
        raise Untrusted(
            f"the artifact name {text!r:.200} {why}", "name it as it was released: NAME/PATH#TENSOR"
        )
    path, _, tensor = text.partition("#")
    return Name(tuple(path.split("/")), tensor)


def fault(pattern: str) -> str:
    """Return what is wrong with a pattern, "" if nothing is."""
    if why := _fault(pattern):
        return why
    parts = pattern.partition("#")[0].split("/")
    if any("**" in part and part != "**" for part in parts):
        return "has ** beside other text"
    return ""


def called(signed: str, artifact: str) -> bool:
    """Whether what was signed under this name is this artifact: of the same whole name, or by the
    last part of it, as a folder is called."""
    return signed in (artifact, artifact.partition("#")[0].rpartition("/")[2])


def covers(pattern: str, name: Name) -> bool:
    """Whether a faultless pattern covers a name; time grows with their product only."""
    path, mark, tensor = pattern.partition("#")
    if mark and not (name.tensor and _text(tensor, name.tensor)):
        return False
    parts, names = path.split("/"), name.parts
    # reached[i]: the first i names are matched by the parts so far.
    reached = [True] + [False] * len(names)
    for part in parts:
        if part == "**":
            for at in range(1, len(names) + 1):
                reached[at] = reached[at] or reached[at - 1]
        else:
            reached = [False] + [reached[at] and _text(part, names[at]) for at in range(len(names))]
    # Below a file there is no further part, so that only a tensor pattern must end with the name.
    return reached[-1] if mark else any(reached)


def _fault(text: str) -> str:
    if not text:
        return "is empty"
    if len(text) > NAME_LIMIT:
        return f"has more than {NAME_LIMIT:,} characters"
    if "\\" in text:
        return "has a backslash"
    for char in text:
        if char != " " and unicodedata.category(char)[0] in "CZ":
            return f"has the invisible character U+{ord(char):04X}"
    if unicodedata.normalize("NFC", text) != text:
        return "is not in Unicode's normal form C"
    path, mark, tensor = text.partition("#")
    if mark and (not tensor or "#" in tensor):
        return "has a # without the name of one tensor"
    parts = path.split("/")
    if len(parts) > PARTS_LIMIT:
        return f"has more than {PARTS_LIMIT} parts"
    for part in parts:
        if part in ("", ".", ".."):
            return "has an empty part, a . or a .."
        if part != part.strip():
            return "has a part that begins or ends with a space"
    return ""


def _text(pattern: str, text: str) -> bool:
    if "*" not in pattern:
        return pattern == text
    first, *middle, last = pattern.split("*")
    if len(text) < len(first) + len(last) or not text.startswith(first):
        return False
    if not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:  # the leftmost place is as good as any
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
