"""Reads of a target's repository through its mirror."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from bot import cladoc, policy
from bot.checks.trust import at as trust_at
from bot.errors import Missing, PolicyError, TooLarge
from bot.github.values import Api, Target
from bot.people import Account
from bot.policy import Policy
from bot.repository import GitWorld
from bot.serve.flows.warden import Warden
from security.errors import SecurityError
from security.trust import access

Objects = Callable[[tuple[str, ...]], None]


@contextlib.contextmanager
def mirror(
    warden: Warden, api: Api, target: Target, cancelled: Callable[[], bool] = lambda: False
) -> Iterator[tuple[Path, Objects]]:
    """Bring a target's commits; yield the bare repository and what brings more objects."""
    repo, url = target.repo, api.clone_url()
    pull = (f"refs/pull/{target.number}/head",) if target.number else ()
    wanted = (target.base, target.head, *pull)

    def objects(ids: tuple[str, ...]) -> None:
        warden.mirrors.blobs(repo, url, api.token, ids, cancelled=cancelled)

    with warden.mirrors.hold(repo):
        place = warden.mirrors.sync(repo, url, api.token, wanted, cancelled=cancelled)
        yield place, objects


def ledger(
    warden: Warden,
    api: Api,
    target: Target,
    place: Path,
    objects: Objects,
    cancelled: Callable[[], bool],
) -> str:
    """Bring the branch of releases that the policy at the base names; return its commit, or "".

    It is a branch of the repository that the App is asked by: one of a fork never comes here.
    """
    try:
        with GitWorld(place, say=warden.log, objects=objects) as opened:
            name = policy_at(warden, opened, target).release.branch
    except (PolicyError, Missing, TooLarge):
        return ""  # whoever judges says what is wrong with the policy
    return warden.mirrors.branch(target.repo, api.clone_url(), api.token, name, cancelled=cancelled)


@contextlib.contextmanager
def world(warden: Warden, api: Api, target: Target) -> Iterator[GitWorld]:
    """Open a target's repository; objects that are missing are fetched as they are asked for."""
    with (
        mirror(warden, api, target) as (place, objects),
        GitWorld(place, say=warden.log, objects=objects) as opened,
    ):
        yield opened


def policy_of(warden: Warden, api: Api, target: Target) -> Policy:
    """Return the policy at the target's base. Raises PolicyError."""
    with world(warden, api, target) as opened:
        return policy_at(warden, opened, target)


def policy_at(warden: Warden, opened: GitWorld, target: Target) -> Policy:
    """Return the policy at the target's base. Raises PolicyError."""
    return policy.at(opened, target.base, warden.checks, warden.rules)


def document(opened: GitWorld, target: Target, path: str) -> str | None:
    """Return the SHA-256 of the contributor agreement at the base, None where there is none."""
    if not path:
        return None
    try:
        return cladoc.read(opened, target.base, path).digest
    except Missing:
        return None


def denied(opened: GitWorld, target: Target, action: str, who: Account, now: float) -> str:
    """Say why the trust file at the base does not let an account act; "" where it does.

    Without a trust file the roles of GitHub decide; one that cannot be read lets nobody act.
    """
    try:
        trust = trust_at(opened, target.base)
    except (SecurityError, TooLarge) as error:
        return error.message
    if trust is None:
        return ""
    account = access.Account(who.login, who.id)
    day = datetime.fromtimestamp(now, UTC)
    decision = access.decide(trust, action, (account,), trust.project, day)
    return "" if decision.allowed else decision.reason
