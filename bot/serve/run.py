"""`modelwarden serve`: settings, then the doctor or the parts, until a signal says enough."""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from bot.errors import BotError, UsageError
from bot.serve.configure import load
from bot.serve.queueing import Pace
from bot.serve.settings import Settings

PR_SET_DUMPABLE = 4
log = logging.getLogger("modelwarden")


def serve(
    *,
    config: Path | None,
    database: str | None,
    host: str | None,
    port: int | None,
    worker: str | None,
    check: bool,
    dry_run: bool,
    format_: str,
) -> int:
    """Serve until SIGTERM or Ctrl-C, or say with `check` what is wrong. Return the exit code."""
    if database and urlsplit(database).password:
        raise UsageError(
            "--database holds a password, which every user of this machine can read",
            "put the address into MODELWARDEN_DATABASE or the settings file",
        )
    settings = load(
        config, database=database, host=host, port=port, worker=worker, dry_run=dry_run or None
    )
    return examine(settings, format_) if check else run(settings)


def examine(settings: Settings, format_: str) -> int:
    """Let the doctor look; 0 where nothing has to be repaired, else 1."""
    from bot.serve import doctor, logs
    from bot.serve.parts import github
    from bot.serve.records import Records
    from bot.serve.telemetry import Telemetry

    logs.hush()
    hub = github(settings, Telemetry())
    items = doctor.examine(settings, hub, lambda: Records(settings.database_url))
    return doctor.show(items, format_)


def seal() -> None:
    """Keep other processes of this user, those that read strangers' files too, out of our memory.

    They could read the key there, and in /proc the environment it may have come in.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


def run(settings: Settings, pace: Pace = Pace()) -> int:
    """Run every part that this process is for, until a signal. Return the exit code."""
    from bot.serve import logs, parts, web

    faulthandler.enable()
    seal()
    stop = threading.Event()
    opened = None if settings.worker == "gpu" else web.listen(settings)
    made = parts.build(settings, pace)
    logs.configure(settings, made.telemetry.error)
    server = web.server(made.app, settings) if made.app is not None else None

    def enough(number: int, frame: FrameType | None) -> None:
        stop.set()
        if server is not None:
            server.should_exit = True

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, enough)
    try:
        made.start()
    except BotError:
        made.records.close()
        raise
    try:
        if server is not None and opened is not None:
            log.info("serving at %s:%s", *opened.getsockname()[:2])
            if not stop.is_set():
                server.run([opened])
        else:
            log.info("taking GPU jobs")
            stop.wait()
    finally:
        log.info("stopping: what is not done goes on in another process, or at the next start")
        quiet = made.close()
        log.info("stopped")
    if not quiet:  # a step still holds a thread; everything it was told is durable
        sys.stderr.flush()
        os._exit(0)
    return 0
