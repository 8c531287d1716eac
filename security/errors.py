"""Errors of the security part. Each leaf says what to do, and how a command ends with it."""

from __future__ import annotations


class SecurityError(Exception):
    """Base of every error this part raises on purpose; both texts are one line.

    `exit_code`: 1 it is not what it should be, 2 the command or its place, 3 could not tell.
    """

    exit_code = 3

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Malformed(SecurityError):
    """Bytes that are not what they claim to be, or that readers may understand differently."""


class TooLarge(Malformed):
    """Input beyond its bound; nothing of it was kept."""


class InvalidSafetensors(Malformed):
    """A safetensors header that readers may understand differently, or not at all."""


class Unreadable(SecurityError):
    """A file that cannot be read, is no regular file, or changed while it was read."""


class Tampered(SecurityError):
    """Content differs from what was signed; the message names the file, and the tensor."""

    exit_code = 1


class Untrusted(SecurityError):
    """Signed, but not by whom the policy wants, not any more, or not yet."""

    exit_code = 1


class BadKey(SecurityError):
    """A key that cannot be used: its file, its kind or its passphrase."""

    exit_code = 2


class NoMatch(SecurityError):
    """None of the identities at hand opens the sealed file."""

    exit_code = 2


class Refused(SecurityError):
    """An operation that would lose something, or that nobody allowed."""

    exit_code = 2


class Unavailable(SecurityError):
    """An optional package, device or program that is not there."""

    exit_code = 2


class WriteFailed(SecurityError):
    """The target could not be written; nothing half-written is left."""

    exit_code = 2
