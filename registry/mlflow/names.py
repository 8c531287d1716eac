"""Names that MLflow takes: of registered models, metrics, parameters and tags."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, unquote, urlsplit

from registry.errors import ReleaseError, StoreFailed

LONGEST = 250  # characters of the key of a metric, parameter or tag
_OTHER = re.compile(r"[^\w\-. :/]", re.ASCII)
_BAD = re.compile(r"['\"`\\%\x00-\x1f\x7f]")
T = TypeVar("T")
_SCHEMES = ("postgresql", "mysql", "mssql", "http", "https")


def model_name(artifact: str) -> str:
    """Return what an artifact's registered model is called: acme/small is acme--small.

    MLflow forbids "/" and ":" there. Whatever does not come back that way is percent-encoded,
    its dashes too, so that no two artifacts share a name. Raises ReleaseError.
    """
    if not artifact or len(artifact) > 200 or _BAD.search(artifact) or not artifact.isprintable():
        hint = "name it with letters, digits, '.', '_', '-' and '/' (release.artifact)"
        raise ReleaseError(f"{artifact[:80]!r}: MLflow can keep no model of this name", hint)
    name = artifact.replace("/", "--")
    if artifact_name(name) == artifact and quote(name, safe="") == name and name.strip("."):
        return name
    return quote(artifact, safe="").replace("-", "%2D").replace(".", "%2E")


def artifact_name(model: str) -> str:
    """Return the artifact of a registered model: the reverse of `model_name`."""
    return unquote(model) if "%" in model else model.replace("--", "/")


def searched(text: str) -> str:
    """Return a text that may stand in a search between quotes. Raises ReleaseError."""
    if _BAD.search(text) or not text.isprintable():
        hint = "name it with letters, digits, '.', '_', '-', '+' and '/'"
        raise ReleaseError(f"{text[:80]!r}: MLflow cannot search for this name", hint)
    return text


def key(*parts: str) -> str:
    """Return the name of a metric, parameter or tag: parts with "/" between, what is left of each.

    MLflow takes letters, digits, "_-. :" and "/", and no path that is not in its normal form.
    """
    whole = "/".join(part for part in parts if part).replace("=", ":")
    steps = (_OTHER.sub("_", step).strip() for step in whole.split("/"))
    name = "/".join(step for step in steps if step.strip("."))
    return name if 0 < len(name) <= LONGEST else _hashed(name[: LONGEST - 20], whole)


def keyed(found: Iterable[tuple[tuple[str, ...], T]]) -> Mapping[str, T]:
    """Return values by `key`; of two with one key, the second has a hash in its name."""
    table: dict[str, T] = {}
    for parts, value in found:
        name = key(*parts)
        if name in table:
            name = _hashed(name[: LONGEST - 20], "\0".join(parts))
        table[name] = value
    return table


def place(uri: str, folder: Path) -> tuple[str, Path]:
    """Return a tracking URI as absolute, and where artifacts lie if no server keeps them.

    `folder` is what a relative SQLite path starts at. Raises StoreFailed.
    """
    scheme = uri.partition(":")[0]
    hint = "set release.mlflow to sqlite:///FILE, postgresql://…, http(s)://… or ''"
    if scheme == "sqlite":
        text, _, query = uri.partition("?")
        name = text.removeprefix("sqlite:///")
        if name == text or name in ("", ":memory:") or "\0" in name or query:
            raise StoreFailed(f"MLflow at {text}: not the address of a SQLite file", hint)
        file = (folder / name).absolute()
        return f"sqlite:///{file}", file.parent / "mlartifacts"
    dialect, _, driver = scheme.partition("+")
    parts = urlsplit(uri)
    if dialect not in _SCHEMES or not uri.startswith(f"{scheme}://") or not parts.netloc:
        raise StoreFailed(f"MLflow at {scheme}: an address we do not know", hint)
    if dialect == "postgresql" and not driver:  # psycopg 3 is what we bring
        uri = uri.replace("postgresql:", "postgresql+psycopg:", 1)
    return uri, folder.absolute() / "mlartifacts"


def sqlite_file(uri: str) -> Path | None:
    """Return the file of an address that `place` returned, None where it is not SQLite's."""
    name = uri.removeprefix("sqlite:///")
    return None if name == uri else Path(name)


def _hashed(name: str, of: str) -> str:
    return f"{name}.{hashlib.sha256(of.encode()).hexdigest()[:12]}".lstrip(".")
