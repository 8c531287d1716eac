"""What GitHub knows of a merged commit: the pull request, who approved its head, what was checked.

Facts for the gate of a release, asked anew each time. What cannot be told is an error, never a
yes: more than so many reviews, or a commit that several pull requests claim.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field

from bot.github import answers
from bot.github.errors import Foreign
from bot.github.payloads import Kind, PullNumber, User
from bot.github.repository import Repository, commit_id
from bot.github.transport import get, pages
from bot.github.values import Role
from bot.people import Account, Number, ObjectId

PAGES = 10  # of 100 reviews, check runs or pull requests
_STRICT = ConfigDict(strict=True, extra="ignore")
_SAYING = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})  # a comment changes nothing
# From bad to good: of several runs of one name the worst counts.
_WORST = ("pending", "failure", "timed_out", "cancelled", "action_required", "stale",
          "startup_failure", "skipped", "neutral", "success")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Somebody whose last word on the very head that was merged is yes, and their role now."""

    account: Account
    role: Role
    at: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A check run; `conclusion` is "pending" until it ends, `app` who reported it."""

    name: str
    app: int
    conclusion: str
    commit: str


@dataclass(frozen=True, slots=True)
class Merged:
    """A pull request whose merge made `commit`. `approvers` may write, and are not its author."""

    commit: str
    number: int
    title: str
    author: Account
    head: str
    base: str
    merged_by: Account
    merged_at: str
    labels: tuple[str, ...]
    approvers: tuple[Reviewer, ...]
    checks: tuple[Checked, ...]

    def conclusion(self, name: str, app: int = 0) -> str:
        """Return how the check of a name ended, "" where it never ran; of `app`, 0 for any.

        What ran on the merged commit counts, else what ran on the head. Only "success" is a pass.
        """
        every = [c for c in self.checks if c.name == name and app in (0, c.app)]
        on = [c for c in every if c.commit == self.commit] or every
        return min((c.conclusion for c in on), key=_rank, default="")


def _rank(conclusion: str) -> int:
    return _WORST.index(conclusion) if conclusion in _WORST else 0


@dataclass(frozen=True, slots=True)
class Label:
    """A label."""

    __pydantic_config__ = _STRICT

    name: Annotated[str, Field(max_length=1_000)]


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request in a list."""

    __pydantic_config__ = _STRICT

    number: PullNumber
    base: answers.Side
    merged_at: str | None = None
    merge_commit_sha: ObjectId | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """A pull request at length."""

    __pydantic_config__ = _STRICT

    number: PullNumber
    title: str
    merged: bool
    head: answers.Side
    base: answers.Side
    labels: tuple[Label, ...]
    merged_at: str | None = None
    merge_commit_sha: ObjectId | None = None
    merged_by: User | None = None
    user: User | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """A review; `commit_id` is the head that was looked at."""

    __pydantic_config__ = _STRICT

    id: Number
    state: Kind
    commit_id: ObjectId | None = None
    user: User | None = None
    submitted_at: str | None = None


def merged(at: Repository, commit: str) -> Merged | None:
    """Return the pull request whose merge made a commit of the default branch, None for none.

    Raises GitHubError; Foreign where several pull requests claim the commit.
    """
    numbers = tuple(_claiming(at, commit_id(commit)))
    if len(numbers) > 1:
        raise Foreign(
            f"{commit[:12]} is the merge of several pull requests: {', '.join(map(str, numbers))}",
            "release a commit that one pull request made, or ask for approvals by signature",
        )
    if not numbers:
        return None
    whole = answers.read(get(at.line, f"{_at(at)}/pulls/{numbers[0]:d}").text, Whole)
    if not whole.merged or whole.merge_commit_sha != commit:
        return None
    author = answers.account(whole.user) or answers.GHOST
    return Merged(
        commit=commit,
        number=whole.number,
        title=whole.title,
        author=author,
        head=whole.head.sha,
        base=whole.base.ref,
        merged_by=answers.account(whole.merged_by) or answers.GHOST,
        merged_at=whole.merged_at or "",
        labels=tuple(label.name for label in whole.labels),
        approvers=tuple(_approvers(at, whole, author)),
        checks=(*_checks(at, commit), *_checks(at, whole.head.sha)),
    )


def _claiming(at: Repository, commit: str) -> Iterator[int]:
    for page in pages(at.line, f"{_at(at)}/commits/{commit}/pulls", most=PAGES):
        for pull in answers.read(page.text, tuple[Pull, ...]):
            ours = pull.merged_at is not None and pull.base.ref == at.repo.default_branch
            if ours and pull.merge_commit_sha == commit:
                yield pull.number


def _approvers(at: Repository, pull: Whole, author: Account) -> Iterator[Reviewer]:
    last: dict[int, tuple[Review, Account]] = {}
    for page in pages(at.line, f"{_at(at)}/pulls/{pull.number:d}/reviews", most=PAGES):
        for review in answers.read(page.text, tuple[Review, ...]):  # the oldest first
            who = answers.account(review.user)
            if who is not None and review.state in _SAYING:
                last[who.id] = (review, who)
    for review, who in last.values():
        said_yes = review.state == "APPROVED" and review.commit_id == pull.head.sha
        if said_yes and not who.bot and who.id != author.id:
            role = at.role(who.login)
            if role >= Role.WRITE:
                yield Reviewer(who, role, review.submitted_at or "")


def _checks(at: Repository, commit: str) -> Iterator[Checked]:
    path, query = f"{_at(at)}/commits/{commit}/check-runs", {"filter": "latest"}
    for page in pages(at.line, path, query, most=PAGES):
        for run in answers.read(page.text, answers.Runs).check_runs:
            ended = (run.conclusion or "pending") if run.status == "completed" else "pending"
            yield Checked(run.name, run.app.id if run.app else 0, ended, commit)


def _at(at: Repository) -> str:
    return f"/repos/{at.repo.name}"
