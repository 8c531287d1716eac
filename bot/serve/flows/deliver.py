"""From a delivery to jobs. Nothing here asks GitHub anything: the jobs do."""

from __future__ import annotations

from collections.abc import Mapping

from bot.github import acts
from bot.github.errors import Malformed
from bot.github.events import read
from bot.serve.contract import Plain, Steps
from bot.serve.flows.payload import pack
from bot.serve.flows.warden import JUDGE, Warden


def flow(warden: Warden, steps: Steps, payload: Mapping[str, Plain]) -> Plain:
    """Read one delivery and start what it asks for, each job once."""
    return steps.run("act", lambda: _settle(warden, steps.key))


def _settle(warden: Warden, delivery: str) -> str:
    kept = warden.records.delivery(delivery)
    if kept is None or not kept.body:
        return "settled before"
    try:
        notes = [_do(warden, act, delivery) for act in read(kept, warden.hub.identity().app)]
    except Malformed as error:
        notes = [f"malformed: {error.message}"]
    note = "; ".join(notes) or "nothing to do"
    warden.records.settled(delivery, note)
    return note


def _do(warden: Warden, act: acts.Act, delivery: str) -> str:
    match act:
        case acts.Ignored(reason):
            return f"ignored: {reason}"
        case acts.Judge(target, why):
            if target.number:
                fresh = "" if target.attempt.startswith("o") else target.head
                warden.records.void(target.repo.id, target.number, why, keep=fresh)
            warden.put(JUDGE, target)
            return f"judge {target.head[:12]}: {why}"
        case acts.Stop(repo, number, reason):
            warden.records.void(repo.id, number, reason)
            return _put(warden, "stop", delivery, act, repo.id)
        case acts.Talk(repo, _, comment, updated_at):
            return _put(warden, "talk", f"{comment}-{updated_at}", act, repo.id)
        case acts.Rerun(repo, _, _, attempt, _):
            return _put(warden, "rerun", f"{repo.id}-{attempt}", act, repo.id)
        case acts.Press(repo):
            return _put(warden, "press", delivery, act, repo.id)
        case acts.Pushed(repo, head):
            return _put(warden, "history", f"{repo.id}-{head}", act, repo.id)
        case acts.Installed(repos):
            for repo in repos:
                _put(warden, "reconcile", f"{repo.id}-{delivery}", repo, repo.id)
            return f"reconcile {len(repos)} repositories"
        case acts.Removed(repos):
            for number in repos:
                warden.mirrors.remove(number)
            return f"{len(repos)} mirrors removed"


def _put(warden: Warden, kind: str, key: str, value: object, repo: int) -> str:
    warden.jobs.put(kind, key, {"value": pack(value)}, repo=repo)
    return kind
