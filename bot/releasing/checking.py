"""`release verify`: a release proven from the repository, each thing by the one that names it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from bot.errors import UsageError
from bot.keys.making import read_public
from bot.printing import tell
from bot.quoting import plain
from bot.releasing.approving import room
from bot.releasing.job import RELEASE_JSON, Place
from bot.releasing.place import place, trust_at, version_of
from bot.releasing.steps.attested import attested
from bot.releasing.trusting import proven
from registry.errors import Blocked
from registry.release import staging
from registry.release.ledger import Issued
from registry.release.values import Release
from registry.weights import locate
from security.errors import Tampered
from security.manifest import Manifest
from security.trust.single import KeyTrust
from security.trust.trustfile import TrustFile
from security.trust.trusting import Trust


@dataclass(frozen=True, slots=True)
class Proven:
    """One thing that holds, and how it was seen."""

    what: str
    how: str


def verify(*, version: str | None, repo: Path, key: Path | None, jobs: int, format_: str) -> int:
    """Prove a release; return 0. Raises what does not hold."""
    with place(repo, say=tell) as there:
        ledger = there.book.ledger()
        wanted = version or "champion"
        issued = version_of(ledger, there.artifact, wanted)
        found = [Proven("ledger", f"{len(ledger.entries):,} entries, each holds the one before")]
        found += _proofs(there, issued, _trust(there, key), jobs)
        found[1:1] = _tag(there, issued)
    if format_ == "json":
        said = {
            "version": issued.version,
            "root": issued.root,
            "proven": [asdict(p) for p in found],
        }
        click.echo(json.dumps(said, indent=2))
        return 0
    click.echo(f"{issued.artifact} {issued.version}: verified")
    for one in found:
        click.echo(f"  {one.what}: {plain(one.how)}")
    return 0


def _tag(there: Place, issued: Issued) -> list[Proven]:
    moved = [one for one in there.book.moved(there.book.ledger()) if one.tag == issued.tag]
    if moved:
        where = f"at {moved[0].found[:12]}" if moved[0].found else "nowhere"
        raise Blocked(
            f"the tag {issued.tag} is not at {issued.commit[:12]} but {where}",
            "find out who moved it; where it is nowhere, or once it is deleted: "
            "modelwarden release doctor --repair",
        )
    return [Proven("tag", f"{issued.tag} is at {issued.commit[:12]}")]


def _proofs(there: Place, issued: Issued, trust: Trust, jobs: int) -> Iterator[Proven]:
    document = there.book.document(issued.artifact, issued.version)
    yield Proven("document", f"sha256 {issued.document}")
    if isinstance(trust, TrustFile):
        signed = proven(there, there.book.ledger(fresh=False), issued, trust)
    else:
        signed = attested(there.book, issued, trust)
    people = ", ".join(signer.name for signer in signed.signers)
    yield Proven("signature", f"root {issued.root}, signed by {people}")
    yield Proven("weights", _weights(there, document, signed.contents.manifest, jobs))


def _trust(there: Place, key: Path | None) -> Trust:
    if key is not None:
        return KeyTrust(read_public(key), key.name)
    found = trust_at(there.world, there.commit)
    if found is None:
        raise UsageError(
            "no .github/trust.toml says whom to trust",
            "name the public key that you know: --key FILE.pub",
        )
    return found


def _weights(there: Place, document: Release, manifest: Manifest, jobs: int) -> str:
    """Lay the weights of the commit out and compare them with what was signed."""
    located = locate(there.world, document.commit, document.weights.path)
    with tempfile.TemporaryDirectory(prefix="modelwarden-", dir=room(there)) as temporary:
        folder = Path(temporary, "model")
        folder.mkdir()
        scratch = Path(temporary, "objects")
        placed = staging.place(there.world, located, folder, scratch, commit=document.commit)
        found = staging.measure(folder, placed, Path(temporary, "digests.json"), jobs=jobs)
    if found.root != document.weights.root:
        raise Tampered(
            f"the weights at {document.commit[:12]} have the root {found.root[:12]}, not "
            f"{document.weights.root[:12]}",
            "find out what was exchanged: modelwarden release doctor --full",
        )
    signed = {entry.path: entry.digest for entry in manifest.entries}
    if RELEASE_JSON not in signed:  # sealed: the signature is of the sealed files
        return f"root {found.root}, as the document says (what is published is sealed)"
    for entry in found.entries:
        if signed.get(entry.path) != entry.digest:
            raise Tampered(
                f"{entry.path} is not what was signed", "see: modelwarden release doctor --full"
            )
    return f"root {found.root}, {len(found.entries)} files as the commit names them, as signed"
