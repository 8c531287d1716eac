from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bot.github.webhook import signature
from modelwarden import ROOT
from tests.bot.serve.serving import KEY
from tests.githubfake import FakeGitHub

SECRET = "a-secret-of-the-webhook"
LINE = (sys.executable, str(ROOT / "modelwarden.py"), "serve")


@dataclass
class Process:
    """A server as a process of its own."""

    child: subprocess.Popen[str]
    said: str
    url: str

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """End it; return its exit code and its whole log."""
        self.child.send_signal(how)
        _, rest = self.child.communicate(timeout=40)
        return self.child.returncode, self.said + rest


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("MODELWARDEN_")}


def config(folder: Path, hub: FakeGitHub, more: str = "") -> Path:
    (folder / "key.pem").write_text(hub.app.key)
    (folder / "key.pem").chmod(0o600)
    path = folder / "serve.yml"
    path.write_text(
        f"app_id: {hub.app.id}\nprivate_key_file: key.pem\nwebhook_secrets: [{SECRET}]\n"
        f"github_url: {hub.url}\nfolder: data\nport: 0\nmirror_gb: 0.001\n{more}"
    )
    path.chmod(0o600)
    return path


@contextmanager
def process(path: Path, *words: str) -> Iterator[Process]:
    child = subprocess.Popen(
        [*LINE, "--config", str(path), *words], stderr=subprocess.PIPE, text=True,
        env=environment(),
    )  # fmt: skip
    assert child.stderr is not None
    try:
        said = ""
        for line in child.stderr:
            said += line
            if found := re.search(r"serving at (\S+):(\d+)|taking GPU jobs", line):
                url = f"http://{found[1]}:{found[2]}" if found[1] else ""
                yield Process(child, said, url)
                return
        raise AssertionError(said)
    finally:
        child.kill()
        child.wait()
        child.stderr.close()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path) as running:
        running.repository("acme/tiny")
        yield running


def deliver(url: str, event: str = "ping", body: bytes = b'{"zen": "x"}') -> int:
    headers = {
        "content-type": "application/json", "x-github-event": event,
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "x-hub-signature-256": signature(body, SECRET),
    }  # fmt: skip
    return httpx.post(f"{url}/webhook", content=body, headers=headers, timeout=20).status_code


def test_it_serves_and_stops_cleanly(tmp_path: Path, hub: FakeGitHub) -> None:
    with process(config(tmp_path, hub), "--dry-run") as server:
        assert deliver(server.url) == 202
        ready = httpx.get(f"{server.url}/readyz", timeout=20)
        assert ready.json() == {"ready": True, "reasons": []}
        assert "Dry run" in httpx.get(server.url, timeout=20).text
        arguments = Path(f"/proc/{server.child.pid}/cmdline").read_bytes()
        assert SECRET.encode() not in arguments and b"PRIVATE KEY" not in arguments
        code, said = server.stop()
    assert code == 0, said
    assert "stopping: what is not done goes on" in said and said.endswith("modelwarden: stopped\n")
    assert "Traceback" not in said
    for secret in (SECRET, hub.app.key.splitlines()[3]):
        assert secret not in said
    database = sqlite3.connect(tmp_path / "data" / "modelwarden.db")
    try:
        rows = database.execute("SELECT id, event FROM warden_deliveries").fetchall()
    finally:
        database.close()
    assert rows == [("72d3162e-cc78-11e3-81ab-4c9367dc0958", "ping")]
    assert not hub.violations


def test_a_gpu_worker_opens_no_port(tmp_path: Path, hub: FakeGitHub) -> None:
    path = config(tmp_path, hub)
    path.write_text(path.read_text().replace(f"webhook_secrets: [{SECRET}]\n", ""))
    with process(path, "--worker", "gpu") as worker:
        sockets = {str(f.readlink()) for f in Path(f"/proc/{worker.child.pid}/fd").iterdir()}
        listening = Path(f"/proc/{worker.child.pid}/net/tcp").read_text()
        ours = {s[8:-1] for s in sockets if s.startswith("socket:[")}
        states = {w[9]: w[3] for w in map(str.split, listening.splitlines()[1:])}
        assert "0A" not in {states.get(inode) for inode in ours}
        code, said = worker.stop(signal.SIGINT)
    assert code == 0, said


def test_what_was_accepted_survives_a_kill(tmp_path: Path, hub: FakeGitHub) -> None:
    path = config(tmp_path, hub)
    with process(path) as server:
        assert deliver(server.url) == 202
        server.stop(signal.SIGKILL)
    with process(path) as server:
        assert deliver(server.url) == 202  # the same delivery: known
        page = httpx.get(f"{server.url}/metrics", timeout=20).text
        assert 'event="other",outcome="seen"' in page or 'event="ping",outcome="seen"' in page
        assert server.stop()[0] == 0


def say(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LINE, *words], capture_output=True, text=True, env=environment() | variables, timeout=60
    )


def test_it_refuses_to_start_and_says_which(tmp_path: Path) -> None:
    done = say(MODELWARDEN_APP_ID="5", MODELWARDEN_WEBHOOK_SECRETS=SECRET)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no private key of the App\n  name its file: private_key_file" in done.stderr
    done = say(MODELWARDEN_APP_ID="5", MODELWARDEN_PRIVATE_KEY=KEY)
    assert done.returncode == 2 and "no webhook secret" in done.stderr
    done = say(MODELWARDEN_APP_ID="5", MODELWARDEN_PRIVATE_KEY=KEY,
               MODELWARDEN_WEBHOOK_SECRETS=SECRET, MODELWARDEN_FOLDER=str(tmp_path))  # fmt: skip
    assert done.returncode != 0 and "AAAA" not in done.stderr  # a key that is none
    assert "Traceback" not in done.stderr


def test_a_key_that_is_none(tmp_path: Path, hub: FakeGitHub) -> None:
    path = config(tmp_path, hub)
    (tmp_path / "key.pem").write_text(KEY)
    for words in ((), ("--check",)):
        done = say("--config", str(path), *words)
        assert done.returncode == 2 and "private key cannot be used" in done.stderr


def test_a_password_in_the_arguments_is_refused() -> None:
    done = say("--database", "postgresql://bot:hunter2hunter2@db/warden")
    assert done.returncode == 2 and "MODELWARDEN_DATABASE" in done.stderr
    assert "hunter2" not in done.stderr


def test_a_port_that_is_taken(tmp_path: Path, hub: FakeGitHub) -> None:
    port = hub.url.rpartition(":")[2]
    done = say("--config", str(config(tmp_path, hub)), "--port", port)
    assert done.returncode == 2 and "cannot be listened at" in done.stderr


def test_the_doctor_as_json(tmp_path: Path, hub: FakeGitHub) -> None:
    path = config(tmp_path, hub, "worker: web\n")
    done = say("--config", str(path), "--check", "--format", "json")
    said = json.loads(done.stdout)
    states = {item["name"]: item["state"] for item in said["items"]}
    assert states["app"] == states["database"] == "ok" and states["webhook"] == "fail"
    assert done.returncode == 1 and said["ok"] is False
    assert SECRET not in done.stdout and "PRIVATE" not in done.stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
def test_the_memory_with_the_key_is_closed_to_other_processes() -> None:
    code = (
        "import ctypes; from bot.serve.run import seal; seal(); "
        "print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"  # PR_GET_DUMPABLE
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "0\n", done.stderr
