"""`modelwarden init`: a policy, a workflow and hooks. What is there already is never touched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot import catalog
from bot.checks.dependencies.shown import shown
from bot.checks.regression.settings import SuiteFile
from bot.checks.regression.suites import BadSuite, read_suites
from bot.errors import RepositoryError
from bot.policy import POLICY_PATH
from bot.policydoc import commented
from bot.repository import GitWorld
from bot.survey import LOOKED_AT, Survey, survey

WORKFLOW_PATH = ".github/workflows/modelwarden.yml"
HOOKS_PATH = ".pre-commit-config.yaml"
SUITES_READ = 20  # files that look like suites, read to see whether they are

_HOOKS = """\
- repo: local
  hooks:
    - id: modelwarden-check
      name: modelwarden check
      entry: modelwarden check --staged --skip regression
      language: system
      pass_filenames: false
      always_run: true # a commit that only deletes is judged too
      stages: [pre-commit]
    - id: modelwarden-sign-off
      name: modelwarden sign-off
      entry: modelwarden check --message
      language: system
      stages: [commit-msg]
"""

_WORKFLOW = """\
# Judges every pull request. Nothing of the pull request is run: only read, and its model
# scored inside a sandbox. No secret is used.
name: modelwarden

on:
  pull_request:

permissions:
  contents: read

jobs:
  check:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: actions/setup-python@ece7cb06caefa5fff74198d8649806c4678c61a1 # v6.3.0
        with:
          python-version: "3.12"
      - name: Install Modelwarden and its sandbox
        run: |
          sudo apt-get install -y --no-install-recommends bubblewrap
          sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0
          cd "$RUNNER_TEMP" # Python would load modules of the checkout
          python -I -m venv warden
          warden/bin/python -I -m pip install "modelwarden[{extras}]=={version}"
      - name: Judge the change
        env:
          BASE: ${{{{ github.event.pull_request.base.sha }}}}
          HEAD: ${{{{ github.event.pull_request.head.sha }}}}
        run: |
          mkdir "$RUNNER_TEMP/report" && cd "$RUNNER_TEMP/report"
          warden=(../warden/bin/python -I ../warden/bin/modelwarden)
          mark="$(head -c 32 /dev/urandom | sha256sum | cut -d ' ' -f 1)"
          echo "::stop-commands::$mark" # no line of the change is a command to the runner
          "${{warden[@]}}" watch licenses --update --repo "$GITHUB_WORKSPACE" --rev "$HEAD" || true
          "${{warden[@]}}" watch advisories --update || true
          "${{warden[@]}}" check --repo "$GITHUB_WORKSPACE" --base "$BASE" --head "$HEAD" \\
            --report modelwarden.html --report modelwarden.sarif --report summary.md
      - name: Show the report
        if: always()
        run: cat "$RUNNER_TEMP/report/summary.md" >> "$GITHUB_STEP_SUMMARY" || true
      - uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0
        if: always()
        with:
          name: modelwarden
          path: ${{{{ runner.temp }}}}/report/modelwarden.*
"""


def run(folder: Path) -> Iterator[str]:
    """Look at HEAD, write what is missing, and say what was done, line by line."""
    with GitWorld(folder) as world:
        if world.worktree is None:
            raise RepositoryError(
                f"{folder} has no working files: a bare repository, or inside .git",
                "run it in a clone with files",
            )
        top = world.worktree
        head = world.revisions.head_or_empty()
        empty = world.revisions.empty_tree()
        commits = () if head == empty else world.recent(head, LOOKED_AT)
        found, odd = _readable(survey(world.walk(head), commits), world, head)
    yield from found.lines()
    yield from odd
    yield _create(top, POLICY_PATH, commented(catalog.CHECKS, _settings(found)))
    yield _create(top, WORKFLOW_PATH, _workflow(found))
    yield _hooks(top)
    yield f"next: read {POLICY_PATH}, commit, then run: modelwarden check"


def _readable(found: Survey, world: GitWorld, head: str) -> tuple[Survey, list[str]]:
    """Leave out what only looks like a suite: in a policy it would stop every change of data."""
    suites, odd = [], []
    for path in found.suites[:SUITES_READ]:
        try:
            read_suites(world, head, (SuiteFile(name="suite", path=path),), 1)
        except BadSuite as error:
            odd.append(f"left out {shown(path)}, no suite of items: {shown(error.message)}")
        else:
            suites.append(path)
    if odd:
        odd.append("to keep their items out of training data, name them under data.evaluation")
    return replace(found, suites=tuple(suites)), odd


def _settings(found: Survey) -> dict[str, dict[str, Any]]:
    settings: dict[str, dict[str, Any]] = {}
    if found.commits and not found.signed_off:
        settings["contributors"] = {"dco": "off"}
    if len(found.models) == 1:
        settings["regression"] = {"model": found.models[0]}
    if found.suites:
        names = _suite_names(found.suites[:5])
        suites = [{"name": name, "path": path} for name, path in names.items()]
        settings.setdefault("regression", {})["suite"] = suites
    return settings


def _suite_names(paths: Sequence[str]) -> dict[str, str]:
    """Call each suite by its file, as far as a policy may; a number tells namesakes apart."""
    names: dict[str, str] = {}
    for number, path in enumerate(paths, 1):
        name = re.sub(r"[^A-Za-z0-9._-]+", " ", Path(path).stem).lstrip(" ._-")[:80].rstrip()
        names[name if name and name not in names else f"{name or 'suite'} {number}"] = path
    return names


def _workflow(found: Survey) -> str:
    from modelwarden import __version__

    extras = "model,dvc,audit" if found.dvc else "model,audit"
    return _WORKFLOW.format(extras=extras, version=__version__)


def _create(top: Path, name: str, text: str) -> str:
    path = top / name
    if path.exists() or path.is_symlink():
        return f"kept  {name}"
    if not path.parent.resolve().is_relative_to(top.resolve()):
        return f"left out {name}: its folder is a link to outside the repository"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return f"wrote {name}"


def _hooks(top: Path) -> str:
    path = top / HOOKS_PATH
    if not path.exists() and not path.is_symlink():
        return _create(top, HOOKS_PATH, "repos:\n" + _indent(_HOOKS, "  "))
    text = path.read_bytes().decode("utf-8", "replace") if path.is_file() else ""
    if "modelwarden" in text:
        return f"kept  {HOOKS_PATH}"
    indent = None if path.is_symlink() else _repos_indent(text)
    if indent is None:
        return f"kept  {HOOKS_PATH}; add by hand under 'repos:':\n{_indent(_HOOKS, '  ')}"
    added = ("" if text.endswith("\n") else "\n") + _indent(_HOOKS, indent)
    with path.open("ab") as file:  # what is there stays as it is, byte for byte
        file.write(added.replace("\n", "\r\n" if "\r\n" in text else "\n").encode())
    return f"added the hooks to {HOOKS_PATH}"


def _repos_indent(text: str) -> str | None:
    """Return how list items under a final `repos:` are indented; None where it is not last."""
    keys = re.findall(r"^([A-Za-z_]+):", text, re.MULTILINE)
    items = re.findall(r"^( *)- repo:", text, re.MULTILINE)
    return items[-1] if items and keys and keys[-1] == "repos" else None


def _indent(text: str, by: str) -> str:
    return "".join(f"{by}{line}\n" for line in text.splitlines())
