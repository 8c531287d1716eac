"""`modelwarden keys sign` and `attest`: a signature over every file, and what is said of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bot.errors import UsageError
from bot.keys import claims, secrets
from bot.keys.trail import Trail
from bot.progress import Bar
from bot.wording import plural
from security import hashing, storing
from security.errors import Refused
from security.identity import Signer
from security.manifest import Manifest
from security.paths import attestations_of, signature_of
from security.sign import bundle as bundles
from security.sign import reading, signing, statement
from security.sign.attestations import LIMIT
from security.trust import releases


@dataclass(frozen=True, slots=True)
class Places:
    """A model, the bundle that signs it, and the file of what is said of it."""

    model: Path
    bundle: Path
    said: Path

    @classmethod
    def of(cls, model: Path, signature: Path | None) -> Places:
        """Return the usual places. Raises UsageError where there is no model."""
        if not model.exists():
            raise UsageError(f"{model}: no such file or folder", "name the folder of a model")
        bundle = signature or signature_of(model)
        return cls(model, bundle, attestations_of(bundle))

    @property
    def own(self) -> tuple[str, ...]:
        """The two files as paths in the model's folder, where they lie in it."""
        top = self.model.resolve()
        found = (p.parent.resolve() / p.name for p in (self.bundle, self.said))
        return tuple(p.relative_to(top).as_posix() for p in found if p.is_relative_to(top))

    @property
    def name(self) -> str:
        """What the statement calls the model."""
        return self.model.resolve().name


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
    places = Places.of(asked.model, asked.signature)
    if asked.add and (asked.force or asked.ignore or asked.keyless):
        raise UsageError("--add with --force, --ignore or --keyless", "--add changes nothing else")
    if asked.release:
        releases.rank(asked.release)
    with Trail(asked.log).doing("sign", places.name) as entry, _signers(asked) as signers:
        if places.bundle.exists() and not (asked.add or asked.force):
            hint = "say --add for one more signature, or --force to sign anew"
            raise Refused(f"{places.bundle} is there already", hint)
        scanned = _scanned(asked) if asked.scan else None
        work = _cosign if asked.add else _anew
        read, manifest = work(places, signers, asked)
        made = _stated(asked.release, scanned)
        _state(places, manifest, made, signers, anew=not asked.add)
        entry.details |= {"root": manifest.root} | _named(signers)
    _show(places, manifest, signers, read, asked.format_)
    return 0


def attest(
    *,
    model: Path,
    type_: str,
    predicate: Path | None,
    signature: Path | None,
    keys: Sequence[Path],
    token: str | None,
    program: str | None,
    passphrase_file: Path | None,
    log: Path | None,
    format_: str,
) -> int:
    """State something about the root digest that a model's bundle names; return 0."""
    places = Places.of(model, signature)
    opened = secrets.signers(keys, token, program, passphrase_file)
    with Trail(log).doing("attest", places.name) as entry, opened as signers:
        manifest = _contents(places).manifest
        kind, said = claims.predicate(type_, predicate, model)
        _state(places, manifest, ((kind, said),), signers, anew=False)
        entry.details |= {"type": type_, "root": manifest.root} | _named(signers)
    if format_ == "json":
        click.echo(json.dumps({"type": kind, "root": manifest.root, "file": str(places.said)}))
    else:
        click.echo(f"{places.said}: {type_} stated of {manifest.root[:16]}")
    return 0


@contextmanager
def _signers(asked: Asked) -> Iterator[tuple[Signer, ...]]:
    if asked.keyless:
        yield ()
        return
    opened = secrets.signers(asked.keys, asked.token, asked.program, asked.passphrase_file)
    with opened as found:
        if asked.certificate is not None:
            from security.sign.certificates import certify

            pem = reading.read(asked.certificate, bundles.LIMIT)
            found = (certify(found[0], pem), *found[1:])
        yield found


def _anew(places: Places, signers: Sequence[Signer], asked: Asked) -> tuple[int, Manifest]:
    """Measure and sign; return the bytes read, and the manifest."""
    ignored = tuple(dict.fromkeys((*hashing.LEFT_OUT, *places.own, *asked.ignore)))
    known = None if asked.no_cache else hashing.Known.load(_state_file(places.model))
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
    storing.write(places.bundle, data)
    if known:
        known.save()
    return read, manifest


def _cosign(places: Places, signers: Sequence[Signer], asked: Asked) -> tuple[int, Manifest]:
    """Add signatures, if the model is what is signed; return the bytes read, and the manifest."""
    data = reading.read(places.bundle, bundles.LIMIT)
    contents = _contents(places)
    made = contents.serialization
    with Bar(f"Reading {places.name}") as bar:
        manifest = hashing.compare(
            places.model, contents.manifest, ignored=places.own, algorithm=made.algorithm,
            shard=made.shard, jobs=asked.jobs, progress=bar,
        )  # fmt: skip
    storing.write(places.bundle, signing.cosign(data, signers))
    return manifest.size, manifest


def _contents(places: Places) -> statement.Contents:
    with reading.naming(places.bundle):
        found = bundles.read(reading.read(places.bundle, bundles.LIMIT))
        return statement.read(found.envelope.payload)


def _scanned(asked: Asked) -> Mapping[str, Any]:
    """Scan the model and return what to state of it. Raises Untrusted."""
    from bot.keys import scanning

    found = scanning.scan(asked.model, asked.jobs)
    scanning.refuse(asked.model, found)
    return scanning.predicate(found)


def _stated(
    release: str | None, scanned: Mapping[str, Any] | None
) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    made: list[tuple[str, Mapping[str, Any]]] = []
    if release:
        said = releases.predicate(releases.Release(release))
        made.append((releases.RELEASE, json.loads(said)))
    if scanned:
        made.append((claims.SCAN, scanned))
    return tuple(made)


def _state(
    places: Places,
    manifest: Manifest,
    made: Sequence[tuple[str, Mapping[str, Any]]],
    signers: Sequence[Signer],
    *,
    anew: bool,
) -> None:
    """Add what is stated to the file of attestations; those of other content go.

    The same statement by somebody else becomes one more signature on it.
    """
    old = reading.read(places.said, LIMIT) if places.said.exists() else b""
    kept: list[bytes] = []
    for line in old.splitlines():
        claim = signing.read_attestation(line)
        if claim.root == manifest.root and not anew:
            kept.append(line)
    if made and not signers:
        raise UsageError("a keyless signature with statements", "state them with a key")
    for kind, said in made:
        twin = next((at for at, line in enumerate(kept) if _says(line, kind, said)), None)
        if twin is not None:
            kept[twin] = signing.cosign(kept[twin], signers)
        else:
            kept.append(signing.attest(places.name, manifest.root, kind, said, signers))
    data = b"".join(line.rstrip(b"\n") + b"\n" for line in kept)
    if data:
        storing.write(places.said, data)
    elif old:
        places.said.unlink()


def _says(line: bytes, kind: str, said: Mapping[str, Any]) -> bool:
    claim = signing.read_attestation(line)
    return claim.predicate_type == kind and json.loads(claim.predicate) == said


def _named(signers: Sequence[Signer]) -> dict[str, str]:
    return {f"key{n}": signer.public.hint for n, signer in enumerate(signers, 1)}


def _state_file(model: Path) -> Path:
    """Return where the digests of a model's files are remembered between signatures."""
    import platformdirs

    folder = platformdirs.user_cache_path("modelwarden") / "digests"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / f"{hashlib.sha256(str(model.resolve()).encode()).hexdigest()[:32]}.json"


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
