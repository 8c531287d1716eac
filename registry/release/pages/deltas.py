"""What became of files, pipeline and licences between two releases, as values. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from registry.release.values import Artifact, Pipeline, Release

Change = Literal["added", "removed", "changed", "renamed"]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file that is not what it was; `was` is the old path of a renamed one."""

    path: str
    change: Change
    before: int = -1  # bytes, -1 where unknown or none
    after: int = -1
    was: str = ""


@dataclass(frozen=True, slots=True)
class ArtifactChange:
    """Weights or data then and now; None on the side where they are not."""

    path: str
    before: Artifact | None
    after: Artifact | None
    files: tuple[FileChange, ...]

    @property
    def changed(self) -> bool:
        """Whether anything of it is not as it was."""
        return bool(self.files) or self.before is None or self.after is None


@dataclass(frozen=True, slots=True)
class Restated:
    """What something was, and is now: "" where it was not, or is no more."""

    what: str
    before: str
    after: str


def data_changes(previous: Release, release: Release) -> tuple[ArtifactChange, ...]:
    """Return each of the data then and now, by path; unchanged ones too."""
    old = {one.path: one for one in previous.data}
    new = {one.path: one for one in release.data}
    paths = dict.fromkeys((*new, *old))
    return tuple(
        ArtifactChange(path, old.get(path), new.get(path), _files(old.get(path), new.get(path)))
        for path in paths
    )


def weights_change(previous: Release, release: Release) -> ArtifactChange:
    """Return the weights then and now; the folder's name does not count."""
    old, new = previous.weights, release.weights
    return ArtifactChange(new.path, old, new, _files(old, new))


def _files(old: Artifact | None, new: Artifact | None) -> tuple[FileChange, ...]:
    if old is None or new is None:
        return ()
    before, after = _held(old, new), _held(new, old)
    added = {path: held for path, held in after.items() if path not in before}
    gone = {path: held for path, held in before.items() if path not in after}
    by_digest = {digest: path for path, (digest, _) in sorted(gone.items(), reverse=True)}
    found = []
    for path, (digest, size) in added.items():
        was = by_digest.pop(digest, "")
        if was:
            del gone[was]
            found.append(FileChange(path, "renamed", size, size, was))
        else:
            found.append(FileChange(path, "added", -1, size))
    found += [FileChange(path, "removed", size) for path, (_, size) in gone.items()]
    for path in before.keys() & after.keys():
        (then, was_size), (now, size) = before[path], after[path]
        if then != now:
            found.append(FileChange(path, "changed", was_size, size))
    return tuple(sorted(found, key=lambda one: one.path))


def _held(one: Artifact, other: Artifact) -> Mapping[str, tuple[str, int]]:
    """Return (digest, size) by path below the artifact: of files where both sides have them."""
    if one.files and other.files:
        return {entry.path: (entry.digest, entry.size) for entry in one.files}
    folder = one.path + "/" if one.path else ""
    return {p.path.removeprefix(folder): (f"{p.kind} {p.digest}", p.size) for p in one.pointers}


def stages(before: Pipeline | None, after: Pipeline | None) -> Iterator[Restated]:
    """Yield stages whose command is not what it was."""
    old = {stage.name: stage.command for stage in before.stages} if before else {}
    new = {stage.name: stage.command for stage in after.stages} if after else {}
    yield from _restated(old, new)


def locks(previous: Release, release: Release) -> Iterator[Restated]:
    """Yield files that pin packages and are not what they were, by SHA-256."""
    old = {lock.path: lock.sha256 for lock in previous.environment}
    yield from _restated(old, {lock.path: lock.sha256 for lock in release.environment})


def licences(previous: Release, release: Release) -> Iterator[Restated]:
    """Yield licences of code, weights and data that are not what they were."""
    yield from _restated(_stated(previous), _stated(release))


def _stated(release: Release) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for one in release.licences:
        if one.of != "package":
            named = f"{one.of} {one.name}" if one.of == "data" else one.of
            found.setdefault(named.strip(), []).append(one.expression or "not stated")
    return {name: ", ".join(sorted(set(expressions))) for name, expressions in found.items()}


def _restated(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Restated]:
    for name in dict.fromkeys((*new, *old)):
        if old.get(name) != new.get(name):
            yield Restated(name, old.get(name, ""), new.get(name, ""))
