from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab.errors import ModelError
from lab.protocol import Item, ItemScore, Kind, ModelScores, Task, TaskScores
from lab.scoring import cluster
from lab.scoring.cluster import Answer, ClusterError, measure_on_ray
from tests.lab.models import make_model

HAS_RAY = importlib.util.find_spec("ray") is not None
SCENARIO = Path(__file__).with_name("ray_scenario.py")


@pytest.mark.skipif(not HAS_RAY, reason="the extra `ray` is not installed")
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds its workers in /proc")
def test_one_worker_two_and_a_killed_one_say_the_same(tmp_path: Path) -> None:
    model = make_model(
        tmp_path / "model", hidden_size=256, intermediate_size=512, num_hidden_layers=6
    )
    broken = make_model(tmp_path / "broken")
    spoil(broken)
    done = subprocess.run(
        [sys.executable, str(SCENARIO), str(model), str(broken)],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout.strip().splitlines()[-1])
    assert said["loopback"] == []
    assert said["same"]
    assert said["ids"]
    assert said["notes"][0] == []
    assert "a worker of the cluster was lost" in said["notes"][1][0]
    assert said["failure"][0] == "ModelError"
    assert "holds NaN or infinity" in said["failure"][1]
    assert said["seconds"] > 0
    assert said["tokens"][0] == said["tokens"][1] > 1024


def spoil(folder: Path) -> None:
    """Put a NaN into the weights."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    next(iter(tensors.values())).view(-1)[0] = float("nan")
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize("address", ["", "local", "ray://host:1", "host", "host:1 --x", "a" * 999])
def test_only_an_address_is_connected_to(address: str, llama: Path) -> None:
    with pytest.raises(ClusterError, match="is no address"):
        measure_on_ray(address, "m", llama, [])


def test_without_ray_the_reason_is_said(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match="Ray is not installed"):
        measure_on_ray("localhost:1", "m", llama, [])


class Lost(Exception):
    pass


class Other(Exception):
    pass


class FakeRay:
    """A cluster of one node: what each shard meets, in turn, is written down beforehand."""

    def __init__(self, fates: list[Any], alive: bool = True) -> None:
        self.fates, self.alive = fates, alive
        self.exceptions = SimpleNamespace(
            WorkerCrashedError=Lost, NodeDiedError=Lost, OutOfMemoryError=Lost,
            LocalRayletDiedError=Lost, ObjectLostError=Lost, RayError=Other,
        )  # fmt: skip

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": self.alive, "Resources": {"CPU": 2.0, "memory": 8.0}}]

    def wait(self, waiting: list[Any], **options: Any) -> tuple[list[Any], list[Any]]:
        return waiting[:1], waiting[1:]

    def get(self, reference: Any) -> Any:
        fate = self.fates.pop(0)
        if isinstance(fate, Exception):
            raise fate
        return fate


SHARD = Task("t", (Item("a", "", ("x",)),), Kind.TEXT)
SCORES = ModelScores(
    "m", "f", 1, "Llama", "cpu", "float32", (TaskScores("t", (ItemScore("a", 1.0, 1, 1),)),)
)
GOOD = Answer(SCORES, (("torch", "2"),))


def run(ray: FakeRay, needs: dict[str, float], shards: int = 1) -> list[list[Answer]]:
    made = cluster._Run(ray, lambda shard: object(), needs, None)
    return made.all([[SHARD] * shards])


def test_a_lost_shard_is_tried_again_but_not_for_ever() -> None:
    needs = {"CPU": 1.0, "GPU": 0.0, "memory": 4.0}
    assert run(FakeRay([Lost(), GOOD, Lost(), GOOD]), needs, 2) == [[GOOD, GOOD]]
    assert run(FakeRay([Lost()] * 3 + [GOOD]), needs) == [[GOOD]]
    with pytest.raises(ClusterError, match="the same shard lost 4 workers"):
        run(FakeRay([Lost()] * 4 + [GOOD]), needs)


def test_a_model_that_fails_is_not_tried_again() -> None:
    ray = FakeRay([Answer(None, failure=("it is broken", "mend it")), GOOD])
    with pytest.raises(ModelError, match="it is broken"):
        run(ray, {}, 2)
    assert ray.fates == [GOOD]


def test_what_a_cluster_cannot_do_is_said() -> None:
    with pytest.raises(ClusterError, match="no node of the cluster has 1 CPU, 9 memory"):
        run(FakeRay([GOOD]), {"CPU": 1.0, "GPU": 0.0, "memory": 9.0})
    with pytest.raises(ClusterError, match="no node of the cluster"):
        run(FakeRay([GOOD], alive=False), {"CPU": 1.0})
    with pytest.raises(ClusterError, match="a worker failed: No module named 'lab'"):
        run(FakeRay([Other("traceback\n  ...\nNo module named 'lab'")]), {})
    with pytest.raises(ClusterError, match="another program"):
        run(FakeRay(["hello"]), {})


def test_workers_must_be_alike() -> None:
    assert cluster._joined([[GOOD, GOOD]], 0).notes == ()
    assert cluster._joined([[GOOD, GOOD]], 2).notes == (
        "2 shards scored again: a worker of the cluster was lost",
    )
    with pytest.raises(ClusterError, match="different versions"):
        cluster._joined([[GOOD, Answer(SCORES, (("torch", "3"),))]], 0)
    with pytest.raises(ClusterError, match="differently"):
        cluster._joined([[GOOD, Answer(replace(SCORES, dtype="bfloat16"), GOOD.versions)]], 0)


def test_a_worker_refuses_other_files(llama: Path) -> None:
    answer = cluster._score(cluster.Job("m", str(llama), "0" * 64, "cpu", 1), SHARD)
    assert answer.scores is None
    assert "other files" in answer.failure[0]
