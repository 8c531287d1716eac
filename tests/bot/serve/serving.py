"""A served application over real HTTP and real SQLite, for tests."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from bot import catalog
from bot.github.webhook import LIMIT, signature
from bot.serve.app import build
from bot.serve.body import Reader
from bot.serve.contract import Plain, Waiting
from bot.serve.hook import Hook
from bot.serve.queueing import DeadLetter
from bot.serve.ready import Ready
from bot.serve.records import Records
from bot.serve.settings import Settings
from bot.serve.telemetry import Telemetry
from bot.serve.views import Views
from bot.serve.web import Server, listen, server

SECRET = "a-secret-of-the-webhook"
OLD = "the-secret-before-it-was-changed"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"


@dataclass
class Queue:
    """Jobs that only wait: what pages show of them needs no engine."""

    jobs: tuple[Waiting, ...] = ()
    failed: tuple[DeadLetter, ...] = ()

    def put(
        self, kind: str, key: str, payload: Mapping[str, Plain], *, author: int = 0, repo: int = 0
    ) -> None:
        raise AssertionError("the web never starts a job")

    def cancel(self, kind: str, key: str) -> None:
        raise AssertionError("the web never ends a job")

    def forget(self, kind: str, key: str) -> None:
        raise AssertionError("the web never drops a job")

    def waiting(self) -> tuple[Waiting, ...]:
        return self.jobs

    def alive(self, kind: str, key: str) -> bool:
        return False


@dataclass
class Served:
    """A running server and its parts."""

    records: Records
    jobs: Queue
    telemetry: Telemetry
    server: Server
    url: str
    port: int
    client: httpx.Client
    woken: list[float] = field(default_factory=list)

    def deliver(self, body: bytes = b"{}", **changes: str | None) -> httpx.Response:
        """Send a delivery; `changes` replace headers, None leaves one out."""
        return self.client.post("/webhook", content=body, headers=headers(body, **changes))


def headers(body: bytes, secret: str = SECRET, /, **changes: str | None) -> dict[str, str]:
    """The headers GitHub sends with a body."""
    given: dict[str, str | None] = {
        "content-type": "application/json",
        "x-github-event": "pull_request",
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "x-hub-signature-256": signature(body, secret),
    }
    given |= {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in given.items() if value is not None}


def settings(folder: Path, **more: Any) -> Settings:
    """Settings that need no environment."""
    given: dict[str, Any] = {
        "app_id": 5,
        "private_key": SecretStr(KEY),
        "webhook_secrets": (SecretStr(SECRET), SecretStr(OLD)),
        "folder": folder,
        "port": 0,
    }
    return Settings(**(given | more))


@contextlib.contextmanager
def serve(
    folder: Path, *, limit: int = LIMIT, seconds: float = 10.0, held: int = 1 << 28, **more: Any
) -> Iterator[Served]:
    """Serve the application on a free port of 127.0.0.1 until the block ends."""
    given = settings(folder, **more)
    records, jobs, telemetry = Records(given.database_url), Queue(), Telemetry()
    woken: list[float] = []
    hook = Hook(
        records, given.secrets, telemetry, lambda: woken.append(time.time()), limit,
        reader=Reader(limit, seconds=seconds, held=held),
    )  # fmt: skip
    ready = Ready(records, jobs, folder)
    views = Views(given, records, jobs, ready, catalog.rules(), lambda: jobs.failed)
    web = server(build(hook, views, telemetry), given)
    with listen(given) as opened:
        port = opened.getsockname()[1]
        thread = threading.Thread(target=web.run, args=([opened],), daemon=True)
        thread.start()
        while not web.started and thread.is_alive():
            time.sleep(0.01)
        url = f"http://127.0.0.1:{port}"
        try:
            with httpx.Client(base_url=url, timeout=20.0) as client:
                yield Served(records, jobs, telemetry, web, url, port, client, woken)
        finally:
            web.should_exit = True
            thread.join(20)
            records.close()
    assert not thread.is_alive()
