"""Objects of a DVC cache, written once: what is there with its length is not written again."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from registry import objects
from registry.errors import StoreFailed, UnsafeWeights
from registry.pointers import DVC_LIMIT, Pointer, PointerKind
from registry.tensorstore.naming import Bytes, name
from security import storing
from security.errors import Refused, WriteFailed


@dataclass(frozen=True, slots=True)
class Stored:
    """A folder that is kept by tensor.

    `listing` is the md5 of its DVC listing and `recipe` the SHA-256 of its recipe ("" where that
    is not known: then the listing alone vouches). `size` is of the files, `kept` of the objects
    that hold them, `added` of those that were not there before, all in bytes.
    """

    listing: str
    recipe: str = ""
    size: int = 0
    objects: int = 0
    kept: int = 0
    added: int = 0

    def pointer(self, path: str) -> Pointer:
        """Return what `push` and `fetch` take: an ordinary DVC folder."""
        return Pointer(path, PointerKind.DVC_FOLDER, self.listing, self.kept)


class Keeper:
    """Writes objects into a cache folder, from any thread, and knows which they were."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self.sizes: dict[str, int] = {}  # of all objects, by md5
        self.added = 0

    def keep(self, data: Bytes, suffix: str = "", *, digest: str = "") -> str:
        """Keep these bytes and return their md5, if it is not known yet. Raises StoreFailed."""
        digest = digest or name(data)
        path, size = self.path(digest, suffix), len(data)
        if not self.has(digest, size, suffix):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with storing.replacing(path, mode=0o444, durable=False) as fd:
                    storing.put(fd, memoryview(data), 0)
            except (OSError, WriteFailed, Refused) as error:
                raise failed(path, error) from error
            self.count(digest, size, new=True)
        return digest

    def has(self, digest: str, size: int, suffix: str = "") -> bool:
        """Whether an object is there with its length; it counts as kept then."""
        path = self.path(digest, suffix)
        found = objects.is_at_hand(path) and path.stat().st_size == size
        if found:
            self.count(digest, size, new=False)
        return found

    def count(self, digest: str, size: int, *, new: bool) -> None:
        """Count an object, once."""
        with self._lock:
            self.added += size if new and digest not in self.sizes else 0
            self.sizes[digest] = size

    def path(self, digest: str, suffix: str = "") -> Path:
        """Return where an object is kept."""
        return objects.dvc_object(self._cache, digest, folder=bool(suffix))


def failed(path: Path, error: Exception) -> StoreFailed:
    """Return the error that a file could not be written."""
    why = error.strerror if isinstance(error, OSError) else str(error)
    hint = "make room there, see its permissions, and run it again: what is there is kept"
    return StoreFailed(f"{path}: cannot be written ({why})", hint)


def listing(members: Mapping[str, str]) -> bytes:
    """Return a DVC folder's list of (path, md5), as DVC writes it. Raises UnsafeWeights."""
    rows = [{"md5": members[path], "relpath": path} for path in sorted(members)]
    data = json.dumps(rows, sort_keys=True).encode()
    if len(data) > DVC_LIMIT:
        raise UnsafeWeights(
            f"{len(rows):,} objects are too many for one DVC folder",
            "keep these weights whole (policy: release.store)",
        )
    return data
