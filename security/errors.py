"""Errors of the security part. Each leaf says what to do about it."""

from __future__ import annotations


class SecurityError(Exception):
    """Base of every error this part raises on purpose; both texts are one line."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidSafetensors(SecurityError):
    """A safetensors header that readers may understand differently, or not at all."""
