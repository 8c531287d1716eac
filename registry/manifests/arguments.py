"""The arguments of a command that installs, as requirements and options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from packaging.utils import canonicalize_name

from registry.manifests.conda import package
from registry.manifests.expansion import Slot, closed, is_open, said
from registry.manifests.installers import OPTIONS, PACKAGES, VALUED, Installer
from registry.manifests.pep508 import from_place, is_place, requirement
from registry.manifests.requirement import Item, Option, Problem, Requirement

_NAMED = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(\[[^\]]*\])?\s*(.*)$", re.DOTALL)
_EXTRAS = re.compile(r"([^\[\]]+)\[([^\[\]]*)\]$")
_AT_VERSION = re.compile(r"([A-Za-z0-9][\w.-]*)(\[[^\]]*\])?@([^/:]+)$")
_INPUTS = ("-", "/dev/stdin", "/dev/fd/0")
# A block that its author forgot to end: the shell refuses it, and none of these is a package.
_CLOSERS = frozenset({"fi", "done", "esac"})


def arguments(slots: list[Slot], how: Installer) -> Iterator[Item]:
    """Yield what the arguments ask for. `slots` are those after the command's own words."""
    rest = iter(slots)
    for slot in rest:
        word = slot.text
        if word == "--" or not word:
            continue
        if word.startswith("-") and len(word) > 1:
            yield from _option(slot, rest, how)
        elif how.style == "files":
            yield from _included("--requirement", slot)
        elif how.style == "with":
            return  # the program that is run, and what it is told
        elif word not in _CLOSERS:
            for text in slot.texts:
                yield _package(text, slot.line, how)
            if how.style == "one":
                return  # the others are for the program that is run


def _option(slot: Slot, rest: Iterator[Slot], how: Installer) -> Iterator[Item]:
    word = slot.text
    name, equals, value = word.partition("=")
    if not word.startswith("--") and len(word) > 2 and f"{word[:2]}" in (*OPTIONS, "-e"):
        name, equals, value = word[:2], "=", word[2:].lstrip("=")
    conda = how.style == "conda"
    if conda and name in ("-c", "--channel", "-f", "--file"):
        long = "channel" if name in ("-c", "--channel") else "--requirement"
        taken = Slot((value,), slot.line) if equals else next(rest, None)
        if taken is not None:
            yield from _included(long, taken)
    elif name in ("-e", "--editable") and how.style in ("pip", "files"):
        if not equals:
            return  # what follows is read like any package: a place
        yield _package(value, slot.line, how)
    elif name in OPTIONS and how.style != "conda":
        taken = Slot((value,), slot.line) if equals else next(rest, None)
        if taken is None:
            yield Problem(f"the option {name} has no value", slot.line)
        else:
            yield from _included(OPTIONS[name], taken)
    elif name in PACKAGES:
        taken = Slot((value,), slot.line) if equals else next(rest, None)
        for text in taken.texts if taken else ():
            yield _package(text, slot.line, how)
    elif name in VALUED[how.style] and not equals:
        next(rest, None)


def _included(name: str, slot: Slot) -> Iterator[Item]:
    for text in slot.texts:
        if name == "--requirement" and text in _INPUTS:
            yield Problem("reads its requirements from another command", slot.line)
        elif name == "--requirement" and text.startswith("\0("):
            yield Problem(f"installs what {said(text)[:80]} prints", slot.line)
        elif text:
            yield Option(name, said(text), slot.line)


def _package(text: str, line: int, how: Installer) -> Item:
    text = text.strip()
    if is_open(text):
        return _partly(text, line)
    if how.style == "conda":
        return package(text, line)
    if how.style in ("add", "one") and (match := _AT_VERSION.match(text)):
        found = requirement(match[1] + (match[2] or ""), line)
        version = match[3]
        spec = "" if version == "latest" else version
        spec = f"=={spec}" if spec[:1].isdigit() else spec
        return replace(found, specifier=spec) if isinstance(found, Requirement) else found
    return requirement(text, line)


def _partly(text: str, line: int) -> Item:
    # A name that is written out is known, whatever version or extra the variable holds.
    shell = said(text)
    if match := _EXTRAS.match(text):
        bare = match[1]
        if bare.startswith((".", "/")) or _is_path(bare):
            known = (e.strip() for e in match[2].split(",") if not is_open(e))
            named = tuple(sorted({canonicalize_name(e) for e in known if e}))
            return replace(from_place(said(bare), line), extras=named)
    local = text.startswith((".", "/")) and not text.startswith("\0")
    if local or (is_place(text) and not text.startswith("\0")) or _is_path(text):
        return from_place(shell, line)
    match = _NAMED.match(text)
    rest = match[3] if match else ""
    if match is None or is_open(match[1]) or rest[:1] not in ("=", "<", ">", "~", "!", ";", ""):
        return Problem(f"installs a package that {shell[:80]} names", line)
    extras = [e for e in (match[2] or "[]")[1:-1].split(",") if e.strip() and not is_open(e)]
    clauses = [c for c in rest.partition(";")[0].split(",") if c.strip() and not is_open(c)]
    found_plain = requirement(match[1] + ",".join(clauses), line)
    if isinstance(found_plain, Problem):
        return found_plain
    return replace(found_plain, extras=tuple(sorted(canonicalize_name(e.strip()) for e in extras)))


def _is_path(text: str) -> bool:
    """Whether it is a path below a folder that a variable names: "${HOME}/wheels"."""
    plain = closed(text)
    return text.startswith("\0") and plain.startswith("/") and " " not in plain
