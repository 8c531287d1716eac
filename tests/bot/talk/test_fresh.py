"""Which comments are listened to."""

from __future__ import annotations

from typing import Any

import pytest

from bot.github.values import Comment
from bot.people import Account
from bot.talk.fresh import unheard

NOW = 1_795_000_000.0  # 2026-11-18 11:06:40 UTC
AT = "2026-11-18T11:06:30Z"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"app": 5}, "an App or a bot"),
        ({"author": Account(1, "ann", bot=True)}, "an App or a bot"),
        ({"author": Account(1, "ann[bot]")}, ""),  # a suffix proves nothing, either way
        ({"updated_at": "2026-11-18T11:06:31Z"}, "edited"),
        ({"updated_at": ""}, "edited"),
        ({"created_at": "2026-11-15T11:06:41Z"}, ""),
        ({"created_at": "2026-11-15T11:06:39Z"}, "three days"),
        ({"created_at": "2026-11-18T11:16:00Z"}, ""),
        ({"created_at": "2026-11-18T11:17:00Z"}, "lies ahead"),
        ({"created_at": "yesterday"}, "cannot be read"),
        ({"created_at": "2026-11-18T11:06:30"}, "no time zone"),
        ({"created_at": "2026-11-18T13:06:30+02:00"}, ""),
    ],
)
def test_unheard(changes: dict[str, Any], why: str) -> None:
    at = changes.get("created_at", AT)
    values = {"id": 1, "author": Account(1, "ann"), "body": "", "created_at": at, "updated_at": at}
    said = unheard(Comment(**(values | changes)), NOW)
    assert bool(said) == bool(why)
    assert why in said
