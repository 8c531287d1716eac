"""The rules as text: for the terminal, as JSON, and as the page docs/rules.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from bot import catalog
from bot.errors import UsageError
from bot.finding import Level, Rule
from bot.wording import nearest

_COLOURS = {"failure": "31", "unknown": "35", "warning": "33", "note": "36"}


def show(
    rule_id: str | None, format_: str, *, plugins: Sequence[str] = (), colour: bool = False
) -> str:
    """Return every rule, or one explained. Raises UsageError for an unknown id."""
    rules = catalog.rules(catalog.checks(plugins))
    if rule_id is None:
        chosen = list(rules.values())
    elif rule_id in rules:
        chosen = [rules[rule_id]]
    else:
        raise UsageError(
            f"no rule '{rule_id}'{nearest(rule_id, rules)}", "list them: modelwarden rules"
        )
    if format_ == "json":
        return json.dumps([asdict(rule) for rule in chosen], indent=2)
    if format_ == "markdown":
        return markdown(chosen)
    if rule_id is not None:
        return _explained(chosen[0], colour=colour)
    width = max(len(rule.id) for rule in chosen)
    return "\n".join(_line(rule, width, colour=colour) for rule in chosen)


def _level(rule: Rule, *, colour: bool, width: int = 0) -> str:
    word = f"{rule.level.value:<{width}}"
    return f"\x1b[{_COLOURS[rule.level.value]}m{word}\x1b[0m" if colour else word


def _line(rule: Rule, width: int, *, colour: bool) -> str:
    return f"{rule.id:<{width}} {_level(rule, colour=colour, width=8)} {rule.finds}"


def _explained(rule: Rule, *, colour: bool) -> str:
    level = "note}    # off, note, warning or failure"
    if rule.level is Level.UNKNOWN:
        level = 'failure}    # no other: "could not tell" is never softened'
    return (
        f"{rule.id} ({_level(rule, colour=colour)})\n\n"
        f"  Finds   {rule.finds}\n  Why     {rule.why}\n  Remedy  {rule.remedy}\n\n"
        "To weigh it differently, in .github/modelwarden.yml:\n"
        f"  levels: {{{rule.id}: {level}\n"
        "To accept one finding for a while:\n"
        f"  waive: [{{rule: {rule.id}, path: FILE, until: YYYY-MM-DD, reason: WHY}}]"
    )


def markdown(rules: list[Rule]) -> str:
    """Return the rules as the page docs/rules.md."""
    parts = [
        "# Rules\n",
        "Made by `modelwarden rules --format markdown`; a test keeps it equal to the code.\n"
        "`failure` and `unknown` (could not tell) block a change; `warning` and `note` do not.\n",
    ]
    section = ""
    for rule in rules:
        check = rule.id.split("/")[0]
        if check != section:
            section = check
            parts.append(f"## {check}\n")
        parts.append(
            f"### {rule.id}\n\n*{rule.level.value}*. {rule.finds}\n\n"
            f"Why: {rule.why}\n\nRemedy: {rule.remedy}\n"
        )
    return "\n".join(parts).rstrip("\n")
