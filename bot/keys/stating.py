"""`modelwarden keys attest`, and what `sign` states: lines beside a signature."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from bot.keys import claims, secrets
from bot.keys.places import Places, alone
from bot.keys.trail import Trail, named
from security import storing
from security.identity import Signer
from security.manifest import Manifest
from security.sign import bundle as bundles
from security.sign import reading, signing
from security.sign.attestations import LIMIT
from security.sign.statement import Claim
from security.trust import releases


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
        contents = places.read(reading.read(places.bundle, bundles.LIMIT))
        places, manifest = replace(places, artifact=contents.name), contents.manifest
        if predicate is None and type_ == "scan":
            places.compare(contents)  # else what was scanned is not what is spoken of
        kind, said = claims.predicate(type_, predicate, model)
        with alone(places.said.parent):
            state(places, manifest, ((kind, said),), signers, anew=False)
        entry.details |= {"type": type_, "root": manifest.root} | named(signers)
    if format_ == "json":
        click.echo(json.dumps({"type": kind, "root": manifest.root, "file": str(places.said)}))
    else:
        click.echo(f"{places.said}: {type_} stated of {manifest.root[:16]}")
    return 0


def scanned(model: Path, jobs: int) -> Mapping[str, Any]:
    """Scan the model and return what to state of it. Raises Untrusted."""
    from bot.keys import scanning

    found = scanning.scan(model, jobs)
    scanning.refuse(model, found)
    return scanning.predicate(found)


def wanted(
    release: str | None, scan: Mapping[str, Any] | None
) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Return what to state, as (type, predicate)."""
    made: list[tuple[str, Mapping[str, Any]]] = []
    if release is not None:
        said = releases.predicate(releases.Release(release))
        made.append((releases.RELEASE, json.loads(said)))
    if scan:
        made.append((claims.SCAN, scan))
    return tuple(made)


def state(
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
    kept: list[bytes] = []
    for line, found in () if anew else _claims(places):
        if found.root == manifest.root:
            kept.append(line)
    for kind, said in made:
        claim = (places.name, kind, said)
        twin = next((at for at, line in enumerate(kept) if _says(line, claim)), None)
        if twin is not None:
            kept[twin] = signing.cosign(kept[twin], signers)
        else:
            kept.append(signing.attest(places.name, manifest.root, kind, said, signers))
    data = b"".join(line.rstrip(b"\n") + b"\n" for line in kept)
    if data:
        storing.write(places.said, data)
    else:
        places.said.unlink(missing_ok=True)


def version(places: Places, root: str) -> str:
    """Return the version that is stated of this root digest, by whomever, "" for none."""
    for _, claim in _claims(places):
        if (claim.root, claim.predicate_type) == (root, releases.RELEASE):
            return releases.read(claim.predicate.encode()).version
    return ""


def _claims(places: Places) -> Iterator[tuple[bytes, Claim]]:
    """Yield each line that is there, and what it states. Raises Malformed, which names the file."""
    if os.path.lexists(places.said):
        data = reading.read(places.said, LIMIT)
        with reading.naming(places.said):
            for line in data.splitlines():
                yield line, signing.read_attestation(line)


def _says(line: bytes, wanted: tuple[str, str, Mapping[str, Any]]) -> bool:
    claim = signing.read_attestation(line)
    return (claim.name, claim.predicate_type, json.loads(claim.predicate)) == wanted
