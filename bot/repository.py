"""World over a real git repository: revisions, objects, trees, commits."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Hashable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar, cast

from bot import git, roster
from bot.cache import Cache, quotes_secret
from bot.change import Change, Commit, FileChange, TreeEntry
from bot.errors import Missing, RepositoryError, TooLarge
from bot.gitformat import parse_commit, parse_listing, parse_raw_diff, parse_tree
from bot.people import People
from bot.releasing.ledger import descent
from bot.releasing.ledger.baseline import baseline
from bot.revisions import Revisions
from bot.roster import Roster
from bot.world import COMMIT_LIMIT, TEXT_LIMIT
from registry.release.ledger import Issued, Ledger

T = TypeVar("T")

_FETCH = "fetch it first: git fetch --refetch --no-filter origin"
MAX_FILES = 200_000  # changed files in one change
MAX_COMMITS = 20_000
MAX_MESSAGES = 50_000_000  # bytes of all commit objects of one change together
MAX_TREE = 50_000_000  # bytes of one tree object
MAX_LISTING = 500_000_000  # bytes of one diff or recursive listing


class GitWorld:
    """World over one repository. Use as a context manager; closing ends the git processes."""

    def __init__(
        self,
        folder: Path,
        cache: Cache | None = None,
        say: Callable[[str], None] = lambda line: None,
        *,
        people: People | None = None,
        objects: Callable[[tuple[str, ...]], None] | None = None,
    ) -> None:
        """`objects`, where given, brings blobs that are not at hand before they count as missing.

        It may raise CouldNotTell.
        """
        self.say = say
        self._objects = objects
        self.people = people
        self.revisions = Revisions(folder)
        self.place = folder
        self.git_dir = self.revisions.git_dir
        self.worktree = self.revisions.worktree
        self._cache = cache or Cache(None)
        self._sizes = git.Batch(folder, "--batch-check")
        self._contents = git.Batch(folder, "--batch")
        self._trees: dict[tuple[str, str], tuple[TreeEntry, ...]] = {}

    def __enter__(self) -> GitWorld:
        return self

    def __exit__(self, *_: object) -> None:
        self._sizes.close()
        self._contents.close()
        self._cache.close()

    def change(self, base: str, head: str) -> Change:
        """Return the change from where base and head parted to head; ids must be full."""
        merge_base = self._merge_base(base, head)
        self._refuse_cut_history(base, head)
        files = self._files(merge_base, head)
        name = (self.worktree or self.git_dir).name
        return Change(name, base, head, merge_base, files)

    def _merge_base(self, base: str, head: str) -> str:
        if self._kind(base) != "commit" or self._kind(head) != "commit":
            return base
        status, output, _ = git.run(self.place, "merge-base", base, head)
        if status == 0:
            return output.decode().split("\n")[0]
        if self.revisions.shallow:
            raise RepositoryError(
                f"the history between {base[:12]} and {head[:12]} is not in this shallow clone",
                f"run: git fetch --unshallow origin (needs every ancestor down to the commit "
                f"where {base} and {head} part)",
            )
        return base  # unrelated histories: everything differs

    def _refuse_cut_history(self, base: str, head: str) -> None:
        if not self.revisions.shallow:
            return
        cut = set((self.git_dir / "shallow").read_text("ascii").split())
        missing = [c for c in self._range(base, head) if c in cut]
        if missing:
            shown = ", ".join(commit[:12] for commit in missing[:3])
            raise RepositoryError(
                f"the parents of {shown} are not in this shallow clone",
                "run: git fetch --unshallow origin",
            )

    def _kind(self, name: str) -> str:
        found = self._sizes.ask(name, content=False)
        if found is None and name != self.revisions.empty_tree():
            raise Missing(
                f"object {name} is not in this repository", self.revisions.how_to_fetch(name)
            )
        return found[0] if found else "tree"

    def _files(self, base: str, head: str) -> tuple[FileChange, ...]:
        status, output, error = git.run(
            self.place, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev",
            "--no-ext-diff", "--ignore-submodules=none", base, head, limit=MAX_LISTING,
        )  # fmt: skip
        if status:
            raise Missing(f"the change cannot be read: {error}", "run: git fetch --refetch origin")
        if output.count(b"\0") > 2 * MAX_FILES:
            raise TooLarge(f"more than {MAX_FILES:,} changed files", "split the change")
        return tuple(parse_raw_diff(output))

    # Objects

    @property
    def store(self) -> Cache:
        """What other commands of this machine remember."""
        return self._cache

    def size(self, blob: str) -> int:
        """Return a blob's size in bytes. Raises Missing."""
        self.need((blob,))
        found = self._sizes.ask(blob, content=False)
        if found is None:
            raise Missing(f"object {blob[:12]} is not in this clone", _FETCH)
        return found[1]

    def need(self, blobs: tuple[str, ...]) -> None:
        """Bring what is not at hand of these in one request, where there is somebody to ask."""
        lacking = (b for b in blobs if not self._sizes.ask(b, content=False))
        if self._objects is not None and (asked := tuple(dict.fromkeys(lacking))):
            self._objects(asked)

    def read(self, blob: str, limit: int = TEXT_LIMIT) -> bytes:
        """Return a blob's bytes. Raises TooLarge before reading, or Missing."""
        self._bounded(blob, limit)
        found = self._contents.ask(blob, content=True)
        if found is None:
            raise Missing(f"object {blob[:12]} is not in this clone", _FETCH)
        return found[2]

    def _bounded(self, blob: str, limit: int) -> None:
        size = self.size(blob)
        if size > limit:
            raise TooLarge(
                f"{size:,} bytes, more than the {limit:,} that are read", "make the file smaller"
            )

    def prefix(self, blob: str, count: int) -> bytes:
        """Return at most the first `count` bytes of a blob of any size. Raises Missing."""
        if self.size(blob) <= count:
            return self.read(blob, count)
        with git.stream(self.place, blob) as pipe:
            return pipe.read(count)

    def export(self, blob: str, target: Path, limit: int) -> None:
        """Stream a blob to a new file. Raises TooLarge before reading, or Missing."""
        self._bounded(blob, limit)
        with git.stream(self.place, blob) as pipe, target.open("xb") as file:
            shutil.copyfileobj(pipe, file, git.CHUNK)

    # Trees

    def entry(self, commit: str, path: str) -> TreeEntry | None:
        """Return what `path` is at a commit, or None."""
        parent = path.rpartition("/")[0]
        return next((e for e in self.folder(commit, parent) if e.path == path), None)

    def folder(self, commit: str, path: str = "") -> tuple[TreeEntry, ...]:
        """List one folder, not its subfolders' content; () where there is none."""
        key = (commit, path.strip("/"))
        if key not in self._trees:
            self._trees[key] = self._read_tree(*key)
        return self._trees[key]

    def _read_tree(self, commit: str, path: str) -> tuple[TreeEntry, ...]:
        name = f"{commit}:{path}" if path else f"{commit}^{{tree}}"
        found = self._sizes.ask(name, content=False)
        if found is None or found[0] != "tree":
            return ()
        if found[1] > MAX_TREE:
            raise TooLarge(f"folder '{path}' lists {found[1]:,} bytes of names", "split it")
        full = self._contents.ask(name, content=True)
        return tuple(parse_tree(full[2], path, len(commit) // 2)) if full else ()

    def walk(self, commit: str, path: str = "") -> tuple[TreeEntry, ...]:
        """List every file below a folder. Cost follows the folder: avoid it at the root."""
        scope = ("--", path.strip("/")) if path.strip("/") else ()
        status, output, error = git.run(
            self.place, "ls-tree", "-r", "-z", "--full-tree", commit, *scope, limit=MAX_LISTING
        )
        if status:
            raise Missing(f"the tree cannot be read: {error}", "run: git fsck")
        return tuple(parse_listing(output))

    # Commits

    def _range(self, base: str, head: str) -> list[str]:
        if self._kind(head) != "commit":
            return []
        exclude = (f"^{base}",) if self._kind(base) == "commit" else ()
        status, output, error = git.run(
            self.place, "rev-list", "--topo-order", "--reverse", head, *exclude,
            limit=MAX_COMMITS * 65,
        )  # fmt: skip
        if status:
            raise Missing(
                f"the commits cannot be listed: {error}", self.revisions.how_to_fetch(head)
            )
        return output.decode("ascii").split()

    def commits(self, base: str, head: str) -> tuple[Commit, ...]:
        """Return the commits in head but not in base, oldest first; () for a staged tree."""
        budget = MAX_MESSAGES
        found = []
        for commit in self._range(base, head):
            size = self.size(commit)
            if size > min(COMMIT_LIMIT, budget):
                found.append(Commit(commit, (), "", "", "", "", "", oversize=size))
                continue
            budget -= size
            found.append(parse_commit(commit, self.read(commit, size)))
        return tuple(found)

    def authors(self, commit: str) -> Roster:
        """Return who wrote the history of a commit, its newest part; nobody for a tree."""
        if self._kind(commit) != "commit":
            return Roster()
        cut = self.revisions.shallow
        make = partial(roster.read, self.place, commit, shallow=cut)
        return self.facts(f"authors/1/{cut}", commit, Roster, make)

    def releases(self, commit: str, limit: int) -> tuple[tuple[str, str], ...]:
        """Return (tag, commit) of versions that are in a commit's history, newest version last."""
        return self.revisions.releases(commit, limit) if self._kind(commit) == "commit" else ()

    def ledger(self, branch: str, remote: str) -> str:
        """Return the commit of the base repository's branch of releases, "" for none here."""
        return descent.tip(self.place, branch, remote)

    def baseline(self, ledger: Ledger, artifact: str, commit: str) -> Issued | None:
        """Return the release that a commit descends from, by lineage."""
        return baseline(self.place, ledger, artifact, commit)

    def ancestors(self, commits: tuple[str, ...], commit: str) -> frozenset[str]:
        """Return which of these commits are in the history of a commit, itself included."""
        return descent.ancestors(self.place, commits, commit)

    def signer(self, commit: str, allowed_signers: bytes) -> str:
        """Return the principal whose SSH key signed the commit, or "" if none is proven."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(allowed_signers)
            file.flush()
            _, output, _ = git.run(
                self.place, "-c", f"gpg.ssh.allowedSignersFile={file.name}",
                "log", "-1", "--format=%G?%x00%GS", commit,
            )  # fmt: skip
        state, _, principal = output.decode("utf-8", "replace").strip().partition("\0")
        return principal if state == "G" else ""

    def recent(self, head: str, count: int) -> tuple[Commit, ...]:
        """Return the last `count` commits up to `head`, newest first."""
        _, output, _ = git.run(self.place, "rev-list", f"--max-count={count}", head)
        ids = output.decode("ascii").split()
        small = (c for c in ids if self.size(c) <= COMMIT_LIMIT)
        return tuple(parse_commit(c, self.read(c, COMMIT_LIMIT)) for c in small)

    # Facts

    def facts(self, maker: str, blob: str, kind: type[T], make: Callable[[], T]) -> T:
        """Return `make()`, remembered by (maker, blob) between runs."""
        adapter = _adapter(cast(Hashable, kind))
        key = f"{maker}\0{blob}"
        kept = self._cache.get(key)
        if kept is not None:
            with contextlib.suppress(ValueError):
                return cast(T, adapter.validate_json(kept))
        made = make()
        if not quotes_secret(told := adapter.dump_json(made)):
            self._cache.put(key, told)
        return made


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
