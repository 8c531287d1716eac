"""A real PostgreSQL for tests: its own data folder, on the loopback, as a user without rights."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

FAST = "-c fsync=off -c shared_buffers=16MB -c max_connections=120 -c listen_addresses=127.0.0.1"


def _program(name: str) -> str | None:
    places = [Path("/usr/local/bin"), *sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
    return shutil.which(name) or next((str(p / name) for p in places if (p / name).exists()), None)


class Postgres:
    """One server. `stop` is like a power cut."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._count = 0
        self._run("initdb", "-D", str(folder / "data"), "-U", "warden", "-A", "trust", "-N")
        self.start()

    def _run(self, name: str, *arguments: str) -> None:
        drop: list[str] = []
        if os.getuid() == 0:  # it refuses to run as root
            user = pwd.getpwnam("nobody")
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            drop = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        done = subprocess.run(
            [*drop, _program(name) or name, *arguments],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr

    def _control(self, *arguments: str) -> None:
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-l", log, "-w", *arguments)

    def start(self) -> None:
        self._control("start", "-o", f"{FAST} -p {self._port} -k {self._folder}")

    def stop(self) -> None:
        self._control("stop", "-m", "immediate")

    def database(self) -> str:
        """Return the address of a new empty database."""
        import psycopg

        self._count += 1
        name = f"d{self._count}"
        address = f"host=127.0.0.1 port={self._port} user=warden dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://warden:hunter2@127.0.0.1:{self._port}/{name}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    pytest.importorskip("psycopg")
    for name in ("initdb", "pg_ctl"):
        if _program(name) is None:
            pytest.skip(f"PostgreSQL is not installed: no {name}")
    folder = Path(tempfile.mkdtemp(prefix="warden-pg-"))
    try:
        server = Postgres(folder)
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
