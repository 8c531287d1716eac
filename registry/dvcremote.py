"""What a DVC remote holds: asked for, added to, listed and removed from, object by object.

A folder's listing goes up after all that it names and is removed before it: who finds the
listing, DVC itself too, takes the rest for granted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from registry import objects
from registry.dvc import bring, each_once, object_of, prove, within
from registry.dvcask import STALL, Object, Progress, ask
from registry.dvcconfig import DvcConfig
from registry.errors import MissingWeights
from registry.pointers import Pointer

JOBS = 4


@dataclass(frozen=True, slots=True)
class Held:
    """One object and what the remote has of it; `size` is -1 where that is not known."""

    object: Object
    there: bool
    size: int = -1


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that lies in a remote, whoever may need it.

    `time` is when it was written there, in seconds, -1 where the remote does not tell.
    """

    id: str
    size: int
    legacy: bool = False
    time: int = field(default=-1, compare=False)


def state(
    pointers: Sequence[Pointer],
    config: DvcConfig,
    cache: Path,
    *,
    remote: str = "",
    full: bool = False,
    stall: float = STALL,
    progress: Progress | None = None,
) -> tuple[Held, ...]:
    """Return what the remote has of all that `pointers` name, members of folders too.

    Listings are read from `cache`, else from the remote; of a folder whose listing is nowhere,
    the listing alone is told. `full` also reads all of it back and proves every digest.
    Raises StoreFailed, CorruptWeights, MissingWeights, PointerError.
    """
    first = tuple(each_once(object_of(pointer) for pointer in pointers))
    near = [one for one in first if not _is_far(one, cache)]
    whole = list(_stat((*near, *_members(near, cache)), config, remote, stall))
    far = _stat([one for one in first if _is_far(one, cache)], config, remote, stall)
    with tempfile.TemporaryDirectory(prefix="modelwarden-cache-") as scratch:
        come = [held.object for held in far if held.there]
        bring(come, config, Path(scratch), remote=remote, stall=stall)
        inside = _members(come, Path(scratch))
    known = {(held.object.id, held.object.legacy) for held in whole}
    whole += far
    new = [one for one in inside if (one.id, one.legacy) not in known]
    whole += _stat(new, config, remote, stall)
    if full and any(held.there for held in whole):
        there = [(held.object, None) for held in whole if held.there]
        for _ in ask(config, "prove", there, remote=remote, stall=stall, progress=progress):
            pass
    return tuple(whole)


def push(
    pointers: Sequence[Pointer],
    config: DvcConfig,
    cache: Path,
    *,
    remote: str = "",
    check: bool = True,
    stall: float = STALL,
    progress: Progress | None = None,
) -> tuple[Held, ...]:
    """Upload what the remote lacks of all that `pointers` name; return what went up.

    Each object is hashed in the cache before and, unless `check` is false, read back after. One
    that is there with another size is sent again. Killed anywhere, it goes on where it was.
    Raises MissingWeights, CorruptWeights (nothing of it was sent), PointerError, StoreFailed.
    """
    held = state(pointers, config, cache, remote=remote, stall=stall)
    up = [each.object for each in held if not _is_whole(each, cache)]
    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(lambda one: _ready(one, cache), up))
    sent = [(one, one.within(cache)) for one in up]
    sizes = [-1] * len(sent)
    if sent:
        for answer in ask(
            config, "put", sent, remote=remote, check=check, stall=stall, progress=progress
        ):
            sizes[answer.number] = -1 if answer.size is None else answer.size
    return tuple(Held(one, True, size) for one, size in zip(up, sizes, strict=True))


def listing(config: DvcConfig, *, remote: str = "", stall: float = STALL) -> Iterator[Stored]:
    """Yield every object of the remote, in no order.

    Raises StoreFailed, at once or on the way: then nothing follows from what was not listed.
    """
    for answer in ask(config, "listing", remote=remote, stall=stall):
        size = answer.size if answer.size is not None else -1
        yield Stored(answer.object, size, answer.legacy, answer.time)


def remove(
    stored: Sequence[Stored], config: DvcConfig, *, remote: str = "", stall: float = STALL
) -> None:
    """Remove objects, listings first; one that is not there is no error. Raises StoreFailed."""
    if stored:
        wanted = [(Object(each.id, each.id, each.legacy), None) for each in stored]
        for _ in ask(config, "remove", wanted, remote=remote, stall=stall):
            pass


def _is_far(one: Object, cache: Path) -> bool:
    return one.id.endswith(".dir") and not objects.is_at_hand(one.within(cache))


def _members(folders: Sequence[Object], cache: Path) -> tuple[Object, ...]:
    return tuple(each_once(inside for one in folders for inside in within(one, cache)))


def _stat(
    wanted: Sequence[Object], config: DvcConfig, remote: str, stall: float
) -> tuple[Held, ...]:
    if not wanted:
        return ()
    wanted = tuple(each_once(wanted))
    asked = [(one, None) for one in wanted]
    told = {a.number: a.size for a in ask(config, "stat", asked, remote=remote, stall=stall)}
    return tuple(
        Held(one, told[number] is not None, -1 if (size := told[number]) is None else size)
        for number, one in enumerate(wanted)
    )


def _is_whole(held: Held, cache: Path) -> bool:
    """Whether it is there, and as long as here where both are known."""
    path = held.object.within(cache)
    if not held.there or held.size < 0 or not objects.is_at_hand(path):
        return held.there
    return held.size == path.stat().st_size


def _ready(one: Object, cache: Path) -> None:
    if not objects.is_at_hand(one.within(cache)):
        raise MissingWeights(
            f"{one.path}: DVC object {one.id} is neither in the remote nor in the local cache",
            "run 'dvc pull' or 'dvc repro' where the file is, then 'dvc push' there",
        )
    prove(one, cache)
