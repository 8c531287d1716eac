"""The shape of a check: a module with these names. Adding one is described in CONTRIBUTING."""

from __future__ import annotations

from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from bot.change import Change
from bot.exhibit import Exhibit
from bot.finding import Finding, Rule
from bot.world import World


class Section(BaseModel):
    """Base of a check's own part of the policy: frozen, unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True

    def among(self, root: Any) -> Section:
        """Return this section as the whole policy `root` completes it: usually as it is."""
        return self


class Check(Protocol):
    """A check module. `VERSION` goes up when the meaning of cached evidence changes."""

    @property
    def NAME(self) -> str:
        """The first part of its rules' ids, and its section in the policy."""

    @property
    def VERSION(self) -> int:
        """Part of the key of cached facts."""

    @property
    def RULES(self) -> tuple[Rule, ...]:
        """Everything it can say."""

    @property
    def Settings(self) -> type[Section]:
        """Its section of the policy."""

    def applies(self, change: Change, settings: Any) -> str:
        """Return "" where the check applies, or one line that says why it does not."""

    def collect(self, change: Change, world: World, settings: Any) -> Any:
        """Ask the world; return frozen evidence. May raise CouldNotTell."""

    def judge(self, evidence: Any, settings: Any) -> tuple[Finding, ...]:
        """Decide, purely from evidence and policy."""

    def summary(self, evidence: Any) -> str:
        """Say in one line what was judged: "3 commits, 2 people"."""

    def exhibits(self, evidence: Any, settings: Any) -> tuple[Exhibit, ...]:
        """Return tables and plots for the reports; usually ()."""
