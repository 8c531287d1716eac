"""Licence and copyright headers of new source files, read from the first bytes only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.change import Change, TreeEntry
from bot.finding import Finding, Level, Location, Rule
from bot.patterns import any_matches, compiled
from bot.quoting import plain
from bot.world import World
from registry.licenses.expressions import LicenseError, normalise, same

PREFIX = 4096  # bytes of a file that are read
EXPRESSION_LIMIT = 200  # characters
TAG = "SPDX-License-Identifier:"
CLOSERS = ("*/", "-->", "#}", "%}", "*)", "-}", '"""', "'''")

SPDX = Rule(
    "contributors/spdx-header",
    Level.FAILURE,
    "A new source file states no licence, or another one than the policy.",
    "Files travel alone; a line in each keeps the licence with it.",
    "Put a comment `SPDX-License-Identifier: <licence>` among the first lines of the file.",
)
COPYRIGHT = Rule(
    "contributors/copyright-header",
    Level.FAILURE,
    "A new source file names no copyright holder.",
    "Who holds the rights must be known to whoever asks for them.",
    "Put a comment `SPDX-FileCopyrightText: <year> <holder>` among the first lines of the file.",
)
RULES = (SPDX, COPYRIGHT)

Switch = Literal["required", "off"]


class Headers(BaseModel):
    """Policy on the headers of new source files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    spdx: Switch = Field(default="off", description="Whether each states its SPDX licence.")
    copyright: Switch = Field(default="off", description="Whether each names a copyright holder.")
    license: str = Field(
        default="",
        max_length=EXPRESSION_LIMIT,
        description="The SPDX expression they must state; empty: any.",
    )
    patterns: tuple[str, ...] = Field(
        default=("*.py", "*.pyi", "*.sh", "*.c", "*.cc", "*.cpp", "*.h", "*.hpp", "*.cu", "*.cuh",
                 "*.rs", "*.go", "*.java", "*.js", "*.ts", "*.tsx"),
        description="Which files are source files.",
    )  # fmt: skip
    exclude: tuple[str, ...] = Field(default=(), description="Which of them need no header.")


@dataclass(frozen=True, slots=True)
class Header:
    """What the first lines of a file say: licence (with its line) and copyright."""

    license: str
    line: int
    copyright: bool


@dataclass(frozen=True, slots=True)
class NewFile:
    """A new source file and its header."""

    path: str
    header: Header


def collect(change: Change, world: World, settings: Headers, maker: str) -> tuple[NewFile, ...]:
    """Read the header of each new source file; a moved or empty file is not new."""
    if settings.spdx == "off" and settings.copyright == "off":
        return ()
    wanted = tuple(compiled(p) for p in settings.patterns)
    spared = tuple(compiled(p) for p in settings.exclude)
    moved = {f.before.blob for f in change.files if f.before is not None and f.deleted}
    found = []
    for file in change.files:
        entry = file.file
        if entry is None or not file.added or entry.blob in moved or not world.size(entry.blob):
            continue
        if any_matches(wanted, file.path) and not any_matches(spared, file.path):
            found.append(NewFile(file.path, _header(world, entry, maker)))
    return tuple(found)


def _header(world: World, entry: TreeEntry, maker: str) -> Header:
    def make() -> Header:
        return parse(world.prefix(entry.blob, PREFIX))

    return world.facts(f"{maker}/header", entry.blob, Header, make)


def parse(data: bytes) -> Header:
    """Read the header out of a file's first bytes; a tag inside code is none."""
    license, line, copyright = "", 0, False
    for number, text in enumerate(data.decode("utf-8", "replace").splitlines(), start=1):
        before, tag, after = text.partition(TAG)
        if tag and not line and not any(c.isalnum() for c in before):
            license, line = _closed(after), number
        lowered = text.lower().strip().lstrip("#/*;%-<!(\"' ")
        copyright = copyright or lowered.startswith(
            ("copyright", "spdx-filecopyrighttext:", "©", "(c) ", "c) ")
        )
    return Header(license, line, copyright)


def _closed(text: str) -> str:
    text = text.strip()
    for closer in CLOSERS:
        text = text.removesuffix(closer).rstrip()
    return text[:EXPRESSION_LIMIT]


def judge(files: tuple[NewFile, ...], settings: Headers) -> tuple[Finding, ...]:
    """Find new source files whose header is not what the policy asks for."""
    found: list[Finding] = []
    for file in files:
        if settings.spdx == "required":
            found.extend(_spdx(file, settings.license))
        if settings.copyright == "required" and not file.header.copyright:
            message = f"{file.path} names no copyright holder in its first lines"
            found.append(COPYRIGHT.at(message, Location(file.path, 1)))
    return tuple(found)


def _spdx(file: NewFile, expected: str) -> list[Finding]:
    stated = file.header.license
    place = Location(file.path, file.header.line or 1)
    remedy = f"Put a comment `{TAG} {expected or '<licence>'}` among the first lines of the file."
    if not stated:
        message = f"{file.path} states no licence in its first lines"
        return [SPDX.at(message, place, remedy=remedy)]
    trouble = _trouble(stated, expected)
    return [SPDX.at(f"{file.path} {trouble}", place, remedy=remedy)] if trouble else []


def _trouble(stated: str, expected: str) -> str:
    """Say what is wrong with a stated expression; `MIT OR Apache-2.0` may come in any order."""
    try:
        normalise(stated)
        if not expected or same(stated, expected):
            return ""
    except LicenseError as error:
        return f"states no SPDX licence: {plain(error)}"
    return f"states the licence {plain(stated)}, the policy asks for {expected}"
