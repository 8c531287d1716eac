"""Which repository, and what a revision means in it."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from packaging.version import InvalidVersion, Version

from bot import git
from bot.errors import RepositoryError, UsageError
from bot.gitformat import parse_person

_FETCHABLE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")  # HEAD~3 is no name to fetch by
# A date without a dot is no version.
_VERSION = re.compile(r"(?:[vV][0-9]|[0-9]{1,9}\.)[0-9A-Za-z.+_-]{0,60}")
_TAGS = ("refs/tags/[vV][0-9]*", "refs/tags/[0-9]*")
MAX_TAGS = 5_000  # the latest are looked at
MAX_TAG = 1_000  # bytes of one line about a tag


class Revisions:
    """One repository's names for commits and trees. Raises RepositoryError where there is none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        status, output, error = git.run(
            folder, "rev-parse", "--is-bare-repository", "--is-shallow-repository",
            "--path-format=absolute", "--git-common-dir",
        )  # fmt: skip
        if status != 0:
            raise _not_a_repository(folder, error)
        text = output.decode("utf-8", "surrogateescape").removesuffix("\n")
        bare, shallow, git_dir = text.split("\n", 2)  # a folder's name may hold line ends
        self.git_dir = Path(git_dir)
        self.shallow = shallow == "true"
        self.worktree = None if bare == "true" else self._toplevel()

    def _toplevel(self) -> Path | None:
        status, output, _ = git.run(self.folder, "rev-parse", "--show-toplevel")
        name = output.decode("utf-8", "surrogateescape").removesuffix("\n")
        return Path(name) if not status else None

    def resolve(self, revision: str) -> str:
        """Return the full id of a commit, or of the empty tree. Raises RepositoryError."""
        for kind in ("commit", "tree"):
            status, output, _ = git.run(
                self.folder, "rev-parse", "--verify", "--quiet", "--end-of-options",
                f"{revision}^{{{kind}}}",
            )  # fmt: skip
            if status == 0 and not output.startswith(b"^"):
                return output.decode().strip()
        if revision == self.empty_tree():
            return revision
        raise self._unknown(revision)

    def _unknown(self, revision: str) -> RepositoryError:
        start, dots, end = revision.partition("..")
        if dots:
            end = end.removeprefix(".") or "HEAD"
            return RepositoryError(
                f"'{revision}' is a range, not one revision",
                f"pass --base {start or 'HEAD'} --head {end}",
            )
        if not git.run(self.folder, "cat-file", "-e", "--end-of-options", revision)[0]:
            return RepositoryError(f"'{revision}' is not a commit", "pass a branch, tag or id")
        if revision == "HEAD":
            return RepositoryError("there is no commit yet", "commit first, or pass --staged")
        return RepositoryError(f"unknown revision '{revision}'", self.how_to_fetch(revision))

    def _is(self, kind: str, revision: str) -> bool:
        return not git.run(
            self.folder, "rev-parse", "--verify", "--quiet", "--end-of-options",
            f"{revision}^{{{kind}}}",
        )[0]  # fmt: skip

    def how_to_fetch(self, revision: str) -> str:
        """Return the command that would bring a missing revision."""
        if self.shallow:
            name = f" {revision}" if _FETCHABLE.fullmatch(revision) else ""
            return f"this clone is shallow; run: git fetch --unshallow origin{name}"
        return "list branches with: git branch --all, or fetch it with: git fetch origin"

    @lru_cache(maxsize=1)  # noqa: B019 - one world lives as long as one run
    def empty_tree(self) -> str:
        """Return the id of the empty tree in this repository's object format."""
        status, output, error = git.run(self.folder, "hash-object", "-t", "tree", "/dev/null")
        if status:
            raise RepositoryError(error, "run: git fsck")
        return output.decode().strip()

    def default_base(self) -> str:
        """Return the branch changes are usually made against. Raises UsageError."""
        for name in ("origin/HEAD", "origin/main", "origin/master", "main", "master"):
            if self._is("commit", name):
                return name
        if not self._is("commit", "HEAD"):
            raise self._unknown("HEAD")
        raise UsageError("no branch to compare with", "pass --base REV")

    def head_or_empty(self) -> str:
        """Return the id of HEAD, or of the empty tree before the first commit."""
        status, output, _ = git.run(self.folder, "rev-parse", "--verify", "--quiet", "HEAD")
        return output.decode().strip() if status == 0 else self.empty_tree()

    def releases(self, commit: str, limit: int) -> tuple[tuple[str, str], ...]:
        """Return (tag, commit) of the newest versions in a commit's history, the newest last.

        Of several tags on one commit the newest version counts. Raises RepositoryError, TooLarge.
        """
        status, output, error = git.run(
            self.folder, "for-each-ref", f"--merged={commit}", "--sort=-creatordate",
            f"--count={MAX_TAGS}",
            "--format=%(objectname) %(*objectname) %(*objecttype) %(refname:strip=2)",
            *_TAGS, limit=MAX_TAGS * MAX_TAG,
        )  # fmt: skip
        if status:
            raise RepositoryError(f"the tags cannot be listed: {error}", "run: git fsck")
        found: dict[tuple[str, str], tuple[Version, str]] = {}
        for line in output.decode("ascii", "replace").splitlines():
            light, target, kind, name = line.split(" ", 3)
            version = _version(name)
            if version is not None:
                key = (target or light, kind)
                found[key] = max(found.get(key, (version, name)), (version, name))
        newest = sorted((*at, *key) for key, at in found.items())[-limit:] if limit > 0 else []
        # Git before 2.45 looks through one tag only: it may have found another.
        return tuple(
            (name, self.resolve(id_) if kind == "tag" else id_) for _, name, id_, kind in newest
        )

    def author(self) -> tuple[str, str]:
        """Return the name and address git would commit with. Raises UsageError."""
        keep = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE")
        status, output, error = git.run(
            self.folder, "var", "GIT_AUTHOR_IDENT", env=git.environment(keep)
        )
        if status:
            raise UsageError(f"git knows no author: {error}", "run: git config user.email YOU")
        return parse_person(output)

    def remotes(self) -> tuple[str, ...]:
        """Return the names of all remotes."""
        return tuple(git.run(self.folder, "remote")[1].decode("utf-8", "replace").split())

    def remote_url(self, name: str) -> str:
        """Return the address of a remote as it is configured, "" where there is none."""
        if not name:
            return ""
        status, output, _ = git.run(self.folder, "config", "--get", f"remote.{name}.url")
        return "" if status else output.decode("utf-8", "replace").strip()

    def comment_mark(self) -> str:
        """Return what git starts its own lines of a message with; '#' where it is not set."""
        status, output, _ = git.run(self.folder, "config", "--get", "core.commentChar")
        mark = "" if status else output.decode("utf-8", "replace").strip()
        return mark if mark and mark != "auto" else "#"

    def merging(self) -> bool:
        """Whether a merge waits to be committed, in this worktree."""
        return self._is("commit", "MERGE_HEAD")

    def staged_tree(self) -> str:
        """Write the index as a tree and return its id. Raises RepositoryError."""
        env = git.environment(keep=("GIT_INDEX_FILE",))  # set by git while a hook runs
        status, output, error = git.run(self.folder, "write-tree", env=env)
        if status:
            raise RepositoryError(
                f"the index cannot be written as a tree: {error}",
                "resolve conflicts first; the repository must not be read-only",
            )
        return output.decode().strip()


def _version(name: str) -> Version | None:
    """Return the version that a tag names: "v1.2.3", "1.2", "v2.0.0-rc1"."""
    if not _VERSION.fullmatch(name):
        return None
    try:
        return Version(name)
    except InvalidVersion:
        return None


def _not_a_repository(folder: Path, error: str) -> RepositoryError:
    if "dubious ownership" in error:
        return RepositoryError(
            f"{folder} belongs to another user",
            f"if you trust it, run: git config --global --add safe.directory {folder}",
        )
    if error and "not a git repository" not in error:
        return RepositoryError(
            f"git cannot read {folder}: {error}", "correct it, or pass --repo DIR"
        )
    return RepositoryError(f"{folder} is not in a git repository", "pass --repo DIR")
