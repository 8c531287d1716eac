"""Names of files inside a model: one canonical spelling each (OMS v1.0, 6.1.2 and 6.2)."""

from __future__ import annotations

from collections.abc import Container, Iterable
from pathlib import Path

from security.errors import Malformed

IGNORED = (".git", ".gitattributes", ".github", ".gitignore")  # what every signer leaves out
SIGNATURE = "model.sig"
ATTESTATIONS = "model.intoto.jsonl"

WHOLE = "."  # the entry of a model that is a single file
MAX_BYTES, MAX_PARTS = 4096, 128  # of one path; more cannot be opened everywhere
_HINT = "rename it: names are relative, in UTF-8, with single slashes and no . or .. part"


def signature_of(model: Path) -> Path:
    """Return where a model's signature lies: in its folder, or beside a single file."""
    return model / SIGNATURE if model.is_dir() else model.with_name(f"{model.name}.sig")


def attestations_of(signature: Path) -> Path:
    """Return where what is said of the signed model lies: beside its signature."""
    return signature.with_name(f"{signature.name.removesuffix('.sig')}.intoto.jsonl")


def canonical(path: str) -> str:
    """Return the path if it is in its one canonical spelling; raises Malformed for any other."""
    if path.isascii():
        size = len(path)
    else:
        try:
            size = len(path.encode())
        except UnicodeEncodeError:
            raise Malformed(f"{shown(path)}: a name that is not UTF-8", _HINT) from None
    if "\0" in path:
        raise Malformed(f"{shown(path)}: a NUL in a name", _HINT)
    parts = path.split("/")
    if size > MAX_BYTES or len(parts) > MAX_PARTS:
        limits = f"{MAX_BYTES:,} bytes or {MAX_PARTS} parts"
        raise Malformed(f"{shown(path)}: a path of more than {limits}", "shorten it")
    if "" in parts or "." in parts or ".." in parts:
        raise Malformed(f"{shown(path) or 'an empty path'}: not a canonical path", _HINT)
    return path


def hidden(paths: Iterable[str]) -> tuple[str, ...]:
    """Return canonical paths that may be left out; raises Malformed, also for glob characters."""
    found = tuple(canonical(path) for path in paths)
    for path in found:
        if set(path) & set("*?["):
            raise Malformed(
                f"{shown(path)}: a pattern cannot be left out", "name each file or folder itself"
            )
    return found


def is_ignored(path: str, ignored: Container[str]) -> bool:
    """Say whether a canonical path is one of these, or lies below one. No patterns."""
    while path and path not in ignored:
        path = path.rpartition("/")[0]
    return bool(path)


def shown(path: str) -> str:
    """Return a path for messages: on one line, what does not print escaped, long ones cut."""
    if len(path) > 300:
        path = f"{path[:150]}...{path[-100:]}"
    if path.isprintable():
        return path
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in path)
