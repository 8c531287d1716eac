"""Which commit is the ledger now: the branch here, the branch on the remote, and what was seen.

The remote counts. The branch here only follows; what was seen before must be part of what is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot import git
from bot.releasing.ledger import objects
from bot.releasing.ledger.network import Remote
from registry.errors import ReleaseError, StoreFailed
from registry.release.details import is_tag

_LISTING = 200_000_000  # bytes of ids
_TRIES = 5  # others of this machine may move the branch at the same time
_BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,99}")


@dataclass(frozen=True, slots=True)
class Places:
    """The refs of one ledger in one repository; `remote` is None where none counts."""

    folder: Path
    branch: str
    remote: Remote | None

    def __post_init__(self) -> None:
        if not (_BRANCH.fullmatch(self.branch) and is_tag(self.branch.lstrip("_"))):
            raise ReleaseError(f"{self.branch!a:.80} is no name of a branch", "name it as git does")

    @property
    def local(self) -> str:
        """The branch here."""
        return f"refs/heads/{self.branch}"

    @property
    def seen(self) -> str:
        """The last commit that was the ledger."""
        return f"refs/modelwarden/seen/{self.branch}"

    @property
    def tracked(self) -> str:
        """What `git fetch` and `git clone` left of the remote's branch, "" without a remote."""
        return f"refs/remotes/{self.remote.name}/{self.branch}" if self.remote else ""

    def known(self) -> str:
        """Return the ledger's commit as far as it is known here, "" for none."""
        names = [self.local, self.tracked, self.seen]
        found = objects.refs(self.folder, *filter(None, names))
        return next((found[name][1] for name in names if name in found), "")

    def asked(self, tags: Iterable[str] = ()) -> tuple[str, dict[str, str], str]:
        """Return the ledger's commit, which commits these tags name there, and what was seen.

        The commit is brought here; what was seen is the ledger's commit before that.

        Raises ReleaseError where its history is not what it was, StoreFailed.
        """
        here = objects.refs(self.folder, self.local, self.seen)
        local, seen = (here.get(name, ("", ""))[1] for name in (self.local, self.seen))
        there, named = local, dict[str, str]()
        if self.remote is not None:
            patterns = [f"refs/tags/{tag}{end}" for tag in tags for end in ("", "^{}")]
            listed = self.remote.listed(self.local, *patterns)
            there, named = listed.get(self.local, ""), peeled(listed)
            if there and there != seen:
                self._bring(self.remote, there, seen)
        self._judge(local, seen, there)
        return there, named, seen

    def named(self, tags: Iterable[str]) -> dict[str, str]:
        """Return which commits these tags name on the remote. Raises StoreFailed."""
        patterns = [f"refs/tags/{tag}{end}" for tag in tags for end in ("", "^{}")]
        return peeled(self.remote.listed(*patterns)) if self.remote and patterns else {}

    def follow(self, there: str) -> None:
        """Let the branch here, and what was seen, be this commit or one after it.

        Raises ReleaseError where it is checked out, StoreFailed.
        """
        for _ in range(_TRIES):
            here = objects.refs(self.folder, self.local, self.seen)
            old = {name: here.get(name, ("", ""))[1] for name in (self.local, self.seen)}
            late = [(name, there, was) for name, was in old.items() if not self.within(there, was)]
            if not late:
                return
            self.refuse_checked_out()
            why = objects.move(self.folder, late)
            if not why:
                return
        raise StoreFailed(
            f"the branch {self.branch} cannot be moved: {why}",
            "if no git runs here, remove the lock that it names; then run it again",
        )

    def _judge(self, local: str, seen: str, there: str) -> None:
        where = f"the branch {self.branch}"
        name = self.remote.name if self.remote else "this repository"
        if seen and not self.within(seen, there):
            what = "is gone from" if not there else "was written anew on"
            raise ReleaseError(
                f"{where} {what} {name}: {seen[:12]}, which was seen there, is not part of it",
                f"ask who did it, and push {seen[:12]} back; if it is right as it is now: "
                f"git update-ref -d {self.seen} && git update-ref -d {self.local}",
            )
        if local and not self.within(local, there):
            ahead = not there or self.within(there, local)
            what = "has entries here that are not on" if ahead else "has parted here from that on"
            raise ReleaseError(
                f"{where} {what} {name}: {local[:12]} is not part of it",
                f"push it if its entries are right: git push {name} {self.branch}"
                if ahead
                else f"keep it under another name: git branch -m {self.branch} other",
            )

    def _bring(self, remote: Remote, commit: str, seen: str) -> None:
        if git.run(self.folder, "cat-file", "-e", f"{commit}^{{commit}}")[0]:
            remote.fetch([self.local])
        promised = r"^remote\..*\.promisor$"
        if git.run(self.folder, "config", "--get-regexp", promised)[0]:
            return
        # A partial clone may have the commit, from a clone or fetch by hand, without its files.
        words = ("rev-list", "--objects", "--no-object-names", "--missing=print", commit)
        without = (f"^{seen}",) if seen else ()
        status, output, _ = git.run(self.folder, *words, *without, limit=_LISTING)
        if status or b"?" in output:
            remote.fetch([self.local], "--refetch")

    def within(self, old: str, new: str) -> bool:
        """Whether the commit `old` is `new`, or before it in its history."""
        if old == new or not old or not new:
            return old == new
        status, _, error = git.run(self.folder, "merge-base", "--is-ancestor", old, new)
        if status > 1:
            raise ReleaseError(f"{old[:12]} and {new[:12]} cannot be compared: {error}", _FSCK)
        return status == 0

    def refuse_checked_out(self) -> None:
        """Raise ReleaseError where somebody's files are those of the branch."""
        words = ("for-each-ref", "--format=%(worktreepath)", self.local)
        status, output, _ = git.run(self.folder, *words)
        place = output.decode("utf-8", "replace").strip()
        if not status and place and (Path(place) / ".git").exists():
            what = f"the branch {self.branch} is checked out in {place}"
            raise ReleaseError(what, "check out another branch there: it is written by modelwarden")


_FSCK = "run: git fsck, git fetch --refetch"


def peeled(listed: Mapping[str, str]) -> dict[str, str]:
    """Return tags by name, and the commits that they lead to."""
    return {
        name.removeprefix("refs/tags/"): listed.get(f"{name}^{{}}", made)
        for name, made in listed.items()
        if name.startswith("refs/tags/") and not name.endswith("^{}")
    }
