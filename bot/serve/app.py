"""The web application: the webhook, what probes ask for, and read-only pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.errors import BotError
from bot.serve import pages
from bot.serve.access import Viewer, viewer
from bot.serve.hook import Hook
from bot.serve.shell import HEADERS
from bot.serve.telemetry import CONTENT_TYPE, Telemetry
from bot.serve.views import PAGES, NoPage, Views

READERS = 4  # pages made at once
_CLOSED = (
    "These pages may show private repositories. Send the operator's token: as password of the "
    "dialogue of your browser, or in the header Authorization: Bearer. Without a token set, they "
    "open only on the machine of the server itself."
)

T = TypeVar("T")
Endpoint = Callable[[Request], Awaitable[Response]]


def build(hook: Hook | None, views: Views, telemetry: Telemetry) -> ASGIApp:
    """Return the application; without `hook` it takes no deliveries."""
    door = _Door(views, telemetry)
    routes = [
        Route("/healthz", _alive),
        Route("/readyz", door.readyz),
        Route("/metrics", door.metrics),
        Route("/", door.status),
        Route("/queue", door.queue),
        Route("/r/{owner}/{name}", door.repository),
        Route("/r/{owner}/{name}/pull/{number:int}", door.pull),
        Route("/r/{owner}/{name}/pull/{number:int}/{part}.json", door.data),
        Route("/r/{owner}/{name}/signatures.jsonl", door.signatures),
        Route("/r/{owner}/{name}/{what}", door.listing),
    ]
    if hook is not None:
        routes.append(Route("/webhook", hook.__call__, methods=["POST"]))
    app = Starlette(routes=routes, exception_handlers={404: _missing})
    app.router.redirect_slashes = False
    return _Strict(app)


async def _alive(request: Request) -> Response:
    return Response("alive\n", media_type="text/plain")


async def _missing(request: Request, error: Exception) -> Response:
    words = "Look at the address, or begin at the status page."
    return HTMLResponse(pages.refusal("There is no such page", words), 404)


class _Door:
    """Pages for whoever may see them, made in threads."""

    def __init__(self, views: Views, telemetry: Telemetry) -> None:
        self._views, self._telemetry = views, telemetry
        self._readers = anyio.CapacityLimiter(READERS)

    async def _run(self, make: Callable[..., T], *given: Any) -> T:
        return await anyio.to_thread.run_sync(make, *given, limiter=self._readers)

    async def _page(self, request: Request, make: Callable[..., str], *given: Any) -> Response:
        seen_by = viewer(self._views.settings, request.headers)
        if not seen_by.anything:
            return self._closed()
        try:
            return HTMLResponse(await self._run(make, seen_by, *given))
        except NoPage:
            return await self._hidden(request, seen_by)
        except BotError:
            self._telemetry.error("pages")
            words = "The database does not answer: look at /readyz and at the server's log."
            return HTMLResponse(pages.refusal("Not now", words), 503)

    async def _hidden(self, request: Request, seen_by: Viewer) -> Response:
        """A page that is not there and one that may not be seen look alike."""
        return await _missing(request, NoPage()) if seen_by.all else self._closed()

    def _closed(self) -> Response:
        title = "These pages need a token"
        challenge = {"www-authenticate": 'Basic realm="modelwarden", charset="UTF-8"'}
        return HTMLResponse(pages.refusal(title, _CLOSED), 401, challenge)

    async def readyz(self, request: Request) -> Response:
        status, body = await self._run(self._views.readiness)
        return Response(body, status, media_type="application/json")

    async def metrics(self, request: Request) -> Response:
        if not viewer(self._views.settings, request.headers).all:
            return self._closed()
        try:
            jobs, failed = await self._run(self._views.jobs_now)
        except BotError:
            self._telemetry.error("engine")
            jobs, failed = (), 0
        return Response(self._telemetry.text(jobs, failed), media_type=CONTENT_TYPE)

    async def status(self, request: Request) -> Response:
        return await self._page(request, self._views.status)

    async def queue(self, request: Request) -> Response:
        return await self._page(request, self._views.queue, _number(request))

    async def repository(self, request: Request) -> Response:
        return await self._page(request, self._views.repository, _name(request))

    async def listing(self, request: Request) -> Response:
        what, number = str(request.path_params["what"]), _number(request)
        return await self._page(request, self._views.listing, _name(request), what, number)

    async def pull(self, request: Request) -> Response:
        number = min(request.path_params["number"], 2**53)
        return await self._page(request, self._views.pull, _name(request), number)

    async def data(self, request: Request) -> Response:
        number = min(request.path_params["number"], 2**53)
        part = str(request.path_params["part"])
        make = self._views.data
        return await self._file(request, "application/json", make, _name(request), number, part)

    async def signatures(self, request: Request) -> Response:
        kind = "application/x-ndjson"
        return await self._file(request, kind, self._views.signatures, _name(request))

    async def _file(
        self, request: Request, kind: str, make: Callable[..., bytes], *given: Any
    ) -> Response:
        seen_by = viewer(self._views.settings, request.headers)
        try:
            body = await self._run(make, seen_by, *given)
        except NoPage:
            return await self._hidden(request, seen_by)
        except BotError:
            return Response(b'{"error": "the database does not answer"}\n', 503)
        return Response(body, media_type=kind)


def _name(request: Request) -> str:
    return f"{request.path_params['owner']}/{request.path_params['name']}"


def _number(request: Request) -> int:
    given = request.query_params.get("page", "1")
    known = given.isascii() and given.isdigit() and len(given) < 6
    return min(max(int(given), 1), PAGES) if known else 1


class _Strict:
    """Puts the same strict headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = [(k.encode(), v.encode()) for k, v in HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._headers]
            await send(message)

        await self._app(scope, receive, strict)
