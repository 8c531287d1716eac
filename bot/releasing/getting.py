"""`release get`: the files of a release on this machine, from wherever they are kept, proven."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import click

from bot.errors import UsageError
from bot.printing import tell
from bot.quoting import plain
from bot.releasing.approving import room
from bot.releasing.comparing import laid_out
from bot.releasing.job import TRUST, Place
from bot.releasing.place import place, trust_at, version_of
from bot.releasing.steps import stores
from bot.releasing.steps.attested import somebody
from bot.releasing.trusting import proven
from registry import dvc, tensorstore
from registry.errors import CorruptWeights, MissingWeights, ReleaseError
from registry.release.ledger import RECORD, Issued, Ledger
from registry.tensorstore import Stored
from security import hashing
from security.paths import SIGNATURE
from security.sign import bundle as bundles
from security.sign import reading, statement

MOST_GB = 10_000.0
_KEPT = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})")  # listing and recipe


def get(*, version: str, repo: Path, output: Path, jobs: int, format_: str) -> int:
    """Write what was published, or at least the model, into a new folder; return 0."""
    if output.exists():
        raise UsageError(f"{output} is there already", "name a new folder: --output DIR")
    with place(repo, say=tell) as there:
        ledger = there.book.ledger()
        issued = version_of(ledger, there.artifact, version)
        trust = trust_at(there.world, there.commit)
        if trust is not None:
            proven(there, ledger, issued, trust)
        else:
            tell(f"no {TRUST} says whom to trust: that this was released, the ledger alone says")
        kept = recorded(ledger, issued, stores.TENSORS)
        if kept:
            root = recorded(ledger, issued, stores.SEALED) or issued.root
            _by_tensor(there, issued, kept, root, output, jobs)
        else:
            _by_pointer(there, issued, output)
    whole = bool(kept)
    if format_ == "json":
        said = {"version": issued.version, "root": issued.root, "output": str(output)}
        click.echo(json.dumps(said | {"published": whole}, indent=2))
    else:
        what = "as it was published" if whole else "the model alone, without its documents"
        click.echo(f"{output}: {issued.artifact} {issued.version}, {what}")
        if not whole:
            click.echo(f"whose it is: modelwarden release verify {issued.version}")
    return 0


def recorded(ledger: Ledger, issued: Issued, place: str) -> str:
    """Return what the ledger says of a version in a place, "" for nothing."""
    for entry in reversed(ledger.entries):
        said = dict(entry.details)
        named = (entry.action, entry.artifact, said.get("version"), said.get("place"))
        if named == (RECORD, issued.artifact, issued.version, place):
            return said["id"]
    return ""


def _by_tensor(there: Place, issued: Issued, name: str, root: str, output: Path, jobs: int) -> None:
    said = _KEPT.fullmatch(name)
    if said is None:
        raise ReleaseError(
            f"the ledger says {plain(name)!r:.80} of where {issued.version} is kept",
            "ask who may write to the branch of releases",
        )
    kept = Stored(said[1], said[2])
    with tempfile.TemporaryDirectory(prefix="modelwarden-", dir=room(there)) as temporary:
        scratch = Path(temporary)
        config, caches = stores.home(there.world, there.commit, scratch / "objects")
        pointer = kept.pointer(issued.artifact)
        first = dvc.object_of(pointer)
        cache = next((c for c in caches if first.within(c).exists()), caches[-1])
        if config.remotes:
            dvc.bring((first,), config, cache)
            dvc.bring(dvc.within(first, cache), config, cache)
    with tempfile.TemporaryDirectory(prefix="modelwarden-", dir=output.parent) as temporary:
        made = Path(temporary, "whole")  # nobody finds what is not proven
        tensorstore.get(kept, cache, made, jobs=jobs)
        _prove(there, made, issued, root)
        made.rename(output)


def _prove(there: Place, made: Path, issued: Issued, root: str) -> None:
    """Make sure that the folder is what was released. Raises CorruptWeights, SecurityError."""
    data = reading.read(made / SIGNATURE, bundles.LIMIT)
    contents = statement.read(bundles.read(data).envelope.payload)
    if contents.manifest.root != root:
        raise CorruptWeights(
            f"{issued.version}: kept with the root {contents.manifest.root[:12]}, released with "
            f"{root[:12]}",
            "see: modelwarden release doctor --full",
        )
    trust = trust_at(there.world, there.commit)
    if trust is not None and root != issued.root:  # sealed: one person vouches for what is in it
        somebody(data, trust)
    hashing.compare(made, contents.manifest)


def _by_pointer(there: Place, issued: Issued, output: Path) -> None:
    document = there.book.document(issued.artifact, issued.version)
    with tempfile.TemporaryDirectory(prefix="modelwarden-", dir=output.parent) as temporary:
        laid = laid_out(there.world, document, there.commit, Path(temporary), MOST_GB)
        if hashing.measure(laid.folder).root != document.weights.root:
            raise MissingWeights(
                f"the model at {issued.commit[:12]} is not the one that was released",
                "see: modelwarden release doctor --full",
            )
        laid.folder.rename(output)
