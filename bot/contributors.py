"""`modelwarden contributors`: the audit ledger of who made a history."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from bot import catalog, cladoc, history, policy
from bot.audit import Agreements, Audit, Book, accounts
from bot.checks import contributors as check
from bot.errors import RepositoryError
from bot.ledger import render
from bot.people import ClaSignature, bounded, load_file, load_signatures
from bot.printing import write
from bot.progress import Bar
from bot.quoting import plain
from bot.repository import GitWorld

WIDEST, FILE_WIDTH = 160, 160  # columns


def contributors(
    *,
    base: str | None,
    head: str | None,
    repo: Path,
    format_: str,
    output: Path | None,
    cla: Path | None,
    people: Path | None,
    lines: bool,
    plugins: Sequence[str],
) -> int:
    """Write the ledger of a range, or of the whole history; return 0."""
    given = load_signatures(bounded(cla), plain(cla)) if cla is not None else ()
    known = load_file(people) if people is not None else None
    with GitWorld(repo, people=known) as world:
        if world.revisions.shallow:
            message = "the history is not all in this shallow clone"
            raise RepositoryError(message, "run: git fetch --unshallow origin")
        end = world.revisions.resolve("HEAD" if head is None else head)
        start = "" if base is None else world.revisions.resolve(base)
        start = "" if start == world.revisions.empty_tree() else start
        audit = _audit(world, start, end, given, lines=lines, plugins=plugins)
    screen = output is None and sys.stdout is not None and sys.stdout.isatty()
    width = min(shutil.get_terminal_size().columns, WIDEST) if screen else FILE_WIDTH
    write(render(audit, format_, width), output)
    return 0


def _audit(
    world: GitWorld,
    base: str,
    head: str,
    given: tuple[ClaSignature, ...],
    *,
    lines: bool,
    plugins: Sequence[str],
) -> Audit:
    checks = catalog.checks(plugins)
    settings = policy.at(world, head, checks, catalog.rules(checks)).section(check.NAME)
    agreements = _agreements(world, head, settings.cla, given)
    told = accounts(world.people.commits if world.people else ())
    book = Book(told, settings.remediation)
    total = history.count(world, base, head)
    with Bar("Reading commits") as bar:
        found = history.entries(world, base, head, lines=lines, tell=bar, total=total)
        with closing(found):
            for entry in found:
                book.add(entry)
    before = history.seen_before(world, base, book.keys()) if base else None
    return book.close(base, head, lines=lines, before=before, cla=agreements)


def _agreements(
    world: GitWorld, head: str, cla: Any, given: tuple[ClaSignature, ...]
) -> Agreements:
    signatures = [*given, *(world.people.signatures if world.people else ())]
    if cla.signatures:
        signatures += cladoc.ledger(world, head, cla.signatures)
    if not cla.document:
        return Agreements((), tuple(signatures))
    now = cladoc.read(world, head, cla.document).digest
    return Agreements((now, *cla.accepts), tuple(signatures))
