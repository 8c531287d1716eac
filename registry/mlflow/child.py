"""The process that talks to MLflow: the sole importer of it, started by `calls.py`, never imported.

Reads one call per line of its standard input and answers each with one line: `{"ok": ...}` or
`{"error": [type, code, text]}`. It ends at once when its input ends, so that a killed release
leaves nobody behind who goes on writing. What MLflow prints goes nowhere.
"""

from __future__ import annotations

import fcntl
import json
import os
import queue
import shutil
import sys
import threading
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

PAGE = 200
MOST = 100_000  # runs or versions of one answer
PER_BATCH = 100  # tags or parameters in one request; MLflow's own limit
METRICS = 500  # of 1,000 in one request


class Child:
    """The calls, by name. Each is one thing done in MLflow, or one question."""

    def __init__(self) -> None:
        self._client: Any = None

    def load(self, artifacts: str) -> str:
        """Import MLflow, which takes seconds. Return its version."""
        os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"] = artifacts  # of its Default experiment
        from mlflow.store.db import utils
        from mlflow.version import VERSION

        utils.MAX_RETRY_COUNT = 1  # or it hides for 100 s why a database cannot be reached
        return str(VERSION)

    def open(self, uri: str, artifacts: str) -> None:
        """Connect, and make a database that is not there."""
        from mlflow import MlflowClient, set_registry_uri, set_tracking_uri

        if uri.startswith("sqlite:"):
            _create(uri, artifacts)
        set_tracking_uri(uri)  # what runs:/ is resolved with
        set_registry_uri(uri)
        self._client = MlflowClient(uri, uri)
        self._client.search_registered_models(max_results=1)

    def experiment(self, name: str, location: str | None, tags: dict[str, str]) -> list[str]:
        """Return id and lifecycle stage of an experiment, made if it is not there."""
        found = self._client.get_experiment_by_name(name)
        if found is None:
            self._client.create_experiment(name, location, tags)
            found = self._client.get_experiment_by_name(name)
        return [found.experiment_id, found.lifecycle_stage]

    def known(self, name: str) -> str:
        """Return the id of an experiment, "" where there is none."""
        found = self._client.get_experiment_by_name(name)
        return found.experiment_id if found else ""

    def runs(self, experiment: str, tag: str, value: str) -> list[dict[str, Any]]:
        """Return the runs that are tagged so, oldest first."""
        text, order = f"tags.`{tag}` = '{value}'", ["attributes.start_time ASC"]
        ask = self._client.search_runs
        pages = _all(lambda at: ask([experiment], text, 1, PAGE, order, page_token=at))
        found = [
            {"id": one.info.run_id, "status": one.info.status, "tags": dict(one.data.tags)}
            | {"start": one.info.start_time}
            for one in pages
        ]
        return sorted(found, key=lambda one: (one["start"], one["id"]))

    def start(self, experiment: str, name: str, tags: dict[str, str]) -> str:
        """Start a run, tagged from its first moment, and return its id."""
        run = self._client.create_run(experiment, tags=tags, run_name=name)
        return str(run.info.run_id)

    def log(
        self,
        run: str,
        params: dict[str, str],
        metrics: dict[str, float],
        at: int,
        tags: dict[str, str],
    ) -> None:
        """Write parameters, metrics (as of `at`, in ms) and tags; again is no change."""
        from mlflow.entities import Metric, Param, RunTag

        known = dict(self._client.get_run(run).data.params)
        fresh = [Param(name, text) for name, text in params.items() if known.get(name) != text]
        numbers = [Metric(name, value, at, 0) for name, value in metrics.items()]
        marks = [RunTag(name, text) for name, text in tags.items()]
        for part in _parts(fresh, PER_BATCH):
            self._client.log_batch(run, params=part)
        for part in _parts(numbers, METRICS):
            self._client.log_batch(run, metrics=part)
        for part in _parts(marks, PER_BATCH):
            self._client.log_batch(run, tags=part)

    def inputs(self, run: str, data: list[list[str]]) -> None:
        """Name the data that a run used: (name, digest, kind of source, source, context) each."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        found = [
            DatasetInput(
                Dataset(name, digest, kind, source), [InputTag("mlflow.data.context", context)]
            )
            for name, digest, kind, source, context in data
        ]
        for part in _parts(found, PER_BATCH):
            self._client.log_inputs(run, part)

    def upload(self, run: str, source: str, folder: str) -> None:
        """Put one file among the artifacts of a run."""
        self._client.log_artifact(run, source, folder or None)

    def model(self, run: str, name: str, facts: dict[str, Any]) -> None:
        """Describe the model in `name`/MLmodel: its signature, and where its weights are."""
        from mlflow.models import Model, ModelSignature
        from mlflow.types.schema import ColSpec, DataType, Schema, TensorSpec

        def column(title: str, kind: str, shape: list[int] | None) -> Any:
            typed = DataType[kind]
            return TensorSpec(typed.to_numpy(), shape, title) if shape else ColSpec(typed, title)

        inputs, outputs = (
            Schema([column(*one) for one in facts[side]]) for side in ("inputs", "outputs")
        )
        model = Model(
            artifact_path=name,
            run_id=run,
            utc_time_created=facts["date"],
            flavors={"modelwarden": facts["flavor"]},
            signature=ModelSignature(inputs, outputs),
            model_uuid=facts["uuid"],
            model_size_bytes=facts["size"],
        )
        Path("MLmodel").write_text(model.to_yaml(), "utf-8")  # the empty folder is ours
        self._client.log_artifact(run, "MLmodel", name)

    def finish(self, run: str, tags: dict[str, str]) -> None:
        """End a run and then mark it."""
        self._client.set_terminated(run, "FINISHED")
        for name, text in tags.items():
            self._client.set_tag(run, name, text)

    def forget(self, run: str) -> None:
        """Delete a run, as MLflow deletes: it can be restored."""
        self._client.delete_run(run)

    def registered(self, name: str) -> dict[str, Any] | None:
        """Return tags and aliases of a registered model, None where there is none."""
        from mlflow.exceptions import MlflowException

        try:
            found = self._client.get_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        aliases = {alias: int(version) for alias, version in found.aliases.items()}
        return {"tags": dict(found.tags), "aliases": aliases}

    def register(self, name: str, tags: dict[str, str], text: str) -> None:
        """Make a registered model; one that is there stays as it is."""
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(name, tags, text)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def versions(self, name: str) -> list[dict[str, Any]]:
        """Return all versions of a registered model, by number."""
        ask = self._client.search_model_versions
        pages = _all(lambda at: ask(f"name='{name}'", PAGE, page_token=at))
        found = [
            {
                "number": int(v.version),
                "tags": dict(v.tags),
                "run": v.run_id or "",
                "source": v.source,
                "status": str(v.status),
            }
            for v in pages
        ]
        return sorted(found, key=lambda one: int(one["number"]))

    def version(self, name: str, run: str, source: str, tags: dict[str, str], text: str) -> int:
        """Register what a run describes; return the version's number."""
        made = self._client.create_model_version(name, source, run, tags, None, text, 0)
        return int(made.version)

    def tag(self, name: str, number: int, tags: dict[str, str]) -> None:
        """Set tags of a version."""
        for key, text in tags.items():
            self._client.set_model_version_tag(name, str(number), key, text)

    def drop(self, name: str, number: int) -> None:
        """Delete a version."""
        self._client.delete_model_version(name, str(number))

    def unregister(self, name: str) -> None:
        """Delete a registered model."""
        self._client.delete_registered_model(name)

    def alias(self, name: str, alias: str, number: int) -> None:
        """Point an alias at a version; 0 deletes it."""
        if number:
            self._client.set_registered_model_alias(name, alias, str(number))
        else:
            self._client.delete_registered_model_alias(name, alias)


def _all(ask: Callable[[str | None], Any]) -> list[Any]:
    """Return what all pages hold, to `MOST`."""
    found: list[Any] = []
    page = ask(None)
    while True:
        found += page
        if not page.token or not page:
            return found
        if len(found) > MOST:
            raise OverflowError(f"more than {MOST} entries in one answer")
        page = ask(page.token)


def _parts(items: list[Any], size: int) -> list[list[Any]]:
    return [items[at : at + size] for at in range(0, len(items), size)]


def _create(uri: str, artifacts: str) -> None:
    """Make a SQLite database whole or not at all; MLflow's own way leaves half a schema if killed.

    Its migrations run on a file in our own folder, which then appears under its name at once.
    """
    target = Path(urllib.parse.urlsplit(uri).path.removeprefix("/"))
    if target.exists():
        return
    from mlflow.store.tracking import sqlalchemy_store

    target.parent.mkdir(parents=True, exist_ok=True)
    store: Any = vars(sqlalchemy_store)["SqlAlchemyStore"](
        f"sqlite:///{Path('new.db').resolve()}", artifacts
    )
    store.engine.dispose()
    new = target.with_name(f".{target.name}.new")
    with new.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if target.exists():  # somebody was faster: `file` may be the database itself by now
            return
        file.truncate(0)  # what a dead one left
        with Path("new.db").open("rb") as made:
            shutil.copyfileobj(made, file)
        file.flush()
        os.fsync(file.fileno())
        new.rename(target)


def _answer(child: Child, line: str) -> dict[str, Any]:
    call = json.loads(line)
    try:
        return {"ok": getattr(child, call["call"])(**call["with"])}
    except Exception as error:  # noqa: BLE001 - the door: whatever MLflow raises is told as text
        cause = error.__cause__
        text = f"{error} ({cause})" if cause is not None and str(cause) not in str(error) else error
        code = str(getattr(error, "error_code", ""))
        return {"error": [type(error).__name__, code, str(text)[:4000]]}


def main() -> None:
    """Answer calls until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    child = Child()
    while True:
        answers.write(json.dumps(_answer(child, lines.get())) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
