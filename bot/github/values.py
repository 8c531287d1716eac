"""What GitHub says, as frozen values. Nothing here asks anybody anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol

from bot.people import Account, CommitAccount


class Role(IntEnum):
    """What somebody may do in a repository, as the API says at this moment; ordered."""

    NONE = 0
    READ = 1
    TRIAGE = 2
    WRITE = 3
    MAINTAIN = 4
    ADMIN = 5


class Conclusion(StrEnum):
    """How a check run ends. NEUTRAL and SKIPPED satisfy a required check, the others do not."""

    SUCCESS = "success"
    FAILURE = "failure"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    ACTION_REQUIRED = "action_required"


@dataclass(frozen=True, slots=True)
class Repo:
    """A repository by its id (names change) through one installation; `name` is owner/name."""

    id: int
    name: str
    installation: int
    default_branch: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What one verdict is about: the semantic key of every job, run and report.

    `number` is 0 for a merge-queue group. `attempt` is "" for the first, else says what asked
    for another: "c<comment id>", "r<check run id>", "s<check suite id>-<time>", "b<check run id>"
    (its button), or the time after "o" (reopened), "e" (another base) or "d" (a draft no more).
    """

    repo: Repo
    number: int
    head: str
    base: str
    attempt: str = ""

    @property
    def key(self) -> str:
        """One word, the same for the same target on every machine."""
        return f"{self.repo.id}-{self.number}-{self.head}-{self.base}-{self.attempt}".rstrip("-")


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request as the API describes it now. `fork`: its head is in another repository."""

    repo: Repo
    number: int
    title: str
    author: Account
    state: str  # open, closed
    draft: bool
    merged: bool
    head: str
    head_repository: int  # 0 where it was deleted
    base: str
    base_ref: str

    @property
    def fork(self) -> bool:
        """Whether the head is in another repository, or in none."""
        return self.head_repository != self.repo.id


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on an issue or pull request; times in ISO 8601, UTC."""

    id: int
    author: Account
    body: str
    created_at: str
    updated_at: str
    app: int = 0  # the App it was written through, 0 for none


@dataclass(frozen=True, slots=True)
class Annotation:
    """A line GitHub shows in the diff; `level` is notice, warning or failure."""

    path: str
    start: int
    end: int
    level: str
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class Action:
    """A button of a check run: label <= 20, description <= 40, identifier <= 20 characters."""

    label: str
    description: str
    identifier: str


@dataclass(frozen=True, slots=True)
class RunBody:
    """What a check run shall show. `annotations` are all of them; the client sends batches."""

    name: str
    head: str
    external_id: str
    status: str  # queued, in_progress, completed
    conclusion: Conclusion | None
    title: str
    summary: str
    text: str = ""
    annotations: tuple[Annotation, ...] = ()
    actions: tuple[Action, ...] = ()
    details_url: str = ""


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check run of ours that GitHub holds. `annotations`: how many it already shows."""

    id: int
    name: str
    head: str
    external_id: str
    status: str
    conclusion: str
    annotations: int


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are on GitHub: the App and the account its comments carry."""

    app: int
    slug: str
    bot: Account
    permissions: tuple[tuple[str, str], ...]
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hook:
    """The App's webhook settings; GitHub never shows the secret itself."""

    url: str
    content_type: str
    insecure_ssl: bool
    has_secret: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery in GitHub's own log; `id` is what a new attempt is asked by."""

    id: int
    guid: str
    event: str
    status: int
    delivered_at: str
    redelivery: bool


@dataclass(frozen=True, slots=True)
class Required:
    """A status check that a branch requires; `app` is 0 where any App may report it."""

    name: str
    app: int


class Api(Protocol):
    """One repository through one installation. Every method may raise GitHubError.

    Writes are made once: after a lost answer the client looks before it writes again.
    """

    @property
    def repo(self) -> Repo:
        """The repository."""

    def pull(self, number: int) -> Pull:
        """Return a pull request as it is now. Raises NotFound."""

    def open_pulls(self) -> Iterator[Pull]:
        """Yield every open pull request."""

    def pulls_with_head(self, head: str) -> tuple[Pull, ...]:
        """Return the open pull requests whose head is this commit, forks included."""

    def role(self, login: str) -> Role:
        """Return what an account may do, read now; NONE where it is no collaborator."""

    def commit_accounts(self, base: str, head: str) -> tuple[CommitAccount, ...]:
        """Return what GitHub proves of each commit in head but not in base, beyond 250 too."""

    def runs(self, head: str, name: str = "") -> tuple[CheckRun, ...]:
        """Return our App's check runs on a commit, the newest first."""

    def create_run(self, body: RunBody) -> CheckRun:
        """Make a check run, or return the one that already has this name and external id."""

    def update_run(self, run: CheckRun, body: RunBody) -> CheckRun:
        """Make a run show `body`, annotations in batches of 50 after those it already shows."""

    def comment(self, comment: int) -> Comment | None:
        """Return a comment, None where it was deleted."""

    def comments(self, number: int) -> Iterator[Comment]:
        """Yield every comment of an issue or pull request, oldest first, all pages."""

    def create_comment(self, number: int, body: str, marker: str) -> Comment:
        """Write a comment, or return ours that already holds `marker` (a lost answer)."""

    def update_comment(self, comment: int, body: str) -> Comment:
        """Replace a comment's text. Raises NotFound where it was deleted."""

    def required_checks(self, branch: str) -> tuple[Required, ...]:
        """Return the checks that protection or rulesets of a branch require."""

    def dispatch(self, workflow: str, inputs: Mapping[str, str]) -> str:
        """Start a workflow of the default branch; return its run's page, "" for unknown.

        It needs `actions: write`, else Denied; after a lost answer it may have started.
        """

    def token(self) -> str:
        """Return an installation token that holds for at least ten more minutes."""

    def clone_url(self) -> str:
        """Return the HTTPS address git fetches from; it carries no token."""


class Hub(Protocol):
    """GitHub as the App sees it. Every method may raise GitHubError."""

    def identity(self) -> Identity:
        """Return who we are; asked once, then remembered."""

    def hook(self) -> Hook:
        """Return the App's webhook settings."""

    def deliveries(self, since: str) -> Iterator[Sent]:
        """Yield deliveries since an ISO 8601 time, the newest first."""

    def redeliver(self, delivery: int) -> None:
        """Ask for a new attempt of one delivery."""

    def repositories(self) -> Iterator[Repo]:
        """Yield every repository of every installation."""

    def clock(self) -> float:
        """Return GitHub's time, in seconds since the epoch, from its Date header."""

    def at(self, repo: Repo) -> Api:
        """Return the way to one repository."""
