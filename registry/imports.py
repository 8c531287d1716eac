"""Where an imported `.dvc` file says that its bytes come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from registry import documents
from registry.errors import PointerError
from registry.pointers import DVC_LIMIT

SHOWN = 200  # characters of an address


@dataclass(frozen=True, slots=True)
class Origin:
    """An import: `url` without user, password and query; `revision` is what DVC locked, or "".

    What comes out of another repository stays in that one's remote: `repository` says so.
    """

    url: str
    revision: str = ""
    repository: bool = False
    frozen: bool = False


def read_origin(data: bytes, path: str) -> Origin | None:
    """Return the origin of the `.dvc` file stored at `path`, None where it imports nothing.

    Raises PointerError. `dvc import` writes a repository, `dvc import-url` an address (DVC,
    "Outputs and dependencies" of `.dvc` files).
    """
    try:
        found = documents.load_yaml(data, limit=DVC_LIMIT).value
    except documents.DocumentError as error:
        raise PointerError(f"{path}: {error.message}", "write it again with dvc") from error
    deps = found.get("deps") if isinstance(found, dict) else None
    if not isinstance(deps, list) or not deps or not isinstance(deps[0], dict):
        return None
    first, frozen = deps[0], found.get("frozen") is True
    repo = first.get("repo")
    if isinstance(repo, dict) and isinstance(repo.get("url"), str):
        revision = repo.get("rev_lock") or repo.get("rev")
        return Origin(_shown(repo["url"]), _text(revision), repository=True, frozen=frozen)
    if isinstance(first.get("path"), str) and "://" in first["path"]:
        return Origin(_shown(first["path"]), frozen=frozen)
    return None


def _shown(url: str) -> str:
    """Return an address without what may be a secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that is none"
    if parts.scheme and parts.netloc:
        url = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return url[:SHOWN]


def _text(value: Any) -> str:
    return value[:64] if isinstance(value, str) else ""
