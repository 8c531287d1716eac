"""Which uses of models and data a change brings in, or puts under another licence."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from bot.change import Change, TreeEntry
from bot.checks.assets.evidence import Asset, Dispute, Evidence, Outbound, Placed, Unread
from bot.checks.assets.files import Tree, is_license_file, told, up
from bot.checks.assets.licensing import Shelf
from bot.checks.assets.settings import Settings
from bot.world import World
from registry.assets import curated
from registry.assets.reading import is_demo, kind_of
from registry.assets.values import Told, Use
from registry.licenses.metadata import narrow
from registry.licenses.statements import is_card

MAX_FILES = 3_000  # of the change, and of the tree where all of it is judged again
MAX_PLACED = 5_000
_FIRM = ("card", "adapter", "config", "yaml")


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """Read the changed files on both sides, and what a changed licence bears on besides.

    Raises BadProvenance where the local file of curated provenance is damaged.
    """
    book = curated.load(curated.default_path())
    files = [f for f in change.files if kind_of(f.path)]
    excess = ""
    if len(files) > MAX_FILES:
        excess = f"{len(files):,} changed files, more than {MAX_FILES:,}"
        files = files[:MAX_FILES]
    before = {f.path: told(world, f.before) for f in files if f.before is not None}
    after = {f.path: told(world, f.file) for f in files if f.file is not None}
    shelf = Shelf(Tree(world, change.head), settings, book)
    old = {_identity(path, use) for path, one in before.items() for use in one.uses}
    fresh = {path: _new(path, one, old) for path, one in after.items()}
    again, more = _again(change, world, before, after)
    excess = excess or more
    was = Shelf(Tree(world, change.merge_base), settings, book)
    placed: dict[tuple[object, ...], Placed] = {}
    elsewhere = 0
    for path, one in {**again, **after}.items():
        new = dict.fromkeys(fresh.get(path, ()))  # in their order, looked up at once
        for use in dict.fromkeys((*new, *(one.uses if path in again else ()))):
            asset = shelf.asset(use, path)
            elsewhere += asset is None
            if asset is None:
                continue
            if len(placed) >= MAX_PLACED:
                excess = f"more than {MAX_PLACED:,} models and data sets are named"
                break
            outbound = shelf.outbound(path, one, use)
            if use not in new and not _differs(
                was, path, before.get(path, one), use, asset, outbound
            ):
                continue
            found = Placed(path, use, asset, outbound, is_demo(path), use in new)
            placed.setdefault((path, use.tie, use.name), found)
    return Evidence(
        tuple(placed[key] for key in sorted(placed, key=str)),
        tuple(_disputes(change, world)),
        tuple(_unread(after)),
        sum(after[path].computed for path in after if fresh[path]),
        elsewhere,
        book.imported,
        excess,
    )


def _differs(was: Shelf, path: str, one: Told, use: Use, asset: Asset, outbound: Outbound) -> bool:
    """Whether a use that was there before is under other licences now, on either side."""
    before = was.outbound(path, one, use)
    held = was.asset(use, path)
    old = {source.license for source in held.sources} if held is not None else set()
    return before.license != outbound.license or old != {s.license for s in asset.sources}


def _identity(path: str, use: Use) -> tuple[object, ...]:
    # A use that moves from a test into training, or from one file to another, is told apart.
    return (use.tie, use.name.lower(), use.firm, is_demo(path))


def _new(path: str, one: Told, old: set[tuple[object, ...]]) -> tuple[Use, ...]:
    return tuple(use for use in one.uses if _identity(path, use) not in old)


def _again(
    change: Change, world: World, before: dict[str, Told], after: dict[str, Told]
) -> tuple[dict[str, Told], str]:
    """Return the files whose uses a changed licence bears on, and what was too much to read."""
    cards = {
        p for p in {*before, *after} if is_card(p) and _licence(before, p) != _licence(after, p)
    }
    texts = {f.path for f in change.files if is_license_file(f.path)}
    folders = {posixpath.dirname(path) for path in cards | texts}
    if not folders:
        return {}, ""
    # A project that begins has nothing to judge again: all of it is new.
    if not world.folder(change.merge_base):
        return {}, ""
    entries = [e for e in world.walk(change.head) if e.is_file and kind_of(e.path)]
    under = [e for e in entries if _bears(e, folders)]
    excess = ""
    if len(under) > MAX_FILES:
        excess = f"{len(under):,} files to judge again, more than {MAX_FILES:,}"
    return {e.path: told(world, e) for e in under[:MAX_FILES]}, excess


def _bears(entry: TreeEntry, folders: set[str]) -> bool:
    inside = not folders.isdisjoint(up(posixpath.dirname(entry.path)))
    # What is made with a folder's weights may lie anywhere: its card or configuration names it.
    return inside or kind_of(entry.path) in _FIRM


def _licence(told_of: dict[str, Told], path: str) -> str | None:
    one = told_of.get(path)
    return one.stated.license if one is not None and one.stated is not None else None


def _disputes(change: Change, world: World) -> Iterator[Dispute]:
    """Yield cards below the root that contradict the licence file beside them.

    At the root, `licenses/disagree` says it.
    """
    named = [f.path for f in change.files if is_card(f.path) or is_license_file(f.path)]
    head, base = Tree(world, change.head), Tree(world, change.merge_base)
    for folder in sorted({posixpath.dirname(p) for p in named} - {""})[:MAX_FILES]:
        found = _dispute(head, folder)
        if found is not None:
            was = _dispute(base, folder)
            same = was is not None and (was.said, was.text) == (found.said, found.text)
            yield Dispute(found.path, found.line, found.said, found.text_path, found.text, same)


def _dispute(tree: Tree, folder: str) -> Dispute | None:
    card, text = tree.card(folder), tree.text(folder)
    if card is None or card.told.stated is None or text is None or not text.ids:
        return None
    stated = card.told.stated
    if not stated.license or any(narrow(stated.license, id) for id in text.ids):
        return None
    return Dispute(card.path, stated.line, stated.license, text.path, text.ids[0])


def _unread(after: dict[str, Told]) -> Iterator[Unread]:
    for path, one in sorted(after.items()):
        why = one.trouble or one.skipped
        if not why or (one.skipped and (is_demo(path) or kind_of(path) not in ("py", "ipynb"))):
            continue
        yield Unread(path, one.line, why, bool(one.trouble))
