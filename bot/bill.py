"""The bill of materials of a commit, for whoever asks: `check --format`, `release bom`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from bot import catalog, manifestfiles, policy
from bot.cache import Cache, default_path
from bot.change import TreeEntry
from bot.checks import assets, licenses
from bot.checks.assets.files import Tree, told
from bot.checks.assets.licensing import Shelf
from bot.checks.licenses import project
from bot.checks.licenses.packages import shelves
from bot.errors import CouldNotTell
from bot.gitformat import committed
from bot.policy import Policy
from bot.printing import write
from bot.releasing.place import repository
from bot.repository import GitWorld
from bot.world import COMMIT_LIMIT, LOCK_LIMIT, TEXT_LIMIT
from registry.assets import curated
from registry.assets.graph import graph
from registry.assets.reading import kind_of as asset_kind
from registry.assets.values import Use
from registry.bom import cyclonedx, spdx
from registry.bom.ofcommit import Subject, build
from registry.bom.packages import Locked, packages
from registry.bom.values import Bom, Component, Edge
from registry.errors import UnreadableText
from registry.licenses.matching import decoded
from registry.licenses.texts import identify
from registry.manifests import LOCKS, DocumentError, kind_of

FORMATS: Mapping[str, Callable[[Bom], bytes]] = {"cyclonedx": cyclonedx.dump, "spdx": spdx.dump}


def run(*, repo: Path, commit: str, format_: str, output: Path | None) -> int:
    """Write the bill of a commit, by the policy that it holds."""
    with GitWorld(repo, Cache(default_path())) as world:
        named = world.revisions.resolve(commit)
        found = policy.at(world, named, catalog.CHECKS, catalog.rules())
        made = text(world, named, found, format_)
    write(made, output)
    return 0


def text(world: GitWorld, commit: str, used: Policy, format_: str) -> str:
    """Return the bill of a commit, or of a tree that is staged, in one of FORMATS."""
    return FORMATS[format_](bill(world, commit, used)).decode()


def bill(world: GitWorld, commit: str, used: Policy) -> Bom:
    """Return the bill of a commit. Its cost follows the repository: every manifest is read."""
    entries = [entry for entry in world.walk(commit) if entry.is_file]
    unread: list[str] = []
    locks = tuple(_manifests(world, entries, unread))
    held = shelves(commit, world, used.section(licenses.NAME))
    found = packages(
        locks, lambda name, version: held.fact(name, f"=={version}" if version else "").license
    )
    remote = used.release.remote
    subject = Subject(
        used.release.artifact or repository(world, remote),
        commit,
        _date(world, commit),
        world.revisions.remote_url(remote),
        _licence(world, commit),
        tuple(unread),
    )
    return build(subject, found, *named(world, commit, used))


def _manifests(world: GitWorld, entries: list[TreeEntry], unread: list[str]) -> Iterator[Locked]:
    for entry in entries:
        kind = kind_of(entry.path)
        if kind is None:
            continue
        try:
            manifestfiles.manifest(world, entry, kind)
            yield (
                entry.path,
                kind,
                world.read(entry.blob, LOCK_LIMIT if kind in LOCKS else TEXT_LIMIT),
            )
        except (DocumentError, CouldNotTell) as error:
            unread.append(f"{entry.path}: {error.message}")


def named(
    world: GitWorld, commit: str, used: Policy
) -> tuple[tuple[Component, ...], tuple[Edge, ...]]:
    """Return the models and data sets that a commit's files name, and how they are tied."""
    shelf = Shelf(
        Tree(world, commit), used.section(assets.NAME), curated.load(curated.default_path())
    )

    def licence(use: Use, path: str) -> str:
        asset = shelf.asset(use, path)
        sources = asset.sources if asset is not None else ()
        return next((source.license for source in sources if source.license), "")

    entries = (e for e in world.walk(commit) if e.is_file and asset_kind(e.path))
    return graph(((e.path, told(world, e)) for e in entries), licence)


def _licence(world: GitWorld, commit: str) -> str:
    for entry in world.folder(commit):
        if entry.is_file and project.is_license(entry.path):
            try:
                found = identify(decoded(world.read(entry.blob)))
            except (CouldNotTell, UnreadableText):
                continue
            if found:
                return found[0]
    return ""


def _date(world: GitWorld, commit: str) -> str:
    """Return when a commit was made, in UTC; of a tree that is staged, now."""
    when = committed(world.read(commit, COMMIT_LIMIT)) or datetime.now(UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
