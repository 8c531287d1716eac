"""A GitHub of our own: real HTTP on 127.0.0.1, real git, true semantics, faults on demand."""

from __future__ import annotations

import itertools
import re
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.githubfake import render, rendergit
from tests.githubfake.faults import Fault
from tests.githubfake.gitside import Files
from tests.githubfake.hooks import Delivery, Hooks
from tests.githubfake.limits import Limits
from tests.githubfake.locking import locked
from tests.githubfake.people import TOKEN_SECONDS, App, Clock, Installation, Token, User, allows
from tests.githubfake.records import Run
from tests.githubfake.repository import Repository
from tests.githubfake.server import Seen, Server

Json = dict[str, Any]
BRIEF = ("id", "node_id", "name", "full_name", "private")
# What an App must be allowed to read to be told of an event.
EVENT_NEEDS = {
    "check_run": "checks:read", "check_suite": "checks:read", "push": "contents:read",
    "pull_request": "pull_requests:read", "merge_group": "merge_queues:read",
    "issues": "issues:read",
}  # fmt: skip


class FakeGitHub:
    """Use as a context manager. `url` is the API's root; `git_url` what clone addresses begin with.

    `requests` lists what was asked, `violations` what GitHub's description (or its unwritten rules)
    forbids: a test ends with `assert not hub.violations`. `events` lists (event, payload) of all
    that happened, delivered or not.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "hub"
        self.clock = Clock()
        self.started = self.clock.now()
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.limits = Limits(self.clock)
        # Seconds that GitHub's clock runs ahead of ours: App tokens and the Date header follow it.
        self.skew = 0.0
        self.digests = True  # of assets: older servers say none
        self.corrupts = 0  # how many uploads are kept with another last byte
        self.slow = 0.5
        self.wait = 60  # seconds that a limit (a fault) lasts
        self.users: dict[str, User] = {}
        self.repositories: dict[str, Repository] = {}
        self.moved: dict[str, Repository] = {}  # by the names they had
        self.installations: dict[int, Installation] = {}
        self.tokens: dict[str, Token] = {}
        self.verified: set[str] = set()
        self.faults: list[Fault] = []
        self.requests: list[Seen] = []
        self.violations: list[str] = []
        self.events: list[tuple[str, Json]] = []
        self._ids = itertools.count(1001)
        bot = self.user("modelwarden[bot]", kind="Bot")
        self.app = App(4242, "modelwarden", self.user("octo"), bot)
        self.hooks = Hooks(self)
        self._server = Server(self)

    def __enter__(self) -> FakeGitHub:
        self._server.start()
        self.hooks.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.hooks.stop()
        self._server.stop()

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def git_url(self) -> str:
        return self._server.url

    def next_id(self) -> int:
        return next(self._ids)

    def advance(self, seconds: float) -> None:
        """Let GitHub grow older: tokens expire, limits reset, what is made is dated later.

        What it says of the present (Date header, end of a limit, end of a new token) stays in the
        asker's time, whose clock did not move; `skew` is for clocks that disagree.
        """
        self.clock.offset += seconds

    # People and repositories

    @locked
    def user(self, login: str, kind: str = "User") -> User:
        """The user of this login, made at the first call."""
        if login not in self.users:
            self.users[login] = User(self.next_id(), login, kind)
        return self.users[login]

    def by_email(self, email: str) -> User | None:
        """Whose account an author line shows: by address, or by a noreply address's id."""
        found = re.fullmatch(r"(?:(\d+)\+)?(.+)@users\.noreply\.github\.com", email)
        for user in self.users.values():
            if user.email == email:
                return user
            if found and found[2] == user.login and found[1] in (None, str(user.id)):
                return user
        return None

    @locked
    def repository(
        self, full_name: str, files: Files | None = None, *, private: bool = False,
        install: bool = True,
    ) -> Repository:  # fmt: skip
        """A repository with one commit on `main`, and the App installed on it."""
        owner, name = full_name.split("/")
        made = Repository(self, self.user(owner), name, None)
        made.private = private
        self.repositories[full_name] = made
        made.write("refs/heads/main", (), files or {"README.md": "# tiny\n"}, "", made.owner)
        if install:
            self.install(made)
        return made

    @locked
    def fork(self, repo: Repository, user: User) -> Repository:
        """The user's fork of a repository, sharing its history; made at the first call."""
        if user.login not in repo.forks:
            made = Repository(self, user, repo.name, repo.bare)
            made.parent, made.private = repo, repo.private
            repo.forks[user.login] = self.repositories[made.full_name] = made
        return repo.forks[user.login]

    @locked
    def rename(self, repo: Repository, name: str) -> None:
        """Give a repository another name; GitHub redirects from the old one."""
        del self.repositories[repo.full_name]
        self.moved[repo.full_name] = repo
        repo.name = name
        self.repositories[repo.full_name] = repo

    @locked
    def delete(self, repo: Repository) -> None:
        """Delete a repository; pull requests from it stay."""
        del self.repositories[repo.full_name]

    @locked
    def install(self, repo: Repository) -> Installation:
        """Install the App on a repository; its owner's installation grows."""
        known = self.installation(repo)
        brief = {k: render.repository(repo)[k] for k in BRIEF}
        if known is not None:
            known.repositories.append(repo.id)
            added: Json = {"repositories_added": [brief], "repositories_removed": []}
            payload: Json = {"action": "added", "repository_selection": "selected", **added,
                       "installation": render.installation(self, known)}  # fmt: skip
            self.emit("installation_repositories", None, payload, repo.owner)
            return known
        app = self.app
        made = Installation(self.next_id(), repo.owner, dict(app.permissions), list(app.events),
                            self.clock.now(), [repo.id])  # fmt: skip
        self.installations[made.id] = made
        payload = {"action": "created", "repositories": [brief], "requester": None,
                   "installation": render.installation(self, made)}  # fmt: skip
        self.emit("installation", None, payload, repo.owner)
        return made

    def installation(self, repo: Repository) -> Installation | None:
        """The installation of the repository's owner, whether or not it holds the repository."""
        return next((i for i in self.installations.values() if i.account is repo.owner), None)

    @locked
    def uninstall(self, owner: str) -> None:
        """Remove an owner's installation; its tokens die with it."""
        found = next(i for i in self.installations.values() if i.account.login == owner)
        del self.installations[found.id]
        self.tokens = {k: t for k, t in self.tokens.items() if t.installation is not found}
        brief = [
            {k: render.repository(repo)[k] for k in BRIEF}
            for repo in self.repositories.values()
            if repo.id in found.repositories
        ]
        payload = {"action": "deleted", "repositories": brief,
                   "installation": render.installation(self, found)}  # fmt: skip
        self.emit("installation", None, payload, found.account)

    @locked
    def suspend(self, owner: str, suspended: bool = True) -> None:
        """Suspend an owner's installation (its tokens stop working), or let it go on."""
        found = next(i for i in self.installations.values() if i.account.login == owner)
        found.suspended = self.clock.now() if suspended else None
        payload = {"action": "suspend" if suspended else "unsuspend",
                   "installation": render.installation(self, found)}  # fmt: skip
        self.emit("installation", None, payload, found.account)

    @locked
    def mint(
        self, installation: Installation, permissions: dict[str, str] | None = None,
        repositories: tuple[int, ...] | None = None,
    ) -> Token:  # fmt: skip
        """A token of the installation, as the API gives it: one hour, perhaps narrowed."""
        made = Token(f"ghs_{secrets.token_hex(18)}", self.app.bot, self.clock.now() + TOKEN_SECONDS,
                     installation, permissions or dict(installation.permissions),
                     repositories)  # fmt: skip
        self.tokens[made.value] = made
        return made

    def token(self, repo: Repository, **permissions: str) -> str:
        """A fresh token of the repository's installation, perhaps with fewer permissions."""
        found = self.installation(repo)
        assert found is not None, f"the App is not installed on {repo.full_name}"
        return self.mint(found, permissions or None).value

    @locked
    def user_token(self, login: str) -> str:
        """A personal token with the person's own rights."""
        made = Token(f"ghp_{secrets.token_hex(18)}", self.user(login), float("inf"))
        self.tokens[made.value] = made
        return made.value

    # Events

    @locked
    def emit(self, event: str, repo: Repository | None, payload: Json, sender: User) -> None:
        """Note an event and deliver it to the App where it is installed and subscribed."""
        payload = {**payload, "sender": render.user(self, sender)}
        if repo is not None:
            payload.setdefault("repository", render.repository(repo))
            installed = self.installation(repo)
            if installed is None or repo.id not in installed.repositories:
                return
            payload["installation"] = {"id": installed.id, "node_id": f"MDI_{installed.id}"}
        self.events.append((event, payload))
        wanted = event.startswith("installation") or event in self.app.events
        need = EVENT_NEEDS.get(event)
        if self.app.hook_url and wanted and (not need or allows(self.app.permissions, need)):
            self.hooks.put(event, payload)

    def _run(self, run_id: int) -> tuple[Repository, Run]:
        for repo in self.repositories.values():
            if run_id in repo.runs:
                return repo, repo.runs[run_id]
        raise LookupError(f"no check run {run_id}")

    @locked
    def press(self, run_id: int, identifier: str, sender: str) -> None:
        """Press an action button of a check run; it must be there."""
        repo, run = self._run(run_id)
        assert identifier in [a["identifier"] for a in run.actions], f"no button {identifier}"
        wanted = {"identifier": identifier}
        repo.tell_check("requested_action", run, self.user(sender), requested_action=wanted)

    @locked
    def rerequest(self, run_id: int, sender: str) -> None:
        """Press "Re-run" on one check run. The run itself does not change."""
        repo, run = self._run(run_id)
        repo.tell_check("rerequested", run, self.user(sender))

    @locked
    def rerequest_suite(self, suite_id: int, sender: str) -> None:
        """Press "Re-run all checks"."""
        for repo in self.repositories.values():
            if suite_id in repo.suites:
                suite = rendergit.suite(repo, repo.suites[suite_id], full=True)
                payload = {"action": "rerequested", "check_suite": suite}
                self.emit("check_suite", repo, payload, self.user(sender))

    # Deliveries

    def deliver_to(self, url: str) -> None:
        """Send every later event to this address."""
        self.app.hook_url = url

    def hold(self) -> None:
        """Keep deliveries back until `release`."""
        self.hooks.hold()

    def release(self) -> None:
        """Send what was held."""
        self.hooks.release()

    def shuffle(self, seed: int = 0) -> None:
        """Reorder what waits (call `hold` first)."""
        self.hooks.shuffle(seed)

    def duplicate(self, times: int = 1, fresh: bool = False) -> None:
        """Deliver the next `times` events twice: under the same GUID, or under a fresh one."""
        self.hooks.duplicate(times, fresh)

    def lose(self, times: int = 1) -> None:
        """Let the next `times` deliveries fail without reaching anybody."""
        self.hooks.lose(times)

    def flush(self, timeout: float = 10.0) -> None:
        """Wait until every delivery was answered."""
        self.hooks.flush(timeout)

    @property
    def deliveries(self) -> list[Delivery]:
        return list(self.hooks.deliveries)

    @property
    def redeliveries(self) -> list[Delivery]:
        return [d for d in self.hooks.deliveries if d.redelivery]

    # Trouble

    def fault(
        self, method: str, path: str, kind: str, times: int = 1, *, skip: int = 0,
        then: Callable[[], None] | None = None,
    ) -> Fault:  # fmt: skip
        """After `skip` others, the next `times` requests whose method and path (a regular
        expression) match fail so; `then` is what a "call-…" calls."""
        made = Fault(method, re.compile(path), kind, times, skip, then)
        self.faults.append(made)
        return made

    def asked(self, method: str = "", path: str = "") -> list[Seen]:
        """The requests seen so far, by method and by a regular expression on the path."""
        return [r for r in list(self.requests)
                if r.method in (method or r.method,) and re.search(path, r.path)]  # fmt: skip
