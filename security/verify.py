"""Whether a folder is what somebody trusted has signed. The only maker of `Verified`.

First the signature, then what it covers, then who may sign that, then what it leaves out, last the
files: nothing is believed, and no file is read, before all that stands before it holds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import InitVar, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from security.errors import Refused, Tampered, Unreadable, Untrusted
from security.hashing import Held, compare
from security.hashing import hold as open_held
from security.identity import Identity
from security.manifest import Manifest
from security.paths import (
    ATTESTATIONS,
    IGNORED,
    SIGNATURE,
    attestations_of,
    is_ignored,
    shown,
    signature_of,
)
from security.sign import bundle as bundles
from security.sign import proving, reading, statement
from security.sign.attestations import LIMIT, Attestation, judge
from security.sign.statement import Contents
from security.trust.artifacts import called
from security.trust.trusting import Trust

_OURS = object()


@dataclass(frozen=True, slots=True)
class Signed:
    """What a trusted signature says of a folder that nobody has looked at."""

    contents: Contents
    signers: tuple[Identity, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """A folder, or file, whose content is what trusted signers signed, when it was looked at.

    Its files may be changed since: `hold` gives bytes of which that is not so.
    """

    manifest: Manifest
    name: str
    root: Path
    signers: tuple[Identity, ...]
    attestations: tuple[Attestation, ...]
    shard: int
    maker: InitVar[object]

    def __post_init__(self, maker: object) -> None:
        if maker is not _OURS:
            raise TypeError("only security.verify makes a Verified")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Verified is not copied or pickled: verify again")

    def hold(self, path: str, *, private: bool = False) -> AbstractContextManager[Held]:
        """Open a signed file ("." of a single one) so that what is loaded is what was signed.

        Raises Tampered, Unreadable; Refused for a path that was not signed whole.
        """
        for entry in self.manifest.entries:
            if entry.path == path and not self.shard:
                return open_held(self.root, entry, private=private)
        why = "was signed in ranges only" if self.shard else "was not signed"
        raise Refused(f"{shown(path)} {why}", "name a file of the manifest")

    def claims(self, predicate_type: str) -> tuple[Attestation, ...]:
        """Return the attestations of this type of which there is no doubt."""
        found = (each for each in self.attestations if each.predicate_type == predicate_type)
        return tuple(each for each in found if not each.doubt)


def verify(
    root: Path,
    *,
    trust: Trust,
    bundle: Path | None = None,
    artifact: str = "",
    jobs: int = 0,
    now: datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verified:
    """Verify a folder, or a single file, against its bundle and whatever is attested beside it.

    `bundle` is by default model.sig in the folder, or the file's name with .sig; `artifact` is
    what trust knows it by, and if given the name it must be signed under.
    Raises Tampered naming file and tensor, Untrusted, Malformed, Unreadable, Unavailable.
    """
    now = now or datetime.now(UTC)
    if not root.exists():
        raise Unreadable(f"{shown(str(root))} is not there", "name the folder of the model")
    at = bundle or signature_of(root)
    beside = attestations_of(at)
    data = reading.read(at, bundles.LIMIT)
    own = tuple(name for each in (at, beside) if (name := _below(root, each)))
    with reading.naming(at):
        signed = read_signed(data, trust, artifact=artifact, now=now)
        contents = signed.contents
        own += _check_hidden(contents.manifest, own, trust.hidden(artifact))
    _check_beside(root)
    made = contents.serialization
    manifest = compare(
        root,
        contents.manifest,
        ignored=own,
        algorithm=made.algorithm,
        shard=made.shard,
        jobs=jobs,
        progress=progress,
    )
    said: tuple[Attestation, ...] = ()
    if os.path.lexists(beside):
        lines = reading.read(beside, LIMIT)
        with reading.naming(beside):
            said = judge(lines, manifest.root, trust, artifact, now)
    return Verified(manifest, contents.name, root, signed.signers, said, made.shard, _OURS)


def read_signed(
    data: bytes, trust: Trust, *, artifact: str = "", now: datetime | None = None
) -> Signed:
    """Read a bundle and what it says, if trusted signers signed that. No file is looked at.

    Raises Tampered, Untrusted, Malformed, TooLarge, Unavailable.
    """
    now = now or datetime.now(UTC)
    found = bundles.read(data)
    signers = proving.prove(found, data, trust, now)
    contents = statement.read(found.envelope.payload)
    trust.allow("release", artifact, signers, now)
    # Else one release of the same people could be passed off as another.
    if artifact and not called(contents.name, artifact):
        hint = "ask for it by the name that you mean, or have it signed under that name"
        raise Untrusted(f"signed as {shown(contents.name)}, not as {shown(artifact)}", hint)
    return Signed(contents, signers)


def _check_hidden(
    manifest: Manifest, own: tuple[str, ...], allowed: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuse what is left out and may not be; return what is, although the signature is silent."""
    known = frozenset((*IGNORED, SIGNATURE, ATTESTATIONS, *own, *allowed))
    for path in manifest.ignored:
        if not is_ignored(path, known):
            hint = "ask why, and let the trust file say that it may be left out"
            raise Untrusted(f"the signature leaves out {shown(path)}", hint)
    if manifest.ignored:
        return ()
    # Before its 1.1.0 the reference did not write what it left out (OMS 11.2).
    listed = [entry.path for entry in manifest.entries]
    return tuple(path for path in allowed if not any(is_ignored(p, (path,)) for p in listed))


def _check_beside(root: Path) -> None:
    # Signatures are not signed: what has their names must not be a place to put files.
    for name in (SIGNATURE, ATTESTATIONS):
        if (root / name).is_dir():
            raise Tampered(f"{name} is a folder, of which nothing was signed", "remove it")


def _below(root: Path, path: Path) -> str:
    """Return where a file lies in the folder ("" if outside), links not followed."""
    folder, parent = root.absolute(), path.parent.resolve()
    for base in (folder, folder.resolve()):
        if parent.is_relative_to(base):
            return (parent / path.name).relative_to(base).as_posix()
    return ""
