"""Every rule there is; where two match the same bytes, the earlier one counts."""

from __future__ import annotations

from types import MappingProxyType

from security.secrets import labelled, personal, tokens
from security.secrets.values import Rule

_SURE = tuple(rule for rule in labelled.RULES if not rule.generic)
_GENERIC = tuple(rule for rule in labelled.RULES if rule.generic)
RULES: tuple[Rule, ...] = (*tokens.RULES, *_SURE, *_GENERIC, *personal.RULES)
BY_ID = MappingProxyType({rule.id: rule for rule in RULES})
