"""The audit log: appended under a lock, whole lines only, each on disk before the call returns."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from security import auditentry, storing
from security.auditcheck import Checked, check, entries, head_payload
from security.auditentry import (
    ARTIFACT_LIMIT,
    BEGIN,
    CHECKPOINT,
    DONE,
    FIRST,
    LINE_LIMIT,
    REPAIR,
    Entry,
    EntryError,
    Head,
    pairs,
    safe,
    stamp,
    written,
)
from security.errors import Refused, Tampered, Unreadable, WriteFailed
from security.identity import Signer
from security.sign.dsse import encode64

__all__ = ["Checked", "Entry", "Head", "append", "check", "checkpoint", "entries", "ready"]
_HINT = "keep the file as it is, and check it: modelwarden keys audit"
_OWN = (BEGIN, CHECKPOINT, REPAIR)  # actions that only the log itself writes
_SELF = "modelwarden"


def append(
    path: Path,
    *,
    actor: str,
    action: str,
    artifact: str,
    outcome: Literal["done", "refused"] = "done",
    details: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Head:
    """Add an entry, beginning the log if it is new; texts that are too long are cut.

    Raises Refused for key material or an action of the log's own, Tampered if its last line is
    no entry, Unreadable, WriteFailed.
    """
    if (
        not auditentry.is_word(safe(action))
        or action in _OWN
        or outcome not in (DONE, auditentry.REFUSED)
    ):
        raise Refused(f"no audit entry has the action {action!r:.60}", "use a word such as release")
    new = Entry(
        0,
        stamp(now),
        safe(actor),
        action,
        safe(artifact, ARTIFACT_LIMIT),
        outcome,
        pairs(details or {}),
        FIRST,
    )
    with _opened(path) as fd:
        return _add(path, fd, [*_opening(path, fd, new.time), new])


def ready(path: Path) -> None:
    """Make sure that an entry can be added, beginning the file if it is new.

    Raises Tampered, Unreadable, WriteFailed as `append` would.
    """
    with _opened(path) as fd:
        _last(path, fd)


def checkpoint(path: Path, signer: Signer, now: datetime | None = None) -> Head:
    """Add an entry that signs the one before it, and by the chain all entries.

    Raises Refused if the log is not there, Tampered, Unreadable, WriteFailed.
    """
    time, hint = stamp(now), signer.public.hint
    with _opened(path, create=False) as fd:
        opening = _opening(path, fd, time)
        if opening:
            _add(path, fd, opening)
        last, _ = _last(path, fd)
        first = os.pread(fd, LINE_LIMIT, 0).partition(b"\n")[0]
        if last is None:
            raise Refused(f"{path}: the audit log is empty", "append to it first")
        new = Entry(last.sequence + 1, time, hint, CHECKPOINT, "", DONE, (), last.hash)
        signature = signer.sign(head_payload(new, _read(path, first).hash))
        found = (("keyid", hint), ("signature", encode64(signature)))
        return _add(path, fd, [replace(new, details=found)])


def _opening(path: Path, fd: int, time: str) -> list[Entry]:
    """Return entries that must come first: the beginning of a log, the repair of a torn line."""
    last, torn = _last(path, fd)
    found = []
    if last is None:
        nonce = (("nonce", secrets.token_hex(16)),)
        found.append(Entry(0, time, _SELF, BEGIN, "", DONE, nonce, FIRST))
    if torn:
        what = (("bytes", str(len(torn))), ("sha256", hashlib.sha256(torn).hexdigest()))
        found.append(Entry(0, time, _SELF, REPAIR, "", DONE, what, FIRST))
    return found


def _add(path: Path, fd: int, new: list[Entry]) -> Head:
    """Write entries after the last whole line, numbered and chained: all of them, or nothing."""
    last, torn = _last(path, fd)
    head = last.head if last else Head(-1, FIRST)
    data = b""
    for entry in new:
        line, head = written(replace(entry, sequence=head.sequence + 1, previous=head.hash))
        data += line
    end = os.fstat(fd).st_size - len(torn)
    try:
        if torn:
            os.ftruncate(fd, end)
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    except OSError as error:
        with suppress(OSError):
            os.ftruncate(fd, end)
        raise _failed(path, error) from error
    return head


def _last(path: Path, fd: int) -> tuple[Entry | None, bytes]:
    """Return the last whole entry, and what a crash left of a line after it."""
    size = os.fstat(fd).st_size
    start = max(0, size - 2 * LINE_LIMIT)
    tail = os.pread(fd, size - start, start)
    whole, newline, torn = tail.rpartition(b"\n")
    last = _read(path, whole.rpartition(b"\n")[2]) if newline else None
    # Only what a crash can leave is ever cut: the start of the next entry, or blocks of zeros.
    start_of = b'{"sequence":%d,"time":"' % (last.sequence + 1 if last else 0)
    zeros = last is not None and not torn.strip(b"\0")
    cut = torn[: len(start_of)] == start_of[: len(torn)]
    if len(torn) > LINE_LIMIT or (start and not newline) or not (cut or zeros):
        raise Tampered(f"{path}: its end is no entry", _HINT)
    return last, torn


def _complete(path: Path, fd: int) -> None:
    """Give an entry that lacks nothing but its newline that newline."""
    last, torn = _last(path, fd)
    try:
        entry = auditentry.read(torn)
    except EntryError:
        return
    if entry.previous != (last.hash if last else FIRST):
        raise Tampered(f"{path}: its last line does not follow the one before it", _HINT)
    os.write(fd, b"\n")
    os.fsync(fd)


def _read(path: Path, line: bytes) -> Entry:
    try:
        return auditentry.read(line)
    except EntryError as error:
        raise Tampered(f"{path}: its first or last line {error}", _HINT) from error


@contextmanager
def _opened(path: Path, *, create: bool = True) -> Iterator[int]:
    """Give the log's descriptor, locked against all other writers."""
    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        fd = os.open(path, flags | (os.O_CREAT if create else 0), 0o600)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not create:
            raise Refused(f"{path}: there is no audit log", "name one that was begun") from error
        raise _failed(path, error) from error
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise Unreadable(f"{path} is not a regular file", "name another audit log")
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            if not os.fstat(fd).st_size:
                storing.sync(path.parent)
            _complete(path, fd)
        except OSError as error:
            raise _failed(path, error) from error
        yield fd
    finally:
        os.close(fd)


def _failed(path: Path, error: OSError) -> WriteFailed:
    why = error.strerror or str(error)
    return WriteFailed(
        f"{path}: the audit log cannot be written ({why})",
        "check its folder, space and permissions",
    )
