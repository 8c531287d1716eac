"""`modelwarden release notice`: NOTICE from the register and the models in use, or is it fresh?"""

from __future__ import annotations

from pathlib import Path

import click

from bot.cache import Cache, default_path
from bot.checks.provenance.notices import NAMES, credits_of, file_of
from bot.errors import RepositoryError, UsageError
from bot.printing import write
from bot.releasing.attributing import packages as packages_text
from bot.releasing.entering import Asked, entered
from bot.repository import GitWorld
from bot.wording import plural
from registry.borrowed import notice as format_
from registry.borrowed import register
from registry.borrowed.values import Entry
from registry.documents import DocumentError, text_of


def notice(
    *, repo: Path, check: bool, packages: bool, output: Path | None, asked: Asked | None
) -> int:
    """Write the generated part of NOTICE; with `check` only say whether it is up to date."""
    if sum((check, packages, asked is not None)) > 1:
        raise UsageError("--check, --packages and --register exclude each other", "give one")
    if output is not None and not packages:
        raise UsageError("--output belongs to --packages", "NOTICE is written where it is")
    with GitWorld(repo, Cache(default_path())) as world:
        if packages:
            write(packages_text(world), output)
            return 0
        if world.worktree is None:
            raise RepositoryError(f"{repo} has no working files", "run it in a clone with files")
        return _check(world) if check else _write(world, world.worktree, asked)


def _check(world: GitWorld) -> int:
    """Compare what is staged: in a fresh clone, the commit."""
    tree = world.revisions.staged_tree()
    found = world.entry(tree, register.PATH)
    file = file_of(world, tree)
    entries = _entries(world.read(found.blob, register.LIMIT)) if found is not None else ()
    text = _text(world.read(file.blob, format_.LIMIT)) if file is not None else ""
    wanted = format_.generated(entries, credits_of(world, tree))
    if (_part(text) or "") == wanted:
        click.echo(f"NOTICE is up to date: {plural(len(entries), 'registered thing')}")
        return 0
    click.echo("NOTICE is out of date: run `modelwarden release notice` and commit it", err=True)
    return 1


def _write(world: GitWorld, top: Path, asked: Asked | None) -> int:
    tree = world.revisions.staged_tree()
    path = top / register.PATH
    entries = _entries(_bytes(path, register.LIMIT))
    if asked is not None:
        entries = entered(world, tree, entries, asked)
        path.parent.mkdir(exist_ok=True)
        write(register.write(entries).decode(), path)
        click.echo(f"wrote {register.PATH}: {plural(len(entries), 'entry', 'entries')}")
    found = file_of(world, tree)
    target = top / (found.path if found is not None else _present(top))
    text = _text(_bytes(target, format_.LIMIT))
    _part(text)
    new = format_.replaced(text, format_.generated(entries, credits_of(world, tree)))
    if new == text:
        click.echo(f"{target.name} is up to date")
        return 0
    write(new, target)
    click.echo(f"wrote {target.name}: read it, then commit it")
    return 0


def _present(top: Path) -> str:
    return next((name for name in NAMES if (top / name).is_file()), NAMES[0])


def _bytes(path: Path, limit: int) -> bytes:
    try:
        if not path.exists():
            return b""
        with path.open("rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "see to its rights") from error


def _entries(data: bytes) -> tuple[Entry, ...]:
    try:
        return register.read(data) if data.strip() else ()
    except DocumentError as error:
        where = f"{register.PATH}, line {error.line}"
        hint = "correct it as docs/provenance.md says"
        raise UsageError(f"{where}: {error.message}", hint) from error


def _text(data: bytes) -> str:
    try:
        return text_of(data, limit=format_.LIMIT)
    except DocumentError as error:
        raise UsageError(f"NOTICE: {error.message}", "write it as UTF-8 text") from error


def _part(text: str) -> str | None:
    try:
        return format_.part(text)
    except DocumentError as error:
        hint = "take out the marks and what is between them, then write it anew"
        raise UsageError(f"NOTICE, line {error.line}: {error.message}", hint) from error
