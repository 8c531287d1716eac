"""`modelwarden keys seal`: files that only their recipients can read, in the age format."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click

from bot.errors import UsageError
from bot.keys import secrets
from bot.keys.trail import Trail, named
from bot.progress import Bar
from bot.wording import plural
from security import hashing, onepass, storing
from security.errors import SecurityError
from security.identity import Signer
from security.manifest import Manifest
from security.paths import IGNORED, WHOLE, signature_of
from security.scan.source import Source
from security.seal import folders, sealing
from security.seal import identities as keyfiles
from security.seal.header import BLOCK, LIMIT, Recipient
from security.seal.scrypt import ScryptRecipient
from security.seal.sealing import SUFFIX
from security.sign import signing

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
    def signs(self) -> bool:
        """Whether keys to sign with are named."""
        return bool(self.keys or self.token or self.program)

    @property
    def target(self) -> Path:
        """Where the sealed file or folder goes."""
        if self.output is None and self.path.name in ("", ".."):
            raise UsageError(f"{self.path} has no name to add {SUFFIX} to", "give --output")
        return self.output or self.path.with_name(self.path.name + SUFFIX)


def seal(asked: Asked) -> int:
    """Seal a file or a folder; return 0."""
    if not asked.path.exists():
        raise UsageError(f"{asked.path}: no such file or folder", "name what to seal")
    if asked.target.exists() and asked.target.samefile(asked.path):
        raise UsageError(f"{asked.target} is what is to be sealed", "name another: --output")
    if asked.passphrase and asked.passphrase_file and (asked.keys or asked.token):
        hint = "sign the sealed files afterwards: modelwarden keys sign"
        raise UsageError("one passphrase file for sealing and for signing", hint)
    with Trail(asked.log).doing("seal", asked.path.name) as entry:
        whom = _whom(asked)
        entry.details["to"] = ", ".join(f"{r}"[:40] for r in whom)
        if asked.signs:
            opened = secrets.signers(asked.keys, asked.token, asked.program, asked.passphrase_file)
            with opened as signers, _whole(asked.target):
                manifest = _measured(asked, whom)
                _sign(asked, whom, manifest, signers)
            entry.details |= named(signers)
            count, root = len(manifest.entries), manifest.root
        elif asked.scan:
            manifest = _measured(asked, whom)
            count, root = len(manifest.entries), manifest.root
        else:
            count, root = _plainly(asked, whom), ""
        if root:
            entry.details["root"] = root
    _show(asked, whom, count, root)
    return 0


def _show(asked: Asked, whom: Sequence[Recipient], count: int, root: str) -> None:
    """Say what was sealed; the root digest of what it was is known where that was measured."""
    if asked.format_ == "json":
        said = {"output": str(asked.target), "files": count, "recipients": len(whom)}
        click.echo(json.dumps(said | ({"root": root} if root else {}), indent=2))
        return
    click.echo(f"{asked.target}: {plural(count, 'file')} sealed to {_count(whom)}")
    if root:
        click.echo(f"root digest {root}")


@contextmanager
def _whole(target: Path) -> Iterator[None]:
    """Take a new target away again where it could be sealed, but not signed."""
    fresh = not os.path.lexists(target)
    try:
        yield
    except (SecurityError, OSError, KeyboardInterrupt):
        if fresh and target.is_dir():
            shutil.rmtree(target)
        elif fresh:
            target.unlink(missing_ok=True)
        raise


def _plainly(asked: Asked, whom: Sequence[Recipient]) -> int:
    """Seal and do nothing else; return how many files."""
    size = header_size(whom, asked.room)
    with Bar(f"Sealing {asked.path.name}") as bar:
        if asked.path.is_dir():
            made = folders.seal_folder(
                asked.path, asked.target, whom, ignored=IGNORED, header_size=size,
                jobs=asked.jobs, progress=bar, overwrite=asked.force,
            )  # fmt: skip
            return len(made)
        sealing.seal(
            asked.path, asked.target, whom, header_size=size, jobs=asked.jobs, progress=bar,
            overwrite=asked.force,
        )  # fmt: skip
        return 1


def _measured(asked: Asked, whom: Sequence[Recipient]) -> Manifest:
    """Seal, and return what the plain files are; one read, whatever else is asked for."""
    judge = _judge if asked.scan else None
    size = header_size(whom, asked.room)
    with Bar(f"Sealing {asked.path.name}") as bar:
        if asked.path.is_dir():
            return onepass.seal_folder_measured(
                asked.path, asked.target, whom, header_size=size, jobs=asked.jobs, progress=bar,
                overwrite=asked.force, judge=judge, tensors=asked.signs,
            )  # fmt: skip
        entry = onepass.seal_measured(
            asked.path, asked.target, whom, header_size=size, jobs=asked.jobs, progress=bar,
            overwrite=asked.force, judge=judge, tensors=asked.signs,
        )  # fmt: skip
        return Manifest((replace(entry, path=WHOLE),))


def _judge(source: Source) -> None:
    from bot.keys import scanning
    from security.scan.engine import scan_file

    scanning.refuse(Path(source.name), (scan_file(source),))


def _sign(
    asked: Asked, whom: Sequence[Recipient], manifest: Manifest, signers: Sequence[Signer]
) -> None:
    """Sign the plain files, unless they are, sealing that signature; then the sealed ones."""
    plain = signature_of(asked.path)
    if not plain.exists():
        place = asked.target if asked.path.is_dir() else asked.target.parent
        bundle = signing.sign_manifest(manifest, asked.path.resolve().name, signers)
        data = sealing.seal_bytes(bundle, whom)
        storing.write(place / f"{plain.name}{SUFFIX}", data, overwrite=True)
    sealed = hashing.measure(asked.target, tensors=False, jobs=asked.jobs)
    data = signing.sign_manifest(sealed, asked.target.resolve().name, signers)
    storing.write(signature_of(asked.target), data)


def recipients(to: Sequence[str], files: Sequence[Path]) -> tuple[Recipient, ...]:
    """Return the recipients that a command names, each once. Raises BadKey, Unreadable."""
    found: list[Recipient] = [keyfiles.recipient(text) for text in to]
    for file in files:
        found += keyfiles.read_recipients(file)
    return tuple({str(each): each for each in found}.values())


def header_size(whom: Sequence[Recipient], room: int) -> int:
    """Return a size of header, bytes, that has room for `room` recipients of this kind."""
    each = HYBRID if any(r.kind == "hybrid" for r in whom) else CLASSIC
    size = -(-(max(room, len(whom)) * each + 300) // BLOCK) * BLOCK
    if size > LIMIT:
        most = (LIMIT - 300) // each
        raise UsageError(f"room for more than {most:,} recipients", f"give --room {most} or less")
    return size


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
