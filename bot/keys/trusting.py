"""`modelwarden keys endorse` and `rotate`: signatures on a trust file, and who follows whom."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.keys import secrets
from bot.keys.places import alone
from bot.keys.trail import Trail, named
from bot.quoting import plain
from security import storing
from security.sign import reading
from security.trust import envelopes, loading, rotation, tables
from security.trust.trustfile import TrustFile


def endorse(
    *,
    file: Path,
    keys: Sequence[Path],
    token: str | None,
    program: str | None,
    passphrase_file: Path | None,
    log: Path | None,
    format_: str,
) -> int:
    """Add signatures to FILE.sig; return 0."""
    beside = signatures_of(file)
    opened = secrets.signers(keys, token, program, passphrase_file)
    with Trail(log).doing("endorse", str(file)) as entry, opened as signers:
        data = content(file)
        trust = loading.load(data, str(file))
        with alone(beside.parent):
            old = reading.read(beside, envelopes.LIMIT) if os.path.lexists(beside) else None
            storing.write(beside, rotation.sign(data, signers, old))
        entry.details |= {"digest": trust.digest, "version": str(trust.version)}
        entry.details |= named(signers)
    if format_ == "json":
        said = {"file": str(beside), "version": trust.version, "digest": trust.digest}
        click.echo(json.dumps(said, indent=2))
    else:
        click.echo(f"{beside}: version {trust.version} of {plain(trust.project)} signed")
    return 0


def rotate(*, file: Path, old: Path, format_: str) -> int:
    """Say whether FILE may follow the old trust file, and what changes; return 0.

    Raises Untrusted where the old file's people did not sign it.
    """
    before = read(old)
    data = content(file)
    hint = f"have it signed: modelwarden keys endorse {file}"
    signatures = reading.read(signatures_of(file), envelopes.LIMIT, hint=hint)
    after = rotation.succeed(before, data, signatures, datetime.now(UTC))
    changes = tuple(_changes(before, after))
    if format_ == "json":
        said = {"from": before.version, "to": after.version, "digest": after.digest,
                "expires": after.expires.isoformat(), "changes": changes}  # fmt: skip
        click.echo(json.dumps(said, indent=2))
        return 0
    click.echo(f"{file}: version {after.version} rightfully follows {before.version},"
               f" expires {after.expires}")  # fmt: skip
    for line in changes or ("nothing but dates changes",):
        click.echo(f"  {plain(line)}")
    return 0


def content(file: Path) -> bytes:
    """Return the bytes of a trust file. Raises Unreadable, TooLarge."""
    return reading.read(file, tables.LIMIT, hint="name a trust file, such as .github/trust.toml")


def read(file: Path) -> TrustFile:
    """Read a trust file. Raises Unreadable, TooLarge, Malformed."""
    return loading.load(content(file), str(file))


def signatures_of(file: Path) -> Path:
    """Return where the signatures of a trust file lie."""
    return file.with_name(f"{file.name}.sig")


def _changes(old: TrustFile, new: TrustFile) -> Iterator[str]:
    for what, before, after in (
        ("person", {p.name: p for p in old.persons}, {p.name: p for p in new.persons}),
        ("key", {c.name: c for c in old.credentials}, {c.name: c for c in new.credentials}),
        ("role", {r.name: r for r in old.roles}, {r.name: r for r in new.roles}),
    ):
        for name in sorted({**before, **after}):
            if name not in after:
                yield f"{what} {name} is gone"
            elif name not in before:
                yield f"{what} {name} is new"
            elif before[name] != after[name]:
                yield f"{what} {name} changes{_revoked(after[name])}"


def _revoked(value: object) -> str:
    when = getattr(value, "revoked", None)
    return f": revoked on {when}" if when else ""
