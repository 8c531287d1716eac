"""Errors of the registry. Each leaf says what to do about it."""

from __future__ import annotations


class RegistryError(Exception):
    """Base of every error the registry raises on purpose; both texts are one line.

    `exit_code`: 1 it may not be, 2 the command or its place, 3 could not tell.
    """

    exit_code = 3

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


class ReleaseError(RegistryError):
    """A document or a ledger of releases that is not what it should be."""


class BadFacts(RegistryError):
    """A file of reviewed licence facts that is missing, or not what such a file must be."""


class Blocked(RegistryError):
    """A release that may not be made: a gate is shut, or a link of its lineage is missing."""

    exit_code = 1


class Lost(RegistryError):
    """Somebody else was first: the version, the alias or the ledger is not as it was expected."""

    exit_code = 1


class StoreFailed(RegistryError):
    """A store (DVC remote, MLflow, GitHub) is away, full, slow or refuses; nothing was lost."""


class UnreadableText(RegistryError):
    """A text that cannot be compared with known ones: too long, no text, too much in one."""


class BadProvenance(RegistryError):
    """Curated provenance of data that cannot be read; what it says is not known."""
