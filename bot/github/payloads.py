"""The few fields we read of GitHub's webhook payloads, each with its form; the rest is not seen.

Older payloads lack newer fields: what is not needed to act has a default.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, TypeVar, cast

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from bot.github.errors import Malformed
from bot.people import Login, Number, ObjectId, Time

T = TypeVar("T")

MAX_REPOS = 100_000  # of one installation
HINT = "see the delivery in the App's settings; a newer GitHub may need a newer Modelwarden"

_STRICT = ConfigDict(strict=True, extra="ignore")
# owner/name, which becomes part of addresses: never "." or "..".
Repository = Annotated[
    str,
    Field(
        pattern=r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,99}/(?:\.\.[A-Za-z0-9._-]|\.?[A-Za-z0-9_-])"
        r"[A-Za-z0-9._-]{0,98}\z"
    ),
]
PullNumber = Annotated[int, Field(ge=1, le=2**31)]
Ref = Annotated[str, Field(min_length=1, max_length=1024)]
Text = Annotated[str, Field(max_length=1024)]
Kind = Annotated[str, Field(max_length=40)]


@dataclass(frozen=True, slots=True)
class User:
    """An account; `type` is User, Bot, Organization or Mannequin."""

    __pydantic_config__ = _STRICT

    id: Number
    login: Login
    type: Kind = "User"


@dataclass(frozen=True, slots=True)
class App:
    """A GitHub App, or an installation of ours."""

    __pydantic_config__ = _STRICT

    id: Number


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every event has; `installation` is missing where a hook of one repository sent it."""

    __pydantic_config__ = _STRICT

    action: Annotated[str, Field(pattern=r"\A[a-z_]{0,60}\z")] = ""
    installation: App | None = None


@dataclass(frozen=True, slots=True)
class Repo:
    """A repository; the short form of installation events has no default branch."""

    __pydantic_config__ = _STRICT

    id: Number
    full_name: Repository
    default_branch: Text = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """One side of a pull request."""

    __pydantic_config__ = _STRICT

    sha: ObjectId


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request."""

    __pydantic_config__ = _STRICT

    number: PullNumber
    head: Commit
    base: Commit
    updated_at: Time
    draft: bool = False
    merged: bool | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What `edited` changed; only the base matters."""

    __pydantic_config__ = _STRICT

    base: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class PullEvent:
    """pull_request."""

    __pydantic_config__ = _STRICT

    pull_request: Pull
    repository: Repo
    changes: Changes | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue; a pull request where `pull_request` is there."""

    __pydantic_config__ = _STRICT

    number: PullNumber
    pull_request: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment as it was written; its text is read again from the API."""

    __pydantic_config__ = _STRICT

    id: Number
    updated_at: Time
    body: str | None = None
    user: User | None = None
    performed_via_github_app: App | None = None


@dataclass(frozen=True, slots=True)
class CommentEvent:
    """issue_comment."""

    __pydantic_config__ = _STRICT

    issue: Issue
    comment: Comment
    repository: Repo
    sender: User


@dataclass(frozen=True, slots=True)
class Run:
    """A check run."""

    __pydantic_config__ = _STRICT

    id: Number
    head_sha: ObjectId
    name: Text
    app: App | None = None
    external_id: Text | None = None


@dataclass(frozen=True, slots=True)
class Button:
    """The button that was pressed."""

    __pydantic_config__ = _STRICT

    identifier: Annotated[str, Field(min_length=1, max_length=20)]


@dataclass(frozen=True, slots=True)
class RunEvent:
    """check_run."""

    __pydantic_config__ = _STRICT

    check_run: Run
    repository: Repo
    sender: User
    requested_action: Button | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """A check suite."""

    __pydantic_config__ = _STRICT

    id: Number
    head_sha: ObjectId
    app: App | None = None
    updated_at: Time | None = None


@dataclass(frozen=True, slots=True)
class SuiteEvent:
    """check_suite."""

    __pydantic_config__ = _STRICT

    check_suite: Suite
    repository: Repo
    sender: User


@dataclass(frozen=True, slots=True)
class PushEvent:
    """push."""

    __pydantic_config__ = _STRICT

    ref: Ref
    after: ObjectId
    repository: Repo
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A merge group."""

    __pydantic_config__ = _STRICT

    head_sha: ObjectId
    base_sha: ObjectId


@dataclass(frozen=True, slots=True)
class GroupEvent:
    """merge_group."""

    __pydantic_config__ = _STRICT

    merge_group: Group
    repository: Repo


Repos = Annotated[tuple[Repo, ...], Field(max_length=MAX_REPOS)]


@dataclass(frozen=True, slots=True)
class InstallationEvent:
    """installation, installation_repositories."""

    __pydantic_config__ = _STRICT

    repositories: Repos = ()
    repositories_added: Repos = ()
    repositories_removed: Repos = ()


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def shape(body: bytes, kind: type[T], event: str) -> T:
    """Return what `kind` names of a payload. Raises Malformed, naming the first wrong field."""
    try:
        found: T = _adapter(cast(Any, kind)).validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:200]
        raise Malformed(f"{event}: {place}: {first['msg']}"[:500], HINT) from error
    return found
