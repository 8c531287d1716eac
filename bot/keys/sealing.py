"""`modelwarden keys seal`: files that only their recipients can read, in the age format."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from bot.errors import UsageError
from bot.keys import secrets
from bot.keys.trail import Trail
from bot.progress import Bar
from bot.wording import plural
from security.seal import folders, sealing
from security.seal import identities as keyfiles
from security.seal.header import BLOCK, Recipient
from security.seal.scrypt import ScryptRecipient
from security.seal.sealing import SUFFIX

HYBRID, CLASSIC = 1_700, 120  # bytes of a header that one recipient takes, at most


@dataclass(frozen=True, slots=True)
class Asked:
    """What `keys seal` was asked for."""

    path: Path
    to: Sequence[str]
    recipients: Sequence[Path]
    passphrase: bool
    output: Path | None
    room: int
    scan: bool
    keys: Sequence[Path]
    token: str | None
    program: str | None
    passphrase_file: Path | None
    log: Path | None
    jobs: int
    force: bool
    format_: str

    @property
    def target(self) -> Path:
        """Where the sealed file or folder goes."""
        return self.output or self.path.with_name(self.path.name + SUFFIX)


def seal(asked: Asked) -> int:
    """Seal a file or a folder; return 0."""
    if not asked.path.exists():
        raise UsageError(f"{asked.path}: no such file or folder", "name what to seal")
    with Trail(asked.log).doing("seal", asked.path.name) as entry:
        whom = _whom(asked)
        entry.details["to"] = ", ".join(f"{r}"[:40] for r in whom)
        size = header_size(whom, asked.room)
        with Bar(f"Sealing {asked.path.name}") as bar:
            if asked.path.is_dir():
                made = folders.seal_folder(
                    asked.path, asked.target, whom, header_size=size, jobs=asked.jobs,
                    progress=bar, overwrite=asked.force,
                )  # fmt: skip
            else:
                made = (asked.target.name,)
                sealing.seal(
                    asked.path, asked.target, whom, header_size=size, jobs=asked.jobs,
                    progress=bar, overwrite=asked.force,
                )  # fmt: skip
    if asked.format_ == "json":
        said = {"output": str(asked.target), "files": len(made), "recipients": len(whom)}
        click.echo(json.dumps(said, indent=2))
    else:
        click.echo(f"{asked.target}: {plural(len(made), 'file')} sealed to {_count(whom)}")
    return 0


def recipients(to: Sequence[str], files: Sequence[Path]) -> tuple[Recipient, ...]:
    """Return the recipients that a command names, each once. Raises BadKey, Unreadable."""
    found: list[Recipient] = [keyfiles.recipient(text) for text in to]
    for file in files:
        found += keyfiles.read_recipients(file)
    return tuple({str(each): each for each in found}.values())


def header_size(whom: Sequence[Recipient], room: int) -> int:
    """Return a size of header, bytes, that has room for `room` recipients of this kind."""
    each = HYBRID if any(r.kind == "hybrid" for r in whom) else CLASSIC
    return -(-(max(room, len(whom)) * each + 300) // BLOCK) * BLOCK


def _whom(asked: Asked) -> tuple[Recipient, ...]:
    if not asked.passphrase:
        found = recipients(asked.to, asked.recipients)
        if not found:
            raise UsageError("nobody to seal to", "name them: --to, --recipients or --passphrase")
        return found
    if asked.to or asked.recipients:
        raise UsageError("--passphrase with recipients", "a passphrase stands alone")
    return (ScryptRecipient(secrets.fresh(asked.passphrase_file, asked.path.name)),)


def _count(whom: Sequence[Recipient]) -> str:
    return "a passphrase" if whom[0].kind == "passphrase" else plural(len(whom), "recipient")
