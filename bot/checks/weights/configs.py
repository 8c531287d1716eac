"""Changed model configurations and shard indices, for the weights check."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.change import Change, TreeEntry
from bot.errors import TooLarge
from bot.world import World
from registry.errors import RegistryError
from registry.modelconfig import CONFIG_NAMES, ConfigError, Index, named_code, read_index
from registry.outputs import outputs
from security.sniff import is_lfs, is_model_name

LIMIT = 5_000_000
INDEX = ".index.json"


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """A changed configuration: what it `names` as code and what it `named` before.

    `unreadable` says why it is not JSON, `doubt` why it was not read.
    """

    path: str
    names: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    unreadable: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class IndexChange:
    """An index that is changed, or whose shards are: its faults now and before."""

    path: str
    unsafe: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    faults_before: tuple[str, ...] = ()
    doubt: str = ""


def read_config(path: str, data: bytes, libraries: frozenset[str]) -> ConfigChange:
    """Read one configuration that is new."""
    try:
        return ConfigChange(path, named_code(data, path.rpartition("/")[2], libraries))
    except ConfigError as error:
        return ConfigChange(path, unreadable=str(error))


def configs(change: Change, world: World, libraries: frozenset[str]) -> tuple[ConfigChange, ...]:
    """Read the changed configurations that are in git, as they are and as they were."""
    found = []
    for file in change.touching(*CONFIG_NAMES):
        if file.file is None:
            continue
        try:
            data = world.read(file.file.blob, LIMIT)
        except TooLarge as error:
            found.append(ConfigChange(file.path, doubt=str(error)))
            continue
        if is_lfs(data):
            continue  # judged with the pointers
        after = read_config(file.path, data, libraries)
        if after.names and file.before is not None and file.before.is_file:
            after = replace(after, named=_named(file.before.blob, file.path, world, libraries))
        found.append(after)
    return tuple(found)


def _named(blob: str, path: str, world: World, libraries: frozenset[str]) -> tuple[str, ...]:
    try:
        return read_config(path, world.read(blob, LIMIT), libraries).names
    except TooLarge:
        return ()  # nothing can be said to have been there


def indices(change: Change, world: World) -> tuple[IndexChange, ...]:
    """Read every index that changed, and those beside weights that were taken away."""
    paths = {f.path for f in change.files if f.path.endswith(INDEX) and f.file is not None}
    bereft = {
        f.path.rpartition("/")[0] for f in change.files if f.deleted and is_model_name(f.path)
    }
    for folder in bereft:
        beside = world.folder(change.head, folder)
        paths |= {e.path for e in beside if e.is_file and e.path.endswith(INDEX)}
    return tuple(_index(change, world, path) for path in sorted(paths))


def _index(change: Change, world: World, path: str) -> IndexChange:
    entry = world.entry(change.head, path)
    old = world.entry(change.merge_base, path)
    try:
        unsafe, missing = _faults(world, change.head, entry)
    except (ConfigError, TooLarge, RegistryError) as error:
        return IndexChange(path, doubt=str(error))
    before: tuple[str, ...] = ()
    if unsafe or missing:
        try:
            before = sum(_faults(world, change.merge_base, old), ())
        except (ConfigError, TooLarge, RegistryError):
            before = ()
    return IndexChange(path, unsafe, missing, before)


def _faults(
    world: World, commit: str, entry: TreeEntry | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the unsafe names an index holds at a commit, and the shards that are not there."""
    if entry is None or not entry.is_file:
        return (), ()
    folder, _, name = entry.path.rpartition("/")
    index: Index = read_index(world.read(entry.blob, LIMIT), name)
    prefix = folder + "/" if folder else ""
    missing = tuple(s for s in index.shards if world.entry(commit, prefix + s) is None)
    if missing:
        tracked = {o.pointer.path for o in outputs(world, commit, folder)}
        missing = tuple(s for s in missing if prefix + s not in tracked)
    return index.unsafe, missing
