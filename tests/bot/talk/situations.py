"""Situations for tests: one pull request, and who speaks about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot import catalog
from bot.github.values import Pull, Repo, Role
from bot.people import Account
from bot.talk.quota import Left
from bot.talk.values import Situation

NOW = 1_795_000_000.0  # 2026-11-18 11:06:40 UTC
HEAD, BASE = "0123456789abcdef" * 2 + "01234567", "b" * 40
REPO = Repo(1, "acme/tiny", 9)
AUTHOR, OTHER = Account(10, "ann"), Account(11, "bob")
PULL = Pull(REPO, 7, "A title", AUTHOR, "open", False, False, HEAD, 2, BASE, "main")
SITUATION = Situation(
    pull=PULL,
    who=OTHER,
    comment=77,
    role=Role.ADMIN,
    now=NOW,
    checks=tuple(check.NAME for check in catalog.CHECKS),
    rules=catalog.rules(),
    left=Left(100.0, 200.0, NOW + 3_600),
    estimate=20.0,
    suites=("general", "short answers"),
    document="d" * 64,
    under_way=True,
)


def situation(**changes: Any) -> Situation:
    """Return the situation with changes; those of the pull request begin with `pull_`."""
    pull = {k.removeprefix("pull_"): v for k, v in changes.items() if k.startswith("pull_")}
    rest = {k: v for k, v in changes.items() if not k.startswith("pull_")}
    return replace(SITUATION, pull=replace(PULL, **pull), **rest)
