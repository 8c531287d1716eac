"""From a delivery to jobs. Nothing here asks GitHub anything: the jobs do."""

from __future__ import annotations

from bot.github import acts
from bot.github.errors import Malformed
from bot.github.events import read
from bot.github.values import Repo
from bot.serve.contract import Delivery
from bot.serve.flows.payload import pack
from bot.serve.flows.warden import Warden


def settle(warden: Warden, app: int, delivery: Delivery) -> str:
    """Start what a delivery asks for, each job once; return what that was, for the log."""
    try:
        notes = [_do(warden, act, delivery.id) for act in read(delivery, app)]
    except Malformed as error:
        return f"malformed: {error.message}"
    return "; ".join(notes) or "nothing to do"


def _do(warden: Warden, act: acts.Act, delivery: str) -> str:
    match act:
        case acts.Ignored(reason):
            return f"ignored: {reason}"
        case acts.Judge(target, why):
            if target.number:
                # Reopened, or another base: no leave outlives that, even on the same commits.
                fresh = "" if target.attempt.startswith(("o", "e")) else target.head
                warden.records.void(target.repo.id, target.number, why, keep=fresh)
            warden.judge(target)
            return f"judge {target.head[:12]}: {why}"
        case acts.Stop(repo, number, reason):
            warden.records.void(repo.id, number, reason)
            return _put(warden, "stop", delivery, act, repo, number)
        case acts.Talk(repo, number, comment, updated_at):
            return _put(warden, "talk", f"{comment}-{updated_at}", act, repo, number)
        case acts.Rerun(repo, _, _, attempt, _):
            return _put(warden, "rerun", f"{repo.id}-{attempt}", act, repo)
        case acts.Press(repo):
            return _put(warden, "press", delivery, act, repo)
        case acts.Pushed(repo, head):
            return _put(warden, "history", f"{repo.id}-{head}", act, repo)
        case acts.Installed(repos):
            for repo in repos:
                _put(warden, "reconcile", f"{repo.id}-{delivery}", repo, repo)
            if not repos:
                warden.jobs.put("sweep", delivery, {"about": ""})
            return f"reconcile {len(repos)} repositories"
        case acts.Removed(repos):
            for number in repos:
                warden.jobs.put("forget", f"{number}-{delivery}", {"repo": number}, repo=number)
            return f"forget {len(repos)} repositories"


def _put(warden: Warden, kind: str, key: str, value: object, repo: Repo, number: int = 0) -> str:
    about = f"{repo.name}#{number}" if number else repo.name
    warden.jobs.put(kind, key, {"value": pack(value), "about": about}, repo=repo.id)
    return kind
