"""From a request to its handler: routes, rights, the description, limits."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.githubfake import (
    actionside,
    appside,
    checkside,
    codeside,
    openapi,
    releaseside,
    talkside,
)
from tests.githubfake.call import Answer, Call, Refused, Route
from tests.githubfake.people import Identity
from tests.githubfake.rights import reaches

if TYPE_CHECKING:
    from tests.githubfake.hub import FakeGitHub
    from tests.githubfake.repository import Repository

# Parameters that may hold slashes.
GREEDY = {"path", "branch", "ref", "basehead", "tag"}
CREATES = re.compile(r"POST .*(/comments|/issues|/reactions|/releases)")


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    body: Any
    who: Identity | str
    headers: dict[str, str] = field(default_factory=dict)
    data: bytes = b""
    uploading: bool = False
    cut: bool = False


@functools.cache
def routes() -> tuple[tuple[re.Pattern[str], Route], ...]:
    """Every route with its pattern, the most literal first."""
    found = [
        *actionside.ROUTES,
        *appside.ROUTES,
        *checkside.ROUTES,
        *talkside.ROUTES,
        *codeside.ROUTES,
        *releaseside.ROUTES,
    ]

    def pattern(template: str) -> re.Pattern[str]:
        def part(m: re.Match[str]) -> str:
            return f"(?P<{m[1]}>{'.+' if m[1] in GREEDY else '[^/]+'})"

        return re.compile(re.sub(r"\{(\w+)\}", part, template))

    found.sort(key=lambda r: -len(re.sub(r"\{\w+\}", "", r.template)))
    return tuple((pattern(r.template), r) for r in found)


def _visible(repo: Repository, who: Identity) -> bool:
    token = who.token
    if token is None or not repo.private:
        return token is not None
    if token.installation is None:
        return repo.rank(who.user) >= 0
    inside = repo.id in token.installation.repositories
    return inside and (token.repositories is None or repo.id in token.repositories)


def answer(hub: FakeGitHub, asked: Asked) -> Answer:
    """The answer to a request, refusals included. Violations are noted on the way."""
    try:
        return _answer(hub, asked)
    except Refused as no:
        return Answer(no.status, no.body, no.headers)


def _violated(hub: FakeGitHub, asked: Asked, problem: str) -> None:
    hub.violations.append(f"{asked.method} {asked.path}: {problem}")


def _match(hub: FakeGitHub, asked: Asked) -> tuple[Route, dict[str, str]]:
    allowed = False
    for pattern, route in routes():
        found = pattern.fullmatch(asked.path)
        if found and route.method == asked.method:
            return route, found.groupdict()
        allowed = allowed or bool(found)
    _violated(hub, asked, "no such route")
    raise Refused(404, "Not Found")


def _answer(hub: FakeGitHub, asked: Asked) -> Answer:
    asked = _moved(hub, asked)
    route, params = _match(hub, asked)
    body = asked.body
    if body is not None and not isinstance(body, dict):
        _violated(hub, asked, "the body is no JSON object")
        raise Refused(400, "Problems parsing JSON")
    for problem in openapi.problems(route.template, asked.method, params, asked.query, body):
        _violated(hub, asked, problem)
    for problem in openapi.unwritten(route.template, asked.method, body or {}):
        _violated(hub, asked, problem)
    who = asked.who
    if route.kind == "public" and who == "Requires authentication":
        who = Identity("anonymous", hub.app.owner)
    if not isinstance(who, Identity):
        raise Refused(403 if "suspended" in who else 401, who)
    if (route.kind == "app") != (who.kind == "app") and route.kind != "any":
        if route.kind == "app":
            raise Refused(401, "A JSON web token could not be decoded")
        raise Refused(403, "Resource not accessible by integration")
    if route.template != "/rate_limit":
        _limit(hub, asked, who)
    call = Call(
        hub, asked.method, asked.path, params, asked.query, body or {}, who, None, asked.headers,
        asked.data, asked.uploading, asked.cut,
    )  # fmt: skip
    if "repo" in params:
        call.found = _repository(hub, route, params, who)
    return route.handler(call)


def _moved(hub: FakeGitHub, asked: Asked) -> Asked:
    """Redirect from a repository's old name to its number, and read its number as its name."""
    _, kind, *words = asked.path.split("/")
    old = hub.moved.get("/".join(words[:2])) if kind == "repos" else None
    if old is not None:
        place = "/".join([hub.url, "repositories", str(old.id), *words[2:]])
        raise Refused(301 if asked.method == "GET" else 307, "Moved Permanently", Location=place)
    if kind == "repositories" and words[0].isdigit():
        found = next((r for r in hub.repositories.values() if r.id == int(words[0])), None)
        if found is not None:
            return replace(asked, path="/".join(["/repos", found.full_name, *words[1:]]))
    return asked


def _limit(hub: FakeGitHub, asked: Asked, who: Identity) -> None:
    if not hub.limits.spend(who.key):
        raise Refused(403, f"API rate limit exceeded for {who.key}.")
    if CREATES.fullmatch(f"{asked.method} {asked.path}"):
        wait = hub.limits.create(who.key)
        if wait:
            message = "You have exceeded a secondary rate limit and have been temporarily blocked"
            raise Refused(403, message, Retry_After=str(wait))


def _repository(hub: FakeGitHub, route: Route, params: dict[str, str], who: Identity) -> Repository:
    repo = hub.repositories.get(f"{params['owner']}/{params['repo']}")
    if repo is None or (who.kind != "app" and not _visible(repo, who)):
        raise Refused(404, "Not Found")
    if who.kind != "app" and not any(reaches(repo, who, need) for need in route.needs):
        raise Refused(403, "Resource not accessible by integration")
    return repo
