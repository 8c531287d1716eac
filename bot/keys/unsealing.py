"""What was sealed in a verified release: opened, and verified by the signature within."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from bot.errors import UsageError
from bot.keys import secrets
from bot.progress import Bar
from security.errors import Refused
from security.hashing.walk import Tree, walk
from security.paths import ATTESTATIONS, SIGNATURE, signature_of
from security.seal import folders
from security.seal import identities as keyfiles
from security.seal.sealing import SUFFIX
from security.sign import bundle as bundles
from security.sign import reading
from security.trust.trusting import Trust
from security.verify import Verified, read_signed, verify


def opened(
    sealed: Verified,
    identities: Sequence[Path],
    passphrase_file: Path | None,
    target: Path,
    trust: Trust,
    artifact: str,
    jobs: int = 0,
) -> Verified:
    """Open a verified folder into a new one, and verify that; nothing stays there if it fails.

    Raises NoMatch, Tampered, Untrusted, Unreadable where no signature was sealed with it.
    """
    if not sealed.root.is_dir() or not any(_is_sealed(e.path) for e in sealed.manifest.entries):
        raise UsageError(f"{sealed.name}: nothing in it is sealed", "leave out --open-with")
    if os.path.lexists(target):
        raise Refused(f"{target} is there already", "name another: --output DIR")
    mine = [
        found
        for file in identities
        for found in keyfiles.read_identities(file, secrets.asked(passphrase_file, str(file)))
    ]
    try:
        with Bar("Opening") as bar:
            folders.open_folder(sealed.root, target, mine, jobs=jobs, progress=bar)
        _copy_plain(sealed, target, trust, artifact)
        with Bar("Reading what was sealed") as bar:
            return verify(target, trust=trust, artifact=artifact, jobs=jobs, progress=bar)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)  # no plaintext that nobody vouches for
        raise


def _copy_plain(sealed: Verified, target: Path, trust: Trust, artifact: str) -> None:
    """Add the files that lay beside the sealed ones and were signed with the plain ones too."""
    data = reading.read(signature_of(target), bundles.LIMIT)
    signed = read_signed(data, trust, artifact=artifact)
    wanted = {entry.path for entry in signed.contents.manifest.entries}
    with Tree.of(target) as tree:
        wanted -= {file.path for file in walk(tree, target, (SIGNATURE, ATTESTATIONS))}
    for entry in sealed.manifest.entries:
        if entry.path in wanted and not _is_sealed(entry.path):
            place = target / entry.path
            place.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
            with sealed.hold(entry.path) as held:
                shutil.copyfile(held.path, place)


def _is_sealed(path: str) -> bool:
    return path.endswith(SUFFIX)
