"""One checkpoint becomes one safetensors file: scanned, read in the sandbox, proven, then named."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import sandbox
from bot.errors import BotError, CouldNotTell
from bot.quoting import plain
from bot.sandbox import Limits, SandboxFailed
from lab.recipes.checkpoint import WEIGHTS
from lab.tensors.layout import Place, chunks, layout
from modelwarden import ROOT
from security import storing
from security.errors import Malformed, Unreadable
from security.safetensors import header_length, read_header
from security.scan.engine import scan_file
from security.scan.source import Source, of_descriptor
from security.scan.values import Judgement, Scanned

CHUNK = 1 << 22
NEEDED = ("network", "filesystem", "secrets")  # what must hold before a pickle is opened
BASIC_MEMORY = 2 << 30
TIMES = 3  # memory, in sizes of the file: mapped, copied out of shared memory, written
SLACK = 64 << 20
SHOWN = 3  # threats in one message


class Unsafe(BotError):
    """The scan found that loading the file would run code."""

    exit_code = 1


class Undecided(CouldNotTell):
    """The scan could not tell what loading the file would do."""


class Unfit(BotError):
    """The file holds something that is no set of tensors."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to convert: `key` names the entry with the tensors, "" the usual one; `copy` writes
    each name of a shared tensor."""

    key: str = ""
    copy: bool = False
    minutes: float = 30.0


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one checkpoint. `tied` are names left out, each with the one that holds
    its numbers; `left` are entries without tensors."""

    source: str
    file: str
    size: int
    names: tuple[str, ...]
    tied: tuple[tuple[str, str], ...]
    left: tuple[str, ...]


def require_walls() -> None:
    """Raise SandboxFailed where this machine cannot wall a process in."""
    missing = sandbox.probe().missing(NEEDED)
    if missing:
        raise SandboxFailed(
            f"no sandbox here protects {' and '.join(missing)}",
            "install bubblewrap, and let it make user namespaces",
        )


def scan(path: Path) -> Scanned:
    """Judge a file by what is in it now. Raises Unreadable."""
    opened = _open(path)
    try:
        return scan_file(of_descriptor(path.name, opened))
    finally:
        os.close(opened)


def refuse(path: Path, scanned: Scanned) -> None:
    """Raise Unsafe or Undecided unless nothing was found."""
    if scanned.judgement not in (Judgement.FLAG, Judgement.UNDECIDED):
        return
    told = "; ".join(told_of(threat.what, threat.offset) for threat in scanned.threats[:SHOWN])
    if scanned.judgement is Judgement.FLAG:
        hint = "load it nowhere; ask its author for safetensors"
        raise Unsafe(f"{plain(path)} is not converted: {told}", hint)
    hint = "ask its author for safetensors, or for a plain state_dict saved by torch"
    raise Undecided(f"{plain(path)} is not converted, as it cannot be judged: {told}", hint)


def told_of(what: str, offset: int) -> str:
    """Return a threat as text with its offset."""
    return plain(what) + (f" (byte {offset:,})" if offset >= 0 else "")


def convert(
    source: Path,
    target: Path,
    options: Options,
    *,
    overwrite: bool,
    progress: Callable[[int, int], None],
) -> Written:
    """Convert one file that was scanned. Raises Unfit, SandboxFailed, SecurityError."""
    real = source.resolve()
    before = _facts(real)
    size = real.stat().st_size
    limits = Limits(options.minutes * 60, BASIC_MEMORY + TIMES * size, file=TIMES * size + SLACK)
    found: list[Written] = []

    def take(answer: bytes, folder: int) -> None:
        said = _said(source, answer)
        if _facts(real) != before:
            raise Unreadable(f"{plain(source)} changed while it was converted", "try again")
        opened = sandbox.pick(folder, WEIGHTS, limits.file)
        try:
            with storing.replacing(target, overwrite=overwrite) as out:
                _copy(opened, out)
                found.append(_proven(source, target, out, said))
        finally:
            os.close(opened)

    def tell(line: str) -> None:
        done, _, total = line.partition("/")
        with suppress(ValueError):
            progress(int(done), int(total))

    given = json.dumps({"key": options.key, "copy": options.copy})
    sandbox.run(
        (str(ROOT / "modelwarden.py"), "_convert", str(real), given),
        inputs=(real,),
        limits=limits,
        progress=tell,
        take=take,
    )
    return found[0]


def _said(source: Path, answer: bytes) -> dict[str, Any]:
    found = json.loads(answer)
    if isinstance(found, dict) and isinstance(failure := found.get("failure"), str):
        raise Unfit(f"{plain(source)}: {plain(failure)}", plain(str(found.get("hint", ""))[:200]))
    if not isinstance(found, dict) or not _is_sound(found):
        raise SandboxFailed(f"{plain(source)}: the answer is not one", "look at the file")
    return found


def _is_sound(found: dict[str, Any]) -> bool:
    if found.keys() != {"tensors", "tied", "left"}:
        return False
    if not all(isinstance(value, list) for value in found.values()):
        return False
    tied = (isinstance(p, list) and len(p) == 2 and _texts(p) for p in found["tied"])
    tensors = (
        isinstance(t, list)
        and len(t) == 4
        and _texts((t[0], t[1], t[3]))
        and isinstance(t[2], list)
        for t in found["tensors"]
    )
    return all(tied) and all(tensors) and _texts(found["left"])


def _texts(values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _copy(opened: int, out: int) -> None:
    at = 0
    while piece := os.pread(opened, CHUNK, at):
        storing.put(out, piece, at)
        at += len(piece)


def _proven(source: Path, target: Path, out: int, said: dict[str, Any]) -> Written:
    """Read back what was written and compare it, tensor by tensor, with what was loaded."""
    file = of_descriptor(target.name, out)
    try:
        places = layout([file])
        loaded = {
            name: (dtype, tuple(shape), digest) for name, dtype, shape, digest in said["tensors"]
        }
        tied: dict[str, str] = dict(said["tied"])
        if _metadata(file) != {"format": "pt"} | tied or not loaded.keys() >= set(tied.values()):
            raise SandboxFailed(f"{plain(source)}: other metadata than agreed", "look at the file")
        if loaded.keys() != places.keys():
            raise SandboxFailed(f"{plain(source)}: other tensors than it says", "look at the file")
        for name, place in places.items():
            written = (place.tensor.dtype, place.tensor.shape, _digest(place))
            if written != loaded[name]:
                message = f"{plain(source)}: tensor {plain(name)} was not written as it was loaded"
                raise SandboxFailed(message, "check the disk, and try again")
    except Malformed as error:
        raise SandboxFailed(f"{plain(source)}: {error.message}", "look at the file") from error
    pairs = tuple(sorted(tied.items()))
    return Written(
        source.name, target.name, file.size, tuple(sorted(places)), pairs, tuple(said["left"])
    )


def _metadata(file: Source) -> dict[str, str]:
    length = header_length(file.read(0, 8), file.size)
    return dict(read_header(file.read(0, 8 + length), file.size).metadata)


def _digest(place: Place) -> str:
    digest = hashlib.sha256()
    for piece in chunks(place):
        digest.update(piece)
    return digest.hexdigest()


def _facts(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _open(path: Path) -> int:
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unreadable(f"{plain(path)}: {error.strerror}", "name a file that is there") from error
    if not path.is_file():
        os.close(opened)
        raise Unreadable(f"{plain(path)} is not a regular file", "name the file itself")
    return opened
