"""Files that only an earlier commit of the change has: merged, they stay in the history."""

from __future__ import annotations

from collections.abc import Iterator

from bot.change import FOLDER, Change, TreeEntry
from bot.world import World

MAX_COMMITS = 200  # whose trees are compared
MAX_BLOBS = 2_000  # that are read


def passing(change: Change, world: World) -> tuple[tuple[tuple[str, str, str, str], ...], bool]:
    """Return (commit, path, blob before, blob) of what the head has not, and whether that is all.

    Cost follows what each commit changed. What a merge brings from one of its parents is not new.
    """
    commits = world.commits(change.base, change.head)
    kept = {f.after.blob for f in change.files if f.after} | {
        f.before.blob for f in change.files if f.before
    }
    found: list[tuple[str, str, str, str]] = []
    if len(commits) < 2:
        return (), True
    for commit in commits[:MAX_COMMITS]:
        parent = commit.parents[0] if commit.parents else ""
        for path, before, after in _differing(world, parent, commit.id):
            others = (world.entry(p, path) for p in commit.parents[1:])
            if after in kept or any(o is not None and o.blob == after for o in others):
                continue
            kept.add(after)
            found.append((commit.id, path, before, after))
            if len(found) > MAX_BLOBS:
                return tuple(found[:MAX_BLOBS]), False
    return tuple(found), len(commits) <= MAX_COMMITS


def _differing(
    world: World, before: str, after: str, path: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Yield (path, blob before or "", blob) of the files of a commit that another has not."""
    waiting = [path]
    while waiting:
        folder = waiting.pop()
        old = {e.path: e for e in world.folder(before, folder)} if before else {}
        for entry in world.folder(after, folder):
            known = old.get(entry.path)
            if known is not None and known.blob == entry.blob:
                continue
            if entry.mode == FOLDER:
                waiting.append(entry.path)
            elif entry.is_file:
                yield entry.path, _file(known), entry.blob


def _file(entry: TreeEntry | None) -> str:
    return entry.blob if entry is not None and entry.is_file else ""
