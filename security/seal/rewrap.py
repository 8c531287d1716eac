"""Change the recipients of a sealed file: in place by its header alone, or by sealing it again.

Whoever could open the file may have kept its file key, and opens it for ever if only the header
changes. `reencrypt` makes a new key; neither takes back a copy that was made before.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from security import storing
from security.errors import Refused, WriteFailed
from security.seal import chunks, header, journal, stream
from security.seal.chunks import NONCE
from security.seal.header import BLOCK, KEY_SIZE, Identity, Recipient
from security.seal.journal import Journal
from security.seal.reading import Opened, reading, shown
from security.seal.sealing import replacing_sealed
from security.seal.stream import Progress
from security.seal.unlocking import Unlocked, unlock

AGAIN = "say --reencrypt: the whole file is written again, with room for them and a new key"


def check(path: Path, identities: Sequence[Identity], recipients: Sequence[Recipient]) -> None:
    """Make sure that `rewrap` would succeed, changing nothing. Raises as it does."""
    with reading(path, sealed=True) as opened:
        found = unlock(path, opened, identities)
        _fitting(opened, found, recipients)


def rewrap(path: Path, identities: Sequence[Identity], recipients: Sequence[Recipient]) -> None:
    """Replace all recipients of a sealed file by these; its payload is neither moved nor read.

    At every moment a crash leaves a file that either the old or the new recipients open.
    Raises Refused where the new header does not fit, NoMatch, Malformed, Tampered, Unreadable,
    Unavailable where files cannot be locked, WriteFailed.
    """
    with reading(path, sealed=True, writable=True) as opened, journal.lock(opened):
        try:
            _same(path, opened)
            found = unlock(path, opened, identities, locked=True)
            old = found.header
            new = _fitting(opened, found, recipients)
            nonce = os.pread(opened.fd, NONCE, len(old))
            change = Journal(nonce, old, new)
            storing.write(journal.beside(path), journal.encode(change), mode=0o600)
            journal.finish(path, opened.fd, change)
        except OSError as error:
            why = error.strerror or str(error)
            raise WriteFailed(
                f"{shown(path)}: its header cannot be written ({why})",
                "try again: what was begun is finished then",
            ) from error


def reencrypt(
    path: Path,
    identities: Sequence[Identity],
    recipients: Sequence[Recipient],
    *,
    header_size: int = BLOCK,
    jobs: int = 0,
    progress: Progress | None = None,
) -> None:
    """Seal a sealed file again under a new file key; its plaintext is in memory only.

    Raises as `rewrap`.
    """
    with (
        replacing_sealed(path, overwrite=True) as fd,
        reading(path, sealed=True, writable=True) as opened,
        journal.lock(opened),
    ):
        _same(path, opened)
        found = unlock(path, opened, identities, locked=True)
        file_key, nonce = os.urandom(KEY_SIZE), os.urandom(NONCE)
        head = header.build(file_key, recipients, size=header_size) + nonce
        storing.put(fd, head, 0)
        boxes = (found.box, chunks.cipher(file_key, nonce))
        ends = stream.Ends(opened.name, opened.fd, fd, found.start, len(head))
        stream.reencrypt(boxes, ends, found.size, jobs=jobs, progress=progress)


def _fitting(opened: Opened, found: Unlocked, recipients: Sequence[Recipient]) -> bytes:
    old = found.header
    new = header.build(found.file_key, recipients, size=len(old))
    if len(new) != len(old):
        raise Refused(
            f"{opened.name}: a header for {len(recipients)} recipients needs"
            f" {len(new):,} bytes, there is room for {len(old):,}",
            AGAIN,
        )
    return new


def _same(path: Path, opened: Opened) -> None:
    """Make sure that the locked file is still the one of this name."""
    if not os.path.samestat(os.fstat(opened.fd), path.stat()):
        raise Refused(f"{opened.name} was replaced meanwhile", "try again")
