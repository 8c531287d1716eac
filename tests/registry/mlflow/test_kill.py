"""Killed at every change: at the end there is one of each, whoever died and when."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from registry.errors import StoreFailed
from registry.mlflow import Registry
from registry.mlflow.recording import Recorded
from registry.release.values import Release
from tests.registry.mlflow.releases import ROOT, release

REPO = Path(__file__).parents[3]
DRIVER = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from registry.mlflow import Registry
from tests.registry.mlflow.releases import ROOT, release
folder, staged, artifact, point = Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4], sys.argv[5]
registry = Registry("sqlite:///mlflow.db", folder=folder)
plain = registry._calls.call
def call(name, /, **arguments):
    if name == point.removeprefix("before "):
        print(registry._calls._process.pid, flush=True)
        if point.startswith("before "):
            os.kill(os.getpid(), signal.SIGKILL)
        registry._calls._process.stdin.write(
            __import__("json").dumps({"call": name, "with": arguments}).encode() + b"\\n")
        registry._calls._process.stdin.flush()  # sent, and not heard of again
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(name, **arguments)
registry._calls.call = call
registry.record(release(artifact=artifact), ROOT, staged, lambda text: None)
"""


READS = ("versions", "known", "runs")  # after them all is as it was before them


class Killed(BaseException):
    pass


def quiet(text: str) -> None:
    pass


def sole(registry: Registry, whole: Release, done: Recorded) -> None:
    """See that there is one run each and one version, all tagged and finished."""
    name = whole.artifact.replace("/", "--")
    [version] = registry._calls.call("versions", name=name)
    assert (version["number"], version["run"]) == (done.version, done.run)
    runs = registry._calls.call(
        "runs", experiment=done.experiment, tag="modelwarden.artifact", value=whole.artifact
    ) + [
        row
        for record in whole.measurements
        for row in registry._calls.call(
            "runs", experiment=done.experiment, tag="modelwarden.measurement", value=record.digest
        )
    ]
    assert [row["id"] for row in runs] == [done.run, *(run for _, run in done.runs)]
    assert {row["status"] for row in runs} == {"FINISHED"}


def test_killed_after_every_change(
    shared: Registry, staged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, left = shared._calls.call, 0

    def call(name: str, /, **arguments: Any) -> Any:
        nonlocal left
        found = plain(name, **arguments)
        if name not in READS:
            left -= 1
            if left == 0:
                raise Killed
        return found

    monkeypatch.setattr(shared._calls, "call", call)
    point, done = 0, None
    while done is None:
        point += 1
        whole = release(artifact=f"acme/kill-{point}")
        try:
            left = point
            done = shared.record(whole, ROOT, staged, quiet)
        except Killed:
            left = 0
            if shared.look(whole, ROOT) is None:
                again = shared.record(whole, ROOT, staged, quiet)
                sole(shared, whole, again)
                assert shared.look(whole, ROOT) == again
    assert point > 22  # as many changes as there are


@pytest.mark.parametrize("point", ["before upload", "start", "version"])
def test_sigkill(shared: Registry, staged: Path, tmp_path: Path, point: str) -> None:
    file = Path(shared._calls._uri.removeprefix("sqlite:///"))
    whole = release(artifact=f"acme/{point.replace(' ', '-')}")
    assert shared.look(whole, ROOT) is None  # so that the database is there
    done = subprocess.run(
        [sys.executable, "-I", "-c", DRIVER, REPO, file.parent, staged, whole.artifact, point],
        capture_output=True, text=True, check=False, env=os.environ | {"TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    child = Path(f"/proc/{done.stdout.split()[0]}")
    for _ in range(300):
        if not child.exists() or "\nState:\tZ" in (child / "status").read_text():
            break
        time.sleep(0.05)
    else:
        raise AssertionError("the process that talks to MLflow outlives us")
    assert shared.look(whole, ROOT) is None
    sole(shared, whole, shared.record(whole, ROOT, staged, quiet))


def test_a_child_that_dies_is_told_and_replaced(tmp_path: Path, staged: Path) -> None:
    """The kernel kills it while it makes the database, and once more while it writes."""
    with Registry("sqlite:///mlflow.db", folder=tmp_path) as registry:
        calls, seen = registry._calls, []

        def kill_soon() -> None:
            for _ in range(3000):
                process = calls._process
                if process is not None:
                    room = Path(f"/proc/{process.pid}/cwd").readlink()
                    if (room / "new.db").exists():
                        seen.append(process.pid)
                        process.kill()
                        return
                time.sleep(0.01)

        killer = threading.Thread(target=kill_soon)
        killer.start()
        with pytest.raises(StoreFailed, match="its process ended without an answer") as caught:
            registry.record(release(), ROOT, staged, quiet)
        killer.join()
        assert seen
        assert "run it again" in caught.value.hint
        assert not (tmp_path / "mlflow.db").exists()  # whole or not at all
        assert registry.look(release(), ROOT) is None

        def tell(text: str) -> None:
            at = text == "MLflow: measurement news/qa"
            if at and calls._process is not None and len(seen) < 2:
                seen.append(calls._process.pid)
                calls._process.kill()

        with pytest.raises(StoreFailed, match="ended without an answer"):
            registry.record(release(), ROOT, staged, tell)
        done = registry.record(release(), ROOT, staged, tell)
        sole(registry, release(), done)
    with sqlite3.connect(tmp_path / "mlflow.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mlartifacts", "mlflow.db", "model"]
