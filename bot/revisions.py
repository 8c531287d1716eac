"""Which repository, and what a revision means in it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from bot import git
from bot.errors import RepositoryError, UsageError
from bot.gitformat import parse_person


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
        bare, shallow, git_dir = output.decode("utf-8", "surrogateescape").splitlines()
        self.git_dir = Path(git_dir)
        self.shallow = shallow == "true"
        self.worktree = None if bare == "true" else self._toplevel()

    def _toplevel(self) -> Path | None:
        status, output, _ = git.run(self.folder, "rev-parse", "--show-toplevel")
        return Path(output.decode("utf-8", "surrogateescape").rstrip("\n")) if not status else None

    def resolve(self, revision: str) -> str:
        """Return the full id of a commit, or of the empty tree. Raises RepositoryError."""
        for kind in ("commit", "tree"):
            status, output, _ = git.run(
                self.folder, "rev-parse", "--verify", "--quiet", "--end-of-options",
                f"{revision}^{{{kind}}}",
            )  # fmt: skip
            if status == 0:
                return output.decode().strip()
        if revision == self.empty_tree():
            return revision
        raise RepositoryError(f"unknown revision '{revision}'", self.how_to_fetch(revision))

    def how_to_fetch(self, revision: str) -> str:
        """Return the command that would bring a missing revision."""
        if self.shallow:
            return f"this clone is shallow; run: git fetch --unshallow origin {revision}"
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
            if (
                git.run(self.folder, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")[0]
                == 0
            ):
                return name
        raise UsageError("no branch to compare with", "pass --base REV")

    def head_or_empty(self) -> str:
        """Return the id of HEAD, or of the empty tree before the first commit."""
        status, output, _ = git.run(self.folder, "rev-parse", "--verify", "--quiet", "HEAD")
        return output.decode().strip() if status == 0 else self.empty_tree()

    def author(self) -> tuple[str, str]:
        """Return the name and address git would commit with. Raises UsageError."""
        keep = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_AUTHOR_DATE")
        status, output, error = git.run(
            self.folder, "var", "GIT_AUTHOR_IDENT", env=git.environment(keep)
        )
        if status:
            raise UsageError(f"git knows no author: {error}", "run: git config user.email YOU")
        return parse_person(output)

    def staged_tree(self) -> str:
        """Write the index as a tree and return its id. Raises RepositoryError."""
        env = git.environment(keep=("GIT_INDEX_FILE",))  # set by git while a hook runs
        status, output, error = git.run(self.folder, "write-tree", env=env)
        if status:
            raise RepositoryError(f"the index cannot be read: {error}", "resolve conflicts first")
        return output.decode().strip()


def _not_a_repository(folder: Path, error: str) -> RepositoryError:
    if "dubious ownership" in error:
        return RepositoryError(
            f"{folder} belongs to another user",
            f"if you trust it, run: git config --global --add safe.directory {folder}",
        )
    return RepositoryError(f"{folder} is not in a git repository", "pass --repo DIR")
