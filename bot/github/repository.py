"""One repository through one installation: every question and every write of the bot.

Writes are made once. After a lost answer a POST looks for what it may have made, and annotations,
which GitHub only ever appends, go on from the number it shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from bot.github import answers, payloads, protection
from bot.github.errors import Denied, GitHubError, NotFound, Refused
from bot.github.rundoc import BATCH, batch, opening
from bot.github.transport import LATER, WRONG, Body, Query, Reply, get, once, pages, patiently
from bot.github.values import CheckRun, Comment, Identity, Pull, Repo, Required, Role, RunBody
from bot.people import MAX_COMMITS, CommitAccount

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,100}(?:\[bot\])?")


class Line(Protocol):
    """The way to GitHub with the rights of one installation on one repository."""

    def ask(self, verb: str, path: str, query: Query = None, body: Body = None) -> Reply:
        """Ask once (see transport.Wire)."""

    def lent(self, verb: str, path: str, body: Body, rights: Mapping[str, str]) -> Reply:
        """Ask once, with other rights than ours where they can be had. Raises Denied."""

    def identity(self) -> Identity:
        """Return who we are."""

    def token(self) -> str:
        """Return a token that holds for ten more minutes."""

    def web(self) -> str:
        """Return the address that clone addresses begin with."""


@dataclass(frozen=True, slots=True)
class Repository:
    """The `Api` of `repo`."""

    repo: Repo
    line: Line

    def pull(self, number: int) -> Pull:
        """Return a pull request as it is now. Raises NotFound."""
        text = get(self.line, self._path(f"pulls/{number:d}")).text
        return answers.read(text, answers.Pull).value(self.repo)

    def open_pulls(self) -> Iterator[Pull]:
        """Yield every open pull request, the oldest first."""
        query = {"state": "open", "sort": "created", "direction": "asc"}
        for page in pages(self.line, self._path("pulls"), query):
            for found in answers.read(page.text, tuple[answers.Pull, ...]):
                yield found.value(self.repo)

    def pulls_with_head(self, head: str) -> tuple[Pull, ...]:
        """Return the open pull requests whose head is this commit.

        GitHub's own list of a commit's pull requests leaves out those of forks
        (Azure/azure-rest-api-specs#33415).
        """
        commit_id(head)
        return tuple(pull for pull in self.open_pulls() if pull.head == head)

    def role(self, login: str) -> Role:
        """Return what an account may do, read now; NONE where it is no collaborator."""
        if not _LOGIN.fullmatch(login):
            return Role.NONE
        try:
            text = get(self.line, self._path(f"collaborators/{quote(login)}/permission")).text
        except NotFound:
            return Role.NONE
        return answers.read(text, answers.Permission).value

    def commit_accounts(self, base: str, head: str) -> tuple[CommitAccount, ...]:
        """Return what GitHub proves of each commit in head but not in base, oldest first.

        Raises GitHubError where it does not tell all of them.
        """
        path = self._path(f"compare/{commit_id(base)}...{commit_id(head)}")
        found: dict[str, CommitAccount] = {}
        total = 0
        for reply in pages(self.line, path, most=MAX_COMMITS // 100):
            page = answers.read(reply.text, answers.Comparison)
            found |= {commit.sha: commit.value for commit in page.commits}
            total = page.total_commits
            if len(found) >= total:
                break
        if len(found) != total:
            raise GitHubError(f"GitHub tells {len(found):,} of {total:,} commits", LATER)
        return tuple(found.values())

    def runs(self, head: str, name: str = "") -> tuple[CheckRun, ...]:
        """Return our App's check runs on a commit, the newest first."""
        app = self.line.identity().app
        query: dict[str, str | int] = {"filter": "all", "app_id": app}
        if name:
            query["check_name"] = name
        found: dict[int, CheckRun] = {}
        for page in pages(self.line, self._path(f"commits/{commit_id(head)}/check-runs"), query):
            for run in answers.read(page.text, answers.Runs).check_runs:
                if run.app is not None and run.app.id == app:
                    found[run.id] = run.value
        return tuple(found[id] for id in sorted(found, reverse=True))

    def create_run(self, body: RunBody) -> CheckRun:
        """Make a check run, or return the one that already has this name and external id."""
        commit_id(body.head)
        run = once(lambda: self._known(body), lambda: self._write_run("POST", "", opening(body)))
        # What did not fit into one request follows; a run that was there is not opened again.
        unfinished = body.conclusion is not None and run.status != "completed"
        if run.annotations < len(body.annotations) or unfinished:
            return self.update_run(run, body)
        return run

    def _known(self, body: RunBody) -> CheckRun | None:
        if not body.external_id:
            raise Refused("a check run without an external id could be made twice", WRONG)
        same = (r for r in self.runs(body.head, body.name) if r.external_id == body.external_id)
        return next((run for run in same if run.name == body.name), None)

    def update_run(self, run: CheckRun, body: RunBody) -> CheckRun:
        """Make a run show `body`, annotations in batches of 50 after those it already shows.

        Only the last batch says how it ended. Where an answer is lost, the run is read again.
        """
        shown = self._shown(run) if body.annotations else 0  # `run` may be older than a crash
        while True:
            run, shown = self._step(run, body, shown)
            if shown >= len(body.annotations):
                return run

    def _step(self, run: CheckRun, body: RunBody, shown: int) -> tuple[CheckRun, int]:
        """Send one batch; return the run and how many annotations it shows after it."""
        lost = False

        def act() -> CheckRun:
            nonlocal lost, shown
            if lost and body.annotations:
                shown = self._shown(run)
            lost = True
            return self._write_run("PATCH", f"/{run.id:d}", batch(body, shown))

        after = patiently(act)
        return after, shown + BATCH

    def _shown(self, run: CheckRun) -> int:
        text = get(self.line, self._path(f"check-runs/{run.id:d}")).text
        return answers.read(text, answers.Run).output.annotations_count

    def _write_run(self, verb: str, id: str, body: Mapping[str, object]) -> CheckRun:
        text = self.line.ask(verb, self._path(f"check-runs{id}"), body=body).text
        return answers.read(text, answers.Run).value

    def comment(self, comment: int) -> Comment | None:
        """Return a comment, None where it was deleted."""
        try:
            text = get(self.line, self._path(f"issues/comments/{comment:d}")).text
        except NotFound:
            return None
        return answers.read(text, answers.Comment).value

    def comments(self, number: int) -> Iterator[Comment]:
        """Yield every comment of an issue or pull request, oldest first, all pages."""
        for page in pages(self.line, self._path(f"issues/{number:d}/comments")):
            for found in answers.read(page.text, tuple[answers.Comment, ...]):
                yield found.value

    def create_comment(self, number: int, body: str, marker: str) -> Comment:
        """Write a comment, or return ours that already holds `marker` (a lost answer)."""
        if not marker or marker not in body:
            raise Refused("a comment that does not hold its marker could be made twice", WRONG)
        us = self.line.identity().bot.id

        def ours() -> Comment | None:
            every = self.comments(number)
            return next((c for c in every if c.author.id == us and marker in c.body), None)

        def write() -> Comment:
            path = self._path(f"issues/{number:d}/comments")
            text = self.line.ask("POST", path, body={"body": body}).text
            return answers.read(text, answers.Comment).value

        return once(ours, write)

    def update_comment(self, comment: int, body: str) -> Comment:
        """Replace a comment's text. Raises NotFound where it was deleted."""
        path = self._path(f"issues/comments/{comment:d}")
        text = patiently(lambda: self.line.ask("PATCH", path, body={"body": body})).text
        return answers.read(text, answers.Comment).value

    def required_checks(self, branch: str) -> tuple[Required, ...]:
        """Return the checks that protection or rulesets of a branch require."""
        name = quote(branch, safe="")
        return tuple(dict.fromkeys((*self._protected(name), *self._ruled(name))))

    def _protected(self, branch: str) -> Iterator[Required]:
        try:
            text = get(self.line, self._path(f"branches/{branch}")).text
        except NotFound:
            return
        found = answers.read(text, protection.Branch).protection
        if found is not None and found.required_status_checks is not None:
            yield from found.required_status_checks.required

    def _ruled(self, branch: str) -> Iterator[Required]:
        try:
            for page in pages(self.line, self._path(f"rules/branches/{branch}")):
                for rule in answers.read(page.text, tuple[protection.Rule, ...]):
                    yield from rule.required
        except NotFound:
            return
        except Denied as error:
            if "Upgrade to GitHub" not in error.message:  # a plan that has no rulesets
                raise

    def dispatch(self, workflow: str, inputs: Mapping[str, str]) -> str:
        """Start a workflow of the default branch; return its run's page, "" for unknown.

        Not asked again after a lost answer: it might run twice.
        """
        now = answers.read(get(self.line, f"/repos/{self.repo.name}").text, payloads.Repo)
        path = f"/repos/{now.full_name}/actions/workflows/{quote(workflow, safe='')}/dispatches"
        body = {"ref": now.default_branch, "inputs": dict(inputs)}
        rights = {"actions": "write"}
        try:
            asked = body | {"return_run_details": True}
            reply = self.line.lent("POST", path, asked, rights)
        except Refused as error:
            if "permitted key" not in error.message:
                raise
            reply = self.line.lent("POST", path, body, rights)  # an older server says no page
        return answers.read(reply.text, answers.Dispatched).html_url if reply.text else ""

    def token(self) -> str:
        """Return an installation token that holds for at least ten more minutes."""
        return self.line.token()

    def clone_url(self) -> str:
        """Return the HTTPS address git fetches from; it carries no token.

        Git follows no redirect, so GitHub is asked for the name that the repository has now.
        """
        found = answers.read(get(self.line, f"/repos/{self.repo.name}").text, payloads.Repo)
        return f"{self.line.web()}/{found.full_name}.git"

    def _path(self, rest: str) -> str:
        return f"/repos/{self.repo.name}/{rest}"


def commit_id(sha: str) -> str:
    """Return a full commit id. Raises Refused where it is none."""
    if not _SHA.fullmatch(sha):
        raise Refused(f"{sha[:80]!r} is no full commit id", WRONG)
    return sha
