"""How firmly a dependency is held: pins, ceilings, hashes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from bot.checks.dependencies.shown import shown
from bot.finding import Finding, Level, Location, Rule
from bot.manifestfiles import ManifestChange
from registry.manifests import COMMANDS, Manifest, Requirement
from registry.manifests.difference import Delta
from registry.manifests.kinds import loosened

Pin = Literal["exact", "lock", "bounded", "off"]
Hashes = Literal["required", "off"]
INSTALLED = ("requirements", "conda")  # kinds that are installed as they stand
DECLARED = ("pyproject", "setup-py", "setup-cfg", "pipfile")  # kinds that ask for a range

UNPINNED = Rule(
    "dependencies/unpinned",
    Level.FAILURE,
    "An added dependency is not held to one version, by its own line or by a lock.",
    "Every install may get other code than the one that was reviewed.",
    "Write `name==VERSION`, or add a lock or constraints file that pins it.",
)
LOOSENED = Rule(
    "dependencies/loosened",
    Level.WARNING,
    "A pin became a range, or a bound was dropped.",
    "Versions that nobody tested, later hijacked ones included, are let in.",
    "Keep the pin or the upper bound, or say in the change why it has to go.",
)
UNHASHED = Rule(
    "dependencies/unhashed",
    Level.FAILURE,
    "A dependency has no hash where hashes are required or its neighbours have them.",
    "Without a hash a replaced file is installed unnoticed; pip refuses files with only some.",
    "Write the hashes with `pip-compile --generate-hashes`, `uv lock` or the like.",
)
RULES = (UNPINNED, LOOSENED, UNHASHED)


def judge_pin(delta: Delta, pin: Pin, pinned: frozenset[str], lax: bool) -> Iterator[Finding]:
    """Judge how firmly one added or altered requirement is held.

    `lax`: the file held unpinned lines before, so one more is its way: a warning.
    """
    if delta.after is None or pin == "off":
        return
    after, path, kind = delta.after.requirement, delta.after.path, delta.after.kind
    before = delta.before.requirement if delta.before else None
    if after.url or kind not in (*INSTALLED, *DECLARED, *COMMANDS, "requirements-in"):
        return
    place = Location(path, after.line)
    if before is not None and not before.url:
        if loss := shown(loosened(before, after)):
            strict = kind in INSTALLED and bool(before.version) and not after.version
            held = pin == "bounded" or (pin == "lock" and (lax or after.name in pinned))
            level = Level.FAILURE if strict and not held else Level.WARNING
            yield LOOSENED.at(f"{shown(after.raw)}: {loss}", place, level=level)
    elif kind in INSTALLED and not _held(after, pin, pinned):
        asked = shown(after.specifier) or "any version"
        level = Level.WARNING if lax and pin == "lock" else Level.FAILURE
        yield UNPINNED.at(f"{shown(after.raw)} is not pinned ({asked})", place, level=level)
    elif kind in COMMANDS and not _held(after, pin, pinned):
        # The image or the job gets it, not who installs the project.
        level = Level.WARNING if pin == "exact" else Level.NOTE
        asked = shown(after.specifier) or "any version"
        yield UNPINNED.at(f"{shown(after.raw)} is not pinned ({asked})", place, level=level)
    elif kind in DECLARED and not after.specifier and after.name not in pinned:
        message = f"{shown(after.raw)} has no version bound at all"
        remedy = "Give the lowest version that works, and an upper bound where one is known."
        yield UNPINNED.at(message, place, level=Level.WARNING, remedy=remedy)


def _held(requirement: Requirement, pin: Pin, pinned: frozenset[str]) -> bool:
    if requirement.version or requirement.name == "pip":
        return True
    if pin == "bounded":
        return bool(requirement.specifier)
    # Conda's own way to pin is `name=1.2`, which lets patch releases in.
    fuzzy = requirement.ecosystem == "conda" and requirement.specifier.startswith("==")
    return pin == "lock" and (fuzzy or requirement.name in pinned)


def unpinned_before(file: ManifestChange) -> bool:
    """Whether a manifest already asked for something without pinning it."""
    asked = file.before.requirements if file.before else ()
    return any(not r.version and not r.url for r in asked)


def judge_hashes(file: ManifestChange, deltas: list[Delta], hashes: Hashes) -> Iterator[Finding]:
    """Judge the hashes of one file: all that changed need one, or all or none have one."""
    if file.after is None or not (file.after.is_lock or file.kind == "requirements"):
        return
    touched = [d for d in deltas if d.after and _hashable(d.after.requirement)]
    mixed = _is_hashed(file.after)
    level = Level.WARNING if file.after.is_lock and hashes == "off" else Level.FAILURE
    bare = [d for d in touched if d.after and not d.after.requirement.hashed]
    for delta in bare:
        lost = delta.before is not None and delta.before.requirement.hashed
        if delta.after and (lost or mixed or hashes == "required"):
            after, what = delta.after.requirement, "lost its hashes" if lost else "has no hash"
            place = Location(file.path, after.line)
            yield UNHASHED.at(f"{shown(after.raw)} {what}", place, level=level)
    if mixed and not bare and not (file.before and _is_hashed(file.before)):
        # The first hashes came in with this change, and lines that were there have none.
        for left in (r for r in file.after.requirements if _hashable(r) and not r.hashed):
            message = f"{shown(left.raw)} has no hash, other lines have one"
            yield UNHASHED.at(message, Location(file.path, left.line), level=level)
            break


def _hashable(requirement: Requirement) -> bool:
    return not (requirement.is_vcs or requirement.is_local)


def _is_hashed(manifest: Manifest) -> bool:
    flag = any(o.name == "--require-hashes" for o in manifest.options)
    return flag or any(r.hashed for r in manifest.requirements)
