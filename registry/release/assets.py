"""A folder as flat files of at most 1.9 GiB, and the index that makes a folder of them again.

GitHub takes release assets under 2 GiB, without folders, and renames what has other characters
than letters, digits, `.`, `-` and `_`, or dots at its ends: such names are never given to it.
docs/formats/assets.md specifies the index. It is not signed: what it leads to is.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from registry.errors import Blocked, MissingWeights, ReleaseError
from security import strictjson
from security.errors import Malformed
from security.manifest import SHA256, Entry, is_digest
from security.paths import canonical, shown

INDEX, SUMS = "modelwarden-assets.json", "SHA256SUMS"
SPLIT = 1945 << 20  # bytes of an asset: 1.9 GiB, in whole MiB
MOST = 1_000  # assets that GitHub takes for one release
LIMIT = 20_000_000  # bytes of an index
MOST_FILES, MOST_PARTS, MAX_SIZE = 100_000, 10_000, 1 << 50
NAME_LIMIT, TEXT_LIMIT = 200, 1_000  # characters
_NAME = re.compile(rf"(?!.*\.\.)[A-Za-z0-9_-](?:[A-Za-z0-9_.-]{{0,{NAME_LIMIT}}}[A-Za-z0-9_-])?")
_OTHERS = re.compile(r"[^A-Za-z0-9_.-]")
_PIECE = 1 << 20
_HINT = "get the index again from where the release was published"


@dataclass(frozen=True, slots=True)
class Part:
    """One asset: `size` bytes of a file from `offset` on, and their SHA-256 (hex)."""

    name: str
    offset: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class File:
    """One file of the folder. An empty one has no part: nobody takes an empty asset."""

    path: str
    size: int
    sha256: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """All files of a release, sorted by path."""

    artifact: str
    version: str
    files: tuple[File, ...]
    format: int = 1

    @property
    def parts(self) -> tuple[tuple[File, Part], ...]:
        """Every asset with the file it is of."""
        return tuple((file, part) for file in self.files for part in file.parts)


def cuts(size: int, split: int = SPLIT) -> tuple[tuple[int, int], ...]:
    """Return (offset, size) of each part of a file."""
    return tuple((at, min(split, size - at)) for at in range(0, size, split))


def measure(
    folder: Path, entries: Sequence[Entry], split: int = SPLIT
) -> Mapping[str, tuple[str, ...]]:
    """Return the SHA-256 of each part of the files that must be split; only these are read.

    Raises MissingWeights for a file that is not there, or that is not what its entry says.
    """
    found = {}
    for entry in entries:
        if entry.size <= split:
            continue
        hint = "run the release again: it looks at each file anew"
        try:
            with (folder / entry.path).open("rb") as file:
                digests = tuple(_digest(file, size) for _, size in cuts(entry.size, split))
        except OSError as error:
            raise MissingWeights(f"{shown(entry.path)}: {error.strerror}", hint) from error
        if "" in digests:
            raise MissingWeights(f"{shown(entry.path)} has not {entry.size:,} bytes", hint)
        found[entry.path] = digests
    return found


def plan(
    artifact: str,
    version: str,
    entries: Sequence[Entry],
    digests: Mapping[str, tuple[str, ...]] | None = None,
    split: int = SPLIT,
) -> Index:
    """Return the index of these files, the same whatever their order. Pure.

    `digests` are of the parts of what is larger than `split`, as `measure` returns them. Raises
    Blocked for more assets than GitHub takes, ReleaseError for entries that cannot be published.
    """
    sizes = {}
    for entry in sorted(entries, key=lambda e: e.path):
        if entry.path in sizes or entry.size < 0 or entry.algorithm != SHA256:
            what = f"{shown(entry.path)} is listed twice, or without size or SHA-256"
            raise ReleaseError(what, "measure the folder anew")
        sizes[entry.path] = len(cuts(entry.size, split))
    count = sum(sizes.values()) + 2
    if count > MOST:
        raise Blocked(
            f"{artifact} {version}: {count:,} assets, GitHub takes {MOST:,} for one release",
            "pack its small files into one, or publish the folder elsewhere",
        )
    names = _names(sizes)
    files = []
    for entry in sorted(entries, key=lambda e: e.path):
        places = cuts(entry.size, split)
        shas = (entry.digest,) if len(places) == 1 else (digests or {}).get(entry.path, ())
        if len(shas) != len(places):
            raise ReleaseError(f"{shown(entry.path)}: digests of its parts are missing", "measure")
        parts = zip(names[entry.path], places, shas, strict=True)
        made = tuple(Part(name, offset, size, sha) for name, (offset, size), sha in parts)
        files.append(File(entry.path, entry.size, entry.digest, made))
    return Index(artifact, version, tuple(files))


def dump(index: Index) -> bytes:
    """Return the index as it is published."""
    return json.dumps(asdict(index), sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"


def sums(index: Index) -> bytes:
    """Return the text that `sha256sum -c` reads in a folder of the downloaded assets."""
    lines = {part.name: part.sha256 for _, part in index.parts}
    lines[INDEX] = hashlib.sha256(dump(index)).hexdigest()
    return "".join(f"{lines[name]}  {name}\n" for name in sorted(lines)).encode()


def read(data: bytes) -> Index:
    """Read an index; every claim of it is checked against the others. Raises ReleaseError."""
    try:
        found = strictjson.loads(data, limit=LIMIT, depth=5)
        index = _index(found)
        _consistent(index)
    except (strictjson.StrictJSONError, Malformed) as error:
        raise ReleaseError(f"{INDEX}: {error}"[:300], _HINT) from error
    return index


def _digest(file: BinaryIO, size: int) -> str:
    """Return the SHA-256 of the next bytes, "" where there are fewer."""
    digest, left = hashlib.sha256(), size
    while left:
        piece = file.read(min(_PIECE, left))
        if not piece:
            return ""
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest()


def _names(sizes: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """Return the assets of each path: readable where that is plain, else made unique by a digest.

    A digest is added to every name that had to be changed, or that another one is like, whatever
    the case of its letters: no order decides who keeps it.
    """
    level = dict.fromkeys(sizes, 0)
    while True:
        names = {path: tuple(_each(path, level[path], sizes[path])) for path in sizes}
        taken = Counter(name.lower() for each in names.values() for name in each)
        taken.update((INDEX.lower(), SUMS.lower()))
        alike = [path for path, each in names.items() if any(taken[n.lower()] > 1 for n in each)]
        if not alike:
            return names
        if all(level[path] == 2 for path in alike):  # never seen: two SHA-256 that are one
            raise ReleaseError(f"{shown(alike[0])} has no name of its own", "rename it")
        level |= {path: min(level[path] + 1, 2) for path in alike}


def _each(path: str, level: int, count: int) -> Iterator[str]:
    digest = hashlib.sha256(path.encode()).hexdigest()
    plain = re.sub(r"\.\.+", ".", _OTHERS.sub("-", path.replace("/", "__"))).strip(".")
    changed = plain != path.replace("/", "__") or len(plain) > NAME_LIMIT - 40
    stem, dot, suffix = plain.rpartition(".")
    if not dot or len(suffix) > 20:
        stem, suffix = plain, ""
    name = plain
    if level == 2:
        name = f"file-{digest}"
    elif level or changed:
        name = ".".join(filter(None, (f"{stem[:100].rstrip('.') or 'file'}-{digest[:12]}", suffix)))
    for number in range(count):
        yield name if count == 1 else f"{name}.part-{number + 1:03}-of-{count:03}"


def _index(found: object) -> Index:
    whole = _fields(found, "the index", ("format", "artifact", "version", "files"))
    if type(whole["format"]) is not int or whole["format"] != 1:
        raise Malformed(f"format {whole['format']!r:.40}, not 1: a newer index", _HINT)
    artifact, version = _text(whole["artifact"]), _text(whole["version"])
    return Index(artifact, version, tuple(map(_file, _list(whole["files"], MOST_FILES))))


def _file(found: object) -> File:
    file = _fields(found, "a file", ("path", "size", "sha256", "parts"))
    path = file["path"]
    if not isinstance(path, str):
        raise Malformed("a path that is no text", _HINT)
    parts = tuple(map(_part, _list(file["parts"], MOST_PARTS)))
    return File(canonical(path), _size(file["size"]), _sha(file["sha256"]), parts)


def _part(found: object) -> Part:
    part = _fields(found, "a part", ("name", "offset", "size", "sha256"))
    name = part["name"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Malformed(f"{name!r:.80} is no name of an asset", _HINT)
    return Part(name, _size(part["offset"]), _size(part["size"]), _sha(part["sha256"]))


def _consistent(index: Index) -> None:
    """Raise Malformed where files, parts and names contradict each other."""
    paths = [file.path for file in index.files]
    if paths != sorted(set(paths)):
        raise Malformed("its paths are not sorted, or one is listed twice", _HINT)
    known = set(paths)
    for path in paths:
        folder = path.rpartition("/")[0]
        while folder:
            if folder in known:
                raise Malformed(f"{shown(folder)} is a file and a folder", _HINT)
            folder = folder.rpartition("/")[0]
    names = Counter(part.name.lower() for _, part in index.parts)
    if any(count > 1 for count in names.values()) or {INDEX.lower(), SUMS.lower()} & set(names):
        raise Malformed("an asset is used twice", _HINT)
    for file in index.files:
        at = 0
        for part in file.parts:
            if part.offset != at or not part.size:
                raise Malformed(f"{shown(file.path)}: its parts do not follow each other", _HINT)
            at += part.size
        if at != file.size:
            raise Malformed(f"{shown(file.path)}: its parts are not all of it", _HINT)
        if len(file.parts) == 1 and file.parts[0].sha256 != file.sha256:
            raise Malformed(f"{shown(file.path)}: two digests of the same bytes", _HINT)


def _fields(found: object, what: str, names: tuple[str, ...]) -> dict[str, object]:
    if not isinstance(found, dict) or set(found) != set(names):
        raise Malformed(f"{what} has not exactly {', '.join(names)}", _HINT)
    return found


def _list(found: object, most: int) -> list[object]:
    if not isinstance(found, list) or len(found) > most:
        raise Malformed(f"not a list of at most {most:,}", _HINT)
    return found


def _text(found: object) -> str:
    if not isinstance(found, str) or len(found) > TEXT_LIMIT or not found.isprintable():
        raise Malformed("a name or version that is no short text", _HINT)
    return found


def _size(found: object) -> int:
    if type(found) is not int or not 0 <= found <= MAX_SIZE:
        raise Malformed(f"{found!r:.40} is no size", _HINT)
    return found


def _sha(found: object) -> str:
    if not is_digest(found):
        raise Malformed("a digest that is not 64 hex digits", _HINT)
    return found
