"""`modelwarden watch provenance`: what people found out about data sets, kept for the checks."""

from __future__ import annotations

import json
from pathlib import Path

import click

from bot.wording import plural
from registry.assets import curated

SHOWN = 10  # files that could not be read, told one by one


def provenance(*, update_: Path | None, format_: str) -> int:
    """Import a folder of data summaries, or say what is kept; what cannot be read is told."""
    path = curated.default_path()
    if update_ is None:
        return _show(path, format_)
    found = curated.summaries(update_)
    day = curated.save(path, found.entries, update_.name)
    names = len({one.name.lower() for one in found.entries})
    if format_ == "json":
        told = {"file": str(path), "imported": day, "names": names, "unread": found.unread,
                "without_name": found.without_name}  # fmt: skip
        click.echo(json.dumps(told, indent=2))
    else:
        click.echo(
            f"{plural(names, 'data set')} of the hub imported on {day}, "
            f"{found.without_name:,} entries without a name there; kept in {path}"
        )
        for name, why in found.unread[:SHOWN]:
            click.echo(f"  not read: {name}: {why}", err=True)
        if len(found.unread) > SHOWN:
            click.echo(f"  not read: {len(found.unread) - SHOWN} more", err=True)
    return 0


def _show(path: Path, format_: str) -> int:
    book = curated.load(path)
    names = len(book.entries or {})
    if format_ == "json":
        told = {"file": str(path), "imported": book.imported, "source": book.source}
        click.echo(json.dumps({**told, "names": names}, indent=2))
    elif book.imported:
        click.echo(f"{plural(names, 'data set')}, imported on {book.imported}; kept in {path}")
    else:
        click.echo(f"nothing is kept in {path}; --update FOLDER imports it")
    return 0
