"""The journal of a release: what was begun, done, failed and taken back, one JSON line each.

It lies in the staging folder and is only ever appended to, each line on disk before the next is
thought of. A torn last line is what a killed process leaves: it counts as not written.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from registry.errors import Lost, ReleaseError, StoreFailed
from registry.release.steps import Facts
from registry.release.story import FACT_LIMIT, Bound, Event, Story, after, first, pairs
from security import storing, strictjson
from security.auditentry import safe
from security.errors import Refused, SecurityError
from security.sign import reading

NAME, LOCK = "journal.jsonl", "journal.lock"
LIMIT, LINE_LIMIT = 10_000_000, 500_000  # bytes
WHY_LIMIT = 500  # characters of a reason
_KEEP = "keep the folder as it is and look at the file; to start anew, move the folder away"


@dataclass(slots=True)
class Journal:
    """A journal that this process alone may write to; `opened` makes one."""

    path: Path
    story: Story
    end: int = field(repr=False)
    fd: int = field(repr=False)

    def begin(self, step: str) -> None:
        """Write that a step is about to change the world."""
        self._add("begin", step)

    def done(self, step: str, facts: Facts) -> None:
        """Write that it did. Raises ReleaseError for facts that are no short texts, or secret."""
        self._add("done", step, facts=_checked(step, facts))

    def failed(self, step: str, why: str) -> None:
        """Write why it did not."""
        self._add("failed", step, why=_plain(why))

    def undo(self, step: str) -> None:
        """Write that it is about to be taken back."""
        self._add("undo", step)

    def undone(self, step: str) -> None:
        """Write that nothing of it is left."""
        self._add("undone", step)

    def _add(
        self, event: Event, step: str, *, why: str | None = None, facts: Facts | None = None
    ) -> None:
        line: dict[str, object] = {"event": event, "step": step}
        line |= {} if why is None else {"why": why}
        line |= {} if facts is None else {"facts": dict(facts)}
        story = after(self.story, line)
        self.write(_line(line))
        self.story = story

    def write(self, data: bytes) -> None:
        """Append a line, durably, or nothing of it. Raises StoreFailed, ReleaseError."""
        if len(data) > LINE_LIMIT or self.end + len(data) > LIMIT:
            raise ReleaseError(f"{self.path}: a journal that grew too large", _KEEP)
        try:
            storing.put(self.fd, data, self.end)
            os.fsync(self.fd)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self.fd, self.end)
            raise _failed(self.path, error) from error
        self.end += len(data)


@contextmanager
def opened(folder: Path, bound: Bound) -> Iterator[Journal]:
    """Give the journal in a folder, made if it is new, to this process alone.

    Raises Lost while another process has it, ReleaseError where it is of another release or is
    no journal, StoreFailed.
    """
    path = folder / NAME
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    with _alone(folder):
        story, end = _load(path)
        if story is None or (story.bound != bound and story.idle):
            with _storing():
                storing.write(path, _line({"format": 1, **asdict(bound)}))
            story, end = _load(path)
        if story is None or story.bound != bound:
            raise _other(path, story, bound)
        try:
            fd = os.open(path, flags, 0o644)
        except OSError as error:
            raise _failed(path, error) from error
        try:
            os.ftruncate(fd, end)  # what a killed process wrote half
            yield Journal(path, story, end, fd)
        finally:
            os.close(fd)


def read(folder: Path) -> Story | None:
    """Return what a folder's journal says, None where there is none. Raises ReleaseError."""
    return _load(folder / NAME)[0]


def forget(folder: Path) -> None:
    """Remove a release's folder, its journal first: what is half removed was never begun."""
    (folder / NAME).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def holder(folder: Path) -> str:
    """Return the process that works on a release, as text, "" for none that can be told."""
    try:
        text = reading.read(folder / LOCK, 100).decode("ascii", "replace").strip()
    except SecurityError:
        return ""
    return text if text.isdecimal() else ""


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fd = os.open(folder / LOCK, flags, 0o644)
    except OSError as error:
        raise _failed(folder / LOCK, error) from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            who = holder(folder)
            raise Lost(
                f"{folder}: another process works on this release" + (f" ({who})" if who else ""),
                f"wait for it to end, or stop it: kill {who}" if who else "wait for it to end",
            ) from error
        except OSError as error:
            raise _failed(folder / LOCK, error) from error
        with _storing():
            os.ftruncate(fd, 0)
            os.pwrite(fd, b"%d\n" % os.getpid(), 0)
        yield
    finally:
        os.close(fd)


@contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except SecurityError as error:
        raise StoreFailed(error.message, error.hint) from error
    except OSError as error:
        what = f"the journal of the release: {error.strerror}"
        raise StoreFailed(what, "check the disk and its permissions, then run it again") from error


def _load(path: Path) -> tuple[Story | None, int]:
    """Return the story, and where its last whole line ends."""
    if not os.path.lexists(path):
        return None, 0
    try:
        data = reading.read(path, LIMIT, hint=_KEEP)
    except SecurityError as error:
        raise ReleaseError(error.message, error.hint) from error
    whole, newline, _ = data.rpartition(b"\n")
    if not data:
        return None, 0
    story: Story | None = None
    for number, line in enumerate(whole.split(b"\n"), 1):
        try:
            found = _parsed(line)
            story = after(story, found) if story else first(found)
        except ValueError as error:  # StrictJSONError is one
            raise ReleaseError(f"{path}, line {number}: {error}", _KEEP) from error
    return story, len(whole) + len(newline)


def _parsed(line: bytes) -> dict[str, object]:
    found = strictjson.loads(line, limit=LINE_LIMIT, depth=3)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _checked(step: str, facts: Facts) -> Facts:
    try:
        found = dict(pairs(dict(facts)))
        for text in found.values():
            safe(text, FACT_LIMIT)
    except (ValueError, Refused) as error:
        why = "looks like a private key" if isinstance(error, Refused) else str(error)
        hint = "facts are digests, ids and versions: say less in them"
        raise ReleaseError(f"the step {step} told what no journal keeps: {why}", hint) from error
    return found


def _plain(why: str) -> str:
    text = "".join(c if c.isprintable() else "?" for c in why)
    try:
        return safe(text, WHY_LIMIT)
    except Refused:
        return "for a reason that is not kept: it looks like a private key"


def _line(found: Mapping[str, object]) -> bytes:
    return json.dumps(found, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _other(path: Path, story: Story | None, bound: Bound) -> ReleaseError:
    if story is None:
        return ReleaseError(f"{path}: not the journal of a release", _KEEP)
    old = story.bound
    back = f"modelwarden release rollback {old.version} --reason TEXT"
    said = f"{path} is of {old.artifact} {old.version} at {old.commit:.12}"
    if (old.artifact, old.version, old.commit) == (bound.artifact, bound.version, bound.commit):
        return ReleaseError(
            f"{said}, begun with another plan",
            f"finish it with the settings it was begun with, or take it back: {back}",
        )
    what = f"{said}, not of {bound.artifact} {bound.version} at {bound.commit:.12}"
    return ReleaseError(what, f"finish that one, or take it back first: {back}")


def _failed(path: Path, error: OSError) -> StoreFailed:
    hint = "check the disk and its permissions, then run it again: it goes on from there"
    return StoreFailed(f"{path}: {error.strerror or 'cannot be written'}", hint)
