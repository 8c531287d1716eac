"""The program that talks to a DVC remote, in a process of its own: `registry.dvc` runs it.

One line of JSON in says what to do, lines of JSON out say what came of it. Configuration comes
by that line, so no secret of a remote is in an argument or on a disk. Every object that is read
is hashed as it is read; DVC's own transfers deliver garbled bytes without a word.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dvc.config import Config
from dvc.data_cloud import Remote
from dvc.fs import get_cloud_fs
from dvc.fs.callbacks import Callback

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # our own, whatever else is there

from registry.dvcfailing import Corrupt, Large, is_absent, kind, text
from security import storing

CHUNK = 1 << 20
STEP = 4 << 20  # bytes between two reports
JOBS = 8
_PREFIX = re.compile(r"[0-9a-f]{2}")
_REST = re.compile(r"[0-9a-f]{30}(?:\.dir)?")
# What file systems call the time of a write; a copy on a disk may have kept the older one.
_TIMES = ("mtime", "created", "LastModified", "last_modified", "updated", "modified")


class Talk:
    """Writes reports, whole lines from any thread. Nothing else gets on standard output."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def say(self, *words: str | int | bool) -> None:
        """Write one report."""
        with self._lock:
            self._out.write(json.dumps(words) + "\n")
            self._out.flush()


class Moved(Callback):  # type: ignore[misc]
    """Reports how many bytes of object `number` went; none of them `again`, only that it lives."""

    def __init__(self, talk: Talk, number: int, *, again: bool = False) -> None:
        super().__init__()
        self._talk, self._number, self._told, self._again = talk, number, 0, again

    def back(self) -> Moved:
        """Return what reports the same bytes on their way back."""
        return Moved(self._talk, self._number, again=True)

    def call(self, hook_name: str | None = None, **kwargs: Any) -> None:
        """Report, where enough has gone since the last report."""
        if self.value - self._told >= STEP:
            self._talk.say("moved", self._number, 0 if self._again else self.value - self._told)
            self._told = self.value


class Store:
    """A remote, with the two layouts that DVC has had."""

    def __init__(self, job: dict[str, Any]) -> None:
        config = Config(config=job["config"])  # over the operator's global and system files
        cls, options, path = get_cloud_fs(config, name=job["remote"])
        if options.get("worktree") or options.get("version_aware"):
            raise ValueError("a remote that keeps versions of files has no objects by digest")
        self.fs = cls(**options)
        remote = Remote(job["remote"], path, self.fs, **options)
        self.path, self.odb, self.legacy = path, remote.odb, remote.legacy_odb
        self.local, self.limit = self.fs.protocol == "local", int(job["limit"])
        self.check = bool(job["check"])

    def place(self, oid: str, legacy: bool) -> str:
        """Return where an object is."""
        return str((self.legacy if legacy else self.odb).oid_to_path(oid))

    def chunks(self, path: str) -> Iterator[bytes]:
        """Yield what the remote has at a path."""
        with Path(path).open("rb") if self.local else self.fs.open(path, "rb") as file:
            yield from _pieces(file)


Object = tuple[str, bool, str]  # id, whether of DVC 2's layout, the file here


def stat(store: Store, each: Object, moved: Moved) -> int:
    """Return how large the object is in the remote, -1 where it does not tell."""
    info = store.fs.info(store.place(*each[:2]))
    if info.get("type") == "directory":
        raise FileNotFoundError(errno.ENOENT, "a folder is where the object should be")
    size = info.get("size")
    return size if isinstance(size, int) else -1


def prove(store: Store, each: Object, moved: Moved) -> int:
    """Read the object, hash it, return its size."""
    return _copy(store, store.chunks(store.place(*each[:2])), each[0], None, moved)


def get(store: Store, each: Object, moved: Moved) -> int:
    """Bring the object here: hashed, whole or not at all."""
    target = Path(each[2])
    target.parent.mkdir(parents=True, exist_ok=True)
    with storing.replacing(target, mode=0o444) as fd:
        return _copy(store, store.chunks(store.place(*each[:2])), each[0], fd, moved)


def put(store: Store, each: Object, moved: Moved) -> int:
    """Take the object there and look what came of it; on a disk hashed, whole or not at all."""
    oid, legacy, source = each
    path = store.place(oid, legacy)
    _send(store, path, each, moved)
    if store.check:
        return prove(store, each, moved.back())
    size, sent = stat(store, each, moved), Path(source).stat().st_size
    if size not in (-1, sent):
        raise OSError(0, f"{sent:,} bytes were sent, {size:,} are there")
    return sent


def _send(store: Store, path: str, each: Object, moved: Moved) -> None:
    oid, _, source = each
    if store.local:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with storing.replacing(Path(path), mode=0o444) as fd, Path(source).open("rb") as file:
            _copy(store, _pieces(file), oid, fd, moved)
        return
    store.fs.makedirs(store.fs.parent(path))
    store.fs.put_file(source, path, callback=moved)


def remove(store: Store, each: Object, moved: Moved) -> int:
    """Remove the object."""
    store.fs.remove(store.place(*each[:2]))
    return 0


def _pieces(file: Any) -> Iterator[bytes]:
    while piece := file.read(CHUNK):
        yield piece


def _copy(store: Store, chunks: Iterator[bytes], oid: str, fd: int | None, moved: Moved) -> int:
    # md5 is DVC's name for the bytes, not a defence.
    hasher, size = hashlib.md5(usedforsecurity=False), 0
    for chunk in chunks:
        hasher.update(chunk)
        if fd is not None:
            storing.put(fd, chunk, size)
        size += len(chunk)
        if size > store.limit and oid.endswith(".dir"):
            raise Large(f"a listing of more than {store.limit:,} bytes")
        moved.relative_update(len(chunk))
    if hasher.hexdigest() != oid.removesuffix(".dir"):
        raise Corrupt(hasher.hexdigest())
    return size


def listing(store: Store, talk: Talk) -> None:
    """Report every object of both layouts."""
    if not store.fs.exists(store.path):
        bucket = store.fs.parts(store.path)[0]
        if store.local or not store.fs.exists(bucket):
            raise FileNotFoundError(errno.ENOENT, "there is no such place")
    for odb, legacy in ((store.odb, False), (store.legacy, True)):
        for folder in _inside(store, odb.path, "directory", _PREFIX):
            name = _name(folder["name"])
            for found in _inside(store, folder["name"], "file", _REST):
                size = found.get("size")
                told = size if isinstance(size, int) else -1
                talk.say("object", name + _name(found["name"]), told, legacy, _written(found))


def _inside(store: Store, path: str, what: str, form: re.Pattern[str]) -> list[Any]:
    try:
        found = store.fs.ls(path, detail=True)
    except FileNotFoundError:
        return []
    return [one for one in found if one.get("type") == what and form.fullmatch(_name(one["name"]))]


def _written(found: dict[str, Any]) -> int:
    """Return when an object was last written, in seconds, -1 where the remote does not tell."""
    times = [_seconds(found[name]) for name in _TIMES if name in found]
    return max(times, default=-1) if -1 not in times else -1


def _seconds(told: Any) -> int:
    if isinstance(told, str):
        try:
            told = datetime.fromisoformat(told)
        except ValueError:
            return -1
    if isinstance(told, datetime):
        told = (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    fine = isinstance(told, int | float) and not isinstance(told, bool) and told >= 0
    return math.ceil(told) if fine and math.isfinite(told) else -1


def _name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def tried(talk: Talk, number: int, work: Callable[[], None]) -> bool:
    """Whether it was done; reports why not, as the answer for object `number` (-1: for all)."""
    try:
        work()
    except Exception as error:  # noqa: BLE001 - libraries of remotes raise anything: it is the answer
        talk.say("failed", number, kind(error), text(error))
        return False
    return True


WORK = {"stat": stat, "prove": prove, "get": get, "put": put, "remove": remove}


def run(talk: Talk, job: dict[str, Any]) -> None:
    """Do it to every object; the first failure but a missing object ends it all."""
    store, work = Store(job), WORK.get(job["do"])
    if work is None:
        listing(store, talk)
        return
    stop = threading.Event()

    def one(number: int, each: Object) -> None:
        def answer() -> None:
            try:
                talk.say("done", number, work(store, each, Moved(talk, number)))
            except FileNotFoundError as error:
                if work not in (stat, remove) or not is_absent(error):
                    raise
                talk.say("absent", number)

        if not stop.is_set() and not tried(talk, number, answer):
            stop.set()

    pairs = list(enumerate(job["objects"]))
    with ThreadPoolExecutor(int(job.get("jobs") or JOBS)) as pool:
        # Whoever finds a listing takes what it names for granted: it comes last and goes first.
        for listings in (work is remove, work is not remove):
            part = [pair for pair in pairs if pair[1][0].endswith(".dir") is listings]
            list(pool.map(lambda pair: one(*pair), part))


def _end_with_parent() -> None:
    os.read(0, 1)  # nothing more is ever written to it: it ends when the parent does
    os._exit(1)


def main() -> None:
    """Read the job, do it, say "end"."""
    talk = Talk()
    line = b""
    while not line.endswith(b"\n"):  # not by a buffered reader: the thread reads the descriptor
        if not (piece := os.read(0, CHUNK)):
            os._exit(1)
        line += piece
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if tried(talk, -1, lambda: run(talk, json.loads(line))):
        talk.say("end")


if __name__ == "__main__":
    main()
