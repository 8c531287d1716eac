"""DVC objects that pointers name: which configuration counts, what a folder holds, fetching."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from registry import objects
from registry.dvcask import STALL, Object, Progress, ask
from registry.dvcconfig import DvcConfig, merge, read_config
from registry.errors import MissingWeights, PointerError, RegistryError
from registry.pointers import DVC_LIMIT, Pointer, PointerKind, read_dir


def configuration(
    base_config: bytes, local_config: Path | None, repository: Path | None
) -> DvcConfig:
    """Read the base commit's `.dvc/config`, overlaid with the operator's own `config.local`.

    Relative urls are resolved against `repository`/.dvc, as DVC itself does.
    """
    folder = (repository or Path("/nonexistent")) / ".dvc"
    config = read_config(base_config, folder)
    if local_config is not None and objects.is_at_hand(local_config):
        config = merge(config, read_config(local_config.read_bytes(), local_config.parent))
    return config


def fetch(
    pointers: tuple[Pointer, ...],
    base_config: bytes,
    local_config: Path | None,
    repository: Path | None,
    target_cache: Path,
    *,
    members: bool = True,
    stall: float = STALL,
    progress: Progress | None = None,
) -> None:
    """Fetch what `pointers` name into `target_cache`, every digest proven, what is there too.

    Of a folder its `members` come as well. `local_config` must not be a file that a commit tracks.
    Raises MissingWeights, CorruptWeights, PointerError, StoreFailed.
    """
    config = configuration(base_config, local_config, repository)
    if not config.remotes:
        names = ", ".join(sorted({p.path for p in pointers})[:3])
        raise MissingWeights(
            f"{names}: not in the local DVC cache, and the base commit names no DVC remote",
            "run 'dvc pull' in this clone first, or merge a remote into .dvc/config",
        )
    first = tuple(object_of(pointer) for pointer in pointers)
    bring(first, config, target_cache, stall=stall, progress=progress)
    if members:
        inside = tuple(one for each in first for one in within(each, target_cache))
        bring(inside, config, target_cache, stall=stall, progress=progress)


def bring(
    wanted: Sequence[Object],
    config: DvcConfig,
    cache: Path,
    *,
    remote: str = "",
    stall: float = STALL,
    progress: Progress | None = None,
) -> None:
    """Bring objects into a cache folder; those that are there are proven. Raises as `fetch`."""
    absent = []
    for one in each_once(wanted):
        path = one.within(cache)
        if objects.is_at_hand(path):
            prove(one, cache)
        else:
            absent.append((one, path))
    if absent:
        for _ in ask(config, "get", absent, remote=remote, stall=stall, progress=progress):
            pass


def object_of(pointer: Pointer) -> Object:
    """Return the object that a DVC pointer names. Raises PointerError where it names none."""
    if pointer.kind is PointerKind.LFS or not pointer.digest:
        raise PointerError(
            f"{pointer.path}: no DVC object is recorded for it",
            "run 'dvc repro' or 'dvc commit'; cloud versions are not supported",
        )
    suffix = ".dir" if pointer.kind is PointerKind.DVC_FOLDER else ""
    return Object(pointer.path, pointer.digest + suffix, pointer.legacy)


def within(one: Object, cache: Path) -> tuple[Object, ...]:
    """Return the members of a folder whose listing is in `cache`; () of what is no folder.

    Raises CorruptWeights, MissingWeights, PointerError.
    """
    if not one.id.endswith(".dir"):
        return ()
    try:
        data = objects.read(one.within(cache), one.digest, DVC_LIMIT)
    except RegistryError as error:
        raise type(error)(f"{one.path}: {error.message}", error.hint) from error
    return tuple(
        Object(f"{one.path}/{member.path}", member.digest, one.legacy)
        for member in read_dir(data, one.path)
    )


def prove(one: Object, cache: Path) -> int:
    """Hash an object in a cache folder and return its size. Raises CorruptWeights."""
    try:
        return objects.prefix(one.within(cache), one.digest, 0)[1]
    except RegistryError as error:
        raise type(error)(f"{one.path}: {error.message}", error.hint) from error


def each_once(wanted: Iterable[Object]) -> Iterator[Object]:
    """Leave out objects that were there before under another path."""
    seen = set[tuple[str, bool]]()
    for one in wanted:
        if (one.id, one.legacy) not in seen:
            seen.add((one.id, one.legacy))
            yield one
