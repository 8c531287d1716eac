"""Names and kinds of the changed files: what a checkout of this change could be tricked by."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from bot.change import SUBMODULE, SYMLINK, Change
from bot.check import Section
from bot.exhibit import Exhibit
from bot.finding import Finding, Level, Location, Rule
from bot.wording import plural
from bot.world import World

NAME = "files"
VERSION = 1
LINK_LIMIT = 4096  # bytes of a symlink's target

UNSAFE = Rule(
    "files/unsafe-path",
    Level.FAILURE,
    "An added path is absolute, climbs with '..', enters '.git', or holds control characters.",
    "Tools that unpack or print such a name can be led outside the repository.",
    "Rename the file to plain printable characters, relative to the repository.",
)
ODD = Rule(
    "files/odd-name",
    Level.NOTE,
    "An added path is not printable UTF-8, or holds quotes or backslashes.",
    "Such names break on other systems and in many tools.",
    "Rename the file to plain UTF-8.",
)
ESCAPE = Rule(
    "files/symlink-escape",
    Level.FAILURE,
    "An added or changed symlink points outside the repository or into '.git'.",
    "Whoever follows it reads or writes files of the machine, not of the project.",
    "Point the link at a path inside the repository, or add the file itself.",
)
MODULE = Rule(
    "files/submodule",
    Level.WARNING,
    "A submodule was added or moved to another commit.",
    "Its content is in another repository and is not judged here.",
    "Judge the submodule's own change too: modelwarden check --repo SUBMODULE.",
)
RULES = (UNSAFE, ODD, ESCAPE, MODULE)


class Settings(Section):
    """File names and kinds; there is nothing to set besides `enabled`."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Added paths, symlinks as (path, target), submodules as (path, commit)."""

    added: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    submodules: tuple[tuple[str, str], ...]


def applies(change: Change, settings: Settings) -> str:
    """Apply to every change that touches a file."""
    return "" if change.files else "no file changed"


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """Read names, and the targets of changed symlinks."""
    after = [f.after for f in change.files if f.after is not None]
    return Evidence(
        tuple(f.path for f in change.files if f.added),
        tuple((e.path, _target(world, e.blob)) for e in after if e.mode == SYMLINK),
        tuple((e.path, e.blob) for e in after if e.mode == SUBMODULE),
    )


def _target(world: World, blob: str) -> str:
    return world.read(blob, LINK_LIMIT).decode("utf-8", "replace")


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Name every path, link and submodule a reviewer should look at."""
    findings: list[Finding] = []
    for path in evidence.added:
        if reason := _unsafe(path):
            findings.append(UNSAFE.at(f"the path {reason}", Location(path)))
        elif '"' in path or "\\" in path:
            findings.append(
                ODD.at(
                    "the path is not printable UTF-8, or holds quotes or backslashes",
                    Location(path),
                )
            )
    for path, target in evidence.links:
        if _escapes(path, target):
            findings.append(ESCAPE.at(f"the link points to {target[:200]!r}", Location(path)))
    for path, commit in evidence.submodules:
        findings.append(MODULE.at(f"the submodule is at commit {commit[:12]}", Location(path)))
    return tuple(findings)


def _unsafe(path: str) -> str:
    parts = path.split("/")
    if path.startswith("/"):
        return "is absolute"
    if ".." in parts:
        return "climbs out with '..'"
    if any(part.lower() == ".git" for part in parts):
        return "enters '.git'"
    if _has_control(path):
        return "holds control characters"
    return ""


def _has_control(escaped: str) -> bool:
    at = 0
    while (at := escaped.find("\\", at)) >= 0:
        code = escaped[at + 1 : at + 4]
        if escaped[at + 1 : at + 2] in ("t", "n", "r"):
            return True
        if code.isdigit() and (int(code, 8) < 0x20 or int(code, 8) == 0x7F):
            return True
        at += 4 if code.isdigit() else 2
    return False


def _escapes(path: str, target: str) -> bool:
    reached = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    parts = reached.split("/")
    return target.startswith("/") or parts[0] == ".." or ".git" in (p.lower() for p in parts)


def summary(evidence: Evidence) -> str:
    """Count what was looked at."""
    return (
        f"{plural(len(evidence.added), 'new path')}, {plural(len(evidence.links), 'symlink')}, "
        f"{plural(len(evidence.submodules), 'submodule')}"
    )


def exhibits(evidence: Evidence, settings: Settings) -> tuple[Exhibit, ...]:
    """Nothing to draw."""
    return ()
