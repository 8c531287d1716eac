"""A policy that says that the releases are kept somewhere else, where fewer of them are.

Who may release is what the policy of the last release says. A commit that named another branch
or remote for the ledger would have no last release, and be judged by its own words.
"""

from __future__ import annotations

from bot import git
from bot.errors import PolicyError
from bot.releasing.ledger.book import GitBook
from bot.releasing.place import POLICY, settings_at
from bot.releasing.settings import Settings
from bot.repository import GitWorld
from registry.errors import Blocked
from registry.release.ledger import Ledger

MOST = 1_000  # changes of the policy that are looked at


def refuse(world: GitWorld, commit: str, settings: Settings, ledger: Ledger) -> None:
    """Raise Blocked where the ledger that an earlier policy named has releases that this lacks."""
    words = ("rev-list", f"--max-count={MOST}", commit, "--", POLICY)
    _, output, _ = git.run(world.place, *words)
    remotes = world.revisions.remotes()
    here = (settings.branch, settings.remote if remotes else "")
    known = {(one.artifact, one.version, one.root) for one in ledger.issued}
    seen = {here}
    for name in output.decode("ascii").split():
        try:
            then = settings_at(world, name)
        except PolicyError:
            continue  # nothing was released by it
        at = (then.branch, then.remote if remotes else "")
        if at in seen or (at[1] and at[1] not in remotes):
            continue
        seen.add(at)
        before = GitBook(world.place, *at).ledger()
        lost = [one for one in before.issued if (one.artifact, one.version, one.root) not in known]
        if lost:
            where = " of ".join(filter(None, at))
            raise Blocked(
                f"the policy at {commit[:12]} keeps releases on {' of '.join(filter(None, here))}, "
                f"which lacks {lost[-1].artifact} {lost[-1].version} of {where}",
                "name that ledger again as release.branch and release.remote; or push it whole "
                "to where it is to be",
            )
