"""The whole server in this process, against the GitHub of the tests: real HTTP, git and SQLite."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from bot.serve import parts, web
from bot.serve.parts import Parts
from bot.serve.settings import Settings
from tests.githubfake import FakeGitHub
from tests.githubfake.repository import Repository

SECONDS = 60.0  # that anything may take before a test gives up
POLICY = "version: 1\n"
SIGNED = "Signed-off-by: {0} <{0}@users.noreply.github.com>"


@dataclass
class Stack:
    """A running server and the GitHub it serves."""

    hub: FakeGitHub
    parts: Parts
    url: str

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=20)

    def settle(self) -> None:
        """Wait until every delivery is answered, handed over, and no job is left."""
        self.hub.flush()
        wait_for(self._idle, "the jobs to end", every=0.2)  # asking takes what the jobs need

    def _idle(self) -> bool:
        return not self.parts.records.waiting(1) and not self.parts.engine.waiting()

    def runs(self, repo: Repository, head: str) -> dict[str, str]:
        """The newest run of each name on a commit: its conclusion, or its status."""
        found = {}
        for run in sorted(repo.runs.values(), key=lambda r: r.id):
            if run.head_sha == head:
                found[run.name] = run.conclusion or run.status
        return found

    def ours(self, repo: Repository, number: int) -> list[str]:
        """What our account wrote under a pull request, oldest first."""
        bot = self.hub.app.bot
        comments = sorted(repo.comments.values(), key=lambda c: c.id)
        return [c.body for c in comments if c.author is bot and c.number == number]


def wait_for(
    true: Callable[[], bool], what: str, seconds: float = SECONDS, *, every: float = 0.05
) -> None:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"waited too long for {what}"
        time.sleep(every)


def settings(folder: Path, hub: FakeGitHub, **more: Any) -> Settings:
    """Settings of a server for this GitHub."""
    given: dict[str, Any] = {
        "app_id": hub.app.id,
        "private_key": SecretStr(hub.app.key),
        "webhook_secrets": (SecretStr(hub.app.secret),),
        "github_url": hub.url,
        "folder": folder / "server",
        "port": 0,
    }
    return Settings(**(given | more))


@contextlib.contextmanager
def running(folder: Path, hub: FakeGitHub, **more: Any) -> Iterator[Stack]:
    """Serve until the block ends; GitHub's deliveries come here."""
    given = settings(folder, hub, **more)
    made = parts.build(given)
    assert made.app is not None
    served = web.server(made.app, given)
    with web.listen(given) as opened:
        url = f"http://127.0.0.1:{opened.getsockname()[1]}"
        made.start()
        thread = threading.Thread(target=served.run, args=([opened],), daemon=True)
        thread.start()
        wait_for(lambda: served.started, "the web server")
        hub.deliver_to(f"{url}/webhook")
        try:
            yield Stack(hub, made, url)
        finally:
            hub.deliver_to("")
            served.should_exit = True
            thread.join(30)
            made.close()
