"""Objects and refs made in a repository without a checkout, and without the user's index."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot import git
from bot.releasing.ledger.network import environment
from registry.errors import ReleaseError, StoreFailed
from registry.release.ledger import Tag

# A host's name is nobody's address. What was said to be written is on the disk.
_FLAGS = ("-c", "user.useConfigOnly=true", "-c", "core.fsync=committed,loose-object,reference")
_REFS = 50_000_000  # bytes of all refs that are looked at


def blob(folder: Path, data: bytes) -> str:
    """Write a blob; return its id. Raises StoreFailed."""
    return _made(folder, "hash-object", "-w", "--stdin", "--no-filters", asked=data)


def tree(folder: Path, base: str, changes: Mapping[str, str | None]) -> str:
    """Return the tree of the commit `base` ("" for none) with blobs at paths, or without them."""
    entries = [
        f"100644 {name}\t{path}\0" if name else f"0 {'0' * 40}\t{path}\0"
        for path, name in changes.items()
    ]
    with tempfile.TemporaryDirectory(prefix="modelwarden-") as place:
        own = environment() | {"GIT_INDEX_FILE": str(Path(place) / "index")}
        flags = ("-c", "core.splitIndex=false", "-c", "index.sparse=false")
        words = (f"{base}^{{tree}}",) if base else ("--empty",)
        _made(folder, *flags, "read-tree", *words, env=own)
        asked = "".join(entries).encode()
        _made(folder, *flags, "update-index", "-z", "--index-info", env=own, asked=asked)
        return _made(folder, *flags, "write-tree", env=own)


def commit(folder: Path, tree: str, parent: str, message: str) -> str:
    """Write a commit by git's configured user. Raises ReleaseError where there is none."""
    identity(folder)
    words = ("-p", parent) if parent else ()
    return _made(folder, "commit-tree", "--no-gpg-sign", *words, tree, asked=message.encode())


def tag(folder: Path, new: Tag) -> str:
    """Write an annotated tag, which no ref names yet; return its id."""
    head = f"object {new.commit}\ntype commit\ntag {new.name}\ntagger {identity(folder)}\n"
    return _made(folder, "mktag", asked=f"{head}\n{new.message}\n".encode())


def identity(folder: Path) -> str:
    """Return name, address and time of git's configured user. Raises ReleaseError."""
    status, output, _ = git.run(folder, *_FLAGS, "var", "GIT_COMMITTER_IDENT", env=environment())
    if status:
        hint = "run: git config user.name NAME; git config user.email ADDRESS"
        raise ReleaseError("git does not know who writes to the ledger", hint)
    return output.decode("utf-8", "replace").strip()


def refs(folder: Path, *names: str) -> Mapping[str, tuple[str, str]]:
    """Return refs as (object, commit that it leads to); a name that ends in / is a folder."""
    status, output, error = git.run(
        folder, "for-each-ref", "--format=%(refname) %(objectname) %(*objectname)", *names,
        limit=_REFS,
    )  # fmt: skip
    if status:
        raise StoreFailed(f"the refs cannot be read: {error}", "run: git fsck")
    found = {}
    for line in output.decode("utf-8", "surrogateescape").splitlines():
        name, made, leads = line.split(" ", 2)
        found[name] = made, leads or made
    return found


def move(folder: Path, changes: Sequence[tuple[str, str, str]]) -> str:
    """Set refs, (ref, new, what it must be before or "" for nothing), all or none.

    Return "" or why not, in git's words.
    """
    zero = "0" * len(changes[0][1]) if changes else ""
    lines = [f"update {ref} {new} {old or zero}\n" for ref, new, old in changes]
    asked = "".join(["start\n", *lines, "prepare\n", "commit\n"]).encode()
    words = (*_FLAGS, "update-ref", "--stdin", "-m", "modelwarden: the ledger of releases")
    status, _, error = git.run(folder, *words, env=environment(), asked=asked)
    return error or f"exit status {status}" if status else ""


def _made(
    folder: Path, *words: str, env: Mapping[str, str] | None = None, asked: bytes = b""
) -> str:
    what = next(word for word in words if not word.startswith("-") and "=" not in word)
    try:
        status, output, error = git.run(
            folder, *_FLAGS, *words, env=env or environment(), asked=asked
        )
    except OSError as error:  # what git is given goes through the folder of temporary files
        raise StoreFailed(f"git {what} in {folder}: {error.strerror or error}", _SPACE) from error
    if status:
        raise StoreFailed(f"git {what} in {folder}: {error or f'exit status {status}'}", _SPACE)
    return output.decode("ascii", "replace").strip()


_SPACE = "give the repository space and rights, check it with git fsck, then run it again"
