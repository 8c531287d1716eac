"""Whether an audit log is whole: one pass, constant memory; an error names the first bad line."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from security import auditentry
from security.auditentry import BEGIN, CHECKPOINT, FIRST, LINE_LIMIT, REFUSED, Entry, Head
from security.errors import Malformed, Tampered, Unreadable, Untrusted
from security.identity import PublicKey
from security.sign.dsse import decode64, pae

HEAD_TYPE = "application/vnd.modelwarden.audit-head+json"
_HINT = "compare it with a copy, and ask who could write to it"


@dataclass(frozen=True, slots=True)
class Checked:
    """A log that holds together. `log` is its id, the hash of its first entry.

    `signed` is the newest entry that a checkpoint vouches for, `signer` by which key; the chain
    alone says nothing of the `unsigned` entries after it, nor of any if there is no checkpoint:
    whoever may write the file can write them anew. `doubtful` checkpoints are by keys that
    were not given, with a good one after them.
    """

    log: str
    entries: int
    refused: int
    head: Head
    signed: Head | None
    signer: str
    unsigned: int
    checkpoints: int
    doubtful: int


def check(
    path: Path, keys: tuple[tuple[str, PublicKey], ...], expected_head: Head | None = None
) -> Checked:
    """Check the chain, its checkpoints by these keys, and that it still holds `expected_head`.

    Raises Tampered, Untrusted for a last checkpoint by another key, Malformed, Unreadable.
    """
    known = {key.hint: (name, key) for name, key in keys}
    log, signer, entry = "", "", None
    refused = checkpoints = doubtful = unknown = 0
    signed: Head | None = None
    for entry in entries(path):
        log = log or entry.hash
        refused += entry.outcome == REFUSED
        if expected_head and entry.sequence == expected_head.sequence:
            _same(path, entry, expected_head)
        if entry.action == CHECKPOINT:
            name = _signer(path, entry, log, known)
            if name:
                signed, signer, unknown = Head(entry.sequence - 1, entry.previous), name, 0
                checkpoints += 1
            else:
                unknown, doubtful = entry.sequence + 1, doubtful + 1
    if entry is None:
        raise Tampered(f"{path}: the audit log is empty", "get it from a copy")
    if expected_head and entry.sequence < expected_head.sequence:
        what = f"it ends at line {entry.sequence + 1}, but line {expected_head.sequence + 1}"
        raise Tampered(f"{path}: {what} was seen before: its end was cut off", _HINT)
    if unknown:
        what = f"line {unknown} is a checkpoint by a key that was not given"
        raise Untrusted(f"{path}: {what}", "give the public keys that sign this log")
    unsigned = entry.sequence - signed.sequence - 1 if signed else entry.sequence + 1
    return Checked(
        log,
        entry.sequence + 1,
        refused,
        entry.head,
        signed,
        signer,
        unsigned,
        checkpoints,
        doubtful,
    )


def entries(path: Path) -> Iterator[Entry]:
    """Yield the entries as long as each follows the one before; what is appended meanwhile is not
    read. Raises Tampered, Malformed, Unreadable."""
    before = FIRST
    for number, line in enumerate(_lines(path), 1):
        try:
            entry = auditentry.read(line)
        except auditentry.EntryError as error:
            raise Tampered(f"{path}: line {number} {error}", _HINT) from error
        if entry.sequence != number - 1:
            what = f"line {number} is entry {entry.sequence}, not {number - 1}"
            raise Tampered(f"{path}: {what}: lines were taken out, put in or moved", _HINT)
        if entry.previous != before:
            what = f"line {number} does not follow the line before it: one of them was changed"
            raise Tampered(f"{path}: {what}, or lines were taken out or put in", _HINT)
        if (entry.action == BEGIN) != (number == 1):
            raise Tampered(f"{path}: line {number} is not where a log begins", _HINT)
        before = entry.hash
        yield entry


def head_payload(entry: Entry, log: str) -> bytes:
    """Return what a checkpoint signs: the entry before it, the log's id and its own time."""
    found = (entry.previous, log, entry.sequence - 1, entry.time)
    text = '{"head":"%s","log":"%s","sequence":%d,"time":"%s"}' % found  # noqa: UP031 - braces
    return pae(HEAD_TYPE, text.encode())


def _signer(path: Path, entry: Entry, log: str, known: dict[str, tuple[str, PublicKey]]) -> str:
    """Return the name of the key of a checkpoint, "" if it is not known. Raises Tampered."""
    from security.sign.keys import check as proven

    line = entry.sequence + 1
    found = dict(entry.details)
    shape = set(found) == {"keyid", "signature"} and entry.actor == found["keyid"]
    if not shape or entry.artifact or entry.outcome == REFUSED:
        raise Tampered(f"{path}: line {line} is not what a checkpoint has to be", _HINT)
    name, key = known.get(found["keyid"], ("", None))
    if key is None:
        return ""
    try:
        signature = decode64(found["signature"], f"{path}: line {line}: the signature")
    except Malformed as error:
        raise Tampered(error.message, _HINT) from error
    if not proven(key, signature, head_payload(entry, log)):
        raise Tampered(f"{path}: line {line} is a forged checkpoint: its signature is wrong", _HINT)
    return name


def _same(path: Path, entry: Entry, expected: Head) -> None:
    if entry.hash != expected.hash:
        what = f"line {entry.sequence + 1} or one before it is not what was seen before"
        raise Tampered(f"{path}: {what}: the log was written anew", _HINT)


def _lines(path: Path) -> Iterator[bytes]:
    """Yield complete lines up to the size that the log has now."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}", "name the audit log") from error
    try:
        left = _size(path, fd)
    except BaseException:
        os.close(fd)
        raise
    with os.fdopen(fd, "rb") as file:
        number = 0
        while left:
            number += 1
            line = file.readline(min(left, LINE_LIMIT + 1))
            if not line:
                raise Unreadable(f"{path}: it became shorter while it was read", _HINT)
            left -= len(line)
            if not line.endswith(b"\n"):
                what = f"line {number} has no end: it was cut off, or a write was"
                hint = "the next entry repairs what a crash left, and says so"
                if len(line) > LINE_LIMIT:
                    what, hint = f"line {number} is longer than an entry can be", _HINT
                raise Tampered(f"{path}: {what}", hint)
            yield line[:-1]


def _size(path: Path, fd: int) -> int:
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        raise Unreadable(f"{path} is not a regular file", "name the audit log")
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)  # not in the middle of an entry
        size = os.fstat(fd).st_size
        fcntl.flock(fd, fcntl.LOCK_UN)
    except OSError as error:
        raise Unreadable(f"{path}: cannot be locked ({error.strerror})", "copy it first") from error
    return size
