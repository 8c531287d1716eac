"""Releases recorded in a real MLflow over SQLite, asked with MLflow's own client."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from registry.errors import ReleaseError, StoreFailed
from registry.mlflow import Registry
from registry.release.values import Release
from tests.registry.mlflow.releases import ROOT, release

REST = (
    "import sys, json, os; os.environ['MLFLOW_DISABLE_TELEMETRY'] = 'true'\n"
    "from mlflow import MlflowClient, set_tracking_uri\n"
    "set_tracking_uri(sys.argv[1]); c = MlflowClient(); name, run = sys.argv[2:]\n"
    "m = c.get_model_version_by_alias(name, 'champion'); r = c.get_run(run)\n"
    "def walk(p=None): return [y for x in c.list_artifacts(run, p)"
    " for y in (walk(x.path) if x.is_dir else [x.path])]\n"
    "from mlflow.models import get_model_info\n"
    "i = get_model_info(f'models:/{name}@champion')\n"
    "print('@@' + json.dumps([m.version, m.tags, m.source, m.run_id, r.data.params,"
    " r.data.metrics, walk(), i.signature.to_dict(), r.data.tags,"
    " [d.dataset.name for d in r.inputs.dataset_inputs]]))\n"
)


def quiet(text: str) -> None:
    pass


def as_mlflow_tells(uri: str, name: str, run: str) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", REST, uri, name, run],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout.rpartition("@@")[2]))


def prove(uri: str, registry: Registry, whole: Release, staged: Path) -> None:
    """Record, point, and see all of it come back through MLflow's own client."""
    done = registry.record(whole, ROOT, staged, quiet)
    assert registry.record(whole, ROOT, staged, quiet) == done == registry.look(whole, ROOT)
    registry.point(whole.artifact, {"champion": whole.version})
    number, tags, source, run, params, metrics, paths, signature, run_tags, data = as_mlflow_tells(
        uri, whole.artifact.replace("/", "--"), done.run
    )
    assert (int(number), run) == (done.version, done.run)
    assert source == f"runs:/{done.run}/model"
    assert tags["modelwarden.root"] == ROOT
    assert tags["modelwarden.document"] == whole.digest == run_tags["modelwarden.complete"]
    assert tags["git.commit"] == whole.commit == run_tags["mlflow.source.git.commit"]
    assert tags["dvc.weights"].startswith("models/small/model.safetensors 0123")
    assert tags["git.weights"].startswith("models/small/tokenizer.json ccc")
    assert tags["licence"] == "Apache-2.0"
    assert params["version"] == whole.version
    assert params["weights/bytes"] == "2083100000"
    assert metrics["arc easy/acc"] == 0.71
    assert metrics["news/qa/acc.low"] == pytest.approx(0.62)
    assert sorted(paths) == [
        "README.md", "model/MLmodel", "plots/lineage.svg", "release/bom.cdx.json",
        "release/notes.md", "release/release.json", "release/verdict.json", "signatures/model.sig",
    ]  # fmt: skip
    assert '"prompt"' in signature["inputs"]
    assert '"completion"' in signature["outputs"]
    assert data == ["data"]


def test_a_release_comes_back_whole(shared: Registry, staged: Path) -> None:
    whole = release(artifact="acme/whole")
    prove(shared._calls._uri, shared, whole, staged)


def test_one_run_for_each_measurement_below_the_release(shared: Registry, staged: Path) -> None:
    whole = release(artifact="acme/runs")
    done = shared.record(whole, ROOT, staged, quiet)
    every = shared._calls.call(
        "runs", experiment=done.experiment, tag="modelwarden.release", value="acme/runs@1.2.0"
    )
    names = {one["tags"]["mlflow.runName"]: one["tags"].get("mlflow.parentRunId") for one in every}
    assert names == {"1.2.0": None, "1.2.0 arc easy": done.run, "1.2.0 news/qa": done.run}
    assert [task for task, _ in done.runs] == ["arc easy", "news/qa"]
    with sqlite3.connect(shared._calls._uri.removeprefix("sqlite:///")) as database:
        rows = database.execute(
            "SELECT key, value FROM metrics WHERE run_uuid = ? ORDER BY key", (done.runs[0][1],)
        ).fetchall()
    database.close()
    assert [key for key, _ in rows] == [
        "arc easy/acc", "arc easy/acc.high", "arc easy/acc.low", "arc easy/language:de/acc",
        "arc easy/language:de/acc.high", "arc easy/language:de/acc.low", "arc easy/ppl",
        "usage/cpu seconds", "usage/seconds", "usage/tokens",
    ]  # fmt: skip


def test_asking_makes_no_file(tmp_path: Path) -> None:
    with Registry("sqlite:///mlflow.db", folder=tmp_path) as registry:
        assert registry.look(release(), ROOT) is None
        assert registry.versions("acme/small") == ()
        assert registry.aliases("acme/small") == {}
        registry.remove(release(), ROOT)
        registry.point("acme/small", {"champion": ""})
        with pytest.raises(StoreFailed, match=r"acme/small 1\.2\.0 is not in MLflow"):
            registry.withdraw("acme/small", "1.2.0", "why")
    assert list(tmp_path.iterdir()) == []


def test_the_artifacts_lie_beside_the_database(tmp_path: Path, staged: Path) -> None:
    with Registry("sqlite:///kept/mlflow.db", folder=tmp_path / "repo") as registry:
        registry.record(release(), ROOT, staged, quiet)
    found = sorted(path.name for path in (tmp_path / "repo/kept").iterdir())
    assert found == ["mlartifacts", "mlflow.db"]
    held = [path.name for path in (tmp_path / "repo/kept/mlartifacts").rglob("*")]
    assert "MLmodel" in held
    assert "model.safetensors" not in held  # the weights stay in DVC
    database = sqlite3.connect(tmp_path / "repo/kept/mlflow.db")
    places = [row[0] for row in database.execute("SELECT artifact_location FROM experiments")]
    database.close()
    assert all(place.startswith((tmp_path / "repo/kept/mlartifacts").as_uri()) for place in places)


@pytest.mark.parametrize("part", ["document", "root"])
def test_another_release_of_the_same_version_is_refused(
    shared: Registry, staged: Path, part: str
) -> None:
    mine = release(artifact=f"acme/other-{part}")
    other = replace(mine, commit="6f" * 20) if part == "document" else mine
    root = "cd" * 32 if part == "root" else ROOT
    shared.record(mine, ROOT, staged, quiet)
    asks: tuple[Callable[[], object], ...] = (
        lambda: shared.look(other, root),
        lambda: shared.record(other, root, staged, quiet),
        lambda: shared.remove(other, root),
    )
    for ask in asks:
        with pytest.raises(ReleaseError) as caught:
            ask()
        text = caught.value.message
        assert f"@1.2.0: MLflow's version 1 has {part} " in text
        wanted = (mine.digest, other.digest) if part == "document" else (ROOT, root)
        assert all(one in text for one in wanted)
    assert shared.look(mine, ROOT) is not None


def test_tags_that_were_changed_by_hand_are_no_release(shared: Registry, staged: Path) -> None:
    mine = release(artifact="acme/changed")
    number = shared.record(mine, ROOT, staged, quiet).version
    tags = {"modelwarden.root": "00" * 32}
    shared._calls.call("tag", name="acme--changed", number=number, tags=tags)
    with pytest.raises(ReleaseError, match="has root 0000"):
        shared.look(mine, ROOT)
    assert shared.versions(mine.artifact)[0].root == "00" * 32  # the doctor sees it


def test_a_version_or_run_that_somebody_deleted_comes_back(shared: Registry, staged: Path) -> None:
    mine = release(artifact="acme/deleted")
    first = shared.record(mine, ROOT, staged, quiet)
    shared._calls.call("drop", name="acme--deleted", number=first.version)
    assert shared.look(mine, ROOT) is None
    again = shared.record(mine, ROOT, staged, quiet)
    assert (again.run, again.runs) == (first.run, first.runs)
    shared._calls.call("forget", run=again.runs[1][1])
    assert shared.look(mine, ROOT) is None
    third = shared.record(mine, ROOT, staged, quiet)
    assert third.runs[0] == again.runs[0]
    assert third.runs[1] != again.runs[1]
    shared._calls.call("forget", run=third.run)
    assert shared.look(mine, ROOT) is None
    fourth = shared.record(mine, ROOT, staged, quiet)
    assert fourth.run != third.run
    assert fourth == shared.look(mine, ROOT)
    assert len(shared.versions(mine.artifact)) == 1


def test_requests_made_twice_leave_one_of_each(shared: Registry, staged: Path) -> None:
    mine = release(artifact="acme/twice")
    first = shared.record(mine, ROOT, staged, quiet)
    [one] = list(shared._calls.call("versions", name="acme--twice"))
    for run in (first.run, first.runs[0][1]):
        [tags] = [
            row["tags"]
            for row in shared._calls.call(
                "runs", experiment=first.experiment, tag="mlflow.user", value="modelwarden"
            )
            if row["id"] == run
        ]
        kept = {key: text for key, text in tags.items() if "complete" not in key}
        del kept["mlflow.runName"]
        shared._calls.call("start", experiment=first.experiment, name="again", tags=kept)
    shared._calls.call(
        "version", name="acme--twice", run=first.run, source=one["source"], tags=one["tags"],
        text="",
    )  # fmt: skip
    assert shared.look(mine, ROOT) is None
    assert shared.record(mine, ROOT, staged, quiet) == first
    rows = shared._calls.call(
        "runs", experiment=first.experiment, tag="mlflow.user", value="modelwarden"
    )
    assert len(rows) == 3
    assert len(shared.versions(mine.artifact)) == 1


def test_aliases(shared: Registry, staged: Path) -> None:
    name = "acme/aliases"
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        shared.record(release(version, name), ROOT, staged, quiet)
    shared.point(name, {"champion": "1.1.0", "previous": "1.0.0"})
    assert shared.aliases(name) == {"champion": "1.1.0", "previous": "1.0.0"}
    shared.point(name, {"champion": "2.0.0", "previous": "1.1.0", "challenger": ""})
    shared.point(name, {"previous": ""})
    assert shared.aliases(name) == {"champion": "2.0.0"}
    with pytest.raises(StoreFailed, match=r"acme/aliases 3\.0\.0 is not in MLflow") as caught:
        shared.point(name, {"champion": "1.0.0", "previous": "3.0.0"})
    assert "doctor --repair" in caught.value.hint
    with pytest.raises(ReleaseError, match="'latest': no such alias"):
        shared.point(name, {"latest": "1.0.0"})
    assert shared.aliases(name) == {"champion": "2.0.0"}  # nothing of it happened
    shared._calls.call("tag", name="acme--aliases", number=3, tags={"modelwarden.version": "9"})
    assert shared.aliases(name) == {"champion": "9"}  # as it is told, for the doctor to see


def test_withdraw_and_remove(shared: Registry, staged: Path) -> None:
    mine, name = release(artifact="acme/gone"), "acme/gone"
    shared.record(mine, ROOT, staged, quiet)
    shared.withdraw(name, "1.2.0", "trained on test data")
    assert [one.withdrawn for one in shared.versions(name)] == ["trained on test data"]
    assert shared.look(mine, ROOT) is not None
    shared.point(name, {"champion": "1.2.0"})
    with pytest.raises(ReleaseError, match="champion points at it"):
        shared.remove(mine, ROOT)
    shared.point(name, {"champion": ""})
    shared.remove(mine, ROOT)
    shared.remove(mine, ROOT)
    assert shared.versions(name) == ()
    assert shared.look(mine, ROOT) is None
    assert shared._calls.call("registered", name="acme--gone") is None
    with pytest.raises(StoreFailed, match="is not in MLflow"):
        shared.withdraw(name, "1.2.0", "again")


def test_a_model_of_somebody_else_is_left_alone(shared: Registry, staged: Path) -> None:
    mine = release(artifact="acme/theirs")
    shared._calls.call("register", name="acme--theirs", tags={}, text="ours")
    shared.record(mine, ROOT, staged, quiet)
    shared.remove(mine, ROOT)
    assert shared._calls.call("registered", name="acme--theirs") is not None


def test_an_experiment_that_was_deleted(shared: Registry, staged: Path) -> None:
    mine = release(artifact="acme/lost")
    done = shared.record(mine, ROOT, staged, quiet)
    with sqlite3.connect(shared._calls._uri.removeprefix("sqlite:///")) as database:
        database.execute(
            "UPDATE experiments SET lifecycle_stage = 'deleted' WHERE experiment_id = ?",
            (int(done.experiment),),
        )
    database.close()
    assert shared.look(mine, ROOT) is not None  # a page that is hidden: nothing is lost
    shared._calls.call("forget", run=done.run)
    with pytest.raises(StoreFailed, match="experiment acme/lost was deleted") as caught:
        shared.record(mine, ROOT, staged, quiet)
    assert f"--experiment-id {done.experiment}" in caught.value.hint


def test_a_signature_of_tensors(shared: Registry, staged: Path) -> None:
    whole = replace(release(artifact="acme/tensors"), measurements=())
    done = shared.record(whole, ROOT, staged, quiet)
    held = shared._artifacts / "acme--tensors" / done.run / "artifacts/model/MLmodel"
    text = " ".join(held.read_text().split())  # YAML folds long lines
    assert '"tensor-spec": {"dtype": "int64", "shape": [-1, -1]}' in text
    assert '"tensor-spec": {"dtype": "float32", "shape": [-1, -1, -1]}' in text
