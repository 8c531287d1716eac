"""The recipe of a folder that is kept by tensor: which bytes of which objects make each file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from registry.errors import ReleaseError
from registry.pointers import MAX_SIZE, is_safe
from security import strictjson

LIMIT = 20_000_000  # bytes of one recipe
MAX_PIECES = 300_000  # of all files: two for each of 50 thousand tensors are 100 thousand
MAX_FILES = 10_000
NAME = "recipe.json"  # in the DVC folder, beside the objects
HINT = "put the weights into the store again from where they are whole"

Count = Annotated[int, Field(ge=0, le=MAX_SIZE)]
Piece = tuple[  # object (md5), first byte, how many
    Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")],
    Count,
    Annotated[int, Field(ge=1, le=MAX_SIZE)],
]


@dataclass(frozen=True, slots=True)
class Made:
    """One file: its pieces in the order of its bytes."""

    path: str
    size: Count
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """All files of the folder, sorted by path."""

    files: tuple[Made, ...]
    format: Literal[1] = 1

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


_RECIPE = TypeAdapter(Recipe)


def dump(recipe: Recipe) -> bytes:
    """Return the recipe as JSON: the same bytes for the same recipe."""
    text = json.dumps(asdict(recipe), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode() + b"\n"


def read(data: bytes) -> Recipe:
    """Read exactly what `dump` writes, of files that can lie in one folder. Raises ReleaseError."""
    if data.count(b"[") > MAX_PIECES:
        raise _bad(f"more than {MAX_PIECES:,} pieces")
    try:
        strictjson.loads(data, limit=LIMIT)
        found = _RECIPE.validate_json(data, strict=True)
    except strictjson.StrictJSONError as error:
        raise _bad(str(error)) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _bad(f"{where}: {first['msg']}"[:300]) from error
    if dump(found) != data:
        raise _bad("not as a recipe is written")
    check_paths(tuple(file.path for file in found.files))
    for file in found.files:
        if sum(length for _, _, length in file.pieces) != file.size:
            raise _bad(f"the pieces of {file.path!r:.200} do not make up its {file.size:,} bytes")
    return found


def check_paths(paths: tuple[str, ...]) -> None:
    """Refuse paths that are unsafe, twice there, out of order, or of a file within a file."""
    if len(paths) > MAX_FILES:
        raise _bad(f"{len(paths):,} files, more than {MAX_FILES:,}")
    if list(paths) != sorted(set(paths)):
        raise _bad("its files are not in the order of their paths, each once")
    known = set(paths)
    for path in paths:
        parts = path.split("/")
        above = {"/".join(parts[:count]) for count in range(1, len(parts))}
        if not is_safe(path) or above & known:
            raise _bad(f"the path {path!r:.200} is unsafe, or lies in a file")


def _bad(what: str) -> ReleaseError:
    return ReleaseError(f"the recipe of a tensor store: {what}", HINT)
