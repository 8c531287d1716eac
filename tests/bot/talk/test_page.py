"""The page of commands says what the table says."""

from __future__ import annotations

from bot.talk.commands import COMMANDS
from bot.talk.grammar import read
from bot.talk.page import page
from bot.talk.waiving import NEVER


def test_every_command_and_refusal_is_on_the_page() -> None:
    shown = page()
    for spec in COMMANDS.values():
        assert f"| `{spec.usage}` | {spec.who} | {spec.does} |" in shown
        assert spec.example in shown
    for rule in NEVER:
        assert f"`{rule}" in shown
    assert read(shown) == ()
