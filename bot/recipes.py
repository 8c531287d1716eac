"""`modelwarden recipe`: from a model to a model."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from bot import converting
from bot.converting import Options, Unfit, Written
from bot.errors import UsageError
from bot.printing import write
from bot.progress import Bar
from bot.quoting import plain
from bot.wording import plural
from security import storing, strictjson
from security.errors import Refused
from security.sniff import is_pickle_name

SUFFIX = ".safetensors"
INDEX = "model.safetensors.index.json"
OLD_INDEX = "pytorch_model.bin.index.json"
SINGLE = "pytorch_model.bin"
INDEX_LIMIT = 50_000_000
MAX_FILES = 2_000
MAX_COPIED = 200_000_000  # bytes of a file beside the weights


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for; `modelwarden recipe convert --help` says it in words."""

    model: Path
    target: Path
    key: str
    copy_tied: bool
    force: bool
    minutes: float
    format_: str

    @property
    def options(self) -> Options:
        """How each file is converted."""
        return Options(self.key, self.copy_tied, self.minutes)


@dataclass(frozen=True, slots=True)
class Converted:
    """The outcome: files written, files copied beside them, files left out with the reason."""

    target: str
    files: tuple[Written, ...]
    copied: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()


def convert(asked: Asked) -> int:
    """Convert, say what was done, and return the exit code."""
    if not find_spec("torch"):
        raise UsageError("not installed: torch", "run: pip install 'modelwarden[model]'")
    converting.require_walls()
    if asked.model.is_dir():
        found = _folder(asked)
    elif asked.model.is_file():
        found = _file(asked)
    else:
        raise UsageError(f"{plain(asked.model)}: no such file or folder", "name a checkpoint")
    write((as_json if asked.format_ == "json" else as_text)(found), None)
    return 0


def as_json(found: Converted) -> str:
    """Return the outcome for programs."""
    return json.dumps(asdict(found), indent=2) + "\n"


def as_text(found: Converted) -> str:
    """Return the outcome for people."""
    lines = []
    for one in found.files:
        count = plural(len(one.names), "tensor")
        lines.append(f"{plain(one.source)} -> {plain(one.file)}: {count}, {one.size:,} bytes, "
                     "each read back and equal")  # fmt: skip
        lines += [f"  {plain(name)} is {plain(kept)}: stored once" for name, kept in one.tied]
        if one.left:
            lines.append(f"  left out: {', '.join(map(plain, one.left))}")
    if found.copied:
        lines.append(f"copied: {', '.join(map(plain, found.copied))}")
    lines += [f"left out: {plain(name)} ({plain(why)})" for name, why in found.skipped]
    return "\n".join(lines) + "\n"


def _file(asked: Asked) -> Converted:
    target = asked.target
    if target.is_dir():
        target = target / (asked.model.stem + SUFFIX)
    if target.suffix != SUFFIX or not target.parent.is_dir():
        raise UsageError(
            f"{plain(target)} cannot be written", f"name a {SUFFIX} file in a folder that is there"
        )
    if os.path.lexists(target) and not asked.force:
        raise Refused(f"{plain(target)} is there already", "name another, or say --force")
    converting.refuse(asked.model, converting.scan(asked.model))
    return Converted(str(target), (_one(asked, asked.model, target),))


def _one(asked: Asked, source: Path, target: Path) -> Written:
    with Bar(f"converting {source.name}") as bar:
        return converting.convert(
            source, target, asked.options, overwrite=asked.force, progress=bar
        )


def _folder(asked: Asked) -> Converted:
    """Convert a folder into one that appears whole or not at all."""
    target = asked.target
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise Refused(f"{plain(target)} is there already", "name a folder that is new or empty")
    if not target.parent.is_dir():
        raise UsageError(f"{plain(target.parent)} is no folder", "name a folder that is there")
    sources, skipped = _checkpoints(asked.model)
    for source in sources:  # all of them, before minutes are spent on the first
        converting.refuse(source, converting.scan(source))
    work = Path(tempfile.mkdtemp(dir=target.parent, prefix=".modelwarden-"))
    try:
        files = tuple(_one(asked, source, work / _renamed(source)) for source in sources)
        _write_index(work, files)
        copied, others = _copy_rest(asked.model, work, frozenset(s.name for s in sources))
        umask = os.umask(0)
        os.umask(umask)
        work.chmod(0o777 & ~umask)
        work.rename(target)
        storing.sync(target.parent)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return Converted(str(target), files, copied, (*skipped, *others))


def _renamed(source: Path) -> str:
    return source.stem.replace("pytorch_model", "model", 1) + SUFFIX


def _checkpoints(folder: Path) -> tuple[list[Path], tuple[tuple[str, str], ...]]:
    """Return the checkpoints of a model folder: those of its index, its one, or all."""
    present = sorted(p for p in folder.iterdir() if is_pickle_name(p.name) and p.is_file())
    if len(present) > MAX_FILES:
        raise Unfit(f"{plain(folder)} holds more than {MAX_FILES:,} checkpoints", "split it")
    if (folder / OLD_INDEX).is_file():
        named = _shards(folder / OLD_INDEX)
        chosen = [p for p in present if p.name in named]
        if missing := sorted(named - {p.name for p in present}):
            raise Unfit(f"{plain(folder)}: {plain(missing[0])} is not there", "fetch every shard")
    else:
        chosen = [p for p in present if p.name == SINGLE] or present
    if not chosen:
        raise Unfit(f"{plain(folder)} holds no checkpoint", "name a folder with .bin, .pt or .pth")
    left = tuple((p.name, "no weights of the model") for p in present if p not in chosen)
    return chosen, left


def _shards(index: Path) -> set[str]:
    with index.open("rb") as file:
        data = file.read(INDEX_LIMIT + 1)
    try:
        found = strictjson.loads(data, limit=INDEX_LIMIT)
    except strictjson.StrictJSONError as error:
        raise Unfit(f"{plain(index)}: {error}", "fetch it again") from error
    named = found.get("weight_map") if isinstance(found, Mapping) else None
    if not isinstance(named, Mapping) or not named:
        raise Unfit(f"{plain(index)} names no shards", "fetch it again")
    shards = {str(name) for name in named.values()}
    if any("/" in name or name.startswith(".") for name in shards):
        raise Unfit(f"{plain(index)} names files outside its folder", "do not use this model")
    return shards


def _write_index(folder: Path, files: tuple[Written, ...]) -> None:
    """Write the index of several shards. Raises Unfit where two hold one tensor."""
    where: dict[str, str] = {}
    for one in files:
        for name in one.names:
            if name in where:
                message = f"tensor {plain(name)} is in {where[name]} and in {one.file}"
                raise Unfit(message, "convert the files one by one")
            where[name] = one.file
    if len(files) > 1:
        total = sum(one.size for one in files)
        index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(where.items()))}
        storing.write(folder / INDEX, json.dumps(index, indent=2).encode() + b"\n")


def _copy_rest(
    folder: Path, target: Path, converted: frozenset[str]
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Copy the files beside the weights that the scan has nothing against."""
    copied, left = [], []
    for path in sorted(folder.iterdir()):
        if path.name in converted or is_pickle_name(path.name) or path.name == OLD_INDEX:
            continue
        why = _unfit(path) or _copied(path, target / path.name)
        if why:
            left.append((path.name, why))
        else:
            copied.append(path.name)
    return tuple(copied), tuple(left)


def _unfit(path: Path) -> str:
    """Return why a file is not even opened, or ""."""
    if not path.is_file():
        return "not a regular file"
    folder = path.parent.resolve()
    # A stranger's folder may link to secrets of this machine; a cache of the hub to its blobs.
    places = (folder, folder.parent.parent / "blobs")
    if not any(map(path.resolve().is_relative_to, places)):
        return "a link that leaves the folder"
    if path.stat().st_size > MAX_COPIED:
        return f"more than {MAX_COPIED:,} bytes"
    return ""


def _copied(path: Path, target: Path) -> str:
    """Copy a file and scan the copy; return why it was taken away again, or ""."""
    shutil.copyfile(path, target)
    threats = converting.scan(target).threats
    if not threats:
        return ""
    target.unlink()
    return converting.told_of(threats[0].what, threats[0].offset)
