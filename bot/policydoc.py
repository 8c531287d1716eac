"""The policy as text: a commented file for `init`, and the page docs/policy.md."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from pydantic import BaseModel

from bot.check import Check
from bot.policy import POLICY_PATH
from bot.releasing.settings import Settings as Release

Found = Mapping[str, Mapping[str, Any]]  # check -> key -> value seen in the repository

_HEAD = f"""\
# {POLICY_PATH}: what this project lets in.
#
# Modelwarden reads this file at the BASE of a change: an edit counts after it is merged.
# Every key has a default, shown commented out: uncomment what you change. Unknown keys are errors.
# All keys: docs/policy.md of Modelwarden. All rules: modelwarden rules.

version: 1

# Weigh a rule differently: off, note, warning or failure.
# levels:
#   dependencies/new-name: failure

# Accept a finding for a while. An expired waiver fails.
# waive:
#   - rule: weights/pickle
#     path: legacy/model.bin
#     until: 2027-01-31
#     reason: converted to safetensors in the next release
"""


def commented(checks: Sequence[Check], found: Found) -> str:
    """Return a policy file: `found` values in force, all other keys as commented defaults."""
    return "\n".join([_HEAD, *(_section(check, found.get(check.NAME, {})) for check in checks)])


def _section(check: Check, found: Mapping[str, Any]) -> str:
    fields = check.Settings.model_fields
    lines = [f"{check.NAME}:", "  enabled: true"]  # in force, so that any line can join it
    for key, field in fields.items():
        if key == "enabled":
            continue
        lines += textwrap.wrap(
            field.description or key, 96, initial_indent="  # ", subsequent_indent="  # "
        )
        value, margin = (found[key], "  ") if key in found else (_default(field), "  # ")
        lines += textwrap.indent(_entry(key, value), margin).splitlines()
    return "\n".join(lines) + "\n"


def _default(field: Any) -> Any:
    return field.get_default(call_default_factory=True)


def _entry(key: str, value: Any) -> str:
    text = _yaml(value)
    if text.startswith("- ") or (isinstance(_plain(value), dict) and not text.startswith("{")):
        return f"{key}:\n{textwrap.indent(text, '  ')}"
    return f"{key}: {text}"


def _yaml(value: Any) -> str:
    text = yaml.safe_dump(
        _plain(value), default_flow_style=None, sort_keys=False, allow_unicode=True, width=80
    )
    return text.removesuffix("...\n").rstrip("\n")


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return _plain(value.model_dump(mode="json"))
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    return value


def markdown(checks: Sequence[Check]) -> str:
    """Return the page docs/policy.md."""
    parts = [
        "# Policy\n\n"
        f"One YAML file, `{POLICY_PATH}`, read at the base commit. `modelwarden init` writes\n"
        "one with comments; its JSON Schema is [policy.schema.json](policy.schema.json). Every\n"
        "section also takes `enabled: false`. A test keeps this page equal to the code.\n\n"
        "| key | default | meaning |\n|---|---|---|\n"
        "| `version` | `1` | version of this format |\n"
        "| `levels` | `{}` | rule id -> `off`, `note`, `warning` or `failure`; never softens "
        '"could not tell" |\n'
        "| `waive` | `[]` | list of `{rule, path, until, reason}`: accepted until a date |\n"
    ]
    sections: dict[str, type[BaseModel]] = {check.NAME: check.Settings for check in checks}
    for name, settings in (sections | {"release": Release}).items():
        rows = [
            f"| `{key}` | `{_cell(_default(field))}` | {_escape(field.description or '')} |"
            for key, field in settings.model_fields.items()
            if key != "enabled"
        ]
        if rows:
            table = "\n".join(["| key | default | meaning |", "|---|---|---|", *rows])
            parts.append(f"## {name}\n\n{table}\n")
    return "\n".join(parts).rstrip("\n")


def _cell(value: Any) -> str:
    text = " ".join(_yaml(value).split())
    return _escape(text if len(text) <= 160 else text[:157] + "...")


def _escape(text: str) -> str:
    return text.replace("|", "\\|")
