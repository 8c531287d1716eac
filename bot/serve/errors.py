"""What can go wrong in the server's own rooms; each says what the operator does about it."""

from __future__ import annotations

from bot.errors import BotError, CouldNotTell


class StoreError(CouldNotTell):
    """The database did not take or give a row: away, full, locked or read-only. Ask again later."""


class StoreSetup(BotError):
    """The database cannot be used as it is: a wrong address, or a schema of a newer version."""


class StepFailed(CouldNotTell):
    """A step of a job broke in a way nobody foresaw. Its text is in the log, never in reports."""
