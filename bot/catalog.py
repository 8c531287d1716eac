"""Every check there is, in the order of the report. Adding one: two lines here."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from types import MappingProxyType
from typing import cast

from bot import conduct
from bot.check import Check
from bot.checks import (
    advisories,
    assets,
    community,
    contributors,
    data,
    dependencies,
    files,
    licenses,
    provenance,
    regression,
    secrets,
    trust,
    weights,
)
from bot.errors import UsageError
from bot.finding import Rule
from bot.quoting import plain

PLUGINS = "modelwarden.checks"  # entry-point group
_SHAPE = ("NAME", "VERSION", "RULES", "Settings", "applies", "collect", "judge", "summary",
          "exhibits")  # fmt: skip

CHECKS: tuple[Check, ...] = (
    contributors,
    files,
    dependencies,
    advisories,
    licenses,
    assets,
    data,
    secrets,
    provenance,
    weights,
    trust,
    regression,
    community,
)


def checks(plugins: Sequence[str] = ()) -> tuple[Check, ...]:
    """Return our checks and the named plugins. Raises UsageError for one that cannot be used.

    Plugins are switched on by whoever runs the bot, never by the repository under review.
    """
    installed = {e.name: e for e in importlib.metadata.entry_points(group=PLUGINS)}
    found = list(CHECKS)
    for name in dict.fromkeys(plugins):
        if name not in installed:
            known = ", ".join(sorted(installed)) or "none"
            raise UsageError(f"no plugin '{name}'", f"installed plugins: {known}")
        found.append(_load(name, installed[name], {check.NAME for check in found}))
    return tuple(found)


def _load(name: str, plugin: importlib.metadata.EntryPoint, taken: set[str]) -> Check:
    remedy = f"install a plugin that works, or leave out --plugin {name}"
    try:
        check = plugin.load()
    except (ImportError, AttributeError, SyntaxError) as error:
        raise UsageError(f"plugin '{name}' does not load: {plain(error)}", remedy) from error
    missing = [part for part in _SHAPE if not hasattr(check, part)]
    if missing:
        raise UsageError(f"plugin '{name}' is no check: it has no {', '.join(missing)}", remedy)
    if check.NAME in taken:
        raise UsageError(f"plugin '{name}': there is a check '{check.NAME}' already", remedy)
    return cast(Check, check)


def loading(checks: Sequence[Check] = CHECKS) -> tuple[str, ...]:
    """Return the names of the checks that load the weights of a change."""
    return tuple(check.NAME for check in checks if getattr(check, "LOADS", False))


def rules(checks: Sequence[Check] = CHECKS) -> MappingProxyType[str, Rule]:
    """Return every rule by id, the engine's own included."""
    own = {rule.id: rule for rule in conduct.RULES}
    return MappingProxyType(own | {rule.id: rule for check in checks for rule in check.RULES})
