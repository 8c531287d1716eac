"""Runs the shell steps of a composite action for real, as GitHub's runner does.

Expressions (the few operators that ours use), inputs with defaults, step outputs, the files
behind GITHUB_OUTPUT and GITHUB_STEP_SUMMARY, and steps that are skipped after a failure.
Actions of others are not run: what they were given is kept.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_TOKEN = re.compile(r"\s*(\|\||&&|==|!=|!|\(\)|[A-Za-z_][\w.-]*|'[^']*')")
_BASH = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")  # what `shell: bash` means


@dataclass
class Ran:
    """What a run of an action left behind."""

    code: int = 0
    log: str = ""
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    used: dict[str, dict[str, str]] = field(default_factory=dict)  # actions that would have run


def evaluate(expression: str, context: Mapping[str, Any]) -> Any:
    """Return what an expression gives."""
    tokens = [found.group(1) for found in _TOKEN.finditer(expression)]
    assert "".join(tokens).replace(" ", "") == re.sub(r"\s", "", expression) or "'" in expression
    value, rest = _any(tokens, context)
    assert not rest, expression
    return value


def _any(tokens: list[str], context: Mapping[str, Any]) -> tuple[Any, list[str]]:
    value, tokens = _all(tokens, context)
    while tokens[:1] == ["||"]:
        other, tokens = _all(tokens[1:], context)
        value = value or other
    return value, tokens


def _all(tokens: list[str], context: Mapping[str, Any]) -> tuple[Any, list[str]]:
    value, tokens = _same(tokens, context)
    while tokens[:1] == ["&&"]:
        other, tokens = _same(tokens[1:], context)
        value = value and other
    return value, tokens


def _same(tokens: list[str], context: Mapping[str, Any]) -> tuple[Any, list[str]]:
    value, tokens = _one(tokens, context)
    while tokens[:1] in (["=="], ["!="]):
        other, after = _one(tokens[1:], context)
        equal = (value if value is not None else "") == (other if other is not None else "")
        value, tokens = equal is (tokens[0] == "=="), after
    return value, tokens


def _one(tokens: list[str], context: Mapping[str, Any]) -> tuple[Any, list[str]]:
    first, rest = tokens[0], tokens[1:]
    if first == "!":
        negated, rest = _one(rest, context)
        return not negated, rest
    if rest[:1] == ["()"]:
        return context["functions"][first], rest[1:]
    if first.startswith("'"):
        return first[1:-1], rest
    value: Any = context
    for part in first.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value, rest


def expand(text: str, context: Mapping[str, Any]) -> str:
    """Return the text with every `${{ }}` in it replaced."""

    def shown(found: re.Match[str]) -> str:
        value = evaluate(found.group(1), context)
        return "" if value is None else str(value)

    return re.sub(r"\$\{\{(.*?)\}\}", shown, text, flags=re.DOTALL)


def run(
    action: Path,
    inputs: Mapping[str, str],
    event: Mapping[str, Any],
    *,
    temp: Path,
    workspace: Path,
    environment: Mapping[str, str],
    sha: str = "",
    token: str = "",
) -> Ran:
    """Run the steps of an action.yml in order."""
    document = yaml.safe_load(action.read_text())
    github = {
        "event": event, "workspace": str(workspace), "action_path": str(action.parent), "sha": sha,
        "token": token,
    }  # fmt: skip
    unknown = inputs.keys() - document["inputs"].keys()
    assert not unknown, unknown
    given = {
        name: inputs.get(name, expand(str(entry.get("default", "")), {"github": github}))
        for name, entry in document["inputs"].items()
    }
    (temp / "event.json").write_text(json.dumps(event))
    steps: dict[str, Any] = {}
    context: dict[str, Any] = {"github": github, "inputs": given, "steps": steps}
    ran = Ran()
    for number, step in enumerate(document["runs"]["steps"]):
        context["functions"] = {"always": True, "failure": ran.code != 0, "success": ran.code == 0}
        condition = str(step.get("if", "success()"))
        wanted = evaluate(condition, context)
        if not wanted or (ran.code and not re.search(r"(always|failure)\(\)", condition)):
            continue
        if "uses" in step:
            values = {k: expand(str(v), context) for k, v in step.get("with", {}).items()}
            ran.used[step["uses"].partition("@")[0]] = values
            continue
        words = {k: expand(str(v), context) for k, v in step.get("env", {}).items()}
        code, outputs = _shell(step, words, temp, workspace, dict(environment), number, ran)
        ran.code = ran.code or code
        steps[step.get("id", f"#{number}")] = {"outputs": outputs}
    ran.outputs = {
        name: expand(entry["value"], context) for name, entry in document.get("outputs", {}).items()
    }
    return ran


def _shell(
    step: Mapping[str, Any],
    words: dict[str, str],
    temp: Path,
    workspace: Path,
    environment: dict[str, str],
    number: int,
    ran: Ran,
) -> tuple[int, dict[str, str]]:
    assert step["shell"] == "bash"
    assert "${{" not in step["run"], "a script with an expression in it"
    script, output, summary = (temp / f"{name}-{number}" for name in ("run", "output", "summary"))
    script.write_text(step["run"])
    output.touch()
    summary.touch()
    done = subprocess.run(
        [*_BASH, script], cwd=workspace, text=True, timeout=300,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=environment | words | {
            "RUNNER_TEMP": str(temp), "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_EVENT_PATH": str(temp / "event.json"),
            "GITHUB_WORKSPACE": str(workspace), "CI": "true",
        },
    )  # fmt: skip
    ran.log += done.stdout
    assert summary.stat().st_size <= 2**20
    ran.summary += summary.read_text()
    return done.returncode, dict(_pairs(output.read_text()))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, mark, value = line.partition("=")
        assert mark and name, line
        yield name, value
