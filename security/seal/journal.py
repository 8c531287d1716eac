"""The journal of a change of recipients: what a sealed file's header was, and is to be.

It lies beside its file only while the header is overwritten, and appears whole (see
docs/formats/sealed.md, "Rewrap"). Whoever finds one reads the new header from it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from security import storing
from security.errors import Malformed, Refused, Tampered, Unavailable
from security.seal import header
from security.seal.chunks import NONCE
from security.seal.reading import Opened, shown, unreadable

MAGIC = b"modelwarden-rewrap-1\n"
SUFFIX = ".rewrap"
PATIENCE = 5.0  # seconds to wait for another's change of a header, which takes milliseconds
_SHORT = 16 << 10  # bytes that hold most headers


@dataclass(frozen=True, slots=True)
class Journal:
    """Old and new header, of the same size, and the payload's nonce, which no two files share."""

    nonce: bytes
    old: bytes
    new: bytes


def beside(path: Path) -> Path:
    """Return where the journal of a sealed file lies, links followed as opening does."""
    real = path.resolve()
    return real.with_name(real.name + SUFFIX)


def encode(journal: Journal) -> bytes:
    """Write a journal: magic, header size (4 bytes, big-endian), nonce, old, new, SHA-256."""
    size = len(journal.new).to_bytes(4, "big")
    body = b"".join((MAGIC, size, journal.nonce, journal.old, journal.new))
    return body + hashlib.sha256(body).digest()


def decode(name: str, data: bytes) -> Journal:
    """Read a journal. Raises Malformed."""
    body, digest = data[:-32], data[-32:]
    start = len(MAGIC) + 4 + NONCE
    size = int.from_bytes(body[len(MAGIC) : len(MAGIC) + 4], "big")
    if not body.startswith(MAGIC) or len(body) != start + 2 * size:
        raise Malformed(f"{name} is no journal of ours", _remedy(name))
    if hashlib.sha256(body).digest() != digest:
        raise Malformed(f"{name} is damaged", _remedy(name))
    nonce, old, new = body[start - NONCE : start], body[start : start + size], body[start + size :]
    try:
        found = header.parse(new, name).size
    except Malformed as error:
        raise Malformed(error.message, _remedy(name)) from error
    if found != size:
        raise Malformed(f"{name} holds more than a header", _remedy(name))
    return Journal(nonce, old, new)


def load(path: Path) -> Journal | None:
    """Read the journal of a sealed file, if there is one. Raises Malformed, Unreadable."""
    place = beside(path)
    try:
        fd = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(place, error) from error
    try:
        with os.fdopen(fd, "rb") as file:
            data = file.read(2 * header.LIMIT + 1024)
    except OSError as error:
        raise unreadable(place, error) from error
    return decode(shown(place), data)


def head(path: Path, opened: Opened, *, locked: bool = False) -> tuple[bytes, Journal | None]:
    """Return the first bytes of a sealed file as they are to be, and the journal that says so.

    Raises Malformed, Tampered for a journal that is another file's, Unreadable, Refused.
    """
    with _maybe(opened, locked):
        data = _prefix(opened)
        journal = load(path)
    if journal is None:
        return data, None
    size = len(journal.new)
    torn = data[: size + NONCE]
    known = zip(torn, journal.old, journal.new, strict=False)
    if torn[size:] != journal.nonce or not all(now in (old, new) for now, old, new in known):
        raise foreign(path, opened)
    return journal.new + journal.nonce, journal


def foreign(path: Path, opened: Opened) -> Tampered:
    """Return the error of a journal that is another file's."""
    place = shown(beside(path))
    return Tampered(f"{place} does not belong to {opened.name}", _remedy(place))


def finish(path: Path, fd: int, journal: Journal) -> None:
    """Overwrite the header as a journal says, then drop the journal. Raises OSError."""
    storing.put(fd, journal.new, 0)
    os.fsync(fd)
    drop(path)


def drop(path: Path) -> None:
    """Remove the journal of a file, durably. Raises OSError."""
    place = beside(path)
    place.unlink(missing_ok=True)
    storing.sync(place.parent)


@contextmanager
def lock(opened: Opened, *, shared: bool = False) -> Iterator[None]:
    """Keep other processes from changing this file's header. Raises Refused, Unavailable."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(opened.fd, kind | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > until:
                raise Refused(f"{opened.name} is in use", "wait for its other user") from None
            time.sleep(0.01)
        except OSError as error:
            raise Unavailable(
                f"{opened.name} cannot be locked ({error.strerror})", "copy it to a local disk"
            ) from error
    try:
        yield
    finally:
        fcntl.flock(opened.fd, fcntl.LOCK_UN)


@contextmanager
def _maybe(opened: Opened, locked: bool) -> Iterator[None]:
    with ExitStack() as stack:
        if not locked:
            with suppress(Unavailable):  # no locks here, and so no change of recipients either
                stack.enter_context(lock(opened, shared=True))
        yield


def _prefix(opened: Opened) -> bytes:
    """Read the header and the payload's nonce, and little more."""
    for count in (_SHORT, header.LIMIT + NONCE):
        try:
            data = os.pread(opened.fd, count, 0)
        except OSError as error:
            raise unreadable(Path(opened.name), error) from error
        end = data.find(b"\n--- ")
        if 0 <= end < len(data) - 128:
            break
    return data


def _remedy(place: str) -> str:
    return f"if nobody is changing recipients, move {place} away and try again"
