"""Everything that may need an object of DVC: refs, young commits, releases, MLflow, open runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bot import git
from bot.errors import Missing, RepositoryError
from bot.releasing.care import journals
from bot.releasing.care.tracked import Tracked
from bot.releasing.job import Place
from bot.releasing.ledger import objects
from bot.releasing.ledger.beside import beside
from bot.releasing.ledger.network import Remote
from bot.releasing.place import settings_at
from bot.releasing.steps import stores
from registry.release import marking
from registry.release.ledger import RECORD, Ledger
from registry.release.marking import Root
from registry.release.values import Release

STASHES = ("refs/stash", "refs/exps/stash", "refs/exps/celery/stash")
_TAGS = ("refs/heads/*", "refs/tags/*")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the roots were found in; while it is the same, so are they."""

    refs: Mapping[str, tuple[str, str]]
    there: Mapping[str, str]
    entries: int


@dataclass(frozen=True, slots=True)
class Roots:
    """All roots, and what they were found in."""

    roots: tuple[Root, ...]
    seen: Seen


def seen(there: Place, ledger: Ledger) -> Seen:
    """Return the refs here and on the remote that counts. Raises StoreFailed."""
    name = there.settings.remote if there.world.revisions.remotes() else ""
    listed = Remote(there.world.place, name).listed(*_TAGS) if name else {}
    return Seen(objects.refs(there.world.place), listed, len(ledger.entries))


def roots(there: Place, ledger: Ledger, since: float) -> Roots:
    """Return every root; of commits, those made after `since` count too, in seconds.

    Raises whatever keeps a root from being read: what cannot be read may need anything.
    """
    if there.world.revisions.shallow:
        raise RepositoryError(
            "this clone is shallow: what older commits need cannot be told",
            "run: git fetch --unshallow; nothing was deleted",
        )
    now = seen(there, ledger)
    with Tracked(there.world.place) as tracked:
        _refuse_unfetched(there, tracked, now)
        found = [
            *(tracked.at("ref", name, made) for name, (made, _) in now.refs.items()),
            *(tracked.at("commit", c[:12], c) for c in _young(there.world.place, since)),
            *(tracked.at("stash", c[:12], c) for c in _stashed(there.world.place, now)),
            *_worktrees(there.world.place, tracked),
            *_releases(there, ledger, tracked),
            *_open(there, ledger, tracked),
            *_registered(there, ledger, tracked),
        ]
    return Roots(tuple(found), now)


def _refuse_unfetched(there: Place, tracked: Tracked, now: Seen) -> None:
    late = [name for name, object_ in now.there.items() if not tracked.has(object_)]
    if late:
        name = there.settings.remote
        raise Missing(
            f"{late[0].removesuffix('^{}')} of the remote {name} is not in this clone"
            + (f", nor are {len(late) - 1} more" if len(late) > 1 else ""),
            f"run: git fetch --tags {name} '+refs/heads/*:refs/remotes/{name}/*'; "
            "nothing was deleted",
        )


def _young(place: Path, since: float) -> Iterator[str]:
    """Yield commits that anything here leads to, reflogs too, made after a time."""
    words = ("rev-list", "--all", "--reflog", "--timestamp")
    with closing(git.lines(place, *words)) as lines:
        for line in lines:
            time, _, commit = line.decode("ascii", "replace").strip().partition(" ")
            if int(time) >= since:
                yield commit


def _stashed(place: Path, now: Seen) -> Iterator[str]:
    for name in STASHES:
        if name in now.refs:
            words = ("rev-list", "--walk-reflogs", name)
            with closing(git.lines(place, *words)) as lines:
                yield from (line.decode("ascii", "replace").strip() for line in lines)


def _worktrees(place: Path, tracked: Tracked) -> Iterator[Root]:
    status, output, error = git.run(place, "worktree", "list", "--porcelain")
    if status:
        raise Missing(f"the working folders cannot be listed: {error}", "run: git worktree prune")
    for block in output.decode("utf-8", "surrogateescape").split("\n\n"):
        said = dict(line.partition(" ")[::2] for line in block.splitlines())
        folder = Path(said.get("worktree", ""))
        head = said.get("HEAD", "").strip("0")
        if head:
            yield tracked.at("folder", f"{folder} (its commit)", said["HEAD"])
        if "worktree" in said and "bare" not in said and folder.is_dir():
            yield tracked.index(folder)
            yield tracked.files(folder)


def _releases(there: Place, ledger: Ledger, tracked: Tracked) -> Iterator[Root]:
    """Yield what releases are made of, those that were withdrawn too."""
    remote = there.settings.remote if there.world.revisions.remotes() else ""
    kept = beside(there.world.place, there.world.ledger(there.settings.branch, remote))
    with closing(kept):
        for one in ledger.issued:
            name = f"{one.artifact} {one.version}"
            yield Root("release", name, tuple(sorted(_pointed(kept.document(one)))))
            if tracked.has(one.commit):
                yield tracked.at("release", f"{name} (its commit)", one.commit)
    for entry in ledger.entries:
        said = dict(entry.details)
        if entry.action == RECORD and said["place"] == stores.TENSORS:
            yield kept_by_tensor("release", f"{entry.artifact} {said['version']}", said["id"])


def kept_by_tensor(kind: str, name: str, id_: str) -> Root:
    """Return what a release needs that is kept by tensor."""
    return Root(kind, f"{name} (by tensor)", (f"{id_.partition('.')[0]}.dir",))


def _pointed(document: Release) -> Iterator[str]:
    for artifact in (document.weights, *document.data):
        for one in artifact.pointers:
            if one.kind.startswith("dvc") and one.digest:
                yield one.digest + (".dir" if one.kind == "dvc-folder" else "")


def _open(there: Place, ledger: Ledger, tracked: Tracked) -> Iterator[Root]:
    """Yield what releases need that are not out yet."""
    told = {one.commit: one.tensors for one in journals.found(there.world.git_dir)}
    for claim in ledger.claims:
        told.setdefault(claim.commit, "")
    out = {one.commit for one in ledger.issued}
    for commit, tensors in sorted(told.items()):
        yield tracked.at("open release", commit[:12], commit)
        if tensors:
            yield kept_by_tensor("open release", commit[:12], tensors)
        elif commit not in out and settings_at(there.world, commit).store == "tensors":
            raise Missing(
                f"a release of {commit[:12]} has begun: what it keeps by tensor is not told yet",
                "end it, or take it back: modelwarden release list; nothing was deleted",
            )


def _registered(there: Place, ledger: Ledger, tracked: Tracked) -> Iterator[Root]:
    """Yield what MLflow's versions point at."""
    with stores.registry(there) as registry:
        if registry is None:
            return
        for artifact in sorted({there.artifact, *(one.artifact for one in ledger.issued)}):
            for one in registry.versions(artifact):
                name = f"{artifact} {one.version} (version {one.number})"
                here = bool(one.commit) and tracked.has(one.commit)
                if not here and any("; and " in text for text in one.pointers):
                    raise Missing(
                        f"MLflow's {name} is of commit {one.commit[:12]}, which is not here",
                        "fetch it, or delete that version in MLflow; nothing was deleted",
                    )
                plain = {i for text in one.pointers for i in marking.mentioned(text)}
                ids = {f"{i}{end}" for i in plain for end in ("", ".dir")}
                yield Root("MLflow", name, (), tuple(sorted(ids)))
                if here:
                    yield tracked.at("MLflow", f"{name} (its commit)", one.commit)
