"""Which objects of releases DVC's remotes lack: each remote is listed once, whatever is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from bot.releasing.care import gitdrift
from bot.releasing.job import Place
from bot.releasing.steps import stores
from registry import dvc, dvcremote, objects
from registry.dvcask import Object, ask
from registry.dvcconfig import DvcConfig, chosen
from registry.errors import CorruptWeights, MissingWeights, RegistryError
from registry.pointers import DVC_LIMIT, read_dir
from registry.project import project_of
from registry.release import drift
from registry.release.drift import Drift, Needed
from registry.release.ledger import RECORD, Issued, Ledger

_MOST_CORRUPT = 20  # each is found by asking anew
_OBJECT = re.compile(r"DVC object ([0-9a-f]{32}(?:\.dir)?)")


@dataclass(slots=True)
class Store:
    """A remote, `config` None where only the caches are; what it has, and what it must have."""

    name: str
    config: DvcConfig | None
    caches: tuple[Path, ...]
    there: dict[str, dvcremote.Stored] = field(default_factory=dict)
    needed: dict[str, Needed] = field(default_factory=dict)
    garbled: list[str] = field(default_factory=list)  # listings that came as other bytes

    def near(self, id_: str, *, legacy: bool = False) -> Path | None:
        """Return where an object is at hand, None where it is not."""
        for cache in self.caches:
            path = Object("", id_, legacy).within(cache)
            if objects.is_at_hand(path):
                return path
        return None

    def copy(self, id_: str) -> Path | None:
        """Return an intact copy that is at hand."""
        path = self.near(id_) or self.near(id_, legacy=True)
        if path is None:
            return None
        try:
            objects.prefix(path, id_.removesuffix(".dir"), 0)
        except (CorruptWeights, MissingWeights):
            return None
        return path


def found(there: Place, ledger: Ledger, scratch: Path) -> tuple[Store, ...]:
    """Return each store with what it has and what releases need of it. Raises RegistryError."""
    made: dict[tuple[str, DvcConfig], Store] = {}
    by_source: dict[str, Store] = {}
    folders: list[tuple[Store, str, int, str]] = []
    for who, source, id_, size in _named(there, ledger):
        if source not in by_source:
            by_source[source] = _store(there, source, scratch, made)
        store = by_source[source]
        if id_.endswith(".dir"):
            store.needed.setdefault(id_, Needed(id_, -1, who))
            folders.append((store, id_, size, who))
        else:
            _need(store, id_, size, who)
    for store in made.values():
        if store.config is not None:
            store.there = {one.id: one for one in dvcremote.listing(store.config)}
        wanted = {id_ for each, id_, _, _ in folders if each is store}
        _listings(store, sorted(wanted), scratch)
    for store, id_, _, who in folders:
        for member in _members(store, id_, scratch):
            _need(store, member, -1, who)
    return tuple(made.values())


def judged(store: Store) -> Iterator[Drift]:
    """Name what a store lacks."""
    has = {id_: one.size for id_, one in store.there.items()}
    if store.config is None:
        near = {id_: path for id_ in store.needed if (path := store.near(id_)) is not None}
        has = {id_: path.stat().st_size for id_, path in near.items()}
    needed = [_sized(store, one) for one in store.needed.values()]
    lacking = [one for one in needed if list(drift.objects("", [one], has, ()))]
    mendable = _mendable(store, [one.id for one in lacking])
    # A size that only a garbled copy here tells is nothing to hold against a remote.
    told = [one for one in lacking if one.id not in has or store.needed[one.id].size >= 0
            or one.id in mendable]  # fmt: skip
    yield from drift.objects(store.name, told, has, mendable)
    for id_ in store.garbled:
        yield drift.corrupt(store.name, store.needed[id_], _mendable(store, [id_]))


def proven(store: Store) -> Iterator[Drift]:
    """Read every object of a remote back, and name those that are not their names."""
    if store.config is None:
        return
    left = [
        one for id_, one in store.needed.items() if id_ in store.there and id_ not in store.garbled
    ]
    for _ in range(_MOST_CORRUPT):
        asked = [(Object(o.who, o.id, store.there[o.id].legacy), None) for o in left]
        done = set[int]()
        try:
            for answer in ask(store.config, "prove", asked) if asked else ():
                done.add(answer.number)
            return
        except CorruptWeights as error:
            named = _OBJECT.search(error.message)
            bad = next((one for one in left if named and one.id == named[1]), None)
            if bad is None:
                raise
            yield drift.corrupt(store.name, bad, _mendable(store, [bad.id]))
            left = [o for n, o in enumerate(left) if n not in done and o is not bad]


def put(store: Store, ids: Sequence[str]) -> int:
    """Send objects again of which a copy is at hand; return how many. Raises StoreFailed."""
    sent = [(Object(store.needed[i].who, i), path) for i in ids if (path := store.copy(i))]
    if sent and store.config is not None:
        for _ in ask(store.config, "put", sent):
            pass
    return len(sent)


def _mendable(store: Store, ids: Iterable[str]) -> frozenset[str]:
    return frozenset(id_ for id_ in ids if store.config is not None and store.copy(id_))


def _named(there: Place, ledger: Ledger) -> Iterator[tuple[str, str, str, int]]:
    """Yield (release, tracking file, object, bytes) of every release that is not withdrawn."""
    out: dict[tuple[str, str], Issued] = {}
    with closing(gitdrift.opened(there)) as kept:
        for one in ledger.issued:
            if one.withdrawn:
                continue
            who = f"{one.artifact} {one.version}"
            out[one.artifact, one.version] = one
            try:
                document = kept.document(one)
            except RegistryError:
                continue  # told of as a difference of git
            for artifact in (document.weights, *document.data):
                for each in artifact.pointers:
                    if each.kind.startswith("dvc") and each.digest:
                        end = ".dir" if each.kind == "dvc-folder" else ""
                        yield who, each.source, each.digest + end, each.size
    for entry in ledger.entries:
        said = dict(entry.details)
        kept_so = entry.action == RECORD and said["place"] == stores.TENSORS
        if kept_so and (entry.artifact, said["version"]) in out:
            listing = said["id"].partition(".")[0]
            yield f"{entry.artifact} {said['version']}", "dvc.lock", f"{listing}.dir", -1


def _store(
    there: Place, source: str, scratch: Path, made: dict[tuple[str, DvcConfig], Store]
) -> Store:
    project = project_of(
        there.world, source, scratch, base_commit=there.commit, head_commit=there.commit
    )
    config = dvc.configuration(project.config or b"", project.local_config, project.folder)
    if config.remotes:
        name = chosen(config)
        config = DvcConfig(name, tuple(one for one in config.remotes if one.name == name))
    key = (config.default if config.remotes else str(project.caches), config)
    if key not in made:
        name = f"remote {key[0]}" if config.remotes else "the cache (there is no remote)"
        made[key] = Store(name, config if config.remotes else None, project.caches[1:])
    return made[key]


def _need(store: Store, id_: str, size: int, who: str) -> None:
    known = store.needed.get(id_)
    if known is None or (known.size < 0 <= size):
        store.needed[id_] = Needed(id_, size, known.who if known else who)


def _sized(store: Store, one: Needed) -> Needed:
    """Return what is needed with its size, as far as a copy at hand tells it."""
    if one.size >= 0:
        return one
    path = store.near(one.id)
    return Needed(one.id, path.stat().st_size, one.who) if path is not None else one


def _listings(store: Store, wanted: Sequence[str], scratch: Path) -> None:
    """Bring the listings that no cache has and the remote does; garbled ones are remembered."""
    far = [
        Object(id_, id_, store.there[id_].legacy)
        for id_ in wanted
        if id_ in store.there and store.near(id_) is None
    ]
    if not far or store.config is None:
        return
    try:
        dvc.bring(far, store.config, scratch / "listings")
    except CorruptWeights:
        if len(far) == 1:
            store.garbled.append(far[0].id)
        else:
            for one in far:
                _listings(store, [one.id], scratch)


def _members(store: Store, id_: str, scratch: Path) -> tuple[str, ...]:
    legacy = store.there[id_].legacy if id_ in store.there else False
    path = store.near(id_) or Object("", id_, legacy).within(scratch / "listings")
    try:
        found = read_dir(objects.read(path, id_.removesuffix(".dir"), DVC_LIMIT), id_)
    except (CorruptWeights, MissingWeights):
        return ()
    return tuple(member.digest for member in found)
