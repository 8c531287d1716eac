"""The evidence of one change in the making."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.change import Change
from bot.checks.data.evidence import Leaking
from bot.checks.data.reading import Reader, Trouble
from bot.checks.data.settings import Settings
from bot.checks.data.sources import Source
from bot.errors import Missing
from bot.world import World
from lab.errors import NoReader
from registry.errors import RegistryError


@dataclass(slots=True)
class Work:
    """What is asked, whom, and what is known so far."""

    change: Change
    world: World
    settings: Settings
    reader: Reader
    troubles: list[Trouble] = field(default_factory=list)
    leaks: list[Leaking] = field(default_factory=list)
    more: dict[str, int] = field(default_factory=dict)
    records: int = 0

    def tried(self, source: Source, act: Callable[[], Trouble | None]) -> None:
        """Do something with a file; what keeps it from being done whole is noted."""
        try:
            trouble = act()
        except NoReader as error:
            trouble = Trouble("data/unequipped", source.place, error.message, 0, error.hint)
        except (Missing, RegistryError) as error:
            trouble = Trouble("data/not-at-hand", source.place, error.message, 0, error.hint)
        if trouble is not None and trouble not in self.troubles:
            self.troubles.append(trouble)
