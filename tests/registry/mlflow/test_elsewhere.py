"""The same over PostgreSQL and over a real tracking server; and what goes wrong on the way."""

from __future__ import annotations

import http.server
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.errors import StoreFailed
from registry.mlflow import Registry
from tests.postgres import Postgres
from tests.registry.mlflow.releases import ROOT, release
from tests.registry.mlflow.test_store import prove, quiet

ANSWERS = {
    "500": (500, b"oops s3cret"),
    "401": (401, b"no"),
    "403": (403, b'{"error_code": "PERMISSION_DENIED", "message": "not you"}'),
    "404": (404, b"<html>"),
    "429": (429, b"slow down"),
    "page": (200, b"<html>A page.</html>"),
    "boom": (418, b'{"error_code": "INTERNAL_ERROR", "message": "boom"}'),
    "shape": (200, b'{"experiment": 7, "registered_models": {}}'),
    "odd": (200, b'{"experiment": {"experiment_id": {}}}'),
    "hang": (0, b""),
}
MEANS = {
    "500": ("the server failed", "see its log; nothing was lost"),
    "401": ("it refuses our credentials", "MLFLOW_TRACKING_TOKEN"),
    "403": ("it refuses our credentials", "MLFLOW_TRACKING_TOKEN"),
    "404": ("this is no MLflow tracking server", "release.mlflow"),
    "429": ("it asks us to slow down", "nothing was lost"),
    "page": ("this is no MLflow tracking server", "release.mlflow"),
    "boom": ("the server failed", "nothing was lost"),
    "shape": ("ParseError", "MLflow's own tools"),
    "odd": ("ParseError", "MLflow's own tools"),
    "hang": ("it did not answer in time", "nothing was lost"),
}


def test_postgresql(postgres: Postgres, staged: Path, tmp_path: Path) -> None:
    address = postgres.database()
    with Registry(address, folder=tmp_path / "repo") as registry:
        prove(registry._calls._uri, registry, release(), staged)
        assert "hunter2" not in registry._calls.shown
        postgres.stop()
        with pytest.raises(StoreFailed) as caught:
            registry.look(release(), ROOT)
        assert "nobody answers there, or the connection broke" in caught.value.message
        assert "hunter2" not in caught.value.message
        postgres.start()
        assert registry.look(release(), ROOT) is not None  # the same process, connected anew


def test_a_tracking_server(server: str, staged: Path, tmp_path: Path) -> None:
    with Registry(server, folder=tmp_path / "repo") as registry:
        prove(server, registry, release(), staged)
        odd = release("1.3.0-rc.1+cu", "Große Modelle/a--b: 7B")
        registry.record(odd, ROOT, staged, quiet)
        registry.point(odd.artifact, {"challenger": odd.version})
        assert registry.aliases(odd.artifact) == {"challenger": odd.version}
    assert not (tmp_path / "repo").exists()  # the server keeps the artifacts


@pytest.fixture(scope="module")
def faulty() -> Iterator[tuple[list[str], str]]:
    """A server that answers as the first of a list says."""
    mode, done = ["500"], threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, body = ANSWERS[mode[0]]
            self.rfile.read(int(self.headers.get("content-length") or 0))
            if mode[0] == "hang":
                done.wait(30)
                return
            self.send_response(code)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PATCH = do_PUT = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    yield mode, f"http://ada:s3cret@127.0.0.1:{web.server_port}"
    done.set()
    web.shutdown()
    thread.join()
    web.server_close()


@pytest.fixture(scope="module")
def opened(
    faulty: tuple[list[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Registry]:
    """One that was connected while the server still answered."""
    ANSWERS["good"] = (200, b"{}")
    faulty[0][0] = "good"
    with Registry(faulty[1], folder=tmp_path_factory.mktemp("x"), timeout=3) as registry:
        assert registry.versions("acme/small") == ()
        yield registry


@pytest.mark.parametrize("mode", sorted(MEANS))
def test_a_server_that_fails(
    faulty: tuple[list[str], str], opened: Registry, staged: Path, mode: str
) -> None:
    faulty[0][0] = mode
    with pytest.raises(StoreFailed) as caught:
        opened.record(release(), ROOT, staged, quiet)
    message, hint = MEANS[mode]
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "s3cret" not in caught.value.message
    assert "\n" not in caught.value.message + caught.value.hint
    assert len(caught.value.message) < 450


def test_a_server_that_swallows_everything_ends_in_time(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=8) as deaf:
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        told = pytest.raises(StoreFailed, match=r"did not answer in time|no answer within")
        with Registry(address, folder=tmp_path, timeout=1) as registry, told:
            registry.look(release(), ROOT)


def test_a_call_that_hangs_is_ended(shared: Registry, staged: Path, tmp_path: Path) -> None:
    """SQLite waits 20 s for a lock, whatever we say; the process is ended instead."""
    whole = release()
    with Registry("sqlite:///mlflow.db", folder=tmp_path, timeout=15) as registry:
        registry.record(whole, ROOT, staged, quiet)
        registry._calls._timeout = 0.5
        holder = sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreFailed, match=r"no answer within 0\.5 s") as caught:
            registry.look(whole, ROOT)
        assert "nothing was lost" in caught.value.hint
        registry._calls._timeout = 15
        holder.execute("ROLLBACK")
        holder.close()
        assert registry.look(whole, ROOT) is not None


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("text", "the file is not a database, or is damaged"),
        ("folder", "the database or its artifacts cannot be written"),
        ("newer", "the database has the schema of another MLflow"),
    ],
)
def test_databases_that_are_none(shared: Registry, tmp_path: Path, what: str, message: str) -> None:
    file = tmp_path / "mlflow.db"
    if what == "text":
        file.write_text("not a database " * 100)
    elif what == "folder":
        file.mkdir()
    else:
        assert shared.look(release(artifact="acme/none"), ROOT) is None
        shared.record(release(artifact="acme/made"), ROOT, tmp_path, quiet)
        shutil.copyfile(shared._calls._uri.removeprefix("sqlite:///"), file)
        with sqlite3.connect(file) as database:
            database.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        database.close()
    told = pytest.raises(StoreFailed)
    with Registry("sqlite:///mlflow.db", folder=tmp_path) as registry, told as caught:
        registry.record(release(), ROOT, tmp_path, quiet)
    assert message in caught.value.message
    assert str(file) in caught.value.message


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB, where this machine lets us make one."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount") or "mount"
    asked = [mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk(small: Path, staged: Path) -> None:
    filler = small / "filler"
    filler.write_bytes(b"\0" * 1_900_000)
    with Registry("sqlite:///mlflow.db", folder=small) as registry:
        with pytest.raises(StoreFailed, match="the disk is full") as caught:
            registry.record(release(), ROOT, staged, quiet)
        assert "free space" in caught.value.hint
        assert not (small / "mlflow.db").exists()
        filler.unlink()
        registry.record(release(), ROOT, staged, quiet)
        filler.write_bytes(b"")
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            for _ in range(100_000):
                file.write(b"\0" * 1024)
        with pytest.raises(StoreFailed, match="the disk is full"):
            registry.record(release("1.3.0"), ROOT, staged, quiet)
        filler.unlink()
        registry.record(release("1.3.0"), ROOT, staged, quiet)
        assert [one.version for one in registry.versions("acme/small")] == ["1.2.0", "1.3.0"]


def test_no_noise_and_no_secret_in_the_process(
    faulty: tuple[list[str], str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    faulty[0][0] = "good"
    with Registry(faulty[1], folder=tmp_path) as registry:
        registry.versions("acme/small")
        process = registry._calls._process
        assert process is not None
        told = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        around = Path(f"/proc/{process.pid}/environ").read_bytes()
        assert b"s3cret" not in told + around
        assert b"MLFLOW_DISABLE_TELEMETRY=true" in around
        assert b"GITHUB_TOKEN" not in around
        room = Path(f"/proc/{process.pid}/cwd").readlink()
    assert capfd.readouterr() == ("", "")
    assert not room.exists()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{process.pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{process.pid}").exists()
