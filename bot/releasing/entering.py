"""One entry of the register of provenance, made from what is staged and what a person said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bot.checks.assets.files import Tree
from bot.checks.provenance.holders import holders
from bot.checks.provenance.holding import digest
from bot.errors import CouldNotTell, UsageError
from bot.world import World
from registry.borrowed import register
from registry.borrowed.values import Entry, Use
from registry.documents import DocumentError

_HEAD = 20_000  # bytes of a licence text in which its holders are named


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be entered; None is what was there before, or what the files say."""

    path: str
    source: str | None = None
    license: str | None = None
    revision: str | None = None
    holders: tuple[str, ...] = ()
    tie: Use | None = None
    modified: bool = False
    note: str | None = None


def asked(path: str | None, holders: tuple[str, ...], **said: Any) -> Asked | None:
    """Return what the options of the command ask for, None for nothing. Raises UsageError."""
    if path is None:
        if holders or any(said.values()):
            raise UsageError("these options describe an entry", "say which: --register PATH")
        return None
    return Asked(path, holders=holders, **said)


def entered(world: World, tree: str, entries: tuple[Entry, ...], asked: Asked) -> tuple[Entry, ...]:
    """Return the entries with this one, new or brought up to date. Raises UsageError."""
    path = asked.path.strip("/")
    old = next((entry for entry in entries if entry.path == path), None)
    draft = old or Entry(path, "", "", "")
    found = digest(world, tree, draft)
    if not found:
        raise UsageError(f"nothing is staged at {path}", f"run: git add {path}")
    # Another revision is taken as it is there, unless it is said to be modified too.
    modified = asked.modified or (draft.modified and asked.revision is None)
    draft = _stated(replace(draft, digest=found, modified=modified), asked)
    if not draft.license or not draft.text:
        draft = _from_text(world, tree, draft)
    if not draft.source or not draft.license:
        missing = "--source" if not draft.source else "--license"
        raise UsageError(
            f"the register does not know {path} yet", f"pass {missing}: see where it is from"
        )
    others = tuple(entry for entry in entries if entry.path != path)
    try:
        return register.read(register.write((*others, draft)))
    except DocumentError as error:
        raise UsageError(f"the entry cannot be made: {error.message}", "correct it") from error


def _stated(draft: Entry, asked: Asked) -> Entry:
    if asked.source is not None:
        draft = replace(draft, source=asked.source)
    if asked.license is not None:
        draft = replace(draft, license=asked.license)
    if asked.revision is not None:
        draft = replace(draft, revision=asked.revision)
    if asked.tie is not None:
        draft = replace(draft, tie=asked.tie)
    if asked.note is not None:
        draft = replace(draft, note=asked.note)
    return replace(draft, holders=asked.holders) if asked.holders else draft


def _from_text(world: World, tree: str, draft: Entry) -> Entry:
    """Return the entry with what the licence file of its folder says."""
    text = Tree(world, tree).text(draft.path) if not draft.is_pattern else None
    if text is None:
        return draft
    license = draft.license or (text.ids[0] if text.ids else "")
    entry = world.entry(tree, text.path)
    named = draft.holders
    if entry is not None and not named:
        try:
            said = world.prefix(entry.blob, _HEAD).decode("utf-8", "replace").splitlines()
            named = tuple(dict.fromkeys(name for line in said[:40] for name in holders(line)))
        except CouldNotTell:
            named = ()
    return replace(draft, license=license, text=draft.text or text.path, holders=named)
