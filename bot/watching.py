"""`modelwarden watch`: keep the facts that checks rely on up to date."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from bot.errors import Missing, TooLarge
from bot.repository import GitWorld
from bot.wording import plural
from bot.world import LOCK_LIMIT, TEXT_LIMIT
from registry.licenses import cache, update
from registry.manifests import LOCKS, DocumentError, Requirement, kind_of, read

SHOWN = 10  # failures told one by one


def licenses(*, update_: bool, repo: Path, rev: str, index: str | None, format_: str) -> int:
    """Show what is kept of a repository's packages, or fetch it; 3 where some were not got."""
    with GitWorld(repo) as world:
        requirements = _requirements(world, world.revisions.resolve(rev))
    wanted = update.wanted(requirements)
    path = cache.default_path()
    if not update_:
        return _show(wanted, cache.load(path), path, format_)
    result = update.update(wanted, index or update.index_url(), path, _progress)
    if format_ == "json":
        click.echo(json.dumps({"cache": str(path), "failed": result.failed}, indent=2))
    else:
        click.echo(
            f"{len(result.entries):,} of {plural(len(wanted), 'package')} fetched, "
            f"{len(result.unclear):,} without a clear licence; kept in {path}"
        )
        for name, reason in result.failed[:SHOWN]:
            click.echo(f"  not fetched: {name}: {reason}", err=True)
        if len(result.failed) > SHOWN:
            click.echo(f"  not fetched: {len(result.failed) - SHOWN} more", err=True)
    return 3 if result.failed else 0


def _requirements(world: GitWorld, commit: str) -> tuple[Requirement, ...]:
    found: list[Requirement] = []
    for entry in world.walk(commit):
        kind = kind_of(entry.path) if entry.is_file else None
        if kind is None:
            continue
        try:
            data = world.read(entry.blob, LOCK_LIMIT if kind in LOCKS else TEXT_LIMIT)
            found += read(kind, data).requirements
        except (DocumentError, TooLarge, Missing) as error:
            click.echo(f"  not read: {entry.path}: {error}", err=True)
    return tuple(found)


def _show(
    wanted: tuple[tuple[str, str], ...], entries: tuple[cache.Entry, ...], path: Path, format_: str
) -> int:
    names = {name for name, _ in wanted}
    kept = [entry for entry in entries if entry.name in names]
    if format_ == "json":
        click.echo(json.dumps([asdict(entry) for entry in kept], indent=2))
        return 0
    for entry in kept:
        said = entry.license or f"unclear: {entry.reason}"
        click.echo(f"{entry.name} {entry.version}: {said} (fetched {entry.fetched})")
    missing = len(names - {entry.name for entry in kept})
    lacks = f"{missing:,} of {plural(len(names), 'package')}; --update fetches them"
    click.echo(f"missing in {path}: {lacks if missing else 'nothing'}")
    return 0


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"  {line}", err=True)
