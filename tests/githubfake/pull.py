"""A pull request: its head may be pushed, rewritten, retargeted, closed, merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tests.githubfake import render, rendergit
from tests.githubfake.gitside import ZERO, CommitInfo, FileInfo, Files, Person
from tests.githubfake.locking import locked
from tests.githubfake.records import Review

if TYPE_CHECKING:
    from tests.githubfake.people import User
    from tests.githubfake.repository import Repository


class Pull:
    """`head` and `base_sha` are full commit ids; `repository` is where the branch lives.

    As on GitHub, `base_sha` does not follow the base branch: it is read anew when the head moves
    or the base is changed.
    """

    def __init__(
        self,
        repo: Repository,
        number: int,
        author: User,
        repository: Repository,
        branch: str,
        base: str,
        title: str,
        body: str,
        draft: bool,
    ) -> None:
        self.repo = repo
        self.hub = repo.hub
        self.lock = repo.hub.lock
        self.id = repo.hub.next_id()
        self.number = number
        self.author = author
        self.repository = repository
        self.branch = branch
        self.base = base
        self.title = title
        self.body = body
        self.is_draft = draft
        self.state = "open"
        self.labels: list[str] = []
        self.reviews: list[Review] = []
        self.created = self.updated = repo.hub.clock.now()
        self.closed_at: float | None = None
        self.merged_at: float | None = None
        self.merged_by: User | None = None
        self.merge_sha: str | None = None
        self.mergeable = True
        self.head = ZERO
        self.base_sha = ZERO

    @property
    def is_fork(self) -> bool:
        return self.repository is not self.repo

    def read(self) -> None:
        """Take the branch's commit into `refs/pull/N/head` and note where the base is."""
        source, target = f"refs/heads/{self.branch}", f"refs/pull/{self.number}/head"
        self.repo.bare.take(self.repository.bare, source, target)
        self.head = self.repo.bare.git("rev-parse", target)
        self.base_sha = self.repo.head(self.base)
        tree = self.repo.bare.merge(self.base_sha, self.head)
        self.mergeable = tree is not None
        if tree is not None:
            person = Person(self.author.name, self.author.email)
            text = f"Merge {self.head} into {self.base_sha}"
            merged = self.repo.bare.commit_tree(
                tree, (self.base_sha, self.head), text, person, int(self.hub.clock.now())
            )
            self.repo.bare.point(f"refs/pull/{self.number}/merge", merged)

    def tell(self, action: str, sender: str | User = "", **more: Any) -> None:
        """Emit a pull_request event."""
        user = self.hub.user(sender) if isinstance(sender, str) and sender else sender
        self.updated = max(self.hub.clock.now(), self.updated)
        payload = {
            "action": action,
            "number": self.number,
            "pull_request": render.pull(self, full=True),
            **more,
        }
        self.hub.emit("pull_request", self.repo, payload, user or self.author)

    def opened(self) -> None:
        self.read()
        self.tell("opened")
        self._suite()

    def _suite(self) -> None:
        self.repo.suite(self.head, None if self.is_fork else self.branch)

    def moved(self, before: str, sender: User) -> None:
        """The branch was pushed to."""
        self.read()
        self._suite()
        self.tell("synchronize", sender, before=before, after=self.head)

    # What people do

    @locked
    def push(
        self,
        files: Files | None = None,
        message: str = "",
        author: str = "",
        email: str = "",
        verified: bool = False,
        parents: tuple[str, ...] | None = None,
    ) -> str:
        """One more commit on the branch; returns its id.

        A merge where `parents` are two; a rewritten history where they leave the head out.
        """
        user = self._ready(author)
        above = (self.head,) if parents is None else parents
        home, ref = self.repository, f"refs/heads/{self.branch}"
        sha = home.write(ref, above, files or {}, message, user, email, verified)
        self._pushed(sha, user)
        return sha

    @locked
    def push_many(self, messages: Sequence[str], author: str = "") -> str:
        """Many empty commits in one push, one for each message; returns the last."""
        user = self._ready(author)
        person, when = Person(user.name, user.email), int(self.hub.clock.now())
        ref = f"refs/heads/{self.branch}"
        sha = self.repository.bare.chain(ref, self.head, messages, person, when)
        self._pushed(sha, user)
        return sha

    @locked
    def reset(self, sha: str, author: str = "") -> None:
        """Force-push the branch back to a commit that it held before."""
        self.repository.bare.point(f"refs/heads/{self.branch}", sha)
        self._pushed(sha, self._ready(author))

    def force_push(
        self, files: Files | None = None, message: str = "", parent: str = "", author: str = ""
    ) -> str:
        """Rewrite the branch to one commit over the base's tip (or `parent`)."""
        return self.push(files, message, author, parents=(parent or self.repo.head(self.base),))

    def _ready(self, author: str) -> User:
        """Who pushes; a fork first learns where the base is."""
        if self.is_fork:
            ref = f"refs/heads/{self.base}"
            self.repository.bare.take(self.repo.bare, ref, ref)
        return self.hub.user(author or self.author.login)

    def _pushed(self, sha: str, user: User) -> None:
        before = self.head
        if not self.is_fork:
            payload = rendergit.push(self.repo, self.branch, before, sha, user)
            self.hub.emit("push", self.repo, payload, user)
        if self.state == "open":
            self.moved(before, user)

    @locked
    def review(self, login: str, state: str = "APPROVED", commit: str = "") -> Review:
        """A review of the head (or of another commit) by somebody."""
        who, now = self.hub.user(login), self.hub.clock.now()
        made = Review(self.hub.next_id(), who, state, commit or self.head, now)
        self.reviews.append(made)
        return made

    @locked
    def retarget(self, base: str, sender: str = "") -> None:
        before, old = self.base, self.base_sha
        self.base = base
        self.read()
        changes = {"base": {"ref": {"from": before}, "sha": {"from": old}}}
        self.tell("edited", sender, changes=changes)

    @locked
    def rename(self, title: str, sender: str = "") -> None:
        """Edit the title only: an `edited` event that changes no content."""
        before, self.title = self.title, title
        self.tell("edited", sender, changes={"title": {"from": before}})

    @locked
    def close(self, sender: str = "") -> None:
        self.state, self.closed_at = "closed", self.hub.clock.now()
        self.tell("closed", sender)

    @locked
    def reopen(self, sender: str = "") -> None:
        self.state, self.closed_at = "open", None
        self.read()
        self.tell("reopened", sender)

    @locked
    def draft(self, sender: str = "") -> None:
        self.is_draft = True
        self.tell("converted_to_draft", sender)

    @locked
    def ready(self, sender: str = "") -> None:
        self.is_draft = False
        self.tell("ready_for_review", sender)

    @locked
    def merge(self, sender: str = "", method: str = "merge") -> str:
        """Merge (or `squash`) into the base branch; returns the new commit of the base."""
        user = self.hub.user(sender or self.repo.owner.login)
        bare, tip = self.repo.bare, self.repo.head(self.base)
        tree = bare.merge(tip, self.head)
        assert tree is not None, "the pull request conflicts with its base"
        parents = (tip,) if method == "squash" else (tip, self.head)
        person = Person(self.author.name, self.author.email)
        text = f"Merge pull request #{self.number} from {self.repository.full_name}/{self.branch}"
        if method == "squash":
            text = f"{self.title} (#{self.number})"
        now = self.hub.clock.now()
        sha = bare.commit_tree(tree, parents, text, person, int(now))
        bare.point(f"refs/heads/{self.base}", sha)
        self.state, self.closed_at, self.merged_at = "closed", now, now
        self.merged_by, self.merge_sha = user, sha
        self.tell("closed", user)
        payload = rendergit.push(self.repo, self.base, tip, sha, user)
        self.hub.emit("push", self.repo, payload, user)
        return sha

    @locked
    def enqueue(self, sender: str = "") -> str:
        """Put the pull request into the merge queue; returns the queue's commit."""
        user = self.hub.user(sender or self.repo.owner.login)
        bare, tip = self.repo.bare, self.repo.head(self.base)
        tree = bare.merge(tip, self.head)
        assert tree is not None, "the pull request conflicts with its base"
        ref = f"refs/heads/gh-readonly-queue/{self.base}/pr-{self.number}-{tip}"
        person = Person(user.name, user.email)
        text = f"Merge pull request #{self.number} from {self.repository.full_name}/{self.branch}"
        sha = bare.commit_tree(tree, (tip, self.head), text, person, int(self.hub.clock.now()))
        bare.point(ref, sha)
        group = rendergit.group(self, ref, sha, tip)
        payload = {"action": "checks_requested", "merge_group": group}
        self.hub.emit("merge_group", self.repo, payload, user)
        return sha

    # What the API answers from

    def commits(self) -> list[CommitInfo]:
        """All commits of the pull request, the oldest first."""
        return self.repo.bare.commits(f"{self.base_sha}..{self.head}", oldest_first=True)

    def files(self) -> list[FileInfo]:
        start = self.repo.bare.base_of(self.base_sha, self.head)
        return self.repo.bare.changes(start, self.head) if start else []
