"""Errors of advisories: a document, a source, the database."""

from __future__ import annotations

from registry.errors import RegistryError

UPDATE = "modelwarden watch advisories --update"


class AdvisoryError(RegistryError):
    """A document that is no OSV advisory under the strict rules."""


class SourceError(RegistryError):
    """Nothing can be imported from there."""

    exit_code = 2


class DatabaseError(RegistryError):
    """The database of advisories cannot be used."""


class NoDatabase(DatabaseError):
    """There is no database of advisories."""
