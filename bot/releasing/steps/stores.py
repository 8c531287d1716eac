"""What a release leaves in DVC's remote and in MLflow; both follow the ledger."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bot.releasing.job import Job, Place
from bot.releasing.place import aliases
from bot.releasing.settings import Settings
from bot.repository import GitWorld
from bot.wording import plural
from registry import dvc, dvcremote, objects
from registry.dvcask import Object
from registry.dvcconfig import DvcConfig
from registry.errors import StoreFailed
from registry.pointers import Pointer, PointerKind
from registry.project import project_of
from registry.release.ledger import Ledger
from registry.release.staging import link
from registry.release.steps import Facts, Tell
from registry.release.values import Pointed, Release

if TYPE_CHECKING:
    from registry.mlflow import Registry

SEALED = "sealed"  # whose id in the ledger is the root of the sealed files
TENSORS = "tensors"  # where the ledger says that files are kept


def about(job: Job) -> str:
    """Say what DVC's remote is sent, "" where there is none."""
    found = dict(_projects(job))
    remotes = {config.default for config, _, _ in found.values() if config.remotes}
    return f"push weights and data to the DVC remote {', '.join(remotes)}" if remotes else ""


def upload(job: Job, tell: Tell) -> Facts:
    """Make the DVC remote hold all that the commit binds; prove what goes up."""
    sent = held = 0
    for source, (config, cache, pointers) in _projects(job):
        if not config.remotes:
            hint = "merge one into .dvc/config, then: modelwarden release doctor --repair"
            tell(f"{source}: no DVC remote: only this machine has what it points at; {hint}")
            continue
        went = dvcremote.push(pointers, config, cache)
        sent, held = sent + len(went), held + len(pointers)
        tell(f"{source}: {plural(len(went), 'object')} sent to the DVC remote")
    return {"dvc": str(held)} if held else {}


def keep(job: Job, tell: Tell) -> Facts:
    """Keep what is published by tensor, in the DVC remote: what is unchanged is there already."""
    if job.settings.store != "tensors":
        return {}
    from registry import tensorstore

    config, caches = home(job.world, job.commit, job.staging / "objects")
    files = [(path.relative_to(job.published).as_posix(), path)
             for path in sorted(job.published.rglob("*")) if path.is_file()]  # fmt: skip
    stored = tensorstore.put(files, caches[-1], jobs=job.jobs)
    tell(f"kept by tensor: {stored.added:,} new bytes of {stored.size:,}")
    if config.remotes:
        dvcremote.push((stored.pointer(job.artifact),), config, caches[-1])
    return {"tensors": stored.listing, "recipe": stored.recipe}


def home(world: GitWorld, commit: str, scratch: Path) -> tuple[DvcConfig, tuple[Path, ...]]:
    """Return the DVC configuration at the root of a commit, and its caches."""
    project = project_of(world, "dvc.lock", scratch, base_commit=commit, head_commit=commit)
    config = dvc.configuration(project.config or b"", project.local_config, project.folder)
    return config, project.caches


def _projects(job: Job) -> Iterator[tuple[str, tuple[DvcConfig, Path, tuple[Pointer, ...]]]]:
    """Yield each tracking file with its DVC configuration, cache and pointers."""
    by_source: dict[str, dict[str, Pointed]] = {}
    for artifact in (job.bound.weights, *job.bound.data):
        for one in artifact.pointers:
            if one.kind.startswith("dvc") and one.digest:
                by_source.setdefault(one.source, {})[one.path] = one
    legacy = {item.digest for item in job.bound.located if item.legacy}
    for source, named in sorted(by_source.items()):
        scratch = job.staging / "objects"
        project = project_of(
            job.world, source, scratch, base_commit=job.commit, head_commit=job.commit
        )
        config = dvc.configuration(project.config or b"", project.local_config, project.folder)
        pointers = tuple(
            Pointer(one.path, PointerKind(one.kind), one.digest, one.size, one.digest in legacy)
            for one in named.values()
        )
        yield source, (config, _cache(project.caches, pointers), pointers)


def _cache(caches: tuple[Path, ...], pointers: tuple[Pointer, ...]) -> Path:
    """Return the cache that has the most; ours, with links to all, where another has the rest."""

    def near(one: Object, cache: Path) -> bool:
        return objects.is_at_hand(one.within(cache))

    wanted = [dvc.object_of(pointer) for pointer in pointers]
    listed = [(one, next((c for c in caches if near(one, c)), None)) for one in wanted]
    wanted += [inside for one, cache in listed if cache for inside in dvc.within(one, cache)]
    best = max(caches, key=lambda cache: sum(near(one, cache) for one in wanted))
    rest = [one for one in wanted if not near(one, best)]
    if not any(near(one, cache) for one in rest for cache in caches):
        return best
    for one in wanted:
        found = next((one.within(cache) for cache in caches if near(one, cache)), None)
        if found is not None:
            link(found, one.within(caches[0]))
    return caches[0]


# MLflow


def uri(settings: Settings) -> str:
    """Return where MLflow keeps its records: the variable it reads itself, else the policy."""
    return os.environ.get("MLFLOW_TRACKING_URI") or settings.mlflow


@contextmanager
def registry(there: Job | Place) -> Iterator[Registry | None]:
    """Give MLflow's registry, None where the policy uses none. Raises StoreFailed.

    The steps of one release share one: its process takes seconds to start.
    """
    where = uri(there.rules)  # not the commit's words: credentials go there
    if not where:
        yield None
        return
    ready(there.rules)
    from registry.mlflow import Registry

    folder = there.world.worktree or there.world.git_dir
    if isinstance(there, Job):
        there.shared.mlflow = there.shared.mlflow or Registry(where, folder=folder)
        yield there.shared.mlflow
        return
    with Registry(where, folder=folder) as found:
        yield found


def warm(job: Job) -> None:
    """Have MLflow loaded by the time that it is needed, beside the steps before. Never fails."""
    with suppress(StoreFailed), registry(job) as found:
        if found is not None:
            found.warm()


def ready(settings: Settings) -> None:
    """Refuse before the work begins what MLflow would refuse at its end. Raises StoreFailed."""
    if uri(settings) and importlib.util.find_spec("mlflow") is None:
        raise StoreFailed(
            "MLflow is not installed, and the policy records releases there",
            "run: pip install 'modelwarden[mlflow]'; or say release.mlflow: ''",
        )


def record(job: Job, document: Release, root: str, tell: Tell) -> None:
    """Record runs and a version in MLflow, once. Raises StoreFailed."""
    with registry(job) as found:
        if found is not None:
            made = found.record(document, root, job.folder, tell)
            tell(f"MLflow: version {made.version}, {plural(len(made.runs), 'run')}")


def point(there: Job | Place, ledger: Ledger) -> tuple[str, ...]:
    """Make MLflow's aliases those of the ledger; return the versions that MLflow does not have.

    A registry in a file is of one clone: releases made elsewhere are not in it. An alias of one of
    them points at nothing there, rather than at what it was before. Raises StoreFailed.
    """
    with registry(there) as found:
        if found is None:
            return ()
        wanted = aliases(ledger, there.artifact)
        known = {one.version for one in found.versions(there.artifact)}
        found.point(there.artifact, {a: v if v in known else "" for a, v in wanted.items()})
        return tuple(sorted(set(filter(None, wanted.values())) - known))


def withdraw(there: Place, version: str, reason: str) -> bool:
    """Tag a version as withdrawn in MLflow; return whether MLflow has it. Raises StoreFailed."""
    with registry(there) as found:
        if found is None:
            return True
        if version not in {one.version for one in found.versions(there.artifact)}:
            return False
        found.withdraw(there.artifact, version, reason)
        return True


def forget(job: Job, document: Release, root: str) -> None:
    """Take back what MLflow has of a release that is not out."""
    with registry(job) as found:
        if found is not None:
            found.remove(document, root)
