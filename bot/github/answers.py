"""The fields we read of GitHub's API answers, each with its form, and the values they become.

An answer that is not what GitHub documents is `Unavailable`: nothing is guessed from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, TypeVar, cast

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from bot.github import values
from bot.github.errors import Unavailable
from bot.github.payloads import App, Kind, PullNumber, Ref, Repo, User
from bot.github.transport import LATER
from bot.people import Account, CommitAccount, Number, ObjectId, Time

T = TypeVar("T")

GHOST = Account(10137, "ghost")  # whom GitHub shows where an account was deleted

_STRICT = ConfigDict(strict=True, extra="ignore")
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class RepoId:
    """The repository of a pull request's side."""

    __pydantic_config__ = _STRICT

    id: Number


@dataclass(frozen=True, slots=True)
class Side:
    """The head or base of a pull request; `repo` is missing where it was deleted."""

    __pydantic_config__ = _STRICT

    sha: ObjectId
    ref: Ref
    repo: RepoId | None = None


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request; `merged_at` is there in lists too, `merged` is not."""

    __pydantic_config__ = _STRICT

    number: PullNumber
    title: str
    state: Kind
    head: Side
    base: Side
    user: User | None = None
    draft: bool = False
    merged_at: str | None = None

    def value(self, repo: values.Repo) -> values.Pull:
        """Return it as ours."""
        home = self.head.repo.id if self.head.repo else 0
        return values.Pull(
            repo, self.number, self.title, account(self.user) or GHOST, self.state, self.draft,
            self.merged_at is not None, self.head.sha, home, self.base.sha, self.base.ref,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of an issue or pull request."""

    __pydantic_config__ = _STRICT

    id: Number
    created_at: Time
    updated_at: Time
    body: str | None = None
    user: User | None = None
    performed_via_github_app: App | None = None

    @property
    def value(self) -> values.Comment:
        """The comment as ours."""
        app = self.performed_via_github_app
        return values.Comment(
            self.id, account(self.user) or GHOST, self.body or "", self.created_at,
            self.updated_at, app.id if app else 0,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Output:
    """What a check run shows."""

    __pydantic_config__ = _STRICT

    annotations_count: Count = 0


@dataclass(frozen=True, slots=True)
class Run:
    """A check run."""

    __pydantic_config__ = _STRICT

    id: Number
    name: str
    head_sha: ObjectId
    status: Kind
    output: Output
    external_id: str | None = None
    conclusion: str | None = None
    app: App | None = None

    @property
    def value(self) -> values.CheckRun:
        """The check run as ours."""
        return values.CheckRun(
            self.id, self.name, self.head_sha, self.external_id or "", self.status,
            self.conclusion or "", self.output.annotations_count,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Runs:
    """A page of check runs."""

    __pydantic_config__ = _STRICT

    check_runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """GitHub's word on a signature."""

    __pydantic_config__ = _STRICT

    verified: bool = False


@dataclass(frozen=True, slots=True)
class Inner:
    """The git side of a commit."""

    __pydantic_config__ = _STRICT

    verification: Verification | None = None


@dataclass(frozen=True, slots=True)
class Nobody:
    """`{}`, which GitHub also says for an address without an account."""

    __pydantic_config__ = _STRICT


Somebody = Annotated[User | Nobody | None, Field(union_mode="left_to_right")]


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit and the accounts that its addresses belong to."""

    __pydantic_config__ = _STRICT

    sha: ObjectId
    commit: Inner
    author: Somebody = None
    committer: Somebody = None

    @property
    def value(self) -> CommitAccount:
        """The commit as ours: verified only where GitHub says so."""
        said = self.commit.verification
        return CommitAccount(
            self.sha, account(self.author), account(self.committer), bool(said and said.verified)
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """A page of a comparison."""

    __pydantic_config__ = _STRICT

    total_commits: Count
    commits: tuple[Commit, ...]


@dataclass(frozen=True, slots=True)
class Dispatched:
    """The run of a workflow that was started."""

    __pydantic_config__ = _STRICT

    html_url: Annotated[str, Field(pattern=r"\Ahttps://[A-Za-z0-9.:/_-]{1,500}\z")]


@dataclass(frozen=True, slots=True)
class Permission:
    """What an account may do: `permission` is folded, `role_name` may be an organisation's own."""

    __pydantic_config__ = _STRICT

    permission: Kind
    role_name: str = ""

    @property
    def value(self) -> values.Role:
        """The lower of what the two say."""
        floor, ceiling = _FOLDED.get(self.permission, (values.Role.NONE, values.Role.NONE))
        named = _ROLES.get(self.role_name)
        return floor if named is None else min(named, ceiling)


# permission -> (the role it proves alone, the highest that is folded into it)
_FOLDED = {
    "admin": (values.Role.ADMIN, values.Role.ADMIN),
    "write": (values.Role.WRITE, values.Role.MAINTAIN),
    "read": (values.Role.READ, values.Role.TRIAGE),
}
_ROLES = {role.name.lower(): role for role in values.Role}


def account(user: User | Nobody | None) -> Account | None:
    """Return the account, None where there is none."""
    return Account(user.id, user.login, user.type == "Bot") if isinstance(user, User) else None


def repository(found: Repo, installation: int) -> values.Repo:
    """Return a repository as ours."""
    return values.Repo(found.id, found.full_name, installation, found.default_branch)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def read(text: str, kind: type[T]) -> T:
    """Return what `kind` names of an answer. Raises Unavailable where it is not that."""
    try:
        found: T = _adapter(cast(Any, kind)).validate_json(text or "null")
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:100]
        problem = f"GitHub's answer is not what it documents: {place}: {first['msg']}"
        raise Unavailable(problem[:300], LATER) from None  # it would show the whole answer
    return found
