"""What of git differs from the ledger: tags, commits, what is kept beside the log, open runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot import git
from bot.releasing.care import journals
from bot.releasing.job import Place
from bot.releasing.ledger import tagging
from bot.releasing.ledger.beside import Beside, beside
from bot.releasing.ledger.tagging import Moved
from bot.releasing.place import trust_at
from bot.releasing.steps import stores
from registry.errors import Lost, RegistryError, StoreFailed
from registry.release import deploy, drift, journal
from registry.release.drift import REPAIR, Drift
from registry.release.ledger import RECORD, Issued, Ledger, document_path
from security.errors import SecurityError
from security.sign import bundle, statement

if TYPE_CHECKING:
    from security.trust.trustfile import TrustFile

BESIDE = (".json", ".sig", ".intoto.jsonl", ".card.md")


def remote_of(there: Place) -> str:
    """Return the git remote that counts, "" where none does."""
    return there.settings.remote if there.world.revisions.remotes() else ""


def opened(there: Place) -> Beside:
    """Open what is kept beside the ledger that was read last. Raises ReleaseError."""
    return beside(there.world.place, there.world.ledger(there.settings.branch, remote_of(there)))


def tags(there: Place, ledger: Ledger, *, online: bool) -> Iterator[Drift]:
    """Compare the tags of versions and of moves, here and on the remote. Raises StoreFailed."""
    place = there.world.place
    moved = there.book.moved(ledger) if online else tagging.moved(place, None, ledger)
    elsewhere = {one.tag for one in moved if one.found}
    here = tagging.present(place, {one.commit for one in moved})
    for one in moved:
        yield _tag(one, makeable=one.tag not in elsewhere and one.commit in here)


def _tag(one: Moved, *, makeable: bool) -> Drift:
    where = f"on {one.where}" if one.where else "here"
    if one.found:
        return Drift(
            "git", f"the tag {one.tag} is at {one.found[:12]} {where}, not at {one.commit[:12]}",
            "error", "find out who moved it; nobody but you should: git tag -d, git push --delete, "
            f"then {REPAIR}",
        )  # fmt: skip
    what = f"the tag {one.tag} is missing {where}"
    if makeable:
        return Drift("git", what, "error", REPAIR, ("tag", one.tag))
    return Drift("git", what, "error", f"fetch {one.commit[:12]} or put the other tag right first")


def commits(there: Place, ledger: Ledger) -> Iterator[Drift]:
    """Name releases whose commit is gone, or on no branch any more."""
    place, wanted = there.world.place, {one.commit: one for one in ledger.issued}
    known = tagging.present(place, wanted)
    shallow = there.world.revisions.shallow
    for commit, one in wanted.items():
        if commit not in known:
            severity: drift.Severity = "note" if shallow else "error"
            what = f"commit {commit[:12]} of {one.artifact} {one.version} is not here"
            yield Drift("git", what, severity, "run: git fetch --tags --unshallow, or push it back")
    if shallow or not known:
        return
    asked = "".join(f"{one}\n" for one in sorted(known))
    words = ("rev-list", "--stdin", "--not", "--branches", "--remotes")
    status, output, error = git.run(place, *words, limit=100_000_000, asked=asked.encode())
    if status:
        raise StoreFailed(f"the history cannot be read: {error}", "run: git fsck")
    lost = set(output.decode("ascii", "replace").split())
    for commit in sorted(lost & wanted.keys()):
        one = wanted[commit]
        what = f"commit {commit[:12]} of {one.artifact} {one.version} is on no branch any more"
        hint = f"if its branch was rewritten, keep it: git branch kept-{one.version} {commit[:12]}"
        yield Drift("git", what, "warning", hint)


def files(there: Place, ledger: Ledger, *, full: bool) -> Iterator[Drift]:
    """Compare documents, signatures and deployment pointers beside the log. Raises ReleaseError."""
    sealed = {
        (entry.artifact, said["version"]): said["id"]
        for entry in ledger.entries
        if entry.action == RECORD and (said := dict(entry.details))["place"] == stores.SEALED
    }
    trust = trust_at(there.world, there.commit) if full else None
    with closing(opened(there)) as kept:
        for one in ledger.issued:
            roots = {one.root, sealed.get((one.artifact, one.version), one.root)}
            base = document_path(one.artifact, one.version).removesuffix(".json")
            for end in BESIDE:
                why = _wrong(kept, one, base + end, roots, trust)
                if why:
                    yield Drift("git", why, "error", REPAIR, ("file", base + end))
        yield from _pointers(kept, ledger)


def _wrong(kept: Beside, one: Issued, path: str, roots: set[str], trust: TrustFile | None) -> str:
    """Return what is wrong with a file beside the log, "" for nothing."""
    try:
        if path.endswith(".json"):
            kept.proven(one)
        elif path.endswith(".sig"):
            data = kept.read(path, bundle.LIMIT)
            if data is None:
                return f"{path} beside the ledger is missing"
            return signature(data, roots, one.artifact, trust, path)
        elif path not in kept.paths:
            return f"{path} beside the ledger is missing"
    except RegistryError as error:
        return error.message
    return ""


def signature(
    data: bytes, roots: set[str], artifact: str, trust: TrustFile | None, path: str
) -> str:
    """Return what is wrong with a signature: another root or, with `trust`, nobody trusted."""
    try:
        found = statement.read(bundle.read(data).envelope.payload).manifest.root
        if found not in roots:
            return f"{path} beside the ledger signs the root {found[:12]}"
        if trust is not None:
            from security.verify import read_signed

            read_signed(data, trust, artifact=artifact)
    except SecurityError as error:
        return f"{path} beside the ledger: {error.message}"
    return ""


def _pointers(kept: Beside, ledger: Ledger) -> Iterator[Drift]:
    wanted = deploy.pointers(Ledger((), (), (), ()), ledger)
    there = {path for path in kept.paths if path.startswith("deploy/")}
    for path in sorted(there | wanted.keys()):
        if (kept.read(path, deploy.LIMIT) if path in there else None) != wanted.get(path):
            what = "is missing" if path not in there else "is not what the alias points at"
            yield Drift("git", f"{path} {what}", "error", REPAIR, ("file", path))


# Releases that are not out


def runs(there: Place, ledger: Ledger) -> Iterator[Drift]:
    """Name claims older than a day, and runs of this machine that nobody works on. Raises
    ReleaseError."""
    yield from drift.claims(ledger, datetime.now(UTC))
    out = {(one.artifact, one.version): one for one in ledger.issued}
    for one in journals.found(there.world.git_dir):
        if journals.at_work(one):
            continue
        name = f"{one.artifact} {one.version}"
        issued = out.get((one.artifact, one.version))
        if issued is not None and issued.commit == one.commit:
            what = f"the staging folder of {name}, which is out, was left: {one.folder.name}"
            hint = f"modelwarden release run --commit {one.commit[:12]} says the rest; or {REPAIR}"
            yield Drift("here", what, "warning", hint, ("folder", str(one.folder)))
        else:
            yield Drift(
                "here", f"a release of {name} was begun and nobody works on it", "warning",
                f"go on: modelwarden release run --commit {one.commit[:12]}; "
                f"or take it back: modelwarden release rollback {one.version} --reason TEXT",
            )  # fmt: skip


def remove(folder: str, there: Place) -> bool:
    """Remove the staging folder of a release that is out, unless somebody works on it."""
    for one in journals.found(there.world.git_dir):
        if str(one.folder) == folder:
            story = journal.read(one.folder)
            if story is None:
                continue
            try:
                with journal.opened(one.folder, story.bound):
                    journal.forget(one.folder)
            except Lost:
                return False
            return True
    return False
