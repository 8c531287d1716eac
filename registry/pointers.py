"""Pointer files: Git LFS, `.dvc`, `dvc.lock` and DVC's `.dir` objects. Bytes in, values out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from registry import documents
from registry.errors import PointerError
from security.sniff import LFS_BYTES, LFS_STARTS, is_lfs

LFS_LIMIT = LFS_BYTES
DVC_LIMIT = 5_000_000
MAX_SIZE = 2**63 - 1
UNKNOWN_SIZE = -1
_SHA256 = re.compile(r"sha256:([0-9a-f]{64})")
_MD5 = re.compile(r"[0-9a-f]{32}(\.dir)?")


class PointerKind(StrEnum):
    """What a pointer points into."""

    LFS = "lfs"
    DVC = "dvc"
    DVC_FOLDER = "dvc-folder"


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a tracked path's bytes are: `path` from the repository root, `digest` the id.

    The digest is SHA-256 for LFS, md5 for DVC (without the ".dir" of folders), "" where DVC
    recorded none. `size` is UNKNOWN_SIZE where the pointer does not say. `legacy` marks DVC 2
    entries, which lie elsewhere in a cache. `count` is how many files a folder says it has, or
    UNKNOWN_SIZE.
    """

    path: str
    kind: PointerKind
    digest: str
    size: int
    legacy: bool = False
    count: int = UNKNOWN_SIZE


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a DVC folder output; `path` is relative to that folder."""

    path: str
    digest: str


def is_safe(path: str) -> bool:
    """Whether a relative path with "/" stays in its folder and means one thing everywhere."""
    parts = path.split("/")
    return (
        all(part not in ("", ".", "..") and len(part.encode()) <= 255 for part in parts)
        and len(parts) <= 64
        and path.isprintable()
        and not any(c in path for c in '\\:"')
    )


def read_lfs(data: bytes, path: str) -> Pointer:
    """Read the Git LFS pointer stored at `path`. Raises PointerError."""
    if len(data) > LFS_LIMIT:
        raise _bad(path, f"an LFS pointer of {len(data):,} bytes, more than {LFS_LIMIT:,}")
    if not is_lfs(data):
        raise _bad(path, "not an LFS pointer")
    try:
        lines = data.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise _bad(path, "an LFS pointer that is not ASCII") from error
    keys = [line.partition(" ")[0] for line in lines]
    if keys != ["version", "oid", "size", ""] or lines[0].encode() not in LFS_STARTS[:2]:
        raise _bad(path, "an LFS pointer must be the lines version, oid, size and nothing else")
    digest = _SHA256.fullmatch(lines[1].partition(" ")[2])
    size = lines[2].partition(" ")[2]
    if digest is None:
        raise _bad(path, "the oid of the LFS pointer is not sha256 and 64 lower-case digits")
    if not (size.isascii() and size.isdigit() and len(size) <= 19 and int(size) <= MAX_SIZE):
        raise _bad(path, "the size of the LFS pointer is not a number of bytes")
    return Pointer(path, PointerKind.LFS, digest[1], int(size))


def read_dvc(data: bytes, path: str) -> tuple[Pointer, ...]:
    """Read the outputs of the `.dvc` file stored at `path`. Raises PointerError."""
    found = _yaml(data, path)
    if not isinstance(found, dict):
        raise _bad(path, "not a mapping")
    wdir = found.get("wdir") or "."
    if not isinstance(wdir, str):
        raise _bad(path, "wdir is not a path")
    return tuple(_outputs(found.get("outs"), path, wdir))


def read_lock(data: bytes, path: str, wdirs: Mapping[str, str]) -> tuple[Pointer, ...]:
    """Read the outputs of the `dvc.lock` at `path`; `wdirs` is what read_wdirs found beside it."""
    found = _yaml(data, path)
    if not isinstance(found, dict) or found.get("schema") != "2.0":
        raise _bad(path, 'not a lock file of schema "2.0"')
    stages = found.get("stages", {})
    if not isinstance(stages, dict):
        raise _bad(path, "stages is not a mapping")
    pointers: list[Pointer] = []
    for name, stage in stages.items():
        if not isinstance(name, str) or not isinstance(stage, dict):
            raise _bad(path, f"stage {name!r:.80} is not a mapping")
        wdir = wdirs.get(name.partition("@")[0], ".")
        pointers += _outputs(stage.get("outs"), path, wdir)
    return tuple(pointers)


def read_wdirs(data: bytes, path: str) -> dict[str, str]:
    """Return the working folder of each stage of a `dvc.yaml` that names one literally."""
    found = _yaml(data, path)
    stages = found.get("stages") if isinstance(found, dict) else None
    wdirs: dict[str, str] = {}
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        body = stage.get("do", stage) if isinstance(stage, dict) else None
        wdir = body.get("wdir") if isinstance(body, dict) else None
        if isinstance(wdir, str) and "${" not in wdir:
            wdirs[str(name)] = wdir
    return wdirs


def read_dir(data: bytes, path: str) -> tuple[Member, ...]:
    """Read the `.dir` object that lists the DVC folder output `path`. Raises PointerError."""
    try:
        found = documents.load_json(data, limit=DVC_LIMIT)
    except documents.DocumentError as error:
        raise _bad(path, f"its list of files cannot be read: {error.message}") from error
    if not isinstance(found, list):
        raise _bad(path, "its list of files is not a list")
    members = tuple(_member(item, path) for item in found)
    if len({m.path for m in members}) != len(members):
        raise _bad(path, "its list of files names one file twice")
    return members


def resolve(folder: str, *steps: str) -> str | None:
    """Join path steps below `folder` ("" = root) by "/"; None where the result leaves the root."""
    parts = folder.split("/") if folder else []
    for part in "/".join(steps).split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _member(item: Any, path: str) -> Member:
    name, digest = (item.get("relpath"), item.get("md5")) if isinstance(item, dict) else (0, 0)
    if not isinstance(name, str) or not is_safe(name):
        raise _bad(path, f"its list of files has the unsafe name {name!r:.80}")
    if not isinstance(digest, str) or not _MD5.fullmatch(digest) or digest.endswith(".dir"):
        raise _bad(path, f"its list of files has no md5 for {name!r:.80}")
    return Member(name, digest)


def _outputs(found: Any, source: str, wdir: str) -> Iterator[Pointer]:
    if found is None:
        return
    if not isinstance(found, list):
        raise _bad(source, "outs is not a list")
    for item in found:
        if not isinstance(item, dict) or not isinstance(item.get("path"), str):
            raise _bad(source, "an output has no path")
        if "://" in item["path"]:
            continue  # lies outside the repository, so it is no file of it
        yield _output(item, source, wdir)


def _output(item: dict[str, Any], source: str, wdir: str) -> Pointer:
    name, digest, size = item["path"], item.get("md5"), item.get("size", UNKNOWN_SIZE)
    path = resolve(source.rpartition("/")[0], wdir, name)
    if name.startswith("/") or wdir.startswith("/") or not path or not is_safe(path):
        raise _bad(source, f"output {name!r:.80} is not a path below the repository")
    if type(size) is not int or not UNKNOWN_SIZE <= size <= MAX_SIZE:
        raise _bad(source, f"output {name!r:.80} has no sensible size")
    if digest is None:  # stored by a cloud's version id, or a stage that never ran
        return Pointer(path, PointerKind.DVC, "", size)
    if not isinstance(digest, str) or not _MD5.fullmatch(digest):
        raise _bad(source, f"output {name!r:.80} has an md5 that is none")
    kind = PointerKind.DVC_FOLDER if digest.endswith(".dir") else PointerKind.DVC
    hashed, count = item.get("hash", "md5-dos2unix"), item.get("nfiles")
    if type(count) is not int or not 0 <= count <= MAX_SIZE:
        count = UNKNOWN_SIZE
    return Pointer(path, kind, digest.removesuffix(".dir"), size, hashed != "md5", count)


def _yaml(data: bytes, path: str) -> Any:
    try:
        return documents.load_yaml(data, limit=DVC_LIMIT).value
    except documents.DocumentError as error:
        where = f" (line {error.line})" if error.line else ""
        raise _bad(path, error.message + where) from error


def _bad(path: str, message: str) -> PointerError:
    hint = "write the pointer again with git lfs or dvc, do not edit it by hand"
    return PointerError(f"{path}: {message}", hint)
