"""What the fake keeps beside git: comments, checks, statuses, issues, deliveries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.githubfake.people import User


@dataclass(eq=False)
class Comment:
    id: int
    number: int
    author: User
    body: str
    created: float
    updated: float
    app_id: int | None = None
    reactions: list[Reaction] = field(default_factory=list)


@dataclass(eq=False)
class Reaction:
    id: int
    user: User
    content: str
    created: float


@dataclass(eq=False)
class Suite:
    id: int
    head_sha: str
    branch: str | None
    app_id: int
    created: float


@dataclass(eq=False)
class Run:
    id: int
    suite: Suite
    name: str
    head_sha: str
    app_id: int
    started: str
    status: str = "queued"
    conclusion: str | None = None
    completed: str | None = None
    external_id: str = ""
    details_url: str | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[dict[str, Any]] = field(default_factory=list)
    actions: list[dict[str, str]] = field(default_factory=list)
    # Every state and conclusion this run went through, for tests of "exactly one".
    history: list[tuple[str, str | None]] = field(default_factory=list)


@dataclass(eq=False)
class Status:
    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: User
    created: float


@dataclass(eq=False)
class Issue:
    number: int
    id: int
    author: User
    title: str
    body: str
    created: float
    labels: list[str] = field(default_factory=list)
    state: str = "open"


@dataclass(frozen=True)
class Required:
    """A status check that a branch asks for; `app_id` is whom it must come from."""

    context: str
    app_id: int | None
    strict: bool = False
    ruleset: bool = False


@dataclass(eq=False)
class Release:
    id: int
    tag: str
    target: str
    name: str
    body: str
    draft: bool
    prerelease: bool
    author: User
    created: float
    assets: list[Asset] = field(default_factory=list)
    immutable: bool = False


@dataclass(eq=False)
class Asset:
    """A file of a release; `state` is "open" where its upload was cut."""

    id: int
    name: str
    data: bytes
    kind: str
    state: str
    digest: str
    created: float


@dataclass(frozen=True)
class Review:
    """`state` is APPROVED, CHANGES_REQUESTED, COMMENTED or DISMISSED."""

    id: int
    user: User | None
    state: str
    commit: str
    submitted: float


@dataclass(frozen=True)
class Dispatched:
    """A workflow that was started by hand, and by whose token."""

    run: int
    workflow: str
    ref: str
    inputs: dict[str, Any]
    by: str


@dataclass(eq=False)
class Artifact:
    """An archive of run `run`; `storage` is the address its bytes are fetched from."""

    id: int
    run: int
    name: str
    size: int
    storage: str
    created: float
