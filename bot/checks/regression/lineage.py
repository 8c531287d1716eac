"""Which release the base descends from, and its model as the ledger's document binds it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.change import Change
from bot.checks.regression.folders import identity, reads
from bot.checks.regression.settings import Settings
from bot.errors import BotError, CouldNotTell
from bot.quoting import plain
from bot.releasing.ledger.past import Past, document, past
from bot.world import World
from registry.errors import RegistryError
from registry.release.ledger import Issued
from registry.release.values import Release
from registry.weights import Located, locate

RELEASE = "release"


class Unproven(CouldNotTell):
    """A release whose weights are not those that its document binds."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """What head was compared with: the `release` that the base descends from ("" for none).

    `used` says that it was that release's model; `same` that the base's model is that one;
    `doubt` why the ledger could not be read, where nothing hangs on it.
    """

    artifact: str = ""
    release: str = ""
    commit: str = ""
    root: str = ""
    used: bool = False
    same: bool = False
    doubt: str = ""


def find(
    change: Change, world: World, settings: Settings, base: tuple[Located, ...]
) -> tuple[Lineage, tuple[Located, ...]]:
    """Return the lineage of a change, and the files of the model that head is compared with.

    `base` are those at the merge base. With `baseline: release` whatever cannot be told raises:
    ReleaseError, Unproven, BotError; else it is a doubt.
    """
    if settings.baseline == RELEASE:
        return _release(change, world, settings, base)
    try:
        found, files = _release(change, world, settings, base)
    except (RegistryError, BotError) as error:
        return Lineage(doubt=error.message), base
    same = bool(files) and found.release != "" and identity(files) == identity(base)
    return Lineage(found.artifact, found.release, found.commit, found.root, same=same), base


def _release(
    change: Change, world: World, settings: Settings, base: tuple[Located, ...]
) -> tuple[Lineage, tuple[Located, ...]]:
    held = past(world, settings.releases)
    if held is None:
        return Lineage(), base
    issued = world.baseline(held.ledger, held.artifact, change.base)
    if issued is None:
        return Lineage(), base
    files = _files(world, held, issued)
    same = identity(files) == identity(base)
    found = Lineage(
        issued.artifact, issued.version, issued.commit, issued.root, used=True, same=same
    )
    return found, files


def _files(world: World, held: Past, issued: Issued) -> tuple[Located, ...]:
    """Locate a release's model at its commit; it has to be what the document binds."""
    bound = document(world, held, issued)
    located = locate(world, issued.commit, bound.weights.path)
    _prove(bound, located)
    return tuple(item for item in located if reads(item))


def _prove(bound: Release, located: tuple[Located, ...]) -> None:
    folder = bound.weights.path
    here = {
        ("/".join(filter(None, (folder, item.path))) or ".", item.kind.value, item.digest)
        for item in located
    }
    named = {(one.path, one.kind, one.digest) for one in bound.weights.pointers}
    if here != named or not located:
        path = min(path for path, _, _ in here ^ named) if here ^ named else folder or "."
        raise Unproven(
            f"release {bound.version} of {bound.artifact} does not bind what its commit"
            f" {bound.commit[:12]} holds: {plain(path)}",
            "compare its document in the branch of releases with that commit; withdraw the release"
            " if it is wrong",
        )
