"""Every check there is, in the order of the report. Adding one: two lines here."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from types import MappingProxyType
from typing import cast

from bot import conduct
from bot.check import Check
from bot.checks import community, contributors, dependencies, files, licenses, regression, weights
from bot.errors import UsageError
from bot.finding import Rule

PLUGINS = "modelwarden.checks"  # entry-point group

CHECKS: tuple[Check, ...] = (
    contributors,
    files,
    dependencies,
    licenses,
    weights,
    regression,
    community,
)


def checks(plugins: Sequence[str] = ()) -> tuple[Check, ...]:
    """Return our checks and the named plugins. Raises UsageError for one not installed.

    Plugins are switched on by whoever runs the bot, never by the repository under review.
    """
    installed = {e.name: e for e in importlib.metadata.entry_points(group=PLUGINS)}
    found = list(CHECKS)
    for name in plugins:
        if name not in installed:
            known = ", ".join(sorted(installed)) or "none"
            raise UsageError(f"no plugin '{name}'", f"installed plugins: {known}")
        found.append(cast(Check, installed[name].load()))
    return tuple(found)


def rules(checks: Sequence[Check] = CHECKS) -> MappingProxyType[str, Rule]:
    """Return every rule by id, the engine's own included."""
    own = {rule.id: rule for rule in conduct.RULES}
    return MappingProxyType(own | {rule.id: rule for check in checks for rule in check.RULES})
