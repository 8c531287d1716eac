"""The policy: one YAML file, read at the base commit, strict, with a default for every key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from bot.check import Check
from bot.errors import PolicyError
from bot.finding import Rule
from bot.releasing.settings import Settings as ReleaseSettings
from bot.wording import nearest
from bot.world import World
from registry.documents import Document, DocumentError, load_yaml

POLICY_PATH = ".github/modelwarden.yml"
POLICY_LIMIT = 1_000_000  # bytes
MAX_ERRORS = 10

_WORDS = {  # for people, where the library speaks of Python
    "model_type": "must hold keys with values; {} for the defaults",
    "dict_type": "must hold keys with values",
    "mapping_type": "must hold keys with values",
    "tuple_type": "must be a list",
    "invalid_key": "must be a word, not a number or a date",
    "date_from_datetime_inexact": "must be a date, YYYY-MM-DD",
    "date_from_datetime_parsing": "must be a date, YYYY-MM-DD",
    "missing": "is required",
}

Rules = Mapping[str, Rule]  # by id
LevelWord = Literal["off", "note", "warning", "failure"]


class Waiver(BaseModel):
    """A finding that is accepted for a while: until when, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str = Field(description="Rule id, as `modelwarden rules` lists it.")
    path: str = Field(default="**", description="Paths it covers, as in CODEOWNERS; ** for all.")
    until: date = Field(description="Last day it holds, YYYY-MM-DD. An expired waiver fails.")
    reason: str = Field(min_length=1, description="Why this is acceptable.")


class Root(BaseModel):
    """What every policy file has besides a section for each check."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = Field(default=1, description="Version of this format.")
    levels: Mapping[str, LevelWord] = Field(
        default_factory=dict, description="Rule id -> how much it weighs instead of its default."
    )
    waive: tuple[Waiver, ...] = Field(default=(), description="Findings accepted for a while.")
    release: ReleaseSettings = Field(
        default_factory=ReleaseSettings, description="How releases are made."
    )


@dataclass(frozen=True, slots=True)
class Policy:
    """A validated policy. `source` says where it came from; `waiver_lines` are 1-based.

    `added` are waivers that people gave elsewhere, for this change alone.
    """

    root: Any
    source: str
    waiver_lines: tuple[int, ...] = ()
    added: tuple[Waiver, ...] = ()

    def section(self, name: str) -> Any:
        """Return the settings of one check, with what they take from the rest."""
        return getattr(self.root, name).among(self.root)

    @property
    def release(self) -> ReleaseSettings:
        """How releases are made."""
        found: ReleaseSettings = self.root.release
        return found

    @property
    def waivers(self) -> tuple[Waiver, ...]:
        """The waivers in the order of the file, then those added."""
        return (*self.root.waive, *self.added)

    @property
    def levels(self) -> Mapping[str, LevelWord]:
        """Levels that replace a rule's own."""
        levels: Mapping[str, LevelWord] = self.root.levels
        return levels


def model(checks: Sequence[Check]) -> type[Root]:
    """Return the pydantic model of a policy file: Root plus each check's own section."""
    sections: dict[str, Any] = {
        check.NAME: (check.Settings, Field(default_factory=check.Settings)) for check in checks
    }
    return create_model("Policy", __base__=Root, **sections)


def default(checks: Sequence[Check]) -> Policy:
    """Return the policy of a repository that has none."""
    return Policy(model(checks)(), f"defaults (no {POLICY_PATH} at the base commit)")


def at(world: World, commit: str, checks: Sequence[Check], rules: Rules) -> Policy:
    """Return the policy a commit holds, or the default. Raises PolicyError."""
    entry = world.entry(commit, POLICY_PATH)
    if entry is None:
        return default(checks)
    if not entry.is_file:
        raise PolicyError(f"{POLICY_PATH} is not a regular file", "commit it as a file")
    size = world.size(entry.blob)
    if size > POLICY_LIMIT:
        raise PolicyError(
            f"{POLICY_PATH} has {size:,} bytes, more than {POLICY_LIMIT:,}",
            "make the policy smaller",
        )
    data = world.read(entry.blob, POLICY_LIMIT)
    return load(data, POLICY_PATH, f"{POLICY_PATH} at {commit[:12]}", checks, rules)


def load(data: bytes, name: str, source: str, checks: Sequence[Check], rules: Rules) -> Policy:
    """Validate a policy file. Raises PolicyError naming file, line, key and nearest key."""
    try:
        document = load_yaml(data, limit=POLICY_LIMIT)
    except DocumentError as error:
        place = f"{name}:{error.line}" if error.line else name
        raise PolicyError(f"{place}: {error.message}", "correct the policy file") from error
    value = {} if document.value is None else document.value
    kind = model(checks)
    try:
        root = kind.model_validate(value)
    except ValidationError as error:
        # An unknown key explains the missing one beside it, so it is said first.
        errors = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        lines = [_explain(name, document, kind, e) for e in errors[:MAX_ERRORS]]
        raise PolicyError("\n".join(lines), "the keys are in docs/policy.md") from error
    _refuse_unknown_rules(name, document, root, rules)
    lines_of = tuple(document.line(("waive", i)) for i in range(len(root.waive)))
    return Policy(root, source, lines_of)


def _explain(name: str, document: Document, kind: type[BaseModel], error: Any) -> str:
    path = tuple(error["loc"])
    key = ".".join(str(part) for part in path) or "the file"
    place = f"{name}:{document.line(path) or 1}"
    if error["type"] == "extra_forbidden":
        keys = _keys_at(kind, path[:-1])
        known = f"; known keys: {', '.join(sorted(keys))}" if keys else ""
        near = nearest(str(path[-1]), keys) or known
        return f"{place}: unknown key '{key}'{near}"
    return f"{place}: {key}: {_WORDS.get(error['type'], error['msg'])}"


def _keys_at(kind: Any, path: tuple[str | int, ...]) -> list[str]:
    for part in path:
        if isinstance(part, int):
            continue
        annotation = kind.model_fields[part].annotation
        inner = [a for a in getattr(annotation, "__args__", ()) if hasattr(a, "model_fields")]
        kind = inner[0] if inner else annotation
        if not hasattr(kind, "model_fields"):
            return []
    return list(kind.model_fields)


def _refuse_unknown_rules(name: str, document: Document, root: Root, rules: Rules) -> None:
    named: list[tuple[str, tuple[str | int, ...]]] = [(r, ("levels", r)) for r in root.levels]
    named += [(waiver.rule, ("waive", i, "rule")) for i, waiver in enumerate(root.waive)]
    for rule, path in named:
        if rule not in rules:
            raise PolicyError(
                f"{name}:{document.line(path)}: unknown rule '{rule}'{nearest(rule, rules)}",
                "list the rules with: modelwarden rules",
            )
