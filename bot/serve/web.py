"""The web server: uvicorn within bounds, and stopped by us rather than by signals of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Generator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.errors import UsageError
from bot.serve.settings import Settings

CONNECTIONS = 512
BACKLOG = 1024  # connections that wait to be taken
HEADER_BYTES = 32_768
IDLE, DRAIN = 5, 20  # seconds a connection may be idle, and a stopping server may take
LATE = 10.0  # seconds in which a request's headers must have come


class Protocol(H11Protocol):
    """Closes connections on which no request begins: uvicorn would wait for ever."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to watch."""
        super().connection_made(transport)
        self._watch(asked=-1)

    def _watch(self, asked: int) -> None:
        if self.transport.is_closing():
            return
        now = id(self.cycle) if self.cycle else 0
        waits = self.cycle is None or self.cycle.response_complete
        if waits and now == asked:
            self.transport.close()
            return
        self.loop.call_later(LATE, self._watch, now if waits else -1)


class Server(uvicorn.Server):
    """A server that leaves signals alone; `should_exit` stops it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Take no signal."""
        yield


def server(app: ASGIApp, settings: Settings) -> Server:
    """Return a server for the application, not started."""
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxy),
        forwarded_allow_ips=settings.trusted_proxy or None,
        limit_concurrency=CONNECTIONS,
        backlog=BACKLOG,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=DRAIN,
        h11_max_incomplete_event_size=HEADER_BYTES,
    )
    return Server(config)


def listen(settings: Settings) -> socket.socket:
    """Return a socket at the address of the settings. Raises UsageError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((settings.host, settings.port))
        made.listen(BACKLOG)  # from here on whoever comes waits, however long the start takes
    except OSError as error:
        made.close()
        raise UsageError(
            f"{settings.host}:{settings.port} cannot be listened at: {error.strerror or error}",
            "stop what uses it, or choose --host and --port",
        ) from error
    return made
