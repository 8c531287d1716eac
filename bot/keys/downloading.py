"""A release fetched from a web address: first who signed it, then only what they signed.

The index of its assets says where bytes are and is not believed in anything else. What is kept
under the name that was asked for is whole and verified; until then it lies in a hidden folder
beside it, where the next run goes on.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.errors import UsageError
from bot.keys import transport
from bot.keys.arriving import arrive
from bot.keys.places import alone
from bot.keys.transport import Server
from registry.release import assets
from registry.release.assets import INDEX, File, Index
from security import strictjson
from security.errors import Refused, Tampered, TooLarge, Unreadable, WriteFailed
from security.manifest import SHA256, is_digest
from security.paths import ATTESTATIONS, SIGNATURE, shown
from security.sign import attestations, bundle
from security.trust.trustfile import TrustFile
from security.trust.trusting import Trust
from security.verify import Signed, read_signed

RELEASE = "release/release.json"
_DOCUMENT = 50_000_000  # bytes of a release's document
_HINT = "ask who released it; do not use what was fetched"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched into `folder`, under the name that trust knows it by.

    `skipped` counts files that were offered and not signed.
    """

    folder: Path
    artifact: str
    skipped: int
    work: Path

    def keep(self, output: Path, folder: Path | None = None) -> None:
        """Put it, or another folder of the same place, under its own name. Raises WriteFailed."""
        try:
            with suppress(FileNotFoundError):
                output.rmdir()  # an empty one was asked for
            (folder or self.folder).rename(output)
            shutil.rmtree(self.work)
        except OSError as error:
            hint = f"it is whole and verified in {self.work}: move it yourself"
            raise WriteFailed(f"{output}: {error.strerror}", hint) from error


@contextmanager
def fetched(
    address: str, trust: Trust, artifact: str, output: Path | None, progress: Progress
) -> Iterator[Fetched]:
    """Fetch a release, its signature first; what is not kept in the block is taken away.

    With an `output` what was fetched so far stays beside it if this is interrupted. Raises
    Tampered, Untrusted and other errors of verification, UsageError, CouldNotTell.
    """
    server = transport.server(address)
    if output is not None and output.exists() and (not output.is_dir() or any(output.iterdir())):
        hint = f"name another, or verify what is there: modelwarden verify {output}"
        raise UsageError(f"{output} is there already", hint)
    index = assets.read(server.small(INDEX, assets.LIMIT))
    wanted = artifact or (index.artifact if isinstance(trust, TrustFile) else "")
    offered = {file.path: file for file in index.files}
    signature = _small(server, offered, SIGNATURE, bundle.LIMIT)
    signed = read_signed(signature, trust, artifact=wanted)
    said = b""
    if ATTESTATIONS in offered:
        said = _small(server, offered, ATTESTATIONS, attestations.LIMIT)
    files = _signed_files(index, signed)
    with _place(output) as work:
        model = work / "model"
        _fetch(server, files, _sizes(server, offered, signed), work, progress)
        _put(model / SIGNATURE, signature)
        if said:
            _put(model / ATTESTATIONS, said)
        known = {SIGNATURE, ATTESTATIONS, *(file.path for file in files)}
        _sweep(model, known)
        yield Fetched(model, wanted, len(offered.keys() - known), work)


def _small(server: Server, offered: dict[str, File], path: str, limit: int) -> bytes:
    """Return a small file that the index lists, in one part. Raises Unreadable, TooLarge."""
    file = offered.get(path)
    if file is None or len(file.parts) != 1:
        hint = "ask for a signed release; unsigned files: download them, then verify --scan-only"
        raise Unreadable(f"{INDEX} lists no {path}", hint)
    if file.size > limit:
        raise TooLarge(f"{path} has {file.size:,} bytes, more than {limit:,}", _HINT)
    return server.small(file.parts[0].name, limit)


def _signed_files(index: Index, signed: Signed) -> tuple[File, ...]:
    """Return the signed files as they are offered. Raises Tampered where that is something else."""
    made = signed.contents.serialization
    if made.shard or made.algorithm != SHA256:
        hint = "download its files by other means, then verify the folder"
        raise Refused("signed in ranges, or by another digest than SHA-256", hint)
    offered = {file.path: file for file in index.files}
    found = []
    for entry in signed.contents.manifest.entries:
        file = offered.get(entry.path)
        if file is None:
            raise Tampered(f"{shown(entry.path)} was signed and is not offered", _HINT)
        if file.sha256 != entry.digest:
            raise Tampered(f"{shown(entry.path)}: other bytes are offered than were signed", _HINT)
        found.append(file)
    return tuple(found)


def _sizes(server: Server, offered: dict[str, File], signed: Signed) -> dict[str, int]:
    """Return sizes by digest, as far as the signed document of the release says them."""
    entries = {e.path: e.digest for e in signed.contents.manifest.entries}
    if RELEASE not in entries or len(offered[RELEASE].parts) != 1:
        return {}
    data = _small(server, offered, RELEASE, _DOCUMENT)
    if hashlib.sha256(data).hexdigest() != entries[RELEASE]:
        raise Tampered(f"{RELEASE} is not what was signed", _HINT)
    found: dict[str, int] = {}
    with suppress(strictjson.StrictJSONError):  # signed, but not as we write it: it says no sizes
        left = [strictjson.loads(data, limit=_DOCUMENT)]
        while left:
            value = left.pop()
            if isinstance(value, list):
                left += value
            elif isinstance(value, dict):
                digest, size = value.get("digest"), value.get("size")
                if is_digest(digest) and type(size) is int and size >= 0:
                    found[digest] = size
                left += value.values()
    return found


def _fetch(
    server: Server, files: tuple[File, ...], sizes: dict[str, int], work: Path, progress: Progress
) -> None:
    """Fetch each file that is not there yet, small ones first: what is wrong shows early."""
    for file in files:
        if sizes.get(file.sha256, file.size) != file.size:
            what = f"{file.size:,} bytes are offered, released were {sizes[file.sha256]:,}"
            raise Tampered(f"{shown(file.path)}: {what}", _HINT)
    total, done = sum(file.size for file in files), 0
    free = shutil.disk_usage(work).free
    have = sum(path.stat().st_size for path in work.rglob("*") if path.is_file())
    if total > free + have:
        hint = "make room, or name another disk: --output DIR"
        raise WriteFailed(f"{work.parent}: {total:,} bytes are to come, {free:,} are free", hint)
    progress(0, max(total, 1))
    for file in sorted(files, key=lambda f: f.size):
        start = done

        def tell(size: int, start: int = start) -> None:
            progress(start + size, total)

        arrive(server, file, work / "model" / file.path, _waiting(work, file), tell)
        done += file.size


def _waiting(work: Path, file: File) -> Path:
    """Return where a file lies until it is whole: not among those that were signed."""
    return work / "parts" / f"{hashlib.sha256(file.path.encode()).hexdigest()}-{file.sha256[:16]}"


@contextmanager
def _place(output: Path | None) -> Iterator[Path]:
    """Give a folder to fetch into: beside the output, where it stays, or one that goes."""
    try:
        if output is None:
            with tempfile.TemporaryDirectory(
                prefix="modelwarden-", ignore_cleanup_errors=True
            ) as t:
                yield _made(Path(t))
            return
        work = _beside(output)
        work.mkdir(parents=True, mode=0o700, exist_ok=True)
        found = work.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise Refused(f"{work} is not a folder of yours alone", "remove it, or name another")
        with alone(work):
            yield _made(work)
    except OSError as error:
        where = output or "the temporary folder"
        hint = "check the disk and its permissions, then run it again: it goes on where it stopped"
        raise WriteFailed(f"{where}: {error.strerror or type(error).__name__}", hint) from error


def _beside(output: Path) -> Path:
    real = Path(os.path.realpath(output))  # unlike resolve, it leaves a loop of links to others
    if not real.name:
        raise UsageError(f"{output} is no name for a folder", "name a new one: --output DIR")
    return real.with_name(f".{real.name}.modelwarden")


def _made(work: Path) -> Path:
    for name in ("model", "parts"):
        (work / name).mkdir(exist_ok=True)
    return work


def _put(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def _sweep(model: Path, known: set[str]) -> None:
    """Take away what an interrupted run of another version left."""
    for path in sorted(model.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            with suppress(OSError):
                path.rmdir()  # unless it holds something
        elif path.relative_to(model).as_posix() not in known:
            path.unlink()
