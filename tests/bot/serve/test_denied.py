"""Who may act is asked of the trust file at the base; without one the platform's roles decide."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from bot.github.values import Repo, Target
from bot.people import Account
from bot.repository import GitWorld
from bot.serve.flows.reading import denied
from security.trust.trustfile import PLACE
from tests.fakes import BASE, HEAD, FakeWorld

NOW = datetime.now(UTC)
TRUST = f"""
format = 1
project = "acme/tiny"
version = 1
expires = {(NOW + timedelta(days=9)).date()}
[people.ada]
account = "ada"
id = 7
[people.bob]
account = "bob"
[roles.one]
actions = ["waive"]
members = ["ada", "bob"]
threshold = 1
artifacts = ["acme"]
"""


def ask(base: dict[str, bytes | str], id_: int, login: str, mode: str = "100644") -> str:
    world = FakeWorld(base, {PLACE: TRUST.replace("bob", "eve")}, modes={PLACE: mode})
    target = Target(Repo(1, "acme/tiny", 1, "main"), 7, HEAD, BASE)
    who = Account(id_, login)
    return denied(cast(GitWorld, world), target, "waive", who, NOW.timestamp())


def test_who_may() -> None:
    assert ask({}, 99, "anybody") == ""
    assert ask({PLACE: TRUST}, 7, "ada-renamed") == ""
    assert ask({PLACE: TRUST}, 8, "BOB") == ""


@pytest.mark.parametrize(
    ("text", "id_", "login", "mode"),
    [
        (TRUST, 9, "ada", "100644"),  # took the name
        (TRUST, 9, "eve", "100644"),  # named at the head only
        (TRUST.replace("waive", "attest"), 7, "ada", "100644"),
        (TRUST.replace('["acme"]', '["acme/tiny/x"]'), 7, "ada", "100644"),
        (TRUST.replace("threshold = 1", "threshold = 2"), 7, "ada", "100644"),
        (TRUST.replace(f"{(NOW + timedelta(days=9)).date()}", "2026-01-01"), 7, "ada", "100644"),
        ("broken [", 7, "ada", "100644"),
        ("x" * 1_000_001, 7, "ada", "100644"),
        (TRUST, 7, "ada", "120000"),
        (TRUST, 7, "ada", "160000"),
    ],
)
def test_who_may_not(text: str, id_: int, login: str, mode: str) -> None:
    assert ask({PLACE: text}, id_, login, mode)
