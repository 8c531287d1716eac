"""The checks that a branch requires, in the two places where GitHub says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field

from bot.github import values
from bot.github.errors import Unavailable
from bot.github.transport import LATER

_STRICT = ConfigDict(strict=True, extra="ignore")


@dataclass(frozen=True, slots=True)
class RequiredCheck:
    """A check that a branch wants; -1 and null say that any App may report it."""

    __pydantic_config__ = _STRICT

    context: str
    app_id: int | None = None
    integration_id: int | None = None

    @property
    def value(self) -> values.Required:
        """The check as ours."""
        return values.Required(self.context, max(self.app_id or self.integration_id or 0, 0))


@dataclass(frozen=True, slots=True)
class Checks:
    """The status checks of a branch's protection, or of a rule."""

    __pydantic_config__ = _STRICT

    checks: tuple[RequiredCheck, ...] = ()
    contexts: tuple[str, ...] = ()  # the names alone, as older servers give them
    required_status_checks: tuple[RequiredCheck, ...] = ()

    @property
    def required(self) -> tuple[values.Required, ...]:
        """The checks as ours."""
        named = {check.context for check in self.checks}
        old = (values.Required(name, 0) for name in self.contexts if name not in named)
        return (*(check.value for check in (*self.checks, *self.required_status_checks)), *old)


@dataclass(frozen=True, slots=True)
class Protection:
    """The classic protection of a branch."""

    __pydantic_config__ = _STRICT

    required_status_checks: Checks | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch."""

    __pydantic_config__ = _STRICT

    protection: Protection | None = None


@dataclass(frozen=True, slots=True)
class Other:
    """The parameters of another rule."""

    __pydantic_config__ = _STRICT


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that a ruleset lays on a branch; `parameters` differ by type."""

    __pydantic_config__ = _STRICT

    type: str
    parameters: Annotated[Checks | Other | None, Field(union_mode="left_to_right")] = None

    @property
    def required(self) -> tuple[values.Required, ...]:
        """The checks it requires. Raises Unavailable where it does not say which."""
        if self.type != "required_status_checks":
            return ()
        if not isinstance(self.parameters, Checks):
            raise Unavailable("GitHub does not say which checks a ruleset requires", LATER)
        return self.parameters.required
