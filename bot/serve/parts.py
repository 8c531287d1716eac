"""The running server, put together: the one place that knows which room is made of what."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from bot import cache, catalog
from bot.github.client import GitHub
from bot.github.dry import DryHub
from bot.github.errors import Denied
from bot.github.mirror import Mirrors, size_of
from bot.github.transport import Reply
from bot.github.values import Hub, Target
from bot.jobs import Engine
from bot.serve.app import build as web_app
from bot.serve.clockwork import Clockwork
from bot.serve.configure import SettingsError
from bot.serve.contract import Judged
from bot.serve.flows import flows
from bot.serve.flows.deliver import settle
from bot.serve.flows.warden import Warden
from bot.serve.hook import Hook
from bot.serve.intake import Intake
from bot.serve.queueing import GPU, WEB, Limits, Pace
from bot.serve.ready import Ready
from bot.serve.records import Records
from bot.serve.settings import Settings
from bot.serve.shell import place
from bot.serve.telemetry import Telemetry
from bot.serve.views import Views
from bot.talk import quota

QUEUES = {"all": (WEB, GPU), "web": (WEB,), "gpu": (GPU,)}
MIRRORS = "mirrors"
log = logging.getLogger("modelwarden")


@dataclass(frozen=True, slots=True)
class Parts:
    """What one process runs. `app`, `intake` and `clockwork` are None in one for GPU jobs."""

    settings: Settings
    records: Records
    hub: Hub
    telemetry: Telemetry
    engine: Engine
    warden: Warden
    app: ASGIApp | None = None
    intake: Intake | None = None
    clockwork: Clockwork | None = None

    def start(self) -> None:
        """Begin to take jobs. Raises StoreError."""
        self.engine.start()
        if self.intake is not None:
            self.intake.start()
        if self.clockwork is not None:
            self.clockwork.start()

    def close(self) -> bool:
        """Take nothing more and let steps end. Returns whether all did; what is left is durable."""
        for part in (self.clockwork, self.intake):
            if part is not None:
                part.close()
        quiet = self.engine.close()
        self.records.close()
        return quiet


class Counted(Records):
    """Records that count what is kept, and say it in the log."""

    def __init__(self, url: str, telemetry: Telemetry) -> None:
        super().__init__(url)
        self._telemetry = telemetry

    def keep(self, judged: Judged) -> None:
        """Keep a report, and count it."""
        super().keep(judged)
        self._telemetry.judged(judged.part, judged.outcome)
        target = judged.target
        log.info("judged %s#%d at %s: %s %s", target.repo.name, target.number, target.head[:12],
                 judged.part, judged.outcome)  # fmt: skip

    def spend(self, target: Target, author: int, minutes: float, now: float) -> None:
        """Count minutes in the records and in the numbers."""
        super().spend(target, author, minutes, now)
        self._telemetry.spent(minutes)


class Watched(GitHub):
    """GitHub, with a note of what is left of the rate limit."""

    telemetry: Telemetry

    def send(self, *request: object, **more: object) -> Reply:
        """Send one request, and note what is left."""
        reply = super().send(*request, **more)  # type: ignore[arg-type]
        left = reply.headers.get("x-ratelimit-remaining", "")
        if left.isascii() and left.isdigit():
            self.telemetry.remaining(int(left))
        return reply


def github(settings: Settings, telemetry: Telemetry) -> Hub:
    """Return the way to GitHub; in a dry run, one without a way to write. Raises SettingsError."""
    key = settings.private_key.get_secret_value()
    try:
        real = Watched(settings.app_id, key, url=settings.github_url)
    except Denied as error:
        raise SettingsError(error.message, error.hint) from None
    real.telemetry = telemetry
    return DryHub(real, log.info) if settings.dry_run else real


def jobs_url(settings: Settings) -> str:
    """Return where jobs are kept: the same PostgreSQL, or an SQLite file beside the records."""
    url = settings.database_url
    if not url.startswith("sqlite"):
        return url
    scheme, _, file = url.partition(":///")
    return f"{scheme}:///{Path(file).with_suffix('.jobs.db')}"


def build(settings: Settings, pace: Pace = Pace()) -> Parts:
    """Make every part, not started. Raises BotError where one cannot be made."""
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    telemetry = Telemetry()
    hub = github(settings, telemetry)
    records = Counted(settings.database_url, telemetry)
    holder: list[Warden] = []
    limits = Limits(worker=settings.gpu_per_worker, author=settings.gpu_per_author,
                    repo=settings.gpu_per_repository)  # fmt: skip
    engine = Engine(
        jobs_url(settings), flows(lambda: holder[0]), records, settings.folder,
        only=QUEUES[settings.worker], limits=limits, pace=pace,
    )  # fmt: skip
    warden = _warden(settings, hub, records, engine)
    holder.append(warden)
    if settings.worker == "gpu":
        return Parts(settings, records, hub, telemetry, engine, warden)
    intake = Intake(records, lambda delivery: settle(warden, settings.app_id, delivery))
    ready = Ready(records, engine, settings.folder)
    rules = catalog.rules(warden.checks)
    views = Views(settings, records, engine, ready, rules, engine.dead_letters)
    hook = Hook(records, settings.secrets, telemetry, intake.wake)
    app = web_app(hook, views, telemetry)
    clockwork = Clockwork(engine, _tidy(settings, records, engine, telemetry), every=pace.look)
    return Parts(settings, records, hub, telemetry, engine, warden, app, intake, clockwork)


def _warden(settings: Settings, hub: Hub, records: Records, engine: Engine) -> Warden:
    return Warden(
        hub=hub,
        records=records,
        jobs=engine,
        mirrors=Mirrors(settings.folder / MIRRORS, int(settings.mirror_gb * 1e9)),
        limits=quota.Limits(
            author_minutes=settings.gpu_minutes_author,
            repository_minutes=settings.gpu_minutes_repository,
        ),
        holder=engine.worker,
        cache=cache.default_path(),
        plugins=settings.plugins,
        variables=settings.remote_variables,
        approval_seconds=settings.approval_hours * 3600.0,
        link=lambda target: report_link(settings, target),
        log=log.info,
    )


def report_link(settings: Settings, target: Target) -> str:
    """Return the address of a report's page; "" where this server has no public one."""
    if not settings.public_url:
        return ""
    return settings.public_url + place("r", target.repo.name, "pull", target.number)


def _tidy(
    settings: Settings, records: Records, engine: Engine, telemetry: Telemetry
) -> Callable[[float], None]:
    def tidy(now: float) -> None:
        dropped = records.prune(now, settings.retention_days * 86400.0) + engine.prune(now)
        telemetry.mirrors(size_of(settings.folder / MIRRORS))
        log.info("tidied: %s old rows dropped", dropped)

    return tidy
