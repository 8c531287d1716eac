"""What the commands do: open the world, call the engine, hand the report to a renderer."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from bot import catalog, conduct, engine, policy
from bot.cache import Cache, default_path
from bot.change import Change
from bot.check import Check
from bot.checks import contributors
from bot.checks.contributors.hook import judge_message
from bot.checks.contributors.person import Person
from bot.errors import PolicyError, UsageError
from bot.finding import Rule
from bot.people import load_file
from bot.printing import in_colour, on_a_screen, write
from bot.quoting import plain
from bot.report import render
from bot.repository import GitWorld
from bot.verdict import Report, Verdict
from bot.world import COMMIT_LIMIT

SUFFIXES = {
    ".html": "html",
    ".json": "json",
    ".sarif": "sarif",
    ".md": "markdown",
    ".txt": "text",
}
BILLS = {".cdx.json": "cyclonedx", ".spdx.json": "spdx"}  # not what was judged: what is there


def check(
    *,
    base: str | None,
    head: str | None,
    staged: bool,
    message: Path | None,
    repo: Path,
    format_: str,
    output: Path | None,
    reports: Sequence[Path],
    only: Sequence[str],
    skip: Sequence[str],
    policy: Path | None,
    plugins: Sequence[str],
    no_cache: bool,
    timings: bool,
    verbose: bool,
    people: Path | None = None,
) -> int:
    """Judge a change and write its reports; return the exit code."""
    if staged and (base is not None or head is not None):
        raise UsageError("--staged compares the index with HEAD", "drop --base and --head")
    wanted = [(output, format_), *((path, bill_of(path) or format_of(path)) for path in reports)]
    checks = catalog.checks(plugins)
    chosen = _without(engine.select(checks, only), skip)
    if not chosen:
        raise UsageError("no check is left to run", "leave out some of --only and --skip")
    cache = Cache(None if no_cache else default_path())
    known = load_file(people) if people is not None else None
    with GitWorld(repo, cache, _say, people=known) as world:
        if message is not None:
            return _message(world, message, policy, checks)
        change = _change(world, base, head, staged=staged)
        used = _policy(world, change.base, policy, checks)
        report = engine.review(
            change, used, world, chosen, today=datetime.now(UTC).date(), notify=_progress
        )
        bills = {
            kind: _bill(world, change.head, used, kind)
            for _, kind in wanted
            if kind in BILLS.values()
        }
    rules = catalog.rules(checks)
    for path, kind in wanted:
        if kind in bills:
            write(bills[kind], path)
        else:
            show(report, rules, kind, path, timings=timings, verbose=verbose)
    return report.exit_code


def _bill(world: GitWorld, head: str, used: policy.Policy, format_: str) -> str:
    from bot import bill

    return bill.text(world, head, used, format_)


def show(
    report: Report,
    rules: Mapping[str, Rule],
    format_: str,
    target: Path | None = None,
    *,
    timings: bool = False,
    verbose: bool = False,
) -> None:
    """Write a report to standard output or a file; colour and width are the terminal's."""
    screen = target is None and on_a_screen()
    width = min(shutil.get_terminal_size().columns, 120) if screen else 88
    colour = target is None and in_colour()
    text = render(
        report, format_, rules, timings=timings, colour=colour, verbose=verbose, width=width
    )
    write(text, target)


def bill_of(path: Path) -> str:
    """Return the format of the bill of materials that a file's name asks for, "" for none."""
    return next((kind for suffix, kind in BILLS.items() if path.name.endswith(suffix)), "")


def format_of(path: Path) -> str:
    """Return the format that a report's suffix names. Raises UsageError."""
    if path.suffix not in SUFFIXES:
        raise UsageError(f"--report {path}: unknown suffix", f"use one of {', '.join(SUFFIXES)}")
    return SUFFIXES[path.suffix]


def _without(checks: tuple[Check, ...], skip: Sequence[str]) -> tuple[Check, ...]:
    dropped = {check.NAME for check in engine.select(checks, skip)} if skip else set()
    return tuple(check for check in checks if check.NAME not in dropped)


def _change(world: GitWorld, base: str | None, head: str | None, *, staged: bool) -> Change:
    names = world.revisions
    if staged:
        if world.worktree is None:
            raise UsageError("nothing can be staged here", "pass --base and --head, or --repo DIR")
        return world.change(names.head_or_empty(), names.staged_tree())
    # An empty name, such as an unset variable of a script, is no default: it is unknown.
    start = names.default_base() if base is None else base
    return world.change(names.resolve(start), names.resolve("HEAD" if head is None else head))


def _policy(
    world: GitWorld, base: str, path: Path | None, checks: Sequence[Check]
) -> policy.Policy:
    rules = catalog.rules(checks)
    if path is not None:
        data = _read(path)
        return policy.load(data, str(path), f"{path} (--policy)", checks, rules)
    return policy.at(world, base, checks, rules)


def _read(path: Path) -> bytes:
    if path.is_dir() or not path.exists():
        what = "is a folder" if path.is_dir() else "no such file"
        raise PolicyError(f"{plain(path)}: {what}", "pass --policy FILE")
    with path.open("rb") as file:
        data = file.read(policy.POLICY_LIMIT + 1)
    if len(data) > policy.POLICY_LIMIT:
        raise PolicyError(f"{path}: more than {policy.POLICY_LIMIT:,} bytes", "make it smaller")
    return data


def _progress(verdict: Verdict) -> None:
    _say(f"{verdict.outcome.value.upper():<6}{verdict.check} ({verdict.seconds:.1f} s)")


def _say(line: str) -> None:
    if sys.stderr is not None and sys.stderr.isatty():
        click.echo(line, err=True)


def _message(world: GitWorld, path: Path, given: Path | None, checks: Sequence[Check]) -> int:
    """Judge one commit message, as a commit-msg hook does, by the policy at HEAD."""
    used = _policy(world, world.revisions.head_or_empty(), given, checks)
    settings = used.section(contributors.NAME)
    if not settings.enabled:
        return 0
    if world.revisions.merging() and not settings.merge_commits:
        return 0
    with path.open("rb") as file:
        text = file.read(COMMIT_LIMIT).decode("utf-8", "replace")
    mark = world.revisions.comment_mark()
    if mark != "#":
        text = re.sub(rf"^{re.escape(mark)}", "#", text, flags=re.MULTILINE)
    name, email = world.revisions.author()
    found = judge_message(text, Person(name, email), settings)
    findings, _ = conduct.apply(used, found, datetime.now(UTC).date())
    for finding in findings:
        click.echo(f"{finding.rule}: {finding.message}\n  {finding.remedy}", err=True)
    return 1 if any(finding.counts for finding in findings) else 0
