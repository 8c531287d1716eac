"""Errors of the bot. Each leaf says what to do; each door maps the tree to exit codes once."""

from __future__ import annotations


class BotError(Exception):
    """Base of every error the bot raises on purpose.

    `message` says what is wrong, `hint` what to do about it; both are one line.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(BotError):
    """The command line asks for something that is not there."""


class RepositoryError(BotError):
    """Not a git repository, an unknown revision, or missing history."""


class PolicyError(BotError):
    """The policy cannot be used as it stands."""


class CouldNotTell(BotError):
    """A check could not reach an answer. Becomes Outcome.ERROR, never a pass."""

    exit_code = 3


class TooLarge(CouldNotTell):
    """Input beyond its bound; nothing of it was read."""


class Missing(CouldNotTell):
    """An object the change refers to is not at hand."""
