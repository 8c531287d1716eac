"""The doctor: asks GitHub, the database and the machine, and says what is wrong and what to do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import click

from bot import git, process, sandbox
from bot.errors import BotError, CouldNotTell
from bot.github.checkruns import SUMMARY
from bot.github.errors import Denied, GitHubError
from bot.github.values import Hub, Repo
from bot.quoting import plain, printable
from bot.report.neutral import redact
from bot.serve import diagnosis
from bot.serve.diagnosis import Item
from bot.serve.records import Records
from bot.serve.settings import Settings
from bot.wording import plural
from modelwarden import ROOT
from security.errors import SecurityError

REPOSITORIES = 50  # looked at; more are said to be left out
GPU_SECONDS = 120.0  # torch takes its time on a cold disk
_DEVICES = (
    "import sys; sys.path.insert(0, sys.argv[1]); from lab.model.devices import devices; "
    "print('devices', *devices('auto'))"
)


def examine(settings: Settings, hub: Hub, store: Callable[[], Records]) -> Iterator[Item]:
    """Yield what is found, one look after the other. `store` opens the database."""
    yield from _asked("database", lambda: (_database(settings, store),))
    yield from _asked("folder", lambda: (_folder(settings),))
    yield from _asked("git", lambda: (_git(),))
    if settings.worker != "web":
        yield from _asked("sandbox", lambda: (_sandbox(),))
        yield from _asked("gpu", lambda: (_gpu(settings),))
    app = yield from _identity(hub, settings.app_id)
    if not app:  # whatever else is asked of GitHub has the same answer
        return
    yield from _asked("clock", lambda: (diagnosis.clock(hub.clock(), time.time()),))
    if settings.worker != "gpu":
        yield from _asked("webhook", lambda: diagnosis.webhook(hub.hook(), settings.public_url))
        yield from _branches(hub, app)


def _asked(name: str, look: Callable[[], tuple[Item, ...]]) -> Iterator[Item]:
    try:
        yield from look()
    except (BotError, SecurityError) as error:
        yield Item(name, "fail", error.message, error.hint)
    except OSError as error:
        yield Item(name, "fail", error.strerror or "cannot be used", "look at the path and rights")


def _database(settings: Settings, store: Callable[[], Records]) -> Item:
    records = store()
    try:
        records.ping()
    finally:
        records.close()
    return Item("database", "ok", settings.database_shown)


def _folder(settings: Settings) -> Item:
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryFile(dir=settings.folder) as file:
        file.write(b"a line\n")
    free = shutil.disk_usage(settings.folder).free
    return diagnosis.room(free, settings.mirror_gb * 1e9)


def _git() -> Item:
    _, said, _ = git.run(Path.cwd() if Path.cwd().is_dir() else Path("/"), "version")
    found = re.search(rb"(\d+)\.(\d+)(?:\.(\d+))?", said[:200])
    return diagnosis.git(tuple(int(n) for n in found.groups(b"0")) if found else ())


def _sandbox() -> Item:
    held = sandbox.probe()
    return diagnosis.sandbox(held.rung, held.missing(sandbox.PROTECTIONS))


def _gpu(settings: Settings) -> Item:
    """Look in a child: this process never imports torch, and a broken driver may end it."""
    line = (sys.executable, "-I", "-c", _DEVICES, str(ROOT))
    kept = {k: v for k, v in os.environ.items() if k in sandbox.CUDA_VARIABLES}
    with process.child(line, env=sandbox.ENVIRONMENT | kept, cwd=Path("/")) as child:
        try:
            said, _ = child.communicate(timeout=GPU_SECONDS)
        except subprocess.TimeoutExpired:
            raise CouldNotTell("PyTorch did not answer", "look at the GPU's driver") from None
    last = said.decode("utf-8", "replace").strip().rpartition("\n")[2]
    if child.returncode or not last.startswith("devices"):
        raise CouldNotTell(
            f"PyTorch does not load: {plain(last)}", "pip install 'modelwarden[model]'"
        )
    return diagnosis.gpu(tuple(last.split()[1:]), settings.worker)


def _identity(hub: Hub, app: int) -> Generator[Item, None, int]:
    """Yield what is found about the App; return its id, 0 where GitHub does not know it."""
    try:
        who = hub.identity()
    except Denied as error:
        yield diagnosis.stranger(app, error.message)
        return 0
    except GitHubError as error:
        yield Item("app", "fail", error.message, error.hint)
        return 0
    yield Item("app", "ok", f"App {who.app} ({who.slug}), comments as {who.bot.login}")
    yield from diagnosis.permissions(who)
    yield diagnosis.releasing(who)
    yield from diagnosis.events(who)
    return who.app


def _branches(hub: Hub, app: int) -> Iterator[Item]:
    try:
        found = tuple(islice(hub.repositories(), REPOSITORIES + 1))
    except GitHubError as error:
        yield Item("branch", "fail", error.message, error.hint)
        return
    if not found:
        yield Item("branch", "warn", "no repository yet", "install the App on a repository")
    for repo in found[:REPOSITORIES]:
        yield _branch(hub, repo, app)
    if len(found) > REPOSITORIES:
        yield Item("branch", "ok", f"the first {REPOSITORIES} repositories were looked at")


def _branch(hub: Hub, repo: Repo, app: int) -> Item:
    try:
        required = hub.at(repo).required_checks(repo.default_branch)
    except Denied as error:  # GitHub gives no token: nothing of this repository can be judged
        return Item("branch", "fail", f"{repo.name}: {error.message}", error.hint)
    except GitHubError as error:
        return Item("branch", "warn", f"{repo.name}: {error.message}", error.hint)
    return diagnosis.branch(repo, required, SUMMARY, app)


def show(items: Iterator[Item], format_: str) -> int:
    """Print what is found as it comes, or all of it as JSON. Return the exit code."""
    seen = []
    for item in items:
        seen.append(item)
        if format_ == "text":
            click.echo(f"{item.state:<5} {item.name:<12} {_safe(item.said)}")
            if item.remedy:
                click.echo(f"{'':<18} to do: {_safe(item.remedy)}")
    failed = sum(item.state == "fail" for item in seen)
    if format_ == "json":
        listed = [asdict(item) for item in seen]
        click.echo(redact(json.dumps({"ok": not failed, "items": listed}, indent=2)))
    else:
        warned = sum(item.state == "warn" for item in seen)
        aside = f" ({plural(warned, 'warning')})" if warned else ""
        click.echo(f"{plural(failed, 'thing')} to repair" if failed else f"ready to serve{aside}")
    return 1 if failed else 0


def _safe(text: str) -> str:
    return printable(redact(text))[:500]
