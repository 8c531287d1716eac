"""`modelwarden keys sign`: a signature over every file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import click

from bot.errors import UsageError
from bot.keys import secrets, stating
from bot.keys.places import Places, alone
from bot.keys.trail import Trail, named
from bot.progress import Bar
from bot.wording import plural
from security import hashing, storing
from security.errors import Refused, WriteFailed
from security.identity import Signer
from security.manifest import Manifest
from security.sign import bundle as bundles
from security.sign import reading, signing
from security.trust import releases

_Work = tuple[int, Manifest, bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    """What `keys sign` was asked for."""

    model: Path
    keys: Sequence[Path]
    token: str | None
    program: str | None
    passphrase_file: Path | None
    log: Path | None
    signature: Path | None
    add: bool
    release: str | None
    artifact: str | None
    scan: bool
    ignore: Sequence[str]
    tensors: bool
    certificate: Path | None
    keyless: bool
    no_cache: bool
    force: bool
    jobs: int
    format_: str


def sign(asked: Asked) -> int:
    """Sign a model, or add a signature to the one it has; return 0."""
    places = Places.of(asked.model, asked.signature, asked.artifact)
    if asked.add and (asked.force or asked.ignore or asked.keyless):
        raise UsageError("--add with --force, --ignore or --keyless", "--add changes nothing else")
    if asked.release is not None:
        releases.rank(asked.release)
    if asked.keyless and (asked.keys or asked.token or asked.program):
        raise UsageError("--keyless with a key", "sign with one, and --add the other")
    if asked.keyless and (asked.release is not None or asked.scan):
        hint = "state it with a key: modelwarden keys attest"
        raise UsageError("a keyless signature with statements", hint)
    with Trail(asked.log).doing("sign", places.name) as entry, _signers(asked) as signers:
        if os.path.lexists(places.bundle) and not (asked.add or asked.force):
            hint = "say --add for one more signature, or --force to sign anew"
            raise Refused(f"{places.bundle} is there already", hint)
        scanned = stating.scanned(asked.model, asked.jobs) if asked.scan else None
        made = stating.wanted(asked.release, scanned)
        work = _cosign if asked.add else _anew
        read, manifest, data = work(places, signers, asked)
        with alone(places.bundle.parent):
            if asked.add:
                data = signing.cosign(_unchanged(places, data), signers)
            storing.write(places.bundle, data, overwrite=asked.add or asked.force)
            stating.state(places, manifest, made, signers, anew=not asked.add)
        entry.details |= {"root": manifest.root} | named(signers)
    _show(places, manifest, signers, read, asked.format_)
    return 0


@contextmanager
def _signers(asked: Asked) -> Iterator[tuple[Signer, ...]]:
    if asked.keyless:
        yield ()
        return
    opened = secrets.signers(asked.keys, asked.token, asked.program, asked.passphrase_file)
    with opened as found:
        if asked.certificate is not None:
            from security.sign.certificates import CHAIN_LIMIT, certify

            pem = reading.read(asked.certificate, CHAIN_LIMIT, hint="name a file of certificates")
            with reading.naming(asked.certificate):
                found = (certify(found[0], pem), *found[1:])
        yield found


def _anew(places: Places, signers: Sequence[Signer], asked: Asked) -> _Work:
    """Measure and sign; return the bytes read, the manifest, and the bundle."""
    ignored = tuple(dict.fromkeys((*hashing.LEFT_OUT, *places.own, *asked.ignore)))
    known = None if asked.no_cache else _known(places.model)
    read = 0

    def tell(done: int, total: int) -> None:
        nonlocal read
        read = max(read, done)
        bar(done, total)

    with Bar(f"Reading {places.name}") as bar:
        manifest = hashing.measure(
            places.model, ignored=ignored, tensors=asked.tensors, known=known, jobs=asked.jobs,
            progress=tell,
        )  # fmt: skip
    if asked.keyless:
        from security.sign import keyless

        data = keyless.sign(manifest, places.name)
    else:
        data = signing.sign_manifest(manifest, places.name, signers)
    if known:
        with suppress(WriteFailed):  # it only saves time
            known.save()
    return read, manifest, data


def _cosign(places: Places, signers: Sequence[Signer], asked: Asked) -> _Work:
    """Make sure that the model is what is signed, before a signature is added."""
    data = reading.read(places.bundle, bundles.LIMIT)
    contents = places.read(data)
    # Who signs must not lend their name to what somebody else calls it.
    if contents.name != places.name:
        hint = f"sign it anew, or say --artifact {contents.name} if that is what you release"
        raise Refused(f"{places.bundle}: made for {contents.name}, not {places.name}", hint)
    version = stating.version(places, contents.manifest.root)
    if version and not asked.release:
        hint = f"say --release {version} too, if you agree, else remove what states it"
        raise Refused(f"{places.said}: others state version {version}", hint)
    manifest = places.compare(contents, asked.jobs)
    return manifest.size, manifest, data


def _unchanged(places: Places, before: bytes) -> bytes:
    """Return the bundle as it is by now: others may have signed the same meanwhile."""
    data = reading.read(places.bundle, bundles.LIMIT)
    if data != before and places.read(data) != places.read(before):
        raise Refused(f"{places.bundle}: other content was signed meanwhile", "try again")
    return data


def _known(model: Path) -> hashing.Known | None:
    """Return what is remembered of a model's files between signatures, if that has a place."""
    import platformdirs

    try:
        folder = platformdirs.user_cache_path("modelwarden") / "digests"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError):  # the latter: nobody's home
        return None
    name = hashlib.sha256(os.fsencode(os.path.realpath(model))).hexdigest()
    return hashing.Known.load(folder / f"{name[:32]}.json")


def _show(
    places: Places, manifest: Manifest, signers: Sequence[Signer], read: int, format_: str
) -> None:
    if format_ == "json":
        said = {
            "signature": str(places.bundle),
            "root": manifest.root,
            "files": len(manifest.entries),
            "bytes": manifest.size,
            "read": read,
            "keys": [s.public.hint for s in signers],
        }
        click.echo(json.dumps(said, indent=2))
        return
    files = plural(len(manifest.entries), "file")
    click.echo(f"{places.bundle}: {files}, {manifest.size:,} bytes, {read:,} read")
    click.echo(f"root digest {manifest.root}")
    for signer in signers:
        click.echo(f"signed by {signer.public.kind} {signer.public.hint[:16]}")
