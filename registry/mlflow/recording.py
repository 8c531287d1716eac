"""One release written into MLflow, or what is missing of it.

A release is one run with one run below it for each measurement, in the experiment named after the
artifact, and one version of the registered model. Each is tagged with the release and the digest
of its document in the very call that makes it: an attempt that was killed is found and continued.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.record import Record
from registry.errors import ReleaseError, StoreFailed
from registry.mlflow import described, files, names
from registry.mlflow.calls import Calls
from registry.release.steps import Tell
from registry.release.values import Release

Row = dict[str, Any]  # a run or a version, as the child tells it


@dataclass(frozen=True, slots=True)
class Recorded:
    """A release as MLflow has it: `run` is its own, `runs` are (task, run id) of measurements."""

    experiment: str
    run: str
    runs: tuple[tuple[str, str], ...]
    version: int


@dataclass(frozen=True, slots=True)
class Recording:
    """What is to be there of a release whose signed root is `root`."""

    calls: Calls
    release: Release
    root: str

    @property
    def model(self) -> str:
        """The name of the registered model. Raises ReleaseError for one MLflow cannot hold."""
        return names.model_name(self.release.artifact)

    def found(self) -> Recorded | None:
        """Return the release as it is there, None unless all of it is. Changes nothing."""
        versions = self.versions()
        experiment = self.calls.call("known", name=self.release.artifact)
        if not experiment:
            return None
        done = [one for one in self.runs(experiment) if one["status"] == "FINISHED"]
        whole = [one for one in done if one["tags"].get(described.COMPLETE) == self.release.digest]
        if not whole or len(versions) != 1 or versions[0]["run"] != whole[0]["id"]:
            return None
        below = {one["tags"].get(described.MEASUREMENT): one["id"] for one in reversed(done)}
        wanted = [(one.task, below.get(one.digest)) for one in self.release.measurements]
        runs = tuple((task, run) for task, run in wanted if run)
        if len(runs) != len(wanted):
            return None
        return Recorded(experiment, whole[0]["id"], runs, int(versions[0]["number"]))

    def write(self, staged: Path, location: str | None, tell: Tell) -> Recorded:
        """Write what is not there yet; `location` is where artifacts go, None if a server knows."""
        uploads = files.shown(staged)
        experiment = self._experiment(location)
        there = self.runs(experiment)
        run = self._run(experiment, there)
        for one in uploads:
            tell(f"MLflow: {one.path.name}")
            source = str(one.path.absolute())
            self.calls.call("upload", run=run, source=source, folder=one.folder)
        facts = dict(described.model(self.release, self.root))
        self.calls.call("model", run=run, name="model", facts=facts)
        runs = []
        for record in self.release.measurements:
            tell(f"MLflow: measurement {record.task}")
            runs.append((record.task, self._measured(experiment, record, run, there)))
        number = self._version(run)
        self.calls.call("finish", run=run, tags={described.COMPLETE: self.release.digest})
        return Recorded(experiment, run, tuple(runs), number)

    def runs(self, experiment: str) -> list[Row]:
        """Return the runs of this release, oldest first. Raises ReleaseError for another's."""
        value = names.searched(described.identity(self.release))
        tag = described.RELEASE
        found = self.calls.call("runs", experiment=experiment, tag=tag, value=value)
        for one in found:
            self._same(one["tags"], f"run {one['id']}")
        return list(found)

    def versions(self) -> list[Row]:
        """Return the versions of this release. Raises ReleaseError for another's."""
        found = owned(self.calls, self.release.artifact, self.release.version)
        for one in found:
            self._same(one["tags"], f"version {one['number']}")
        return found

    def _experiment(self, location: str | None) -> str:
        name = self.release.artifact
        tags = {described.ARTIFACT: name, "mlflow.experimentKind": "custom_model_development"}
        found, stage = self.calls.call("experiment", name=name, location=location, tags=tags)
        if stage != "active":
            what = f"MLflow at {self.calls.shown}: experiment {name} was deleted"
            raise StoreFailed(what, f"mlflow experiments restore --experiment-id {found}")
        return str(found)

    def _run(self, experiment: str, there: list[Row]) -> str:
        mine = [one for one in there if described.MEASUREMENT not in one["tags"]]
        tags, name = dict(described.run_tags(self.release, self.root)), self.release.version
        run = self._sole(mine) or str(
            self.calls.call("start", experiment=experiment, name=name, tags=tags)
        )
        self._log(run, described.params(self.release), described.metrics(self.release), tags)
        self.calls.call("inputs", run=run, data=described.training(self.release))
        return run

    def _measured(self, experiment: str, record: Record, parent: str, there: list[Row]) -> str:
        mine = [o for o in there if o["tags"].get(described.MEASUREMENT) == record.digest]
        tags = dict(described.measured_tags(self.release, self.root, record, parent))
        run = self._sole(mine)
        if run and mine[0]["status"] == "FINISHED" and tags.items() <= mine[0]["tags"].items():
            return run
        name = f"{self.release.version} {record.task}"
        run = run or str(self.calls.call("start", experiment=experiment, name=name, tags=tags))
        self._log(run, described.record_params(record), described.record_metrics(record), tags)
        self.calls.call("inputs", run=run, data=described.evaluated(record))
        self.calls.call("finish", run=run, tags={})
        return run

    def _sole(self, runs: list[Row]) -> str:
        """Return the oldest, "" of none; others come from a request that was made twice."""
        for one in runs[1:]:
            self.calls.call("forget", run=one["id"])
        return str(runs[0]["id"]) if runs else ""

    def _version(self, run: str) -> int:
        there = self.versions()
        kept = next((one for one in there if one["run"] == run), None)
        for one in there:
            if one is not kept:  # a request that was made twice, or its run is gone
                self.calls.call("drop", name=self.model, number=one["number"])
        if kept is not None:
            return int(kept["number"])
        artifact = self.release.artifact
        about = f"Releases of {artifact}, by modelwarden."
        tags = {described.ARTIFACT: artifact}
        self.calls.call("register", name=self.model, tags=tags, text=about)
        made = self.calls.call(
            "version",
            name=self.model,
            run=run,
            source=f"runs:/{run}/model",  # what a server takes too; it refuses paths
            tags=dict(described.tags(self.release, self.root)),
            text=described.describe(self.release, self.root),
        )
        return int(made)

    def _log(
        self,
        run: str,
        params: Mapping[str, str],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
    ) -> None:
        every = {"params": dict(params), "metrics": dict(metrics), "tags": dict(tags)}
        self.calls.call("log", run=run, at=described.moment(self.release), **every)

    def _same(self, tags: Mapping[str, str], where: str) -> None:
        """Raise ReleaseError unless what is tagged as this release is of these bytes."""
        pairs = ((described.DOCUMENT, self.release.digest), (described.ROOT, self.root))
        for name, mine in pairs:
            theirs = tags.get(name, "none")
            if theirs != mine:
                kind, who = name.rpartition(".")[2], described.identity(self.release)
                raise ReleaseError(
                    f"{who}: MLflow's {where} has {kind} {theirs}, not {mine}",
                    "another release was recorded under this version: choose the next version",
                )


def owned(calls: Calls, artifact: str, version: str) -> list[Row]:
    """Return the registered versions that are tagged as this release."""
    wanted = f"{artifact}@{version}"
    every = calls.call("versions", name=names.model_name(artifact))
    return [one for one in every if one["tags"].get(described.RELEASE) == wanted]
