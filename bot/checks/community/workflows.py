"""Workflow files of GitHub Actions: what they run, with which rights, on whose code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bot.checks.community.expressions import contexts, expressions, is_pull_request_head, strangers
from bot.checks.community.workflowrules import (
    CHECKOUT,
    INJECTION,
    INVALID,
    PERMISSIONS,
    TARGET,
    UNPINNED,
    UNREADABLE,
)
from bot.problems import Problem, Problems, key_of
from bot.quoting import plain
from registry.documents import ALIASES, Document, DocumentError, KeyPath, load_yaml

FOLDER = ".github/workflows"
SIZE_LIMIT = 1_000_000  # bytes
MAX_ENV = 200  # variables around a step; more make the judging slow
MAX_PROBLEMS = 1_000
PINNED = re.compile(r"[0-9a-f]{40}")
IMAGE = re.compile(r"docker://[^@]+@sha256:[0-9a-f]{64}")
# Whoever may open or comment on a pull request starts these, with the base's secrets.
PRIVILEGED = frozenset(("pull_request_target", "workflow_run", "issue_comment"))
FETCHES = ("git fetch", "git checkout", "git switch", "git pull", "git merge", "git clone",
           "git worktree", "git reset")  # fmt: skip
PULL_REF = re.compile(r"gh pr checkout|refs/pull/|\bpull/[^\s/]{1,100}/(?:head|merge)")
SAFE_REFS = frozenset(("github.sha", "github.ref", "github.ref_name", "github.base_ref"))

Env = tuple[tuple[str, str], ...]  # name in lower case, value


@dataclass(frozen=True, slots=True)
class _Step:
    """A step, or a job that calls another workflow, with what surrounds it."""

    path: KeyPath
    value: dict[Any, Any]
    env: Env
    tainted: frozenset[str]  # names in env whose value a stranger chooses


def looks_like_one(data: bytes) -> bool:
    """Whether the bytes are a workflow, wherever they lie."""
    try:
        value = load_yaml(data, limit=SIZE_LIMIT, aliases=ALIASES).value
    except DocumentError:
        return False
    return isinstance(value, dict) and {"on", "jobs"} <= value.keys()


def read(data: bytes, blob: str) -> Problems:
    """Return what is wrong in a workflow file."""
    try:
        document = load_yaml(data, limit=SIZE_LIMIT, aliases=ALIASES)
    except DocumentError as error:
        return Problems((unread(error, blob, INVALID.id),))
    value = document.value
    if not isinstance(value, dict):
        return Problems((Problem(INVALID.id, blob, "the file is not a mapping", 1),))
    if _outer_env(value) > MAX_ENV:
        message = f"more than {MAX_ENV} variables in `env`"
        return Problems((Problem(UNREADABLE.id, blob, message, document.line(("env",))),))
    found = [*_shape(value, document), *_permissions(value, document)]
    found.extend(_of_steps(value, document, data.decode("utf-8-sig").split("\n")))
    found.sort(key=lambda p: (p.line, p.rule, p.key))
    if len(found) > MAX_PROBLEMS:
        message = f"more than {MAX_PROBLEMS:,} problems in one file"
        found[MAX_PROBLEMS:] = [Problem(UNREADABLE.id, blob, message, 1)]
    return Problems(tuple(found))


def read_action(data: bytes, blob: str) -> Problems:
    """Return what is wrong in the steps of a local action, which run as those of a workflow do."""
    try:
        document = load_yaml(data, limit=SIZE_LIMIT, aliases=ALIASES)
    except DocumentError as error:
        return Problems((unread(error, blob, INVALID.id),))
    runs = document.value.get("runs") if isinstance(document.value, dict) else None
    lines = data.decode("utf-8-sig").split("\n")
    found: list[Problem] = []
    for step in _listed(("runs",), runs if isinstance(runs, dict) else {}, (), frozenset()):
        found += [*_uses(step, document), *_injections(step, document, lines)]
    return Problems(tuple(found[:MAX_PROBLEMS]))


def _of_steps(value: dict[Any, Any], document: Document, lines: list[str]) -> Iterator[Problem]:
    privileged = sorted(PRIVILEGED & _triggers(value.get("on")))
    for step in _steps(value):
        yield from _uses(step, document)
        yield from _injections(step, document, lines)
        if privileged:
            yield from _checkouts(step, document, privileged[0])


def _outer_env(value: dict[Any, Any]) -> int:
    jobs = value.get("jobs")
    each = [j for j in jobs.values() if isinstance(j, dict)] if isinstance(jobs, dict) else []
    return len(_env(value)) + max((len(_env(job)) for job in each), default=0)


def unread(error: DocumentError, blob: str, invalid: str) -> Problem:
    """Return the problem of a document that could not be read; new whenever the file changes."""
    refused = "not accepted" in error.message or "more than" in error.message
    rule = UNREADABLE.id if refused else invalid
    return Problem(rule, blob, f"cannot be read: {plain(error.message)}", error.line)


def _shape(value: dict[Any, Any], document: Document) -> Iterator[Problem]:
    if not _triggers(value.get("on")):
        yield Problem(INVALID.id, "on", "the workflow has no `on`: nothing starts it", 1)
    jobs = value.get("jobs")
    if not isinstance(jobs, dict) or not jobs:
        yield Problem(INVALID.id, "jobs", "the workflow has no `jobs`", document.line(("jobs",)))
        return
    for name, job in jobs.items():
        steps = job.get("steps") if isinstance(job, dict) else None
        runs = isinstance(steps, list) and all(isinstance(step, dict) for step in steps)
        if not runs and not (isinstance(job, dict) and isinstance(job.get("uses"), str)):
            message = f"the job {plain(name)} has neither a list of `steps` nor `uses`"
            yield Problem(INVALID.id, f"job {plain(name)}", message, document.line(("jobs", name)))


def _triggers(on: object) -> set[str]:
    if isinstance(on, str):
        return {on}
    if isinstance(on, (list, dict)):
        return {name for name in on if isinstance(name, str)}
    return set()


def _steps(value: dict[Any, Any]) -> Iterator[_Step]:
    jobs = value.get("jobs")
    for name, job in jobs.items() if isinstance(jobs, dict) else ():
        if not isinstance(job, dict):
            continue
        outer = _env(value) + _env(job)
        chosen = _tainted(outer)
        call = {k: v for k, v in job.items() if k == "uses"}
        yield _Step(("jobs", name), call, outer, chosen)
        yield from _listed(("jobs", name), job, outer, chosen)


def _listed(
    path: KeyPath, holder: dict[Any, Any], outer: Env, chosen: frozenset[str]
) -> Iterator[_Step]:
    steps = holder.get("steps")
    for number, step in enumerate(steps if isinstance(steps, list) else ()):
        if isinstance(step, dict):
            own = _env(step)
            yield _Step((*path, "steps", number), step, outer + own, chosen | _tainted(own))


def _tainted(env: Env) -> frozenset[str]:
    return frozenset(name for name, value in env if strangers(value))


def _env(value: dict[Any, Any]) -> Env:
    env = value.get("env")
    if not isinstance(env, dict):
        return ()
    return tuple((str(k).lower(), v) for k, v in env.items() if isinstance(v, str))


def _permissions(value: dict[Any, Any], document: Document) -> Iterator[Problem]:
    jobs = value.get("jobs")
    named = list(jobs.items()) if isinstance(jobs, dict) else []
    holders = [((), value)] + [(("jobs", n), j) for n, j in named if isinstance(j, dict)]
    for path, holder in holders:
        if holder.get("permissions") == "write-all":
            message = "asks for every permission (`write-all`)"
            line = document.line((*path, "permissions"))
            yield Problem(PERMISSIONS.id, f"write-all {plain(path)}", message, line)
    if value.get("permissions") is not None:
        return
    silent = [n for n, j in named if isinstance(j, dict) and j.get("permissions") is None]
    if silent:
        message = f"the workflow states no permissions for the job {plain(silent[0])}"
        line = document.line(("jobs", silent[0]))
        yield Problem(PERMISSIONS.id, "unstated", message, line)


def _uses(step: _Step, document: Document) -> Iterator[Problem]:
    uses = step.value.get("uses")
    if not isinstance(uses, str) or uses.startswith(("./", "$/")):  # of this repository
        return
    pinned = PINNED.fullmatch(uses.rpartition("@")[2]) and not uses.startswith("docker://")
    if not pinned and not IMAGE.fullmatch(uses):
        message = f"{plain(uses)} is not pinned to a commit"
        line, name = document.line((*step.path, "uses")), plain(uses.partition("@")[0])
        yield Problem(UNPINNED.id, key_of(uses), message, line, name)


def _injections(step: _Step, document: Document, lines: list[str]) -> Iterator[Problem]:
    given = step.value.get("with")
    script = given.get("script") if isinstance(given, dict) else None
    for text, path in (
        (step.value.get("run"), (*step.path, "run")),
        (script, (*step.path, "with", "script")),
    ):
        if not isinstance(text, str):
            continue
        for expression, context in strangers(text, step.tainted):
            message = f"the script contains ${{{{ {plain(context)} }}}}, which a stranger chooses"
            line = _line_of(lines, document.line(path), text, expression)
            yield Problem(INJECTION.id, key_of(context), message, line)


def _line_of(lines: list[str], start: int, text: str, needle: str) -> int:
    """Return the line of a piece of a text that starts at or right below line `start`."""
    first = needle.split("\n", 1)[0]
    for number in range(start, start + text.count("\n") + 2):
        if number <= len(lines) and first in lines[number - 1]:
            return number
    return start


def _checkouts(step: _Step, document: Document, trigger: str) -> Iterator[Problem]:
    run = step.value.get("run")
    line = document.line((*step.path, "run"))
    if isinstance(run, str) and _fetches_head(run, step.env):
        message = f"a script under {trigger} fetches the code of a pull request"
        yield Problem(TARGET.id, key_of(f"{trigger} {run}"), message, line)
    uses, given = step.value.get("uses"), step.value.get("with")
    if not isinstance(uses, str) or not isinstance(given, dict):
        return
    if not uses.partition("@")[0].lower().endswith("checkout"):
        return
    for key in ("ref", "repository"):
        text = given.get(key)
        line = document.line((*step.path, "with", key))
        if not isinstance(text, str):
            continue
        names = _names(text, step.env)
        if PULL_REF.search(text.lower()) or any(map(is_pull_request_head, names)):
            message = f"{trigger} checks out {plain(text)}, the code of a pull request"
            yield Problem(TARGET.id, key_of(f"{trigger} {text}"), message, line)
        elif "${{" in text and not _is_base(names):
            message = f"{trigger} checks out {plain(text)}, which may be a pull request's code"
            yield Problem(CHECKOUT.id, key_of(f"{trigger} {text}"), message, line)


def _fetches_head(run: str, env: Env) -> bool:
    lowered = run.lower()
    if PULL_REF.search(lowered):
        return True
    if not any(verb in lowered for verb in FETCHES):
        return False
    used = " ".join([run, *(value for name, value in env if name in lowered)])
    return any(map(is_pull_request_head, _names(used, env)))


def _names(text: str, env: Env) -> tuple[str, ...]:
    """Return the contexts a text is made of, through the environment where it says so."""
    known = dict(env)
    found: list[str] = []
    for expression in expressions(text):
        names = contexts(expression)
        for name in names or ("?",):
            value = known.get(name.removeprefix("env.")) if name.startswith("env.") else None
            inner = [c for e in expressions(value or "") for c in contexts(e)]
            found.extend(inner or [name])
    return tuple(found)


def _is_base(names: tuple[str, ...]) -> bool:
    return all(
        name in SAFE_REFS
        or name.startswith(("github.event.repository.", "github.event.pull_request.base."))
        or name == "github.repository"
        for name in names
    )
