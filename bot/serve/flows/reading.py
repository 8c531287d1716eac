"""Reads of a target's repository through its mirror."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from bot import cladoc, policy
from bot.errors import Missing
from bot.github.values import Api, Target
from bot.policy import Policy
from bot.repository import GitWorld
from bot.serve.flows.warden import Warden

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
        return policy.at(opened, target.base, warden.checks, warden.rules)


def document(warden: Warden, api: Api, target: Target, path: str) -> str | None:
    """Return the SHA-256 of the contributor agreement at the base, None where there is none."""
    if not path:
        return None
    with world(warden, api, target) as opened:
        try:
            return cladoc.read(opened, target.base, path).digest
        except Missing:
            return None
