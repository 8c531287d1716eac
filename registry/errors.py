"""Errors of the registry. Each leaf says what to do about it."""

from __future__ import annotations


class RegistryError(Exception):
    """Base of every error the registry raises on purpose; both texts are one line."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class PointerError(RegistryError):
    """A pointer (LFS, DVC) or DVC configuration that cannot be read under the strict rules."""


class UnsafeWeights(RegistryError):
    """A model folder with names, links or sizes that must not be written out."""


class MissingWeights(RegistryError):
    """Weights a commit refers to are neither at hand nor to be fetched."""


class CorruptWeights(RegistryError):
    """Bytes at hand are not those the pointer names."""
