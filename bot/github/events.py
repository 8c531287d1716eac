"""What a delivery asks of us. Pure: bytes in, acts out; every other event is ignored by name.

A payload is the first word, never the last: whoever acts reads the pull request, the comment and
the rights of its author again from the API.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.github import payloads as seen
from bot.github.acts import (
    Act,
    Ignored,
    Installed,
    Judge,
    Press,
    Pushed,
    Removed,
    Rerun,
    Stop,
    Talk,
)
from bot.github.errors import Malformed
from bot.github.values import Repo, Target
from bot.github.webhook import LIMIT
from bot.people import Account
from bot.serve.contract import Delivery
from security import strictjson

DEPTH = 32  # levels; GitHub's own payloads have fewer than ten
DRAFT = "draft: judged when it is ready for review"
BOT = "a bot asked: only people command"


@dataclass(frozen=True, slots=True)
class Heard:
    """A delivery for the App `app`, through the installation `through`."""

    body: bytes
    id: str
    event: str
    action: str
    through: int
    app: int


Handler = Callable[[Heard], Act]

_COMMAND = re.compile(r"^[ \t]{0,3}/[a-z]", re.MULTILINE | re.IGNORECASE)
_JUDGED = {  # action -> the letter of its attempt: the same commits, asked for once more
    "opened": "", "synchronize": "", "reopened": "o", "edited": "e", "ready_for_review": "d",
}  # fmt: skip


def read(delivery: Delivery, app: int) -> tuple[Act, ...]:
    """Return what a delivery asks of the App `app`; never empty. Raises Malformed."""
    handlers = _HANDLERS.get(delivery.event)
    if handlers is None:
        return (Ignored(f"event {delivery.event}"),)
    _strict(delivery)
    said = seen.shape(delivery.body, seen.Envelope, delivery.event)
    handler = handlers.get(said.action)
    if handler is None:
        return (Ignored(f"{delivery.event} {said.action}"),)
    if said.installation is None:
        return (Ignored("not sent by an installation of the App"),)
    through = said.installation.id
    return (handler(Heard(delivery.body, delivery.id, delivery.event, said.action, through, app)),)


def _strict(delivery: Delivery) -> None:
    """Refuse what two readers of JSON could understand differently."""
    try:
        strictjson.loads(delivery.body, limit=LIMIT, depth=DEPTH)
    except strictjson.StrictJSONError as error:
        raise Malformed(f"{delivery.event}: {error}"[:500], seen.HINT) from error


def _repo(found: seen.Repo, installation: int) -> Repo:
    return Repo(found.id, found.full_name, installation, found.default_branch)


def _account(user: seen.User) -> Account:
    return Account(user.id, user.login, user.type == "Bot")


def _compact(time: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", time)


def _pull(heard: Heard) -> Act:
    event = seen.shape(heard.body, seen.PullEvent, heard.event)
    action, pull = heard.action, event.pull_request
    repo = _repo(event.repository, heard.through)
    if action == "closed":
        return Stop(repo, pull.number, "merged" if pull.merged else "closed")
    if action == "converted_to_draft":
        return Stop(repo, pull.number, "converted to a draft")
    if action == "edited" and (event.changes is None or event.changes.base is None):
        return Ignored("pull_request edited, but not its base")
    if pull.draft:
        # The commits moved: what was approved for the old ones ends, although nothing is judged.
        return Ignored(DRAFT) if action == "opened" else Stop(repo, pull.number, DRAFT)
    letter = _JUDGED[action]
    attempt = f"{letter}{_compact(pull.updated_at)}" if letter else ""
    return Judge(Target(repo, pull.number, pull.head.sha, pull.base.sha, attempt), action)


def _comment(heard: Heard) -> Act:
    event = seen.shape(heard.body, seen.CommentEvent, heard.event)
    comment = event.comment
    through = comment.performed_via_github_app
    if event.issue.pull_request is None:
        return Ignored("a comment on an issue that is no pull request")
    if through is not None and through.id == heard.app:
        return Ignored("our own comment")
    if "Bot" in (event.sender.type, comment.user.type if comment.user else ""):
        return Ignored(BOT)
    if not _COMMAND.search(comment.body or ""):
        return Ignored("a comment without a line that begins with a command")
    repo = _repo(event.repository, heard.through)
    return Talk(repo, event.issue.number, comment.id, comment.updated_at)


def _run(heard: Heard) -> Act:
    event = seen.shape(heard.body, seen.RunEvent, heard.event)
    run = event.check_run
    if run.app is None or run.app.id != heard.app:
        return Ignored("a check run of another App")
    if event.sender.type == "Bot":
        return Ignored(BOT)
    repo, sender = _repo(event.repository, heard.through), _account(event.sender)
    if heard.action == "rerequested":
        return Rerun(repo, run.head_sha, run.name, f"r{run.id}", sender)
    if event.requested_action is None:
        raise Malformed("check_run: requested_action: missing", seen.HINT)
    pressed = event.requested_action.identifier
    return Press(repo, run.head_sha, run.id, run.external_id or "", pressed, sender)


def _suite(heard: Heard) -> Act:
    event = seen.shape(heard.body, seen.SuiteEvent, heard.event)
    suite = event.check_suite
    if suite.app is None or suite.app.id != heard.app:
        return Ignored("a check suite of another App")
    if event.sender.type == "Bot":
        return Ignored(BOT)
    repo, sender = _repo(event.repository, heard.through), _account(event.sender)
    asked = f"s{suite.id}-{_compact(suite.updated_at or heard.id)}"
    return Rerun(repo, suite.head_sha, "", asked, sender)


def _push(heard: Heard) -> Act:
    event = seen.shape(heard.body, seen.PushEvent, heard.event)
    branch = event.repository.default_branch
    if not branch or event.ref != f"refs/heads/{branch}":
        return Ignored("push to another ref than the default branch")
    if event.deleted or not event.after.strip("0"):
        return Ignored("the default branch was deleted")
    return Pushed(_repo(event.repository, heard.through), event.after)


def _group(heard: Heard) -> Act:
    event = seen.shape(heard.body, seen.GroupEvent, heard.event)
    group = event.merge_group
    repo = _repo(event.repository, heard.through)
    return Judge(Target(repo, 0, group.head_sha, group.base_sha), "merge group")


def _installation(heard: Heard) -> Act:
    event = seen.shape(heard.body, seen.InstallationEvent, heard.event)
    action = heard.action
    if action in ("deleted", "suspend", "removed"):
        gone = event.repositories_removed if action == "removed" else event.repositories
        ids = tuple(repo.id for repo in gone)
        return Removed(ids) if ids else Ignored(f"installation {action}: names no repository")
    new = event.repositories_added if action == "added" else event.repositories
    return Installed(tuple(_repo(repo, heard.through) for repo in new))


_HANDLERS: dict[str, dict[str, Handler]] = {
    "pull_request": dict.fromkeys((*_JUDGED, "closed", "converted_to_draft"), _pull),
    "issue_comment": {"created": _comment},
    "check_run": {"rerequested": _run, "requested_action": _run},
    "check_suite": {"rerequested": _suite},
    "push": {"": _push},
    "merge_group": {"checks_requested": _group},
    "installation": dict.fromkeys(
        ("created", "new_permissions_accepted", "unsuspend", "deleted", "suspend"), _installation
    ),
    "installation_repositories": {"added": _installation, "removed": _installation},
}
