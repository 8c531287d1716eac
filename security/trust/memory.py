"""What was seen last: no older version, trust file or audit log is taken for the newest."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from security import storing, strictjson
from security.auditentry import Head
from security.errors import Malformed, Refused, TooLarge, Unreadable, Untrusted, WriteFailed
from security.manifest import is_digest
from security.sign import reading
from security.trust import releases
from security.trust.artifacts import canonical
from security.trust.trustfile import TrustFile

LIMIT = 64_000_000  # bytes
MOST = 100_000  # names of one sort
_SHAPES: dict[str, dict[str, type]] = {
    "artifacts": {"root": str, "version": str},
    "trusts": {"digest": str, "version": int},
    "logs": {"hash": str, "sequence": int},
}
_State = dict[str, dict[str, dict[str, Any]]]


class Memory:
    """A state file (JSON) beside which a lock file lies; processes take turns.

    A file that is damaged, or that was there and is not any more, is an error (Malformed), never
    a new start.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = path.with_name(path.name + ".lock")

    def accept(
        self, artifact: str, version: str, root: str, trust: TrustFile | None, now: datetime
    ) -> None:
        """Remember this version (root digest, hex) as seen, or raise Untrusted.

        Refused are an older version, another root under the same version, no version ("") where
        one was seen; an older trust file, another one of the same version, or an expired one.
        `trust` is None where a single key was trusted. Raises Malformed, Unreadable, WriteFailed.
        """
        canonical(artifact)
        if not is_digest(root):
            raise Malformed(f"{artifact}: {root!r:.80} is no root digest", "give 64 hex digits")
        with self._turn() as state:
            if trust:
                self._trust(state["trusts"], trust, now)
            self._version(state["artifacts"], artifact, version, root)

    def forget(self, artifact: str) -> None:
        """Let an older version of this artifact be accepted next: a release was withdrawn."""
        with self._turn() as state:
            if state["artifacts"].pop(artifact, None) is None:
                raise Refused(f"{self.path}: nothing is known of {artifact!r:.200}", "name another")

    def head(self, log: str) -> Head | None:
        """Return the newest head seen of an audit log (its id)."""
        with self._turn() as state:
            found = state["logs"].get(log)
            return Head(found["sequence"], found["hash"]) if found else None

    def keep(self, log: str, head: Head) -> None:
        """Remember the head of a log that was checked. Raises Untrusted for an older one."""
        if not is_digest(log) or not is_digest(head.hash):
            raise Malformed(f"{log!r:.80} is no id of an audit log", "give what check returns")
        with self._turn() as state:
            found = state["logs"].get(log)
            old = Head(found["sequence"], found["hash"]) if found else None
            if old and head.sequence <= old.sequence and head != old:
                raise Untrusted(
                    f"the audit log {log:.12} ends at entry {head.sequence}, before or beside what "
                    f"was seen (entry {old.sequence})",
                    "compare it with a copy, and ask who could write to it",
                )
            state["logs"][log] = {"sequence": head.sequence, "hash": head.hash}

    def _trust(self, seen: dict[str, dict[str, Any]], trust: TrustFile, now: datetime) -> None:
        trust.fresh(now)
        found = seen.get(trust.project)
        if found and trust.version < found["version"]:
            raise Untrusted(
                f"{trust.file}: version {trust.version} of the trust file, but version "
                f"{found['version']} was seen before",
                "get the newest trust file of the project",
            )
        if found and trust.version == found["version"] and trust.digest != found["digest"]:
            raise Untrusted(
                f"{trust.file}: another trust file of version {trust.version} was seen before",
                "ask the project which is theirs: each change raises the version",
            )
        seen[trust.project] = {"version": trust.version, "digest": trust.digest}

    def _version(
        self, seen: dict[str, dict[str, Any]], artifact: str, version: str, root: str
    ) -> None:
        found = seen.get(artifact)
        hint = f"get the newest release; if it was withdrawn, take {artifact} out of {self.path}"
        if not version:
            if found:
                what = f"nothing states its version, but {found['version']} was seen before"
                raise Untrusted(f"{artifact}: {what}", "get the statements beside the signature")
            return
        new, old = releases.rank(version), releases.rank(found["version"]) if found else None
        if found and old and new < old:
            what = f"version {version} is older than {found['version']}, which was seen before"
            raise Untrusted(f"{artifact}: {what}", hint)
        if found and new == old and root != found["root"]:
            what = f"version {version} was seen before with other content"
            raise Untrusted(f"{artifact}: {what} (root {found['root']})", hint)
        seen[artifact] = {"version": version, "root": root}

    @contextmanager
    def _turn(self) -> Iterator[_State]:
        """Give the state, alone; what changed in it is written when the block ends well."""
        with self._locked() as fd:
            begun = bool(os.pread(fd, 1, 0))
            before = self._load(begun)
            state = {sort: dict(found) for sort, found in before.items()}
            yield state
            if state == before:
                return
            for sort, found in state.items():
                if len(found) > MOST:
                    raise Refused(f"{self.path}: more than {MOST:,} {sort}", "use another file")
            data = json.dumps({"format": 1, **state}, sort_keys=True, indent=1).encode() + b"\n"
            storing.write(self.path, data, mode=0o600)
            if not begun:
                with self._failing():
                    os.pwrite(fd, b"begun\n", 0)

    def _load(self, begun: bool) -> _State:
        remedy = (
            f"restore {self.path} from a copy, or remove it and {self._lock.name} to start anew"
        )
        if not os.path.lexists(self.path):
            if begun:
                raise Malformed(f"{self.path}: what was seen before is gone", remedy)
            return {sort: {} for sort in _SHAPES}
        try:
            data = reading.read(self.path, LIMIT)
        except (Unreadable, TooLarge) as error:
            raise Unreadable(error.message, remedy) from error
        try:
            found = strictjson.loads(data, limit=LIMIT, depth=3)
        except strictjson.StrictJSONError as error:
            raise Malformed(f"{self.path}: {error}", remedy) from error
        if not _sound(found):
            raise Malformed(f"{self.path}: not what this program wrote", remedy)
        return {sort: found[sort] for sort in _SHAPES}

    @contextmanager
    def _locked(self) -> Iterator[int]:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        with self._failing():
            fd = os.open(self._lock, flags, 0o600)
        try:
            with self._failing():
                fcntl.flock(fd, fcntl.LOCK_EX)
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            what = f"{self._lock}: cannot be locked ({error.strerror})"
            raise WriteFailed(what, "check the folder and its permissions") from error


def _sound(found: Any) -> bool:
    """Whether a state has its shape, so that each value can be used as it is."""
    if not isinstance(found, dict) or set(found) != {"format", *_SHAPES}:
        return False
    if type(found["format"]) is not int or found["format"] != 1:
        return False
    return all(
        isinstance(found[sort], dict) and all(_row(row, shape) for row in found[sort].values())
        for sort, shape in _SHAPES.items()
    )


def _row(row: Any, shape: dict[str, type]) -> bool:
    if not isinstance(row, dict) or set(row) != set(shape):
        return False
    if any(type(row[name]) is not kind for name, kind in shape.items()):
        return False
    if not all(is_digest(row[name]) for name in ("root", "digest", "hash") if name in row):
        return False
    if "root" not in shape:
        return True
    try:
        releases.rank(row["version"])
    except Malformed:
        return False
    return True
