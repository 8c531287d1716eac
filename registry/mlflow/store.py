"""Releases in MLflow: recorded once, found again, pointed at. Derived from the ledger in git."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from registry.errors import ReleaseError, StoreFailed
from registry.mlflow import described, names
from registry.mlflow.calls import Calls
from registry.mlflow.recording import Recorded, Recording, owned
from registry.release.ledger import ALIASES
from registry.release.steps import Tell
from registry.release.values import Release

_REPAIR = "run 'modelwarden release doctor --repair'"


@dataclass(frozen=True, slots=True)
class Known:
    """A registered version that is a release of ours: `number` is MLflow's, `withdrawn` why.

    `commit` and `pointers` (texts that name objects of DVC) are as its tags have them.
    """

    version: str
    number: int
    root: str
    document: str
    withdrawn: str = ""
    commit: str = ""
    pointers: tuple[str, ...] = ()
    status: str = "READY"


class Registry:
    """The MLflow at `uri`; a relative SQLite file lies in `folder`. Use it `with`, or `close` it.

    Every method raises StoreFailed where MLflow is away, slow or refuses, after at most `timeout`
    seconds for each call (the first may take a minute more), and ReleaseError where it holds
    something else under our name. Asking never makes a SQLite file that is not there.
    """

    def __init__(self, uri: str, *, folder: Path, timeout: float = 30) -> None:
        where, self._artifacts = names.place(uri, folder)
        self._served = where.startswith("http")
        self._file = names.sqlite_file(where)
        self._calls = Calls(where, self._artifacts, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process that talks to MLflow."""
        self._calls.close()

    def warm(self) -> None:
        """Have MLflow loaded while its caller does other things. Asks and makes nothing there."""
        self._calls.warm()

    def record(self, release: Release, root: str, staged: Path, tell: Tell) -> Recorded:
        """Record a release, or what is missing of it; doing it again changes nothing.

        `staged` is the folder that is published; of it only small files are uploaded.
        """
        recording = Recording(self._calls, release, root)
        location = None if self._served else (self._artifacts / recording.model).as_uri()
        return self.look(release, root) or recording.write(staged, location, tell)

    def look(self, release: Release, root: str) -> Recorded | None:
        """Return the release as it is there, None unless all of it is. Changes nothing."""
        recording = Recording(self._calls, release, root)
        return None if self._is_absent() else recording.found()

    def versions(self, artifact: str) -> tuple[Known, ...]:
        """Return the registered versions that are releases, in MLflow's order."""
        name, found = names.model_name(artifact), []
        for one in [] if self._is_absent() else self._calls.call("versions", name=name):
            tags = one["tags"]
            if tags.get(described.ARTIFACT) == artifact and described.VERSION in tags:
                document, root = tags.get(described.DOCUMENT, ""), tags.get(described.ROOT, "")
                withdrawn = tags.get(described.WITHDRAWN, "")
                version = tags[described.VERSION]
                commit = tags.get("git.commit", "")
                named = tuple(tags[n] for n in ("dvc.weights", "dvc.data") if n in tags)
                number, status = int(one["number"]), str(one["status"])
                found.append(
                    Known(version, number, root, document, withdrawn, commit, named, status)
                )
        return tuple(found)

    def aliases(self, artifact: str) -> Mapping[str, str]:
        """Return the release that each alias points at, "" for what is no release of ours."""
        pointing = self._pointing(artifact)
        releases = {one.number: one.version for one in self.versions(artifact)} if pointing else {}
        return {alias: releases.get(number, "") for alias, number in sorted(pointing.items())}

    def point(self, artifact: str, aliases: Mapping[str, str]) -> None:
        """Point aliases at releases, "" to delete one; others stay as they are.

        All are looked up before the first is set: one unknown release, and nothing changes.
        """
        name = names.model_name(artifact)
        releases = {one.version: one.number for one in reversed(self.versions(artifact))}
        wanted = {}
        for alias, version in aliases.items():
            if alias not in ALIASES:
                raise ReleaseError(f"{alias!r}: no such alias", f"one of {', '.join(ALIASES)}")
            if version and version not in releases:
                raise StoreFailed(f"{artifact} {version} is not in MLflow", _REPAIR)
            wanted[alias] = releases[version] if version else 0
        pointing = self._pointing(artifact)
        for alias, number in sorted(wanted.items()):
            if pointing.get(alias, 0) != number:
                self._calls.call("alias", name=name, alias=alias, number=number)

    def withdraw(self, artifact: str, version: str, reason: str) -> None:
        """Tag a release as withdrawn, for `reason`. It stays, and what points at it too."""
        there = [] if self._is_absent() else owned(self._calls, artifact, version)
        if not there:
            raise StoreFailed(f"{artifact} {version} is not in MLflow", _REPAIR)
        tags = {described.WITHDRAWN: reason[:1000] or "no reason given"}
        name = names.model_name(artifact)
        for one in there:
            self._calls.call("tag", name=name, number=one["number"], tags=tags)
            if one["run"]:
                self._calls.call("log", run=one["run"], params={}, metrics={}, at=0, tags=tags)

    def remove(self, release: Release, root: str) -> None:
        """Take back what `record` made of a release that was never recorded in the ledger.

        Raises ReleaseError where an alias points at it: somebody uses it.
        """
        recording, call = Recording(self._calls, release, root), self._calls.call
        if self._is_absent():
            return
        there, pointing = recording.versions(), self._pointing(release.artifact)
        used = [a for a, number in pointing.items() if number in [one["number"] for one in there]]
        if used:
            what = f"{described.identity(release)}: MLflow's {used[0]} points at it"
            raise ReleaseError(what, "withdraw the release instead, or delete that alias")
        for one in there:
            call("drop", name=recording.model, number=one["number"])
        experiment = call("known", name=release.artifact)
        for run in reversed(recording.runs(experiment)) if experiment else ():
            call("forget", run=run["id"])
        model = call("registered", name=recording.model)
        ours = model and described.ARTIFACT in model["tags"]
        if ours and not call("versions", name=recording.model):
            call("unregister", name=recording.model)

    def _is_absent(self) -> bool:
        return self._file is not None and not self._file.exists()

    def _pointing(self, artifact: str) -> Mapping[str, int]:
        if self._is_absent():
            return {}
        there = self._calls.call("registered", name=names.model_name(artifact))
        return dict(there["aliases"]) if there else {}
