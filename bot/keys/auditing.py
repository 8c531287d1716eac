"""`modelwarden keys audit`: prove that the log is whole, and show it."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.errors import UsageError
from bot.keys import secrets, trusting
from bot.keys.making import read_public
from bot.keys.trail import default_path, made, seen_path
from bot.quoting import plain
from bot.wording import plural
from security import auditlog
from security.auditcheck import Checked
from security.auditentry import Entry, Head
from security.errors import Tampered
from security.identity import PublicKey
from security.trust import access
from security.trust.memory import Memory

SHOWN = 20  # newest entries on a terminal


def audit(
    *,
    keys: Sequence[Path],
    token: str | None,
    program: str | None,
    passphrase_file: Path | None,
    log: Path | None,
    checkpoint: bool,
    trust: Path | None,
    public: Sequence[Path],
    head: str | None,
    format_: str,
) -> int:
    """Check the log against its checkpoints and what was seen of it before; return 0.

    Raises Tampered, which names the line, and Untrusted.
    """
    path = log or default_path()
    made(seen_path().parent, "set XDG_STATE_HOME to a folder that may be written")
    memory = Memory(seen_path())
    first = next(iter(auditlog.entries(path)), None) if path.exists() else None
    if log is None:
        _same(path, memory, first)
    if not path.exists():
        raise UsageError(f"{path}: there is no audit log yet", "the first use of a key begins it")
    known = _known(trust, public)
    if checkpoint:
        with secrets.signers(keys, token, program, passphrase_file) as signers:
            for signer in signers:
                known.append((signer.public.hint, signer.public))
                auditlog.checkpoint(path, signer)
    seen = memory.head(first.hash) if first else None
    found = auditlog.check(path, tuple(known), _expected(head) or seen)
    memory.keep(found.log, found.head)
    if log is None:
        memory.keep(_place(path), Head(0, found.log))
    _show(path, found, format_)
    return 0


def _known(trust: Path | None, public: Sequence[Path]) -> list[tuple[str, PublicKey]]:
    found = [(path.name, read_public(path)) for path in public]
    if trust is not None:
        file = trusting.read(trust)
        found += access.holders(file, "audit", file.project, datetime.now(UTC))
    return found


def _expected(text: str | None) -> Head | None:
    """Read a head as `keys audit` prints it: number:hash. Raises UsageError."""
    if text is None:
        return None
    number, colon, digest = text.partition(":")
    if not (colon and number.isdecimal() and len(number) < 17 and len(digest) == 64):
        raise UsageError(f"--head {plain(text)}: not a head", "give NUMBER:HASH, as it is printed")
    return Head(int(number), digest)


def _same(path: Path, memory: Memory, first: Entry | None) -> None:
    """Refuse another log, or none, where this user's own one was seen. Raises Tampered."""
    begun = memory.head(_place(path))
    if begun and (first is None or first.hash != begun.hash):
        what = "another audit log than was seen here before" if first else "its entries are gone"
        hint = "ask who could write there; if you moved it yourself, look at it with --log"
        raise Tampered(f"{path}: {what} (it began with {begun.hash[:12]})", hint)


def _place(path: Path) -> str:
    """Return what stands in the memory for the log at a path: by it the first entry is known."""
    return hashlib.sha256(f"place {path.absolute()}".encode()).hexdigest()


def _show(path: Path, found: Checked, format_: str) -> None:
    if format_ == "json":
        said = asdict(found) | {"list": [asdict(entry) for entry in auditlog.entries(path)]}
        click.echo(json.dumps(said, indent=2))
        return
    for entry in deque(auditlog.entries(path), SHOWN):
        details = ", ".join(f"{name} {value}" for name, value in entry.details)
        click.echo(
            f"{entry.time[:19]}Z {plain(entry.actor)} {entry.action} {plain(entry.artifact)}"
            f" {entry.outcome}{f' ({plain(details)})' if details else ''}"
        )
    click.echo(f"{path}: whole, {plural(found.entries, 'entry', 'entries')},"
               f" {found.refused} refused")  # fmt: skip
    if found.signed:
        click.echo(f"signed by {plain(found.signer)} up to entry {found.signed.sequence}")
    if found.unsigned:
        click.echo(
            f"{plural(found.unsigned, 'entry', 'entries')} that no checkpoint vouches for:"
            " whoever may write the file could have written them anew (keys audit --checkpoint)"
        )
    click.echo(f"head {found.head.sequence}:{found.head.hash}    # keep it elsewhere")
