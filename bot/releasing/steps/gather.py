"""What a commit binds: everything of a release that git knows. Nothing is fetched."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from bot import history
from bot.audit import Agreements, Book, accounts
from bot.checks.licenses import project
from bot.errors import UsageError
from bot.gitformat import committed
from bot.progress import Bar
from bot.releasing.settings import Settings
from bot.repository import GitWorld
from bot.world import COMMIT_LIMIT, LOCK_LIMIT
from registry.errors import UnreadableText
from registry.licenses import statements
from registry.licenses.matching import decoded
from registry.licenses.texts import identify
from registry.manifests import LOCKS, DocumentError, kind_of
from registry.manifests import read as read_manifest
from registry.outputs import ancestors, outputs
from registry.pointers import DVC_LIMIT, PointerKind, read_wdirs
from registry.release import pipeline as pipelines
from registry.release.values import Artifact, Licence, Lock, Person, Pipeline, Pointed, Role
from registry.weights import MAX_FILES, Located, locate

MOST_PEOPLE = 1_000  # named in a release; the rest are counted


@dataclass(frozen=True, slots=True)
class Bound:
    """What a commit binds under one number; `located` says where the files of the model are."""

    date: str
    located: tuple[Located, ...]
    weights: Artifact
    data: tuple[Artifact, ...]
    environment: tuple[Lock, ...]
    pipeline: Pipeline | None
    licences: tuple[Licence, ...]


def gather(world: GitWorld, commit: str, settings: Settings, model: str) -> Bound:
    """Read what a commit says of the model in the folder `model`. Raises RegistryError."""
    located = locate(world, commit, model)
    if not located:
        raise UsageError(
            f"{commit[:12]} holds no model in {model or 'its root'}",
            "name its folder in the policy: release.model",
        )
    pipeline = _pipeline(world, commit, model)
    paths = settings.data or (pipelines.sources(pipeline, model) if pipeline else ())
    licences = _licences(world, commit, settings, tuple(paths))
    return Bound(
        _date(world, commit),
        located,
        Artifact(model, "weights", tuple(_pointed(item, model) for item in located)),
        tuple(_data(world, commit, path) for path in paths),
        _environment(world, commit, model),
        pipeline,
        licences,
    )


def _date(world: GitWorld, commit: str) -> str:
    """Return when a commit was made, in UTC."""
    when = committed(world.read(commit, COMMIT_LIMIT))
    if when is None:
        raise UsageError(f"{commit[:12]} does not say when it was made", "commit again")
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def _pointed(item: Located, folder: str) -> Pointed:
    path = "/".join(filter(None, (folder, item.path)))
    return Pointed(path or ".", item.kind.value, item.digest, item.size, item.source)


def _data(world: GitWorld, commit: str, path: str) -> Artifact:
    """Bind data by what the commit says of it: DVC outputs, or the blobs that are in git."""
    role: Role = "data"
    entry = world.entry(commit, path)
    if entry is not None and entry.is_file:
        held = (Pointed(path, "blob", entry.blob, world.size(entry.blob), path),)
        return Artifact(path, role, held)
    found = world.walk(commit, path)
    if len(found) > MAX_FILES:
        raise UsageError(
            f"{path} holds {len(found):,} files in git, more than {MAX_FILES:,}",
            "track the folder with DVC, or name less of it under release.data",
        )
    own = tuple(
        Pointed(e.path, "blob", e.blob, world.size(e.blob), e.path) for e in found if e.is_file
    )
    if own:
        return Artifact(path, role, own)
    return Artifact(path, role, tuple(_outputs(world, commit, path)))


def _outputs(world: GitWorld, commit: str, path: str) -> Iterator[Pointed]:
    for output in outputs(world, commit, path):
        found = output.pointer
        inside = found.path == path or found.path.startswith(path + "/")
        if inside or found.kind is PointerKind.DVC_FOLDER:
            kind = "dvc-folder" if found.kind is PointerKind.DVC_FOLDER else "dvc"
            yield Pointed(found.path, kind, found.digest, found.size, output.source)


def _environment(world: GitWorld, commit: str, model: str) -> tuple[Lock, ...]:
    """Find the files that pin packages, in the model's folder or any above it."""
    found = []
    for folder in ancestors(model):
        for entry in world.folder(commit, folder):
            kind = kind_of(entry.path) if entry.is_file else None
            if kind in LOCKS or kind in ("constraints", "requirements"):
                data = world.read(entry.blob, LOCK_LIMIT)
                count = _pinned(kind or "", data)
                if count:
                    digest = hashlib.sha256(data).hexdigest()
                    found.append(Lock(entry.path, digest, count))
    return tuple(sorted(found, key=lambda lock: lock.path))


def _pinned(kind: str, data: bytes) -> int:
    """Return how many packages a manifest pins, 0 unless it pins all that it names."""
    try:
        named = read_manifest(kind, data).requirements
    except DocumentError:
        return 0
    exact = all(r.specifier.startswith("==") or r.url or r.is_local for r in named)
    return len(named) if exact else 0


def _pipeline(world: GitWorld, commit: str, model: str) -> Pipeline | None:
    for folder in ancestors(model):
        path = "/".join(filter(None, (folder, "dvc.lock")))
        entry = world.entry(commit, path)
        if entry is None or not entry.is_file:
            continue
        stages = world.entry(commit, path.removesuffix("lock") + "yaml")
        wdirs = read_wdirs(world.read(stages.blob, DVC_LIMIT), stages.path) if stages else {}
        found = pipelines.read(world.read(entry.blob, DVC_LIMIT), path, wdirs)
        if pipelines.maker(found, model) is not None:
            return found
    return None


def _licences(
    world: GitWorld, commit: str, settings: Settings, paths: tuple[str, ...]
) -> tuple[Licence, ...]:
    """Say what code, weights and data are under; "" where nothing says it."""
    found = []
    for entry in world.folder(commit):
        if entry.is_file and project.is_license(entry.path):
            try:
                ids = identify(decoded(world.read(entry.blob)))
            except UnreadableText:
                ids = ()
            found.append(Licence("code", entry.path, ids[0] if ids else ""))
    code = next((one.expression for one in found if one.expression), "")
    model = settings.licence or code
    source = "release.licence" if settings.licence else "the repository's"
    held = tuple(_of_data(world, commit, path) for path in paths)
    return (*found, Licence("weights", source, model), *held)


def _of_data(world: GitWorld, commit: str, path: str) -> Licence:
    """Return what the card beside data states in its front matter."""
    # The card at the root is the project's: what it says is not said of data.
    for folder in filter(None, (path, path.rpartition("/")[0])):
        for entry in world.folder(commit, folder):
            if entry.is_file and statements.is_card(entry.path):
                stated = statements.in_card(world.prefix(entry.blob, statements.CARD_LIMIT))
                if stated is not None:
                    return Licence("data", path, stated.license)
    return Licence("data", path, "")


def contributors(world: GitWorld, base: str, head: str) -> tuple[Person, ...]:
    """Return who made the commits of a range, most first. Raises RepositoryError."""
    told = accounts(world.people.commits if world.people else ())
    book = Book(told, "individual")
    total = history.count(world, base, head)
    with Bar("Reading commits") as bar:
        found = history.entries(world, base, head, lines=False, tell=bar, total=total)
        with closing(found):
            for entry in found:
                book.add(entry)
    people = book.close(base, head, lines=False, before=None, cla=Agreements()).people
    return tuple(
        Person(one.name, one.login, one.commits + one.merges) for one in people[:MOST_PEOPLE]
    )
