"""What can go wrong with GitHub, named for what the caller does next."""

from __future__ import annotations

from bot.errors import CouldNotTell


class GitHubError(CouldNotTell):
    """GitHub did not give an answer that can be used."""


class NotFound(GitHubError):
    """It is not there, or may not be seen with these rights: the two look alike."""


class Denied(GitHubError):
    """The App lacks a permission, or its key or token is not accepted."""


class Refused(GitHubError):
    """GitHub calls the request invalid (422, 409): asking again changes nothing."""


class Unavailable(GitHubError):
    """No answer, or a server error, after all retries: ask again later."""


class Limited(GitHubError):
    """A rate limit: park the work until `until`, in seconds since the epoch."""

    def __init__(self, message: str, hint: str, until: float) -> None:
        super().__init__(message, hint)
        self.until = until


class Foreign(GitHubError):
    """Something of that name is there that is not ours, or no longer as we made it."""


class Forged(GitHubError):
    """A delivery whose signature does not hold; nothing of it was read."""


class Malformed(GitHubError):
    """A delivery that is signed but is not what GitHub documents."""
