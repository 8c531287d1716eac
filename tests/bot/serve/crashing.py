"""The server as a real process: killed from outside at any request, and started again at once.

`Nest` is a process that has imported everything; each server is a fork of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from bot.serve.queueing import ALIVE, FAILED, Pace
from bot.serve.records.store import address
from modelwarden import ROOT
from tests.bot.serve.stack import wait_for
from tests.githubfake import FakeGitHub

PACE = Pace(poll=0.1, beat=0.3, dead=3.0, look=0.5)
SECONDS = 45.0  # that anything may take before a test gives up


@dataclass(frozen=True, slots=True)
class Patience:
    """How long this server waits, in seconds: shorter than one that people rely on.

    `first` before a step is tried again, `blind` for a limit that does not say how long, `stale`
    until a run without a job is given up, `often` between two such looks.
    """

    first: float = 0.2
    blind: float = 1.0
    stale: float = 600.0
    often: float = 300.0


class Nest:
    """Where servers come from. `temporary` is where they keep what is gone when they end."""

    def __init__(self, folder: Path) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        kept = {k: v for k, v in os.environ.items() if not k.startswith("MODELWARDEN_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bot.serve.crashing"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=kept | {"TMPDIR": str(self.temporary), "XDG_CACHE_HOME": str(folder / "cache")},
        )  # fmt: skip

    def hatch(self, config: Path, log: Path, patience: Patience, pace: Pace) -> int:
        """Start a server; return its process id."""
        assert self._process.stdin is not None and self._process.stdout is not None
        asked = [str(config), str(log), asdict(patience), asdict(pace)]
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


class Server:
    """One server. `more` are lines of its settings file; `name` is its folder."""

    def __init__(
        self, nest: Nest, hub: FakeGitHub, folder: Path, name: str = "one", *,
        patience: Patience = Patience(), pace: Pace = PACE, **more: Any,
    ) -> None:  # fmt: skip
        self.hub, self.folder, self.log = hub, folder / name, folder / f"{name}.log"
        self._nest, self._patience, self._pace = nest, patience, pace
        self.folder.mkdir(exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self._config = folder / f"{name}.yml"
        (folder / "key.pem").write_text(hub.app.key)
        (folder / "key.pem").chmod(0o600)
        lines = {
            "app_id": hub.app.id, "private_key_file": "key.pem", "github_url": hub.url,
            "webhook_secrets": [hub.app.secret], "folder": str(self.folder),
            "port": int(self.url.rpartition(":")[2]), **more,
        }  # fmt: skip
        self._config.write_text(json.dumps(lines))
        self._config.chmod(0o600)
        database = str(more.get("database") or f"sqlite:///{self.folder}/modelwarden.db")
        jobs = database.replace("modelwarden.db", "modelwarden.jobs.db")
        self._records, self._jobs = (sa.create_engine(address(url)) for url in (database, jobs))
        self._table = "workflow_status" if jobs != database else "warden_jobs.workflow_status"
        self.pid, self._end, self.kills = 0, -1, 0

    def start(self) -> None:
        """Start, and wait until it answers, or was killed once more."""
        self.pid = self._nest.hatch(self._config, self.log, self._patience, self._pace)
        self._end = os.pidfd_open(self.pid)
        wait_for(lambda: not self.alive or self._healthy(), "the server", SECONDS)

    def _healthy(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/healthz", timeout=5).status_code == 200
        return False

    @property
    def alive(self) -> bool:
        return self._end >= 0 and not select.select([self._end], [], [], 0)[0]

    def kill(self) -> None:
        """Kill -9; return once it is gone."""
        self.kills += 1
        signal.pidfd_send_signal(self._end, signal.SIGKILL)
        select.select([self._end], [], [], 20)

    def stop(self) -> None:
        """Ask it to end, and see that it leaves nothing running."""
        if self.alive:
            signal.pidfd_send_signal(self._end, signal.SIGTERM)
            assert select.select([self._end], [], [], 40)[0], "it does not stop"
        wait_for(lambda: not self.left(), f"the end of {self.left()}", 15)
        os.close(self._end)
        self._end = -1
        for engine in (self._records, self._jobs):
            engine.dispose()

    def left(self) -> list[str]:
        """Command lines of processes that work for this server, itself not among them."""
        found = []
        marks = [str(self.folder).encode(), str(self._nest.temporary).encode()]
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                line = (path / "cmdline").read_bytes()
                place = os.fsencode((path / "cwd").readlink())
                if int(path.name) != self.pid and any(m in line + b" " + place for m in marks):
                    found.append(line.replace(b"\0", b" ").decode("utf-8", "replace"))
        return found

    def count(self, *states: str) -> int:
        """How many jobs are in one of these states."""
        named = ", ".join(f"'{state}'" for state in states)
        query = f"SELECT count(*) FROM {self._table} WHERE status IN ({named})"
        with self._jobs.connect() as c:
            return int(c.execute(sa.text(query)).scalar() or 0)

    def unhanded(self) -> int:
        """How many deliveries are accepted and no job's yet."""
        with self._records.connect() as c:
            query = "SELECT count(*) FROM warden_deliveries WHERE NOT handed"
            return int(c.execute(sa.text(query)).scalar() or 0)

    def idle(self) -> bool:
        with contextlib.suppress(sa.exc.OperationalError):
            return not self.unhanded() and not self.count(*ALIVE)
        return False

    def settle(self, seconds: float = SECONDS) -> None:
        """Wait until every delivery is answered, handed over, and no job is left.

        Where it was killed meanwhile, it is started again.
        """
        self.hub.flush(seconds)
        until = time.monotonic() + seconds
        while not self.idle():
            if not self.alive:
                self.again()
                until = max(until, time.monotonic() + seconds / 2)
            assert time.monotonic() < until, self.log.read_text()[-6000:]
            time.sleep(0.05)
        if not self.alive:
            self.again()

    def again(self) -> None:
        """Start once more what was killed."""
        os.close(self._end)
        self.start()

    def failed(self) -> int:
        """How many jobs ended without doing their work."""
        return self.count(*FAILED)


@contextlib.contextmanager
def serving(nest: Nest, hub: FakeGitHub, folder: Path, **more: Any) -> Iterator[Server]:
    """Serve until the block ends; GitHub's deliveries go there."""
    server = Server(nest, hub, folder, **more)
    try:
        server.start()
        assert server.alive, server.log.read_text()[-3000:]
        hub.deliver_to(f"{server.url}/webhook")
        yield server
    finally:
        hub.deliver_to("")
        if server.alive:
            hub.faults.clear()
        server.stop()


def _serve(config: str, log: str, patience: dict[str, float], pace: dict[str, float]) -> int:
    from bot.github import transport
    from bot.serve import clockwork, run, stepping
    from bot.serve.configure import load
    from bot.serve.flows import upkeep

    stepping.FIRST = patience["first"]
    transport.BLIND = patience["blind"]
    upkeep.PATIENCE = patience["stale"]
    clockwork.OFTEN = patience["often"]
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for descriptor in (1, 2):
        os.dup2(file, descriptor)
    return run.run(load(Path(config)), Pace(**pace))


def main() -> None:
    """Fork a server for each line."""
    from bot.serve import logs, parts, run, web  # noqa: F401 - the forks need not import them

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while line := sys.stdin.readline():  # a buffer that is shared holds no second line
        child = os.fork()
        if not child:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(0)
            os.open(os.devnull, os.O_RDONLY)
            code = 1
            try:
                code = _serve(*json.loads(line))
            finally:
                sys.stderr.flush()
                os._exit(code)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
