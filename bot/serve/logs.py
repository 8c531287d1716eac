"""The server's log: one line an event, on standard error, without any secret."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from bot.quoting import printable
from bot.report.neutral import redact
from bot.serve.settings import Settings

ROOT = "modelwarden"
SHAPE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Quiet(logging.Formatter):
    """Lines without what is shaped like a secret, and without the secrets of these settings."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__(SHAPE)
        self._secrets = tuple(s for s in secrets if s)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text; control characters cannot begin a line of their own."""
        line = super().format(record)
        for secret in self._secrets:
            line = line.replace(secret, "[redacted]")
        lines = redact(line).split("\n")
        return "\n  ".join(map(printable, lines))


class Counting(logging.Handler):
    """Counts what goes wrong by the part of the server that says so."""

    def __init__(self, count: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._count = count

    def emit(self, record: logging.LogRecord) -> None:
        """Count one record."""
        self._count(record.name.removeprefix(f"{ROOT}.").partition(".")[0])


def hush() -> None:
    """Keep libraries quiet that say of each try that it failed, and not why: we say what it was."""
    logging.getLogger("stamina").setLevel(logging.ERROR)


def configure(settings: Settings, count: Callable[[str], None]) -> None:
    """Send what we and the web server say to standard error, warnings of libraries included."""
    handler = logging.StreamHandler(sys.stderr)
    password = settings.database.get_secret_value()
    handler.setFormatter(
        Quiet(
            (
                settings.private_key.get_secret_value().strip(),
                settings.status_token.get_secret_value(),
                password,
                *settings.secrets,
            )
        )
    )
    own = logging.getLogger(ROOT)
    own.setLevel(logging.INFO)
    own.propagate = False
    own.handlers = [handler, Counting(count)]
    everyone = logging.getLogger()
    everyone.setLevel(logging.WARNING)
    everyone.handlers = [handler]
    hush()
