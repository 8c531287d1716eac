"""What somebody who agrees to a release looks at before they sign the same.

Whoever began it may not be honest, and anybody who can write to the ledger may have changed what
waits there. So nothing is signed that was not made again here, or compared with what was.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import git
from bot.keys import claims, scanning
from bot.quoting import plain
from bot.releasing.job import RELEASE_JSON, Place
from bot.releasing.place import trust_at
from bot.releasing.steps.attested import somebody
from bot.releasing.steps.signing import STATED
from bot.releasing.steps.waiting import pending
from registry.errors import Blocked
from registry.release import staging, values
from registry.release.ledger import Ledger
from registry.release.values import Release
from registry.weights import locate
from security import hashing, storing
from security.errors import Tampered
from security.manifest import Manifest
from security.sign import bundle as bundles
from security.sign import signing, statement
from security.sign.attestations import MAX_LINES
from security.trust import releases
from security.trust.artifacts import called

FILE_LIMIT = 100_000_000  # bytes of one document
_ASK = "do not sign it: ask whoever began it, and who may write to the branch of releases"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for more signatures: that of the files, and the statements, one a line."""

    signature: bytes
    statements: bytes


def examine(
    there: Place,
    ledger: Ledger,
    version: str,
    waiting: Waiting,
    *,
    jobs: int,
    tell: Callable[[str], None],
) -> str:
    """Prove all that is to be signed, telling what it is; return the root digest.

    Raises Tampered, Untrusted, Blocked, RegistryError.
    """
    contents = statement.read(bundles.read(waiting.signature).envelope.payload)
    if not called(contents.name, there.artifact):
        raise Tampered(
            f"what waits is signed as {plain(contents.name)}, not {there.artifact}", _ASK
        )
    _begun(there, waiting.signature)
    document = there.book.file(pending(there.artifact, version, RELEASE_JSON), FILE_LIMIT)
    release = values.read(document or b"")
    if (release.artifact, release.version) != (there.artifact, version):
        raise Tampered("what waits is of another release", _ASK)
    _merged(there, ledger, release)
    with tempfile.TemporaryDirectory(prefix="modelwarden-", dir=_room(there)) as place_:
        folder = Path(place_, "model")
        folder.mkdir()
        scan = _laid_out(there, release, folder, Path(place_), jobs)
        _documents(there, release, folder)
        # The very files, each by its digest: those of the commit, and those that waited.
        hashing.compare(folder, contents.manifest, jobs=jobs)
        wanted = dict(_wanted(release, folder, scan))
    _statements(there, waiting.statements, contents.manifest, wanted)
    for line in _told(release, contents.manifest.root):
        tell(line)
    return contents.manifest.root


def _begun(there: Place, data: bytes) -> None:
    """Refuse what nobody of the trust file has signed: it is nobody's release."""
    trust = trust_at(there.world, there.commit)
    if trust is not None:
        somebody(data, trust)


def _merged(there: Place, ledger: Ledger, release: Release) -> None:
    """Refuse another commit than the one that was claimed, or one that nobody merged."""
    named = (release.artifact, release.version, release.commit)
    if named not in {(one.artifact, one.version, one.commit) for one in ledger.claims}:
        raise Blocked(
            f"{release.artifact} {release.version} is not being released from "
            f"{release.commit[:12]}, by the ledger",
            _ASK,
        )
    main = there.world.revisions.default_base()
    status, _, _ = git.run(there.world.place, "merge-base", "--is-ancestor", release.commit, main)
    if status:
        raise Blocked(
            f"{release.commit[:12]} is not merged into {main}, as far as is known here",
            "run git fetch; what nobody merged is not to be signed",
        )


def _laid_out(
    there: Place, release: Release, folder: Path, beside: Path, jobs: int
) -> Mapping[str, Any]:
    """Lay out the model of the commit; return what a scan says of it. Raises Untrusted."""
    located = locate(there.world, release.commit, release.weights.path)
    placed = staging.place(there.world, located, folder, beside / "objects", commit=release.commit)
    found = staging.measure(folder, placed, beside / "digests.json", jobs=jobs)
    if found.root != release.weights.root:
        raise Tampered(
            f"the model at {release.commit[:12]} has the root {found.root[:12]}, the document says "
            f"{release.weights.root[:12]}",
            _ASK,
        )
    scanned = scanning.scan(folder, jobs)
    scanning.refuse(folder, scanned)
    return scanning.predicate(scanned)


def _documents(there: Place, release: Release, folder: Path) -> None:
    for path in (*(entry.path for entry in release.outputs), RELEASE_JSON):
        data = there.book.file(pending(release.artifact, release.version, path), FILE_LIMIT)
        if data is None:
            raise Blocked(f"{path} does not wait beside the signature", "ask whoever began it")
        if (folder / path).exists():
            raise Tampered(f"{path} would be put in the place of a file of the model", _ASK)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        storing.write(folder / path, data)


def _wanted(
    release: Release, folder: Path, scan: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each kind of statement and what it has to say."""
    before = release.previous.root if release.previous else ""
    yield (
        releases.RELEASE,
        json.loads(releases.predicate(releases.Release(release.version, before))),
    )
    yield claims.SCAN, _plain(scan)
    for path, kind in STATED.items():
        yield kind, json.loads((folder / path).read_bytes())


def _statements(
    there: Place, lines: bytes, manifest: Manifest, wanted: Mapping[str, Mapping[str, Any]]
) -> None:
    """Refuse statements of anything else, or that say anything else, or another number of them."""
    said: dict[str, Mapping[str, Any]] = {}
    for line in lines.splitlines()[: MAX_LINES + 1]:
        claim = signing.read_attestation(line)
        kind = claim.predicate_type
        if claim.root != manifest.root or not called(claim.name, there.artifact):
            raise Tampered(f"a statement that waits is of something else: {plain(kind)}", _ASK)
        found = json.loads(claim.predicate)
        if kind in said or kind not in wanted or _same(kind, found) != wanted[kind]:
            raise Tampered(f"a statement that waits is not of this release: {plain(kind)}", _ASK)
        said[kind] = found
    if missing := set(wanted) - set(said):
        raise Tampered(f"a statement is missing: {', '.join(sorted(missing))}", _ASK)


def _same(kind: str, found: Mapping[str, Any]) -> Mapping[str, Any]:
    return _plain(found) if kind == claims.SCAN else found


def _plain(scan: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a scan says but for who scanned: another version may have."""
    return {name: value for name, value in scan.items() if name != "scanner"}


def _told(release: Release, root: str) -> Iterator[str]:
    yield f"{release.artifact} {release.version}: commit {release.commit}, root digest {root}"
    for against in release.against:
        yield f"against {against.version}: {against.outcome}: {against.summary}"
    for gated in release.checks:
        for text in gated.waived:
            yield f"accepted: {gated.check}: {text}"


def _room(there: Place) -> Path:
    found = there.world.git_dir / "modelwarden"
    found.mkdir(exist_ok=True)
    return found
