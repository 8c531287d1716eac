"""Dockerfiles and Containerfiles: what their RUN lines install.

After the Dockerfile reference: continued lines and the comments between them, the `escape`
directive, here-documents, both forms of RUN, ARG and ENV by stage. An ARG may be given
another value at build time; here it has its default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from registry.documents import DocumentError, load_json, text_of
from registry.manifests.expansion import whole
from registry.manifests.installs import Session, mentions, merged, setting
from registry.manifests.requirement import Item, Manifest, Problem, manifest
from registry.manifests.shellwords import commands

_ESCAPE = re.compile(r"#[ \t]*escape[ \t]*=[ \t]*([\\`])[ \t]*$", re.IGNORECASE)
_DIRECTIVE = re.compile(r"#[ \t]*\w+[ \t]*=")
_WORD = re.compile(r"[ \t]*([A-Za-z]+)(?:[ \t]+|$)")
_FLAG = re.compile(r"[ \t]*(--[a-z]+=\S*)")
_HERE = re.compile(r"<<(-?)(['\"]?)([A-Za-z_]\w*)\2")
_STAGE = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?", re.IGNORECASE)
_HERE_INSTRUCTIONS = ("RUN", "COPY", "ADD")
INSTRUCTIONS = 5_000  # of one file; an image of more than 127 layers cannot be built
Variables = dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction in capitals, its text (line breaks kept) and its line.

    `bodies` are its here-documents: (delimiter, text, first line).
    """

    name: str
    text: str
    line: int
    bodies: tuple[tuple[str, str, int], ...] = ()


def read_dockerfile(data: bytes) -> Manifest:
    """Read the install lines of a Dockerfile. Raises DocumentError."""
    text = text_of(data, limit=len(data))
    if not mentions(text):
        return manifest("dockerfile", ())
    return manifest("dockerfile", merged(_items(text)))


def instructions(text: str) -> Iterator[Instruction]:
    """Yield the instructions of a Dockerfile."""
    rows = text.replace("\r\n", "\n").split("\n")
    escape, number = _escape(rows), 0
    while number < len(rows):
        start = number
        if not rows[start].strip() or rows[start].lstrip().startswith("#"):
            number += 1
            continue
        parts: list[str] = []
        while number < len(rows):
            row = rows[number]
            number += 1
            blank = not row.strip() or row.lstrip().startswith("#")
            if parts and blank:  # between continued lines both are passed over
                parts.append("\\")
                continue
            bare = row.rstrip(" \t")
            if not bare.endswith(escape):
                parts.append(row)
                break
            parts.append(bare[:-1] + "\\")
        body = "\n".join(parts)
        match = _WORD.match(body)
        if match is None:
            continue
        name, bodies = match[1].upper(), []
        if name in _HERE_INSTRUCTIONS:
            for dash, _, delimiter in _HERE.findall(body):
                first, kept = number + 1, []
                while number < len(rows):
                    row = rows[number]
                    number += 1
                    if (row.strip("\t") if dash else row) == delimiter:
                        break
                    kept.append(row)
                bodies.append((delimiter, "\n".join(kept), first))
        yield Instruction(name, body[match.end() :], start + 1, tuple(bodies))


def _escape(rows: list[str]) -> str:
    for row in rows[:10]:
        if match := _ESCAPE.match(row.strip()):
            return match[1]
        if not _DIRECTIVE.match(row.strip()):
            break
    return "\\"


def _items(text: str) -> Iterator[Item]:
    outside: Variables = {}  # ARG before the first FROM
    stages: dict[str, Variables] = {}
    here, begun = outside, False
    for number, found in enumerate(instructions(text)):
        if number >= INSTRUCTIONS:
            raise DocumentError(f"more than {INSTRUCTIONS:,} instructions", found.line)
        try:
            if found.name == "ONBUILD":
                inner = _WORD.match(found.text)
                rest = found.text[inner.end() :] if inner else ""
                found = Instruction(inner[1].upper() if inner else "", rest, found.line)
            if found.name == "FROM":
                match = _STAGE.match(found.text.strip())
                base, name = (match[1], match[2]) if match else ("", None)
                here, begun = dict(stages.get(base.lower(), {})), True
                if name:
                    stages[name.lower()] = here
            elif found.name == "ARG":
                yield from _argument(found, here, outside if begun else {})
            elif found.name == "ENV":
                yield from _environment(found, here)
            elif found.name == "RUN":
                yield from _run(found, here)
        except DocumentError as error:
            if mentions(found.text):
                yield Problem(error.message, error.line or found.line)


def _argument(found: Instruction, here: Variables, outside: Variables) -> Iterator[Item]:
    for command in commands(found.text, found.line):
        for word in command.words:
            (text, *_) = whole(word, here)
            name, equals, value = text.partition("=")
            if equals:
                here[name] = (value,)
                yield from setting(name, (value,), word.line)
            elif name in outside:
                here[name] = outside[name]


def _environment(found: Instruction, here: Variables) -> Iterator[Item]:
    for command in commands(found.text, found.line):
        words = command.words
        old_form = len(words) > 1 and "=" not in whole(words[0], here)[0]
        if old_form:  # ENV NAME the whole rest
            name = whole(words[0], here)[0]
            values = " ".join(whole(w, here)[0] for w in words[1:])
            pairs = [(name, values, words[0].line)]
        else:
            texts = [(whole(w, here)[0].partition("="), w.line) for w in words]
            pairs = [(parts[0], parts[2], line) for parts, line in texts]
        for name, value, line in pairs:
            here[name] = (value[:10_000],)
            yield from setting(name, (value,), line)


def _run(found: Instruction, here: Variables) -> Iterator[Item]:
    text = found.text
    while match := _FLAG.match(text):
        text = text[match.end() :]
    if not mentions(text) and not any(mentions(body) for _, body, _ in found.bodies):
        return
    if text.lstrip().startswith("[") and (words := _listed(text)):
        text = " ".join("'" + w.replace("'", "'\\''") + "'" for w in words)
        yield from Session(here).run(text, found.line)
        return
    plain = _HERE.sub("", text).strip()
    session = Session(here)
    if plain:
        # Each body goes with its command the way a script holds it, on its own lines.
        yield from session.run(text + _tail(found, text), found.line)
        return
    for _, body, line in found.bodies:
        if not body.startswith("#!") or "sh" in body.partition("\n")[0]:
            yield from session.run(body, line)


def _tail(found: Instruction, text: str) -> str:
    gap = found.bodies[0][2] - found.line - text.count("\n") - 1 if found.bodies else 0
    rows = [f"{body}\n{delimiter}" for delimiter, body, _ in found.bodies]
    return "\n" + "\n" * max(gap, 0) + "\n".join(rows) if rows else ""


def _listed(text: str) -> list[str]:
    """Return the words of `RUN ["pip", "install"]`, or [] where it is not that form."""
    try:
        value = load_json(text.replace("\\\n", " ").encode(), limit=len(text) * 4)
    except DocumentError:
        return []
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        return []
    return value
