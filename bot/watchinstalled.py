"""`modelwarden watch licenses --installed`: under what licences is what is installed here?"""

from __future__ import annotations

import json
import os
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import astuple
from pathlib import Path

import click

from bot.cache import Cache, default_path
from bot.wording import plural
from registry.licenses.distinfo import Claim
from registry.licenses.facts import Fact, Library

_MAKER = "licenses/installed/1"  # goes up where what metadata and texts mean is read anew


def installed(*, repo: Path, format_: str) -> int:
    """List the packages of the active environment, else the repository's, else our own."""
    folders = environment(repo, os.environ)
    cache = Cache(default_path())
    try:
        library = Library({}, folders, memory=_remembering(cache))
        found = [(name, library.fact(name, "")) for name in library.installed]
    finally:
        cache.close()
    if format_ == "json":
        click.echo(json.dumps([_row(name, fact) for name, fact in found], indent=1))
        return 0
    for name, fact in found:
        said = fact.license or f"unclear: {fact.reason}"
        name, version = _printable(name), _printable(fact.version)
        click.echo(f"{name} {version}: {said}{f' ({fact.disagrees})' if fact.disagrees else ''}")
    clear = sum(bool(fact.license) for _, fact in found)
    click.echo(f"{clear:,} of {plural(len(found), 'package')} resolved in {folders[0]}")
    return 0


def environment(repo: Path, variables: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders of installed distributions that a person means."""
    for home in (variables.get("VIRTUAL_ENV", ""), str(repo / ".venv")):
        found = sorted(Path(home).glob("lib/python3*/site-packages")) if home else []
        found += [Path(home) / "Lib" / "site-packages"] if home and os.name == "nt" else []
        if found:
            return tuple(found)
    return tuple(sorted({Path(sysconfig.get_path(key)) for key in ("purelib", "platlib")}))


def _remembering(cache: Cache) -> Callable[[str, Callable[[], Claim]], Claim]:
    def memory(digest: str, make: Callable[[], Claim]) -> Claim:
        key = f"{_MAKER}\0{digest}"
        kept = cache.get(key)
        if kept is not None:
            return Claim(*kept.decode().split("\0"))
        made = make()
        cache.put(key, "\0".join(astuple(made)).encode())
        return made

    return memory


def _printable(text: str) -> str:
    return text if text.isprintable() else ascii(text)[1:-1]


def _row(name: str, fact: Fact) -> dict[str, str]:
    return {
        "name": name,
        "version": fact.version,
        "license": fact.license,
        "reason": fact.reason,
        "disagrees": fact.disagrees,
    }
