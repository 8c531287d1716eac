"""A release that is out, finished by another machine than the one that made it.

Nothing is made anew: what GitHub holds as a draft is published if it is what the ledger says. A
job of GitHub Actions that is run again has none of the files that the first attempt made.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bot.releasing.getting import recorded
from bot.releasing.job import Job
from bot.releasing.steps import hub, stores
from registry.errors import Blocked
from registry.release import assets
from registry.release.assets import INDEX
from registry.release.ledger import RELEASE, Issued, Ledger
from registry.release.steps import Facts
from security.paths import SIGNATURE
from security.sign import bundle as bundles
from security.trust.single import KeyTrust
from security.verify import read_signed

if TYPE_CHECKING:
    from bot.github.released import Found
    from bot.github.releases import Releases

_HINT = (
    "run it again on the machine that began it; where that is gone, remove the draft and release "
    "the next version"
)


def finish(job: Job, issued: Issued) -> Facts | None:
    """Publish and announce what is out, return what was done; None where nothing was to do.

    Raises Blocked where the draft is not what was released, GitHubError.
    """
    ledger = job.book.ledger()
    mine = holder(ledger, issued) == job.holder
    if not hub.wanted(job):
        return {} if mine else None
    api = hub.releases()
    found = api.look(issued.tag)
    if found is None:
        raise Blocked(f"{issued.tag} is out, and GitHub has no release of it", _HINT)
    if not found.draft and not mine:
        return None
    if found.draft:
        _same(job, api, found, issued, ledger)
    stores.point(job, ledger)
    return hub.publish(job, api, found, issued)


def _same(job: Job, api: Releases, found: Found, issued: Issued, ledger: Ledger) -> None:
    """Raise Blocked unless a draft holds what was signed under the root of the ledger."""
    from bot.github.uploads import Part

    held = {asset.name: asset for asset in api.assets(found)}
    if found.commit != issued.commit or not {INDEX, SIGNATURE} <= held.keys():
        raise Blocked(f"the draft of {issued.tag} on GitHub is not whole", _HINT)
    data = api.content(held[SIGNATURE], bundles.LIMIT)
    manifest = read_signed(data, KeyTrust(job.signers[0].public)).contents.manifest
    index = assets.read(api.content(held[INDEX], assets.LIMIT))
    offered = {file.path: file.sha256 for file in index.files}
    wanted = {entry.path: entry.digest for entry in manifest.entries}
    wanted[SIGNATURE] = hashlib.sha256(data).hexdigest()
    root = recorded(ledger, issued, stores.SEALED) or issued.root
    if manifest.root != root or not wanted.items() <= offered.items():
        raise Blocked(f"the draft of {issued.tag} on GitHub is of other bytes", _HINT)
    parts = (part for file in index.files for part in file.parts)
    wrong = api.verify(found, [Part(p.name, job.staging, 0, p.size, p.sha256) for p in parts])
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise Blocked(f"the draft of {issued.tag} on GitHub lacks {wrong[0]}{more}", _HINT)


def holder(ledger: Ledger, issued: Issued) -> str:
    """Return the run that released a version."""
    for entry in reversed(ledger.entries):
        said = dict(entry.details)
        named = (entry.action, entry.artifact, said.get("version"))
        if named == (RELEASE, issued.artifact, issued.version):
            return said.get("holder", "")
    return ""
