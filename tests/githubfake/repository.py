"""One repository of the fake: its git side, its people, its talk and its checks."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.githubfake import render, rendergit
from tests.githubfake.gitside import ZERO, Bare, Files, Person
from tests.githubfake.locking import locked
from tests.githubfake.people import LEVELS, User
from tests.githubfake.pull import Pull
from tests.githubfake.records import (
    Artifact,
    Comment,
    Dispatched,
    Issue,
    Release,
    Required,
    Run,
    Status,
    Suite,
)
from tests.gitrepo import Repo

if TYPE_CHECKING:
    from tests.githubfake.hub import FakeGitHub


class Repository:
    """`bare` is the repository served over HTTP, `git` a checkout of it to commit in by hand."""

    def __init__(self, hub: FakeGitHub, owner: User, name: str, network: Bare | None) -> None:
        self.hub = hub
        self.lock = hub.lock
        self.id = hub.next_id()
        self.owner = owner
        self.name = name
        self.private = False
        self.default_branch = "main"
        self.parent: Repository | None = None
        self.bare = Bare(hub.folder / "bare" / owner.login / f"{name}.git", network)
        self.roles: dict[str, str] = {owner.login: "admin"}
        self.pulls: dict[int, Pull] = {}
        self.issues: dict[int, Issue] = {}
        self.comments: dict[int, Comment] = {}
        self.suites: dict[int, Suite] = {}
        self.runs: dict[int, Run] = {}
        self.statuses: list[Status] = []
        self.releases: list[Release] = []
        self.latest = 0  # the id of the release that is shown first
        self.immutable = False  # whether a published release can be changed
        self.tags_made: list[str] = []  # by GitHub itself, at publishing
        self.dispatched: list[Dispatched] = []
        self.artifacts: list[Artifact] = []
        self.required: dict[str, list[Required]] = {}
        self.verified: set[str] = set()
        self.forks: dict[str, Repository] = {}
        self.created = hub.clock.now()

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @property
    def clone_url(self) -> str:
        """Where git fetches this repository; a token is needed (x-access-token:TOKEN)."""
        return f"{self.hub.git_url}/{self.full_name}.git"

    @functools.cached_property
    def git(self) -> Repo:
        """A checkout of the default branch, made at the first use; `push` sends what it commits."""
        path: Path = self.hub.folder / "work" / self.owner.login / self.name
        made = Repo(path)
        made.git("remote", "add", "origin", str(self.bare.path))
        made.git("fetch", "-q", "origin")
        made.git("reset", "-q", "--hard", f"origin/{self.default_branch}")
        return made

    # People

    @locked
    def grant(self, login: str, role: str | None) -> User:
        """Give a role of LEVELS, or take every right away (None)."""
        who = self.hub.user(login)
        if role is None:
            self.roles.pop(login, None)
        else:
            assert role in LEVELS, role
            self.roles[login] = role
        return who

    def rank(self, user: User) -> int:
        """-1 for nobody in particular, 4 for an admin."""
        role = self.roles.get(user.login)
        return -1 if role is None else LEVELS.index(role)

    def association(self, user: User) -> str:
        if user is self.owner:
            return "OWNER"
        if user.login in self.roles:
            return "COLLABORATOR"
        merged = any(p.merged_at and p.author is user for p in self.pulls.values())
        return "CONTRIBUTOR" if merged else "NONE"

    # Git

    def head(self, branch: str = "") -> str:
        """The commit a branch is at; 40 zeros where there is none."""
        return self.bare.resolve(f"refs/heads/{branch or self.default_branch}") or ZERO

    @locked
    def commit(
        self,
        files: Files,
        branch: str = "",
        message: str = "",
        author: str = "",
        email: str = "",
        parents: Sequence[str] | None = None,
        verified: bool = False,
    ) -> str:
        """Commit on a branch and push it (with its events); returns the commit id."""
        branch = branch or self.default_branch
        user = self.hub.user(author or self.owner.login)
        before = self.head(branch)
        if parents is None:
            parents = () if before == ZERO else (before,)
        sha = self.write(f"refs/heads/{branch}", parents, files, message, user, email, verified)
        self._pushed(branch, before, sha, user)
        return sha

    def write(
        self,
        ref: str,
        parents: Sequence[str],
        files: Files,
        message: str,
        user: User,
        email: str = "",
        verified: bool = False,
    ) -> str:
        """Only the git side of a commit, no event."""
        person = Person(user.name, email or user.email)
        signed = f"Signed-off-by: {person.name} <{person.email}>"
        when = int(self.hub.clock.now())
        text = message or f"change\n\n{signed}"
        sha = self.bare.commit(ref, tuple(parents), files, text, person, when)
        if verified:
            self.hub.verified.add(sha)
        return sha

    @locked
    def push(self, branch: str = "", sender: str = "", force: bool = False) -> str:
        """Push what `git` has checked out to a branch, with its events."""
        branch = branch or self.default_branch
        before = self.head(branch)
        sha = self.git.git("rev-parse", "HEAD")
        plus = "+" if force else ""
        self.git.git("push", "-q", "origin", f"{plus}HEAD:refs/heads/{branch}")
        self._pushed(branch, before, sha, self.hub.user(sender or self.owner.login))
        return sha

    def _pushed(self, branch: str, before: str, after: str, sender: User) -> None:
        self.hub.emit("push", self, rendergit.push(self, branch, before, after, sender), sender)
        self.suite(after, branch)
        for pull in list(self.pulls.values()):
            if pull.state == "open" and pull.repository is self and pull.branch == branch:
                pull.moved(before, sender)

    # Pull requests and talk

    def next_number(self) -> int:
        return max((*self.pulls, *self.issues), default=0) + 1

    @locked
    def pull(
        self,
        author: str = "mallory",
        branch: str = "change",
        files: Files | None = None,
        *,
        fork: bool = False,
        base: str = "",
        title: str = "A change",
        body: str = "",
        draft: bool = False,
        message: str = "",
        parent: str = "",
        email: str = "",
        verified: bool = False,
    ) -> Pull:
        """Open a pull request with one commit over the base branch (or over `parent`).

        Without a `message` the commit is signed off; `email` is what its author line says.
        """
        user = self.hub.user(author)
        base = base or self.default_branch
        home = self.hub.fork(self, user) if fork else self
        start = parent or self.head(base)
        if home is not self:
            home.bare.take(self.bare, f"refs/heads/{base}", f"refs/heads/{base}")
        home.write(f"refs/heads/{branch}", (start,), files or {}, message, user, email, verified)
        pull = Pull(self, self.next_number(), user, home, branch, base, title, body, draft)
        self.pulls[pull.number] = pull
        pull.opened()
        return pull

    @locked
    def issue(self, author: str, title: str, body: str = "", labels: Sequence[str] = ()) -> Issue:
        user, now = self.hub.user(author), self.hub.clock.now()
        made = Issue(self.next_number(), self.hub.next_id(), user, title, body, now, list(labels))
        self.issues[made.number] = made
        payload = {"action": "opened", "issue": render.issue(self, made)}
        self.hub.emit("issues", self, payload, user)
        return made

    @locked
    def comment(
        self, number: int, author: str | User, body: str, app_id: int | None = None
    ) -> Comment:
        """Comment on a pull request or an issue, with its event."""
        user = self.hub.user(author) if isinstance(author, str) else author
        now = self.hub.clock.now()
        made = Comment(self.hub.next_id(), number, user, body, now, now, app_id)
        self.comments[made.id] = made
        self._said("created", made, user)
        return made

    @locked
    def edit(self, comment: Comment, body: str, sender: str | User = "") -> None:
        """Change a comment's text; `updated_at` is later than `created_at` even at once."""
        changes = {"body": {"from": comment.body}}
        comment.body = body
        comment.updated = max(self.hub.clock.now(), comment.updated + 1)
        user = self.hub.user(sender) if isinstance(sender, str) and sender else sender
        self._said("edited", comment, user or comment.author, changes=changes)

    @locked
    def delete(self, comment: Comment, sender: str | User = "") -> None:
        del self.comments[comment.id]
        user = self.hub.user(sender) if isinstance(sender, str) and sender else sender
        self._said("deleted", comment, user or comment.author)

    def _said(self, action: str, comment: Comment, sender: User | str, **more: Any) -> None:
        assert isinstance(sender, User)
        payload = {
            "action": action,
            "issue": render.issue_of(self, comment.number),
            "comment": render.comment(self, comment),
            **more,
        }
        self.hub.emit("issue_comment", self, payload, sender)

    def thread(self, number: int) -> list[Comment]:
        """The comments of a pull request, the oldest first."""
        return [c for c in self.comments.values() if c.number == number]

    # Checks and protection

    @locked
    def protect(
        self,
        branch: str,
        checks: Sequence[str],
        app_id: int | None = None,
        *,
        strict: bool = False,
        ruleset: bool = False,
    ) -> None:
        """Require checks on a branch: classic protection, or a ruleset."""
        kept = [r for r in self.required.get(branch, ()) if r.ruleset != ruleset]
        made = [Required(name, app_id, strict, ruleset) for name in checks]
        self.required[branch] = kept + made

    @locked
    def suite(self, sha: str, branch: str | None, app_id: int = 0) -> Suite:
        """The check suite of a commit and an App, made where there is none (with its event)."""
        app_id = app_id or self.hub.app.id
        for known in self.suites.values():
            if known.head_sha == sha and known.app_id == app_id:
                return known
        made = Suite(self.hub.next_id(), sha, branch, app_id, self.hub.clock.now())
        self.suites[made.id] = made
        if app_id == self.hub.app.id:
            self._tell_suite("requested", made, self.owner)
        return made

    def _tell_suite(self, action: str, suite: Suite, sender: User) -> None:
        payload = {"action": action, "check_suite": rendergit.suite(self, suite, full=True)}
        self.hub.emit("check_suite", self, payload, sender)

    def checks(self, sha: str, name: str = "") -> list[Run]:
        """The check runs of a commit, the oldest first, re-runs included."""
        runs = self.runs.values()
        return [r for r in runs if r.head_sha == sha and (not name or r.name == name)]

    @locked
    def foreign_run(self, name: str, sha: str, conclusion: str = "success", app_id: int = 7) -> Run:
        """A check run by another App, finished."""
        suite = self.suite(sha, None, app_id)
        now = self.hub.clock.stamp()
        made = Run(self.hub.next_id(), suite, name, sha, app_id, now, "completed", conclusion, now)
        self.runs[made.id] = made
        self.tell_check("created", made, self.owner)
        self.tell_check("completed", made, self.owner)
        return made

    def tell_check(self, action: str, run: Run, sender: User, **more: Any) -> None:
        payload = {"action": action, "check_run": rendergit.run(self, run, event=True), **more}
        self.hub.emit("check_run", self, payload, sender)
        if action == "completed" and rendergit.suite(self, run.suite)["status"] == "completed":
            self._tell_suite("completed", run.suite, sender)

    def blocked(self, number: int) -> list[str]:
        """The required checks that keep a pull request from being merged, as GitHub counts.

        `neutral` and `skipped` satisfy; a check that never reported blocks.
        """
        pull = self.pulls[number]
        waiting = []
        for need in self.required.get(pull.base, ()):
            runs = [r for r in self.checks(pull.head, need.context)
                    if need.app_id in (None, r.app_id)]  # fmt: skip
            latest = runs[-1].conclusion if runs else None
            if latest not in ("success", "neutral", "skipped"):
                waiting.append(need.context)
        return waiting
