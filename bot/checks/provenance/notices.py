"""Whether NOTICE says what the register and the models in use ask for."""

from __future__ import annotations

from collections.abc import Iterator

from bot.change import Change, TreeEntry
from bot.checks.assets.evidence import Placed
from bot.checks.assets.files import Tree, told
from bot.checks.assets.licensing import Shelf
from bot.checks.assets.settings import Settings as Assets
from bot.checks.assets.weighing import weigh
from bot.checks.provenance.evidence import Stale, Unread
from bot.errors import CouldNotTell, TooLarge
from bot.world import World
from registry.assets.curated import Book
from registry.assets.reading import is_demo, kind_of
from registry.borrowed.notice import LIMIT, START, Credit, generated, part
from registry.borrowed.register import PATH
from registry.borrowed.values import Entry
from registry.documents import DocumentError, text_of

NAMES = ("NOTICE", "NOTICE.txt", "NOTICE.md")
MAX_FILES = 3_000  # files that name what weights were made from
_FIRM = ("card", "adapter", "config", "yaml")


def file_of(world: World, commit: str) -> TreeEntry | None:
    """Return the NOTICE of a commit, None where there is none."""
    found = {entry.path: entry for entry in world.folder(commit) if entry.is_file}
    return next((found[name] for name in NAMES if name in found), None)


def credits_of(world: World, commit: str) -> tuple[Credit, ...]:
    """Return the models and data that weights here were made from, where the licence is known.

    Only what the repository and our tables say counts, no policy and no local file: so NOTICE is
    the same wherever it is written. Raises TooLarge.
    """
    shelf = Shelf(Tree(world, commit), Assets(), Book())
    listed = (e for e in world.walk(commit) if e.is_file and kind_of(e.path) in _FIRM)
    entries = [entry for entry in listed if not is_demo(entry.path)]
    if len(entries) > MAX_FILES:
        raise TooLarge(
            f"{len(entries):,} files may name models, more than {MAX_FILES:,}", "register them"
        )
    return tuple(credit for entry in entries for credit in _credits(world, entry, shelf))


def _credits(world: World, entry: TreeEntry, shelf: Shelf) -> Iterator[Credit]:
    said = told(world, entry)
    for use in said.uses:
        asset = shelf.asset(use, entry.path) if use.firm else None
        if asset is None:
            continue
        placed = Placed(entry.path, use, asset, shelf.outbound(entry.path, said, use))
        weighed = weigh(placed, shelf.settings)
        if weighed is not None and weighed.license:
            yield Credit(use.name, use.tie, weighed.license)


def stale(
    change: Change, world: World, entries: tuple[Entry, ...]
) -> tuple[tuple[Stale, ...], tuple[Unread, ...]]:
    """Return what is amiss with the generated part of NOTICE, where the change bears on it."""
    entry, before = file_of(world, change.head), file_of(world, change.merge_base)
    bearing = any(
        f.path in (*NAMES, PATH) or (kind_of(f.path) in _FIRM and not is_demo(f.path))
        for f in change.files
    )
    if not bearing or (entry is None and before is None):
        return (), ()
    path = entry.path if entry is not None else ""
    try:
        inside = _inside(world, entry)
        if inside is None:
            return _taken_out(change, world, entries, before), ()
        wanted = generated(entries, credits_of(world, change.head))
    except DocumentError as error:
        return (), (Unread(path, error.line, error.message, invalid=True),)
    except CouldNotTell as error:
        return (), (Unread(path, 0, error.message, invalid=True),)
    if inside[0] == wanted:
        return (), ()
    return (Stale(path, inside[1], _difference(inside[0], wanted)),), ()


def _inside(world: World, entry: TreeEntry | None) -> tuple[str, int] | None:
    """Return the generated part and its first line, None where there is none."""
    if entry is None:
        return None
    text = text_of(world.read(entry.blob, LIMIT), limit=LIMIT)
    found = part(text)
    if found is None:
        return None
    lines = text.splitlines()
    return found, next(n for n, line in enumerate(lines, 1) if line.strip() == START)


def _taken_out(
    change: Change, world: World, entries: tuple[Entry, ...], before: TreeEntry | None
) -> tuple[Stale, ...]:
    try:
        had = _inside(world, before)
    except (DocumentError, CouldNotTell):
        return ()
    if had is None or not generated(entries, credits_of(world, change.head)):
        return ()
    return (Stale("", 0, "its generated part was taken out, and is still owed"),)


def _difference(now: str, wanted: str) -> str:
    here, owed = now.splitlines(), wanted.splitlines()
    missing = [line.strip() for line in owed if line.strip() and line not in here]
    extra = [line.strip() for line in here if line.strip() and line not in owed]
    if missing:
        return f'it lacks "{missing[0]:.80}"' + _more(len(missing) - 1)
    if extra:
        return f'it still has "{extra[0]:.80}"' + _more(len(extra) - 1)
    return "its lines are in another order"


def _more(count: int) -> str:
    return f" and {count:,} more lines" if count else ""
