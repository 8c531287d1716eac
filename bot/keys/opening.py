"""`modelwarden keys open` and `rewrap`: what was sealed, opened, or sealed to others."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import click

from bot.errors import UsageError
from bot.keys import sealing as doors
from bot.keys import secrets
from bot.keys.trail import Trail, named
from bot.progress import Bar
from bot.wording import plural
from security import hashing, storing
from security.errors import Refused
from security.hashing.walk import Tree, walk
from security.identity import Signer
from security.paths import signature_of
from security.seal import folders, ranged, rewrap, sealing
from security.seal import identities as keyfiles
from security.seal.header import Identity
from security.seal.scrypt import ScryptIdentity
from security.seal.sealing import SUFFIX
from security.sign import signing


def open_(
    *,
    path: Path,
    identities: Sequence[Path],
    identity_program: str | None,
    output: Path | None,
    tensor: str | None,
    passphrase_file: Path | None,
    log: Path | None,
    jobs: int,
    force: bool,
    format_: str,
) -> int:
    """Open a sealed file, a folder, or one tensor of a file; return 0."""
    _there(path)
    with Trail(log).doing("open", path.name) as entry:
        mine = _identities(identities, identity_program, passphrase_file, path)
        target = output or _target(path, tensor)
        entry.details["output"] = str(target)
        read = 0
        with Bar(f"Opening {path.name}") as bar:
            if tensor is not None:
                read = _tensor(path, tensor, target, mine, force)
            elif path.is_dir():
                folders.open_folder(path, target, mine, jobs=jobs, progress=bar, overwrite=force)
            else:
                sealing.open_sealed(path, target, mine, jobs=jobs, progress=bar, overwrite=force)
    if format_ == "json":
        click.echo(json.dumps({"output": str(target)} | ({"read": read} if tensor else {})))
    else:
        click.echo(f"{target}: opened")
    return 0


def rewrap_(
    *,
    path: Path,
    identities: Sequence[Path],
    identity_program: str | None,
    to: Sequence[str],
    recipients: Sequence[Path],
    reencrypt: bool,
    keys: Sequence[Path],
    token: str | None,
    program: str | None,
    passphrase_file: Path | None,
    log: Path | None,
    jobs: int,
    format_: str,
) -> int:
    """Give a sealed file, or every one of a folder, other recipients; return 0."""
    _there(path)
    files = _sealed(path)
    signs = bool(keys or token or program)
    opened = secrets.signers(keys, token, program, passphrase_file) if signs else nullcontext(())
    work = Trail(log).doing("reencrypt" if reencrypt else "rewrap", path.name)
    with work as entry, opened as signers:
        mine = _identities(identities, identity_program, passphrase_file, path)
        whom = doors.recipients(to, recipients)
        if not whom:
            raise UsageError("nobody to seal to", "name all who may open it: --to, --recipients")
        entry.details["to"] = ", ".join(f"{r}"[:40] for r in whom)
        name = _signed_name(path, signers, jobs) if signs else ""
        start = time.perf_counter()
        for file in files if len(files) > 1 and not reencrypt else ():
            rewrap.check(file, mine, whom)  # all of them, or none
        with Bar(f"Changing {path.name}") as bar:
            for number, file in enumerate(files):
                if reencrypt:
                    rewrap.reencrypt(
                        file, mine, whom, header_size=doors.header_size(whom, 4), jobs=jobs
                    )
                else:
                    rewrap.rewrap(file, mine, whom)
                bar(number + 1, len(files))
        took = time.perf_counter() - start
        bundle = signature_of(path)
        if signs:
            manifest = hashing.measure(path, tensors=False, jobs=jobs)
            storing.write(bundle, signing.sign_manifest(manifest, name, signers))
            entry.details |= {"root": manifest.root} | named(signers)
    if format_ == "json":
        said = {"files": len(files), "recipients": len(whom), "seconds": round(took, 6)}
        click.echo(json.dumps(said, indent=2))
        return 0
    click.echo(f"{path}: {plural(len(files), 'file')} for {plural(len(whom), 'recipient')} now")
    if not reencrypt:
        click.echo("  who could open it before may have kept its key: --reencrypt makes a new one")
    if bundle.exists() and not signs:
        click.echo(f"  {bundle} does not hold any more: sign again with keys sign --force")
    return 0


def _sealed(path: Path) -> list[Path]:
    """Return the sealed files of a folder, none of them behind a link, or the one file."""
    if not path.is_dir():
        return [path]
    with Tree.of(path) as tree:
        files = [path / f.path for f in walk(tree, path, ()) if f.path.endswith(SUFFIX)]
    if not files:
        raise UsageError(f"{path} holds no {SUFFIX} file", "name a sealed file or folder")
    return files


def _signed_name(path: Path, signers: Sequence[Signer], jobs: int) -> str:
    """Return the name under which the first key signed exactly what is there.

    What somebody put there, or exchanged, since is not to be signed with what is sealed anew.
    Raises Refused, Untrusted, Tampered.
    """
    from security.trust.single import KeyTrust
    from security.verify import verify

    bundle = signature_of(path)
    if not bundle.exists():
        hint = "leave --key out, look at the files, then sign them: modelwarden keys sign"
        raise Refused(f"{bundle}: there is no signature to renew", hint)
    return verify(path, trust=KeyTrust(signers[0].public), jobs=jobs).name


def _there(path: Path) -> None:
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder", "name what was sealed")


def _identities(
    files: Sequence[Path], program: str | None, passphrase_file: Path | None, path: Path
) -> tuple[Identity, ...]:
    """Read the identities; without any, what was sealed with a passphrase is asked for it."""
    found: list[Identity] = []
    for file in files:
        found += keyfiles.read_identities(file, secrets.asked(passphrase_file, str(file)))
    if program:
        from security.sign.program import ProgramIdentity

        found.append(ProgramIdentity(secrets.service(program, "--identity-program")))
    return tuple(found) or (ScryptIdentity(secrets.asked(passphrase_file, path.name)),)


def _target(path: Path, tensor: str | None) -> Path:
    if tensor is not None:
        raise UsageError("--tensor without --output", "name the safetensors file to write")
    if path.suffix != SUFFIX:
        raise UsageError(f"{path} does not end in {SUFFIX}", "name the result: --output")
    return path.with_suffix("")


def _tensor(path: Path, name: str, target: Path, mine: Sequence[Identity], force: bool) -> int:
    """Write one tensor as a safetensors file of its own; return the bytes that were read."""
    before = _read()
    with ranged.SealedFile(path, mine) as sealed:
        data = sealed.tensor(name)
        read = _read() - before
        (found,) = (t for t in sealed.header().tensors if t.name == name)
        about = {"dtype": found.dtype, "shape": list(found.shape), "data_offsets": [0, len(data)]}
        head = json.dumps({name: about}, separators=(",", ":")).encode()
        head += b" " * (-len(head) % 8)
        storing.write(
            target, len(head).to_bytes(8, "little") + head + data, mode=0o600, overwrite=force
        )
        return read


def _read() -> int:
    """Return the bytes that this process has read so far, as the kernel counts them."""
    with Path("/proc/self/io").open() as file:
        return int(file.readline().removeprefix("rchar:"))
