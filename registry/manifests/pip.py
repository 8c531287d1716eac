"""requirements.txt and constraints.txt, read the way pip reads them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

from registry.documents import DocumentError, text_of
from registry.manifests.pep508 import from_place, is_place, requirement
from registry.manifests.requirement import Item, Manifest, Option, Problem, Requirement, manifest

LINE_LIMIT = 1_000_000  # characters of one logical line
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_QUOTING = re.compile(r"[\"'\\]")
_VARIABLE = re.compile(r"\$\{[A-Z0-9_]+\}")  # pip, "Using environment variables"
_BLANK = re.compile(r"[ \t\r\n]+")
_SHORT = {
    "-i": "--index-url",
    "-f": "--find-links",
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
}
_VALUED = (
    "--index-url",
    "--pypi-url",
    "--extra-index-url",
    "--find-links",
    "--trusted-host",
    "--requirement",
    "--constraint",
    "--build-constraint",
    "--editable",
    "--no-binary",
    "--only-binary",
    "--use-feature",
    "--hash",
    "--config-settings",
    "--global-option",
)
_FLAGS = ("--no-index", "--pre", "--prefer-binary", "--require-hashes", "--always-unzip")


def read_requirements(data: bytes, kind: str = "requirements") -> Manifest:
    """Read a requirements file. Raises DocumentError."""
    _refuse_other_encodings(data)
    said = logical_lines(text_of(data, limit=len(data)))
    return manifest(kind, (item for line, text in said for item in read_line(text, line)))


def read_constraints(data: bytes) -> Manifest:
    """Read a constraints file. Raises DocumentError."""
    return read_requirements(data, "constraints")


def read_inputs(data: bytes) -> Manifest:
    """Read a requirements.in, from which a tool makes the pinned file. Raises DocumentError."""
    return read_requirements(data, "requirements-in")


def _refuse_other_encodings(data: bytes) -> None:
    # pip obeys a coding comment; under UTF-7 the text a reviewer sees is not what pip reads.
    for number, line in enumerate(data[:2000].split(b"\n")[:2], 1):
        match = _CODING.match(line)
        name = match[1].decode().lower().replace("_", "-") if match else "utf-8"
        if name not in ("utf-8", "utf8", "ascii", "us-ascii", "utf-8-sig"):
            raise DocumentError(f"declares the encoding {name[:40]!r}", number)


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line that says something with its number; continued lines are joined.

    pip also breaks lines at form feeds and Unicode separators, where no editor shows one.
    """
    number, first, held = 1, 0, ""
    for piece in text.splitlines(keepends=True):
        line = piece.rstrip("\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")
        comment = line.lstrip().startswith("#")
        first = first or number
        if len(held) > LINE_LIMIT:
            raise DocumentError(f"a line of more than {LINE_LIMIT:,} characters", first)
        if line.endswith("\\") and not comment:
            held += line.rstrip("\\")
        else:
            held += " " + line if comment else line
            if said := _COMMENT.sub("", held).strip():
                yield first, said
            first, held = 0, ""
        number += piece.endswith("\n")
    if said := _COMMENT.sub("", held).strip():
        yield first, said


def read_line(text: str, line: int, group: str = "") -> list[Item]:
    """Read one logical line: a requirement with its options, or options alone."""
    if len(text) > LINE_LIMIT:
        return [Problem(f"a line of {len(text):,} characters", line)]
    words = text.split(" ")
    first = next((i for i, w in enumerate(words) if w.startswith("-")), len(words))
    body, rest = " ".join(words[:first]).strip(), " ".join(words[first:])
    try:
        options = list(_options(_split(rest), line))
    except ValueError as error:
        return [Problem(f"options that cannot be read: {error}", line)]
    hashes = tuple(o.value for o in options if isinstance(o, Option) and o.name == "--hash")
    found: list[Item] = [_hashed(body, line, group, hashes)] if body else []
    for option in options:
        if isinstance(option, Problem):
            found.append(option)
        elif option.name == "--editable":
            found.append(_editable(option.value, line, group))
        elif option.name not in ("--hash", "--config-settings", "--global-option"):
            found.append(option)
    return found


def _split(text: str) -> list[str]:
    # Without quotes and escapes the shell only parts words, and shlex takes ten times as long.
    if _QUOTING.search(text):
        return shlex.split(text)
    return [word for word in _BLANK.split(text) if word]


def _hashed(text: str, line: int, group: str, hashes: tuple[str, ...]) -> Item:
    found = requirement(text, line, group=group, hashed=bool(hashes))
    if isinstance(found, Requirement) and not found.url and _VARIABLE.search(text):
        # In a URL it is mostly a token; here it decides which version is installed.
        return Problem(f"what the environment decides: {text[:80]!r}", line)
    if hashes and isinstance(found, Requirement):
        return replace(found, hashes=tuple(dict.fromkeys(hashes)))
    return found


def _editable(value: str, line: int, group: str) -> Item:
    if is_place(value) or " @ " not in value:
        return from_place(value, line, group=group)
    return requirement(value, line, group=group)


def _options(words: list[str], line: int) -> Iterator[Option | Problem]:
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        if word[:2] in _SHORT and not word.startswith("--"):
            yield Option(_SHORT[word[:2]], word[2:].lstrip("=") or next(rest, ""), line)
            continue
        # pip takes any unambiguous beginning: `--extra` is `--extra-index-url`.
        known = [o for o in (*_VALUED, *_FLAGS) if o.startswith(name)] if len(name) > 2 else []
        full = name if name in known else known[0] if len(known) == 1 else ""
        if not full:
            yield Problem(f"an option that is not known: {word[:80]!r}", line)
        elif full in _FLAGS:
            yield Option(full, "", line)
        else:
            full = "--index-url" if full == "--pypi-url" else full
            yield Option(full, value if equals else next(rest, ""), line)
