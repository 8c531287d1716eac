"""`release gc`: objects of the DVC remote and the cache that nothing needs any more.

Whatever cannot be read may need anything: then nothing is deleted, and the answer is "could not
tell". A remote that other repositories use too must not be collected: nobody here knows theirs.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.errors import BotError, CouldNotTell
from bot.keys.trail import Trail
from bot.printing import tell
from bot.quoting import printable
from bot.releasing.care.roots import Roots, roots, seen
from bot.releasing.care.tracked import Tracked
from bot.releasing.job import Place
from bot.releasing.place import place
from bot.wording import plural
from registry import dvc, dvcremote, objects
from registry.dvcask import Object
from registry.dvcconfig import DvcConfig, chosen
from registry.dvcremote import Stored
from registry.errors import MissingWeights, RegistryError
from registry.pointers import DVC_LIMIT, read_dir
from registry.project import project_of
from registry.release import marking
from registry.release.ledger import Ledger
from registry.release.marking import Sorted

DAY = 86_400.0  # seconds
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Store:
    """A remote (its `config` says how it is reached), or the cache folder `cache`."""

    name: str
    config: DvcConfig | None
    cache: Path | None
    held: tuple[Stored, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What each store holds, and the roots that say what is needed."""

    roots: Roots
    stores: tuple[tuple[Store, Sorted[Stored]], ...]
    before: float


def gc(*, repo: Path, delete: bool, days: int, format_: str) -> int:
    """Say what nothing needs and, if asked, delete it; return 0. Raises CouldNotTell."""
    with place(repo, say=tell) as there:
        found = collect(there, days, time.time())
        if delete:
            _delete(there, found)
    if format_ == "json":
        click.echo(json.dumps(_as_json(found, delete), indent=2))
    else:
        for line in _as_text(found, days, delete):
            click.echo(printable(line))
    return 0


def collect(there: Place, days: int, now: float) -> Found:
    """Find what nothing needs and is older than some days, `now` in seconds.

    Raises CouldNotTell naming what cannot be read.
    """
    before = now - days * DAY
    try:
        ledger = there.book.ledger()
        found = roots(there, ledger, before)
        with tempfile.TemporaryDirectory(prefix="modelwarden-gc-") as scratch:
            held = tuple(_stores(there, Path(scratch)))
            members = _members(held, marking.folders(found.roots), Path(scratch))
        needed = marking.marked(found.roots, members)
    except CouldNotTell:
        raise
    except (RegistryError, BotError) as error:
        raise CouldNotTell(error.message, _kept(error.hint)) from error
    return Found(
        found, tuple((one, marking.divided(one.held, needed, before)) for one in held), before
    )


def _kept(hint: str) -> str:
    return hint if "nothing was deleted" in hint else f"{hint}; nothing was deleted"


def _stores(there: Place, scratch: Path) -> Iterator[Store]:
    """Yield the remote of each DVC project of this commit, then its own cache folder."""
    with Tracked(there.world.place) as tracked:
        sources = tracked.folders(there.commit)
    folders = {source.rpartition("/")[0] for source in sources} | {""}
    caches: dict[Path, None] = {}
    told = set[tuple[str, DvcConfig]]()
    for folder in sorted(folders):
        source = f"{folder}/dvc.lock" if folder else "dvc.lock"
        project = project_of(
            there.world, source, scratch, base_commit=there.commit, head_commit=there.commit
        )
        config = dvc.configuration(project.config or b"", project.local_config, project.folder)
        if config.remotes:
            name = chosen(config)
            alone = DvcConfig(name, tuple(r for r in config.remotes if r.name == name))
            if (name, alone) not in told:
                told.add((name, alone))
                yield Store(f"remote {name}", alone, None, tuple(dvcremote.listing(alone)))
        own = there.world.worktree
        for cache in project.caches[1:]:  # the first is the scratch folder
            # One that is configured elsewhere may be shared with other projects.
            if own is not None and cache.is_relative_to(own) and not cache.is_symlink():
                caches[cache] = None
    for cache in caches:
        if cache.is_dir():
            yield Store(f"cache {cache}", None, cache, tuple(_cached(cache)))


def _cached(cache: Path) -> Iterator[Stored]:
    """Yield the objects of a cache folder; whoever added one changed it, if not its content."""
    for legacy, root in ((False, cache / "files" / "md5"), (True, cache)):
        for folder in sorted(root.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.glob("?" * 30)) + sorted(folder.glob("?" * 30 + ".dir")):
                if marking.mentioned(folder.name + path.name) and objects.is_at_hand(path):
                    found = path.lstat()
                    written = max(found.st_mtime, found.st_ctime)
                    yield Stored(folder.name + path.name, found.st_size, legacy, int(written) + 1)


def _members(
    stores: Sequence[Store], folders: Sequence[str], scratch: Path
) -> dict[str, frozenset[str]]:
    """Return what each folder lists, of those whose listing is anywhere; proven by its digest.

    Raises what a store that does not answer raises, CorruptWeights, PointerError.
    """
    found: dict[str, frozenset[str]] = {}
    # A cache may have what no remote has, and costs nothing.
    for store in sorted(stores, key=lambda one: one.cache is None):
        there = {one.id: one for one in store.held}
        wanted = [there[one] for one in folders if one in there and one not in found]
        cache = store.cache or scratch
        asked = [Object(one.id, one.id, one.legacy) for one in wanted]
        if store.config is not None and asked:
            dvc.bring(asked, store.config, cache)
        for one in asked:
            data = objects.read(one.within(cache), one.digest, DVC_LIMIT)
            found[one.id] = frozenset(member.digest for member in read_dir(data, one.id))
    return found


# Deleting


def _delete(there: Place, found: Found) -> None:
    """Delete garbage, remotes first; killed anywhere, the same again goes on."""
    doomed = [(store, part.garbage) for store, part in found.stores if part.garbage]
    if not doomed:
        return
    ledger = _unchanged(there, found)
    with Trail(None).doing("gc", there.artifact) as entry:
        entry.details["entries"] = str(len(ledger.entries))
        for number, (store, garbage) in enumerate(doomed[:4], 1):
            size = sum(max(one.size, 0) for one in garbage)
            entry.details[f"store{number}"] = store.name[:200]
            entry.details[f"objects{number}"] = str(len(garbage))
            entry.details[f"bytes{number}"] = str(size)
        for store, garbage in doomed:
            if store.config is not None:
                dvcremote.remove(garbage, store.config)
            elif store.cache is not None:
                _unlink(store.cache, garbage)


def _unchanged(there: Place, found: Found) -> Ledger:
    """Return the ledger where nothing that needs objects came meanwhile. Raises CouldNotTell."""
    ledger = there.book.ledger()
    if seen(there, ledger) != found.roots.seen:
        raise CouldNotTell(
            "a ref or the ledger moved while objects were looked at",
            "run it again when nothing is pushed; nothing was deleted",
        )
    return ledger


def _unlink(cache: Path, garbage: Iterable[Stored]) -> None:
    """Remove objects of a cache, listings first. Raises MissingWeights where it may not be."""
    for one in sorted(garbage, key=lambda each: not each.id.endswith(".dir")):
        path = Object("", one.id, one.legacy).within(cache)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            hint = "change its permissions, then run it again"
            raise MissingWeights(f"{path}: {error.strerror}", hint) from error


# What is told


def _as_text(found: Found, days: int, deleted: bool) -> Iterator[str]:
    kinds = Counter(root.kind for root in found.roots.roots)
    yield "needed by: " + ", ".join(f"{kind} ({count:,})" for kind, count in kinds.items())
    for kind in kinds:
        named = [root for root in found.roots.roots if root.kind == kind and root.named]
        for root in named[:SHOWN]:
            yield f"  {kind} {root.name}: {plural(len(root.named), 'object')}"
        if len(named) > SHOWN:
            yield f"  and {len(named) - SHOWN} more: --format json"
    if not found.stores:
        yield "no DVC remote and no cache: nothing is kept"
    for store, part in found.stores:
        yield (
            f"{store.name}: {plural(len(store.held), 'object')}, {_amount(store.held)} bytes; "
            f"{len(part.needed):,} needed, {len(part.young):,} younger than {plural(days, 'day')}"
            + (f", {len(part.undated):,} of unknown age" if part.undated else "")
        )
        verb = "deleted" if deleted else "nobody needs"
        yield f"  {verb}: {plural(len(part.garbage), 'object')}, {_amount(part.garbage)} bytes"
        for one in part.garbage[:SHOWN]:
            yield f"    {one.id} {one.size:,} bytes, of {_day(one.time)}"
        if len(part.garbage) > SHOWN:
            yield f"    and {len(part.garbage) - SHOWN:,} more"
    if not deleted and any(part.garbage for _, part in found.stores):
        yield "to delete them: modelwarden release gc --delete (not where others share the remote)"


def _as_json(found: Found, deleted: bool) -> dict[str, object]:
    return {
        "deleted": deleted,
        "before": _day(found.before),
        "roots": [
            {"kind": root.kind, "name": root.name, "objects": len(root.named)}
            for root in found.roots.roots
        ],
        "stores": [
            {
                "name": store.name,
                "objects": len(store.held),
                "bytes": sum(max(one.size, 0) for one in store.held),
                "needed": len(part.needed),
                "young": len(part.young),
                "undated": len(part.undated),
                "garbage": [
                    {"id": one.id, "bytes": one.size, "written": _day(one.time)}
                    for one in part.garbage
                ],
            }
            for store, part in found.stores
        ],
    }


def _amount(held: Iterable[Stored]) -> str:
    return f"{sum(max(one.size, 0) for one in held):,}"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
