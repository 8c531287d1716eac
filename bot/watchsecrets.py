"""`modelwarden watch secrets`: what the repository holds now, and the baseline that accepts it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from bot.checks.secrets import NAME, VERSION, baseline
from bot.checks.secrets.judging import is_data
from bot.checks.secrets.reading import of_blobs
from bot.checks.secrets.settings import Settings
from bot.errors import CouldNotTell, RepositoryError
from bot.quoting import printable
from bot.repository import GitWorld
from bot.wording import plural
from security.secrets import BY_ID, Kind


def secrets(repo: Path, *, rev: str, update: bool) -> int:
    """Count what a revision holds by kind; with `update` write the baseline that accepts it."""
    found: list[tuple[str, str, str]] = []
    left = 0
    with GitWorld(repo) as world:
        if update and world.worktree is None:
            raise RepositoryError(
                f"{repo} has no working files", "run it in a clone with files, without --update"
            )
        limit = Settings().max_file_bytes
        for entry in world.walk(world.revisions.resolve(rev)):
            if not entry.is_file or entry.path == baseline.PATH:
                continue
            try:
                one = of_blobs(world, f"{NAME}/{VERSION}", "", entry.blob, limit).found
            except CouldNotTell as error:
                click.echo(f"{printable(entry.path)}: not scanned: {error.message}")
                left += 1
                continue
            left += sum(count for _, count in one.more)
            data = is_data(entry.path)
            kept = (h for h in one.hits if data or BY_ID[h.rule].kind is Kind.SECRET)
            found += [(hit.mark, entry.path, hit.rule) for hit in kept]
        top = world.worktree
    for rule, count in Counter(rule for _, _, rule in found).most_common():
        click.echo(f"{count:6,}  {BY_ID[rule].title}")
    click.echo(f"{plural(len(found), 'value')} found, {left:,} not looked at or listed")
    if update and top is not None:
        target = top / baseline.PATH
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(baseline.written(found))
        click.echo(f"wrote {baseline.PATH}: read it, then commit it to the base branch")
    return 0
