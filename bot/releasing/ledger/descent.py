"""What a clone or a mirror knows of the ledger and of descent: git alone, without network."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from bot import git

MOST = 1_000  # commits that one question is about
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._/-]{0,99})")


def tip(folder: Path, branch: str, remote: str) -> str:
    """Return the commit of the base repository's branch of releases, "" where none is here.

    That is what the remote has, as it was fetched last. A branch that is here alone counts only
    where there is no such remote, as in a mirror: in a clone it may come from anybody's fork.
    """
    if not (_NAME.fullmatch(branch) and (not remote or _NAME.fullmatch(remote))):
        return ""
    known = not git.run(folder, "config", "--get", f"remote.{remote}.url")[0] if remote else False
    name = f"refs/remotes/{remote}/{branch}" if known else f"refs/heads/{branch}"
    status, output, _ = git.run(folder, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    return "" if status else output.decode("ascii").strip()


def ancestors(folder: Path, commits: Iterable[str], commit: str) -> frozenset[str]:
    """Return which of these commits are in the history of a commit, itself included.

    At most the first MOST are looked at; one that is not in the repository is not.
    """
    asked = list(dict.fromkeys(commits))[:MOST]
    batch = git.Batch(folder, "--batch-check")
    try:
        here = [name for name in asked if batch.ask(name, content=False) is not None]
    finally:
        batch.close()
    left = set(here)
    if not left:
        return frozenset()
    # What is reachable from them and not from the commit: of an ancestor, nothing.
    with closing(git.lines(folder, "rev-list", *here, f"^{commit}", "--")) as lines:
        for line in lines:
            left.discard(line.decode("ascii").strip())
    return frozenset(left)
