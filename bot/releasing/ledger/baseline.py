"""The release that a commit descends from: by lineage, never by name or date."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from bot import git
from bot.errors import CouldNotTell, Missing, RepositoryError
from bot.revisions import Revisions
from registry.release.ledger import Issued, Ledger
from security.trust.releases import rank

MAX_COMMITS = 5_000_000  # commits that are looked at


def baseline(folder: Path, ledger: Ledger, artifact: str, commit: str) -> Issued | None:
    """Return the last release of an artifact in a commit's history, itself included.

    Withdrawn ones do not count. Of those that no other such release descends from, the one with
    the highest version; None where there is none. Raises Missing, and RepositoryError where a
    shallow clone hides what may hold one.
    """
    released: dict[str, Issued] = {}
    for one in ledger.issued:
        if one.artifact == artifact and not one.withdrawn:
            there = released.get(one.commit)
            if there is None or rank(one.version) > rank(there.version):
                released[one.commit] = one
    if not released:
        return None
    revisions = Revisions(folder)
    cut = _cut(revisions)
    last = _last(folder, revisions, commit, released, cut)
    return max(last, key=lambda one: rank(one.version), default=None)


def _last(
    folder: Path,
    revisions: Revisions,
    commit: str,
    released: dict[str, Issued],
    cut: frozenset[str],
) -> list[Issued]:
    """Walk back until all that is left lies behind a release; return those releases."""
    if git.run(folder, "cat-file", "-e", f"{commit}^{{commit}}")[0]:
        raise Missing(f"commit {commit[:12]} is not here", revisions.how_to_fetch(commit))
    found: list[Issued] = []
    behind = {commit: False}  # commits to come, and whether a release descends from them
    left = 1  # those from which none does
    words = ("rev-list", "--topo-order", "--parents", commit)
    with closing(git.lines(folder, *words)) as lines:  # children come before their parents
        for number, line in enumerate(lines):
            if number >= MAX_COMMITS:
                what = f"more than {MAX_COMMITS:,} commits of history"
                raise CouldNotTell(what, "release from a younger commit")
            name, *parents = line.decode("ascii").split()
            covered = behind.pop(name)
            left -= not covered
            if not covered and name in released:
                found.append(released[name])
                covered = True
            if not covered and name in cut:
                what = f"the parents of {name[:12]} are not in this shallow clone"
                raise RepositoryError(what, "run: git fetch --unshallow origin")
            for parent in parents:
                was = behind.get(parent)
                left += (was is None and not covered) - (was is False and covered)
                behind[parent] = covered or was is True
            if not left:
                break
    return found


def _cut(revisions: Revisions) -> frozenset[str]:
    """Return the commits whose parents a shallow clone lacks."""
    if not revisions.shallow:
        return frozenset()
    return frozenset((revisions.git_dir / "shallow").read_text("ascii").split())
