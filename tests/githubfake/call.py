"""One request as a handler sees it, and the answers it may give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from tests.githubfake.people import Identity

if TYPE_CHECKING:
    from tests.githubfake.hub import FakeGitHub
    from tests.githubfake.repository import Repository

T = TypeVar("T")
Json = dict[str, Any]
DOCS = "https://docs.github.com/rest"


class Refused(Exception):
    """GitHub's no: a status and what its body says."""

    def __init__(
        self, status: int, message: str, errors: Sequence[Any] = (), **headers: str
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.body: Json = {"message": message, "documentation_url": DOCS, "status": str(status)}
        if errors:
            self.body["errors"] = list(errors)


def invalid(resource: str, field_name: str, code: str, message: str = "") -> Refused:
    """A 422 of the usual shape."""
    error = {"resource": resource, "field": field_name, "code": code, "message": message}
    return Refused(422, "Validation Failed", [{k: v for k, v in error.items() if v}])


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    hub: FakeGitHub
    method: str
    path: str
    params: dict[str, str]
    query: dict[str, str]
    body: Json
    who: Identity
    found: Repository | None = None
    headers: dict[str, str] = field(default_factory=dict)
    data: bytes = b""  # what was uploaded
    uploading: bool = False  # it came to the host of uploads
    cut: bool = False  # the connection ended half-way

    @property
    def repo(self) -> Repository:
        assert self.found is not None, "a handler outside /repos asked for a repository"
        return self.found

    def number(self, name: str) -> int:
        """A path parameter that must be a number; anything else is not found."""
        if not self.params[name].isdigit():
            raise Refused(404, "Not Found")
        return int(self.params[name])

    def size(self, default: int = 30) -> tuple[int, int]:
        """`per_page` (at most 100) and `page`."""
        per = self.query.get("per_page", "")
        page = self.query.get("page", "")
        return (
            min(max(int(per), 1), 100) if per.isdigit() else default,
            max(int(page), 1) if page.isdigit() else 1,
        )

    def page(
        self,
        items: Sequence[T],
        render: Callable[[T], Any],
        wrap: str = "",
        default: int = 30,
        **more: Any,
    ) -> Answer:
        """One page, with the Link header; under `wrap` beside `total_count` where given."""
        per, page = self.size(default)
        last = max((len(items) + per - 1) // per, 1)
        shown = [render(item) for item in items[(page - 1) * per : page * per]]
        links = []
        wanted = (("prev", page - 1), ("next", page + 1), ("last", last), ("first", 1))
        for relation, number in wanted:
            forward = relation in ("next", "last")
            if (forward and page < last) or (not forward and page > 1):
                query = urlencode(self.query | {"page": str(number)})
                links.append(f'<{self.hub.url}{self.path}?{query}>; rel="{relation}"')
        headers = {"Link": ", ".join(links)} if links else {}
        body = {"total_count": len(items), **more, wrap: shown} if wrap else shown
        return Answer(200, body, headers)


@dataclass(frozen=True)
class Route:
    """`needs` are alternatives such as "checks:write"; `kind` is who may call: the app,
    a token, either ("any"), anybody at all ("public")."""

    method: str
    template: str
    handler: Callable[[Call], Answer]
    needs: tuple[str, ...] = ()
    kind: str = "token"
