"""`release promote`, `rollback` and `withdraw`: what an alias points at, moved by compare-and-swap.

One push moves the ledger, the stage tag and the deployment pointer together; MLflow follows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from bot.keys.trail import Trail
from bot.printing import tell
from bot.releasing.comparing import Judged, judged
from bot.releasing.job import Place
from bot.releasing.place import aliases, place, pointed, trust_at, version_of
from bot.releasing.steps import stores
from bot.releasing.trusting import proven
from registry.errors import Blocked, Lost
from registry.release import log
from registry.release.ledger import (
    ALIASES,
    PROMOTE,
    ROLLBACK,
    WITHDRAW,
    Issued,
    Ledger,
    New,
)

CHAMPION, CHALLENGER, PREVIOUS = ALIASES
GOOD = "pass"


def promote(*, version: str, alias: str, expect: str, reason: str, repo: Path, format_: str) -> int:
    """Point an alias at a version; return 0. Raises Lost, Blocked for a worse one."""
    with place(repo, say=tell) as there:
        ledger = there.book.ledger()
        target = version_of(ledger, there.artifact, version)
        now = pointed(ledger, there.artifact, alias)
        if now == target.version:  # whoever asks twice is not sent to look again
            raise Blocked(f"{alias} of {there.artifact} points at {now} already",
                          "nothing is to be done")  # fmt: skip
        if now != expect.removeprefix("v"):
            raise Lost(
                f"{alias} of {there.artifact} points at {now or 'nothing'}, not at "
                f"{expect or 'nothing'}",
                f"look at it again; if it is still right: --expect '{now}'",
            )
        trust = trust_at(there.world, there.commit)
        if trust is not None:
            proven(there, ledger, target, trust)
        champion = pointed(ledger, there.artifact, CHAMPION)
        # A rollback of champion goes to previous: it is to be as good, or to have been there.
        judges = alias == CHAMPION or (alias == PREVIOUS and not _was(ledger, target))
        if alias == PREVIOUS and judges and not champion:
            raise Blocked(
                f"{there.artifact} has no champion: nothing was there before it",
                "promote a champion first: modelwarden release promote "
                f"{target.version} champion --expect ''",
            )
        found = judged(there, ledger, target, champion, tell) if champion and judges else None
        if found is not None and found.outcome != GOOD:
            raise Blocked(
                f"{target.version} is not shown to be as good as {champion}: {found.summary}",
                "measure it on more items, or release a better one",
            )
        said = {"alias": alias, "version": target.version, "expect": now, "root": target.root}
        said |= {"reason": reason} if reason else {}
        said |= {"verdict": found.digest} if found else {}
        news = [New(actor(there), PROMOTE, there.artifact, said)]
        if alias == CHAMPION and pointed(ledger, there.artifact, CHALLENGER) == target.version:
            empty = {"alias": CHALLENGER, "version": "", "expect": target.version,
                     "reason": "promoted to champion"}  # fmt: skip
            news.append(New(actor(there), PROMOTE, there.artifact, empty))
        with Trail(None).doing("promote", f"{there.artifact} {target.version}") as entry:
            entry.details |= {"alias": alias, "from": expect or "nothing"}
            after = move(there, ledger, news, found)
    return _show(there, after, format_)


def rollback(*, what: str, reason: str, repo: Path, format_: str) -> int:
    """Point an alias back, or take an unfinished release back; return 0."""
    if what not in ALIASES:
        from bot.releasing.undoing import undo

        return undo(what, reason, repo, format_)
    with place(repo, say=tell) as there:
        ledger = there.book.ledger()
        now = pointed(ledger, there.artifact, what)
        target = log.back(ledger, there.artifact, what)
        said = {"alias": what, "version": target, "expect": now, "reason": reason}
        with Trail(None).doing("rollback", f"{there.artifact} {what}") as entry:
            entry.details |= {"from": now or "nothing", "to": target or "nothing", "why": reason}
            if not target:
                raise Blocked(
                    f"{what} of {there.artifact} has nothing to go back to",
                    "promote a version instead",
                )
            after = move(there, ledger, [New(actor(there), ROLLBACK, there.artifact, said)], None)
    return _show(there, after, format_)


def withdraw(*, version: str, reason: str, repo: Path, format_: str) -> int:
    """Mark a version as withdrawn; return 0."""
    with place(repo, say=tell) as there:
        ledger = there.book.ledger()
        target = version_of(ledger, there.artifact, version)
        said = {"version": target.version, "reason": reason}
        with Trail(None).doing("withdraw", f"{there.artifact} {target.version}") as entry:
            entry.details["why"] = reason
            new = New(actor(there), WITHDRAW, there.artifact, said)
            after = there.book.append((new,), {}, expect=ledger.head)
        if not stores.withdraw(there, target.version, reason):
            _lacking((target.version,))
    return _show(there, after, format_)


def _was(ledger: Ledger, target: Issued) -> bool:
    """Whether a version was champion once."""
    wanted = (target.artifact, CHAMPION, target.version)
    return any(
        (one.artifact, said.get("alias"), said.get("version")) == wanted
        for one in ledger.entries
        if one.action in (PROMOTE, ROLLBACK) and (said := dict(one.details))
    )


def move(there: Place, ledger: Ledger, news: list[New], found: Judged | None) -> Ledger:
    """Write entries; tags and deployment pointers move with them; then tell MLflow."""
    files: dict[str, bytes | None] = {}
    if found is not None:
        files[f"verdicts/{found.digest}.json"] = found.report
    after = there.book.append(news, files, expect=ledger.head)
    _lacking(stores.point(there, after))
    return after


def _lacking(versions: Sequence[str]) -> None:
    if versions:
        tell(f"MLflow here has no {', '.join(versions)}: modelwarden release doctor --repair")


def actor(there: Place) -> str:
    """Return who moves an alias, as git knows them."""
    return there.world.revisions.author()[0]


def _show(there: Place, ledger: Ledger, format_: str) -> int:
    found: Mapping[str, Any] = aliases(ledger, there.artifact)
    if format_ == "json":
        click.echo(json.dumps({"artifact": there.artifact, "aliases": found}, indent=2))
        return 0
    for alias, version in found.items():
        click.echo(f"{there.artifact} {alias}: {version or 'nothing'}")
    return 0
