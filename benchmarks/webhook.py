"""Load: 5,000 signed deliveries at 200 a second, acknowledged after one durable insert.

Run: python -m benchmarks.webhook [--deliveries N] [--rate N] [--database postgresql://...]

The server is `modelwarden serve` as a process of its own; what it asks of GitHub is answered by the
GitHub of the tests. Bodies are the 329 real examples of GitHub's own webhooks in turn, each under a
new delivery id. The peer is the obvious design on the same machine and disk: the same check of the
signature, then the job engine's own enqueue inside the request, by 32 threads. Exits non-zero where
a delivery is lost.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from bot.github.webhook import signature
from tests.githubfake import FakeGitHub
from tests.githubfake.examples import payloads

SENDERS = 16  # connections, as GitHub keeps some open
DRAIN = 900.0  # seconds for the jobs after the last delivery
SECRET = "a-secret-of-the-benchmark"


def main() -> int:
    """Run both servers in turn and print what each acknowledged and when."""
    options = _options()
    if options.peer is not None:
        return _peer(options.peer, options.port)
    bodies = [(event, json.dumps(payload).encode()) for event, payload in payloads()]
    count, rate = options.deliveries, options.rate
    with tempfile.TemporaryDirectory() as name, FakeGitHub(Path(name)) as hub:
        peer = [sys.executable, "-m", "benchmarks.webhook", "--peer", f"{name}/peer"]
        with _server(peer, {}) as port:
            theirs = load(port, bodies, count, rate)
        show("enqueue in the request", theirs)
        folder = Path(name, "ours")
        command = [str(Path(sys.executable).with_name("modelwarden")), "serve"]
        with _server(command, _environment(hub, folder, options.database)) as port:
            ours = load(port, bodies, count, rate)
            show("one insert in the request", ours)
            began = time.monotonic()
            left = drain(port, lambda: _settled(folder, options.database), count)
            print(f"  jobs done {time.monotonic() - began:.0f} s after the last delivery")
        lost = count - _settled(folder, options.database)
    ratio = percentile(theirs, 0.99) / percentile(ours, 0.99)
    print(f"p99 of the peer over ours: {ratio:.1f}; deliveries lost: {lost}, jobs left: {left}")
    return 1 if lost or left or len(ours) < count else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--deliveries", type=int, default=5000)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--database", default="")
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--port", type=int, default=0)
    return parser.parse_args()


def _environment(hub: FakeGitHub, folder: Path, database: str) -> dict[str, str]:
    given = {
        "APP_ID": str(hub.app.id),
        "PRIVATE_KEY": hub.app.key,
        "WEBHOOK_SECRETS": SECRET,
        "GITHUB_URL": hub.url,
        "FOLDER": str(folder),
        "DATABASE": database,
    }
    return {f"MODELWARDEN_{name}": value for name, value in given.items() if value}


@contextlib.contextmanager
def _server(command: list[str], environment: dict[str, str]) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [*command, "--port", str(port)], env=os.environ | environment, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise SystemExit("the server does not start")


def load(port: int, bodies: list[tuple[str, bytes]], count: int, rate: float) -> list[float]:
    """Send deliveries at a steady rate; return the seconds until each was acknowledged.

    The clock of each starts when it was due, so a server that falls behind shows it.
    """
    due: queue.Queue[tuple[float, str, bytes] | None] = queue.Queue()
    seconds: list[float] = []
    threads = [threading.Thread(target=_send, args=(port, due, seconds)) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    start = time.monotonic() + 0.5
    for number in range(count):
        at = start + number / rate
        time.sleep(max(0.0, at - time.monotonic()))
        due.put((at, *bodies[number % len(bodies)]))
    for _ in threads:
        due.put(None)
    for thread in threads:
        thread.join()
    return seconds


def _send(
    port: int, due: queue.Queue[tuple[float, str, bytes] | None], seconds: list[float]
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while (item := due.get()) is not None:
        at, event, body = item
        headers = {
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": str(uuid.uuid4()),
            "X-Hub-Signature-256": signature(body, SECRET),
        }
        try:
            connection.request("POST", "/webhook", body, headers)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            continue
        if response.status == 202:
            seconds.append(time.monotonic() - at)
    connection.close()


def drain(port: int, settled: Callable[[], int], count: int) -> int:
    """Wait until every delivery is settled and no job is left; return how many jobs remain."""
    until = time.monotonic() + DRAIN
    left = -1
    while (settled() < count or left) and time.monotonic() < until:
        time.sleep(1)
        left = _queued(port)
    return left


def _queued(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    wanted = (
        "modelwarden_queue_jobs",
        "modelwarden_running_jobs",
        "modelwarden_deliveries_waiting",
    )
    return int(sum(float(x.split()[-1]) for x in text.splitlines() if x.startswith(wanted)))


def _settled(folder: Path, database: str) -> int:
    from bot.serve.records import Records

    files = [path for path in folder.glob("*.db") if not path.name.endswith(".jobs.db")]
    records = Records(database or f"sqlite:///{files[0]}")
    try:
        return sum(1 for _, _, note in records.notes(1_000_000) if note)
    finally:
        records.close()


def percentile(seconds: list[float], share: float) -> float:
    """Return the time within which a share of all was acknowledged."""
    return sorted(seconds)[max(0, round(share * len(seconds)) - 1)]


def show(name: str, seconds: list[float]) -> None:
    """Print one line of figures."""
    shown = ", ".join(
        f"{word} {1000 * percentile(seconds, share):.0f} ms"
        for word, share in (("median", 0.5), ("p99", 0.99), ("slowest", 1.0))
    )
    print(f"{name}: {len(seconds):,} acknowledged, {shown}", flush=True)


def _peer(folder: Path, port: int) -> int:
    import anyio.to_thread
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from bot.github.webhook import verify
    from bot.jobs import Engine
    from bot.serve.records import Records

    folder.mkdir(parents=True)
    records = Records(f"sqlite:///{folder}/records.db")
    flows = {"deliver": lambda steps, payload: None}
    engine = Engine(f"sqlite:///{folder}/jobs.db", flows, records, folder)
    engine.start()
    writers = anyio.CapacityLimiter(32)

    async def webhook(request: Request) -> JSONResponse:
        body = await request.body()
        delivery = verify(request.headers, body, (SECRET,))

        def put() -> None:
            engine.put("deliver", delivery.id, {"body": body.decode()})

        await anyio.to_thread.run_sync(put, limiter=writers)
        return JSONResponse({"accepted": True}, 202)

    app = Starlette(routes=[Route("/webhook", webhook, methods=["POST"])])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
