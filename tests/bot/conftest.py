"""Fixtures of the bot's tests."""

from __future__ import annotations

from tests.bot.called import here as here
from tests.postgres import postgres as postgres
