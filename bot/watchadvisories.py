"""`modelwarden watch advisories`: show the database of advisories, or build it anew."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click

from bot import git
from bot.errors import BotError, UsageError
from bot.quoting import plain
from bot.wording import plural
from registry.advisories import building, sources
from registry.advisories.database import About, Database, default_path
from registry.advisories.errors import DatabaseError, SourceError
from registry.licenses import download

# Every advisory of PyPI packages, malware included, as OSV publishes them: osv.dev, "Data dumps".
OSV = "https://osv-vulnerabilities.storage.googleapis.com/PyPI/all.zip"
LIMIT = 500_000_000  # bytes of what is fetched
TIMEOUT = 60.0  # seconds without a byte
SHOWN = 10  # documents told that could not be read


def advisories(*, update: Sequence[str], as_of: str | None, force: bool, format_: str) -> int:
    """Show where the database is from, or build it from `update`; 3 where documents were lost."""
    path = default_path()
    if update:
        update = [OSV if place == "osv" else place for place in update]
        return _update(path, update, _day(as_of), force=force, format_=format_)
    if as_of or force:
        raise UsageError("--as-of and --force are about what is imported", "add --update FROM")
    with Database(path) as database:
        _show(path, database.about, format_)
    return 0


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UsageError(f"--as-of {plain(text)}: not a date", "write YYYY-MM-DD") from error


def _update(
    path: Path, places: Sequence[str], as_of: date | None, *, force: bool, format_: str
) -> int:
    now = datetime.now(UTC)
    if as_of is not None and as_of > now.date():
        raise UsageError(f"--as-of {as_of} is still to come", "give the day the data are of")
    commits: list[tuple[str, date]] = []
    with tempfile.TemporaryDirectory() as folder:
        gathered = building.gather(_documents(places, Path(folder), commits), _progress)
    dated = as_of or min((day for _, day in commits), default=None)
    source = ", ".join(_named(place) for place in places)
    said = building.about(gathered, source, now, dated=dated,
                          commit=", ".join(one for one, _ in commits))  # fmt: skip
    if not force:
        _refuse_older(path, said)
    packages = building.build(path, gathered, said)
    for name, why in gathered.troubles[:SHOWN]:
        click.echo(f"  not read: {plain(name)}: {plain(why)}", err=True)
    if gathered.unreadable > SHOWN:
        click.echo(f"  not read: {gathered.unreadable - SHOWN:,} more", err=True)
    if format_ == "text":
        known = plural(said.count, "advisory", "advisories")
        click.echo(f"{known} on {plural(packages, 'package')} kept")
    _show(path, said, format_)
    return 3 if gathered.unreadable else 0


def _documents(
    places: Sequence[str], folder: Path, commits: list[tuple[str, date]]
) -> Iterator[sources.Document]:
    for number, place in enumerate(places):
        if "://" in place:
            yield from sources.documents(_fetched(place, folder / str(number)))
            continue
        path = Path(place)
        if path.is_dir() and (found := _commit(path)):
            commits.append(found)
        yield from sources.documents(path)


def _fetched(url: str, folder: Path) -> Path:
    """Fetch a file to a new folder, under the name that the URL gives it."""
    _progress(f"fetching {plain(url)}")
    answer = download.get(url, "source of advisories", LIMIT, timeout=TIMEOUT)
    name = urlsplit(url).path.rpartition("/")[2] or "advisories.json"
    folder.mkdir()
    path = folder / name[-100:]
    path.write_bytes(answer.data)
    _progress(f"{len(answer.data):,} bytes fetched")
    return path


def _commit(folder: Path) -> tuple[str, date] | None:
    """Return the commit that last changed a folder in its clone, and that commit's day."""
    try:
        status, output, _ = git.run(folder, "log", "-1", "--format=%H %cs", "--", ".")
    except BotError:
        return None
    words = output.decode("ascii", "replace").split()
    return (words[0], date.fromisoformat(words[1])) if status == 0 and len(words) == 2 else None


def _refuse_older(path: Path, said: About) -> None:
    try:
        with Database(path) as database:
            there = database.about
    except DatabaseError:
        return  # none, or none that counts
    # A date to come is no reason: that database is not to be relied on.
    if said.date < there.date <= said.built_at[:10]:
        raise SourceError(
            f"what is there is of {there.date}, newer than these data of {said.date}",
            "fetch newer data, or add --force",
        )


def _named(place: str) -> str:
    if "://" not in place:
        return plain(Path(place).name or place)
    parts = urlsplit(place)
    return plain(f"{parts.scheme}://{parts.hostname}{parts.path}")


def _show(path: Path, said: About, format_: str) -> None:
    age = said.age(datetime.now(UTC).date())
    if format_ == "json":
        click.echo(json.dumps({"path": str(path), "age_days": age, **asdict(said)}, indent=2))
        return
    when = f"{plural(age, 'day')} old" if age >= 0 else "a day to come"
    click.echo(f"advisories of {said.date} ({when}), {said.count:,} kept in {path}")
    click.echo(f"  from {said.source}{f' at commit {said.commit}' if said.commit else ''}")
    click.echo(f"  built {said.built_at}; the latest change that counts is of {said.newest or '?'}")
    click.echo(f"  licence of the data: {said.licence}; SHA-256 {said.sha256}")
    for why, count in said.skipped:
        click.echo(f"  {why}: {count:,}")
    if said.unreadable:
        click.echo(f"  could not be read: {said.unreadable:,}")


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"  {line}", err=True)
