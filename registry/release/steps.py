"""The steps of a release: each looks before it acts, so that doing it again changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

Facts = Mapping[str, str]  # what a step found or made, for later steps and for the journal
Tell = Callable[[str], None]


class Step(Protocol):
    """One step. `known` are the facts of all steps before it, by name of the step and of the fact.

    Facts are short texts: digests, ids, versions; never a secret, never bytes.
    """

    @property
    def name(self) -> str:
        """One word: fetch, intake, manifest, ..."""

    def about(self) -> str:
        """Return what it will do, in one line, for `release plan`. Changes nothing."""

    def look(self, known: Mapping[str, Facts]) -> Facts | None:
        """Return the facts if the world is already as this step would make it, else None.

        Raises RegistryError where that cannot be told: nobody answers, somebody else was there.
        """

    def do(self, known: Mapping[str, Facts], tell: Tell) -> Facts:
        """Make it so. Killed anywhere, it leaves what `look` and another `do` cope with."""

    def undo(self, known: Mapping[str, Facts], facts: Facts | None) -> None:
        """Take back what this step may have made (`facts`: what it told, None if killed).

        Only before the release is recorded; afterwards it is withdrawn, never unmade.
        """
