"""Stores brought in line with the ledger. Each mend looks again before it acts, and may be redone.

What somebody else may have made is never moved or removed: a tag that is elsewhere, a version of
other digests, a release on GitHub that is not ours.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from bot import git
from bot.keys.trail import Trail
from bot.releasing.care import dvcdrift, gitdrift
from bot.releasing.job import RELEASE_JSON, Place
from bot.releasing.ledger import objects, tagging
from bot.releasing.ledger.network import Remote
from bot.releasing.ledger.sync import peeled
from bot.releasing.place import aliases
from bot.releasing.steps import hub, stores
from bot.wording import plural
from registry.errors import ReleaseError, StoreFailed
from registry.release import deploy, log, values
from registry.release.drift import Drift
from registry.release.graph import as_svg
from registry.release.ledger import Issued, Ledger, document_path
from registry.release.lineage import lineage
from registry.release.values import Release
from security import storing
from security.paths import ATTESTATIONS, SIGNATURE
from security.trust.releases import rank

Tell = Callable[[str], None]


def mend(there: Place, ledger: Ledger, found: Iterable[Drift], tell: Tell) -> int:
    """Do what can be done about differences; return how many were tried, logging each kind.

    Raises what a store that fails raises; what was mended until then stays so.
    """
    by_kind: dict[str, list[str]] = defaultdict(list)
    for one in found:
        if one.repair is not None and one.repair[1] not in by_kind[one.repair[0]]:
            by_kind[one.repair[0]].append(one.repair[1])
    count = 0
    for kind, work in _WORK.items():
        if names := by_kind.get(kind):
            with Trail(None).doing("doctor", there.artifact) as entry:
                entry.details |= {"repaired": kind, "count": str(len(names)), "first": names[0]}
                tell(f"repairing: {plural(len(names), kind)}")
                work(there, ledger, names, tell)
            count += len(names)
    return count


def _tags(there: Place, ledger: Ledger, names: Sequence[str], tell: Tell) -> None:
    """Make tags again; the remote's own comes first, so that both have one object."""
    folder, name = there.world.place, gitdrift.remote_of(there)
    remote = Remote(folder, name) if name else None
    if remote is not None:
        tagging.bring(folder, remote, ledger)
    wanted = [tag for tag in log.tags(ledger) if tag.name in names]
    held = peeled(remote.listed("refs/tags/*")) if remote else {}
    made = tagging.make(folder, wanted, held, name)
    if remote is not None and made.there:
        why = remote.push([(object_, ref, "") for ref, object_ in made.there])
        if why:
            raise StoreFailed(f"the remote {name} does not take the tags: {why}", _RIGHTS)
    why = objects.move(folder, [(ref, object_, "") for ref, object_ in made.here])
    if made.here and why:
        raise StoreFailed(f"the tags cannot be written: {why}", "see whether a git runs here")


_RIGHTS = "whoever repairs must be allowed to push tags there"


def _files(there: Place, ledger: Ledger, paths: Sequence[str], tell: Tell) -> None:
    """Put files back beside the log: pointers from the ledger, others from the branch's past."""
    files: dict[str, bytes | None] = {}
    pointers = deploy.pointers(Ledger((), (), (), ()), ledger)
    issued = {document_path(o.artifact, o.version).removesuffix(".json"): o for o in ledger.issued}
    for path in paths:
        if path.startswith("deploy/"):
            files[path] = pointers.get(path)
            continue
        end = next(end for end in gitdrift.BESIDE if path.endswith(end))
        data = _past(there, path, issued[path.removesuffix(end)])
        if data is None:
            tell(f"{path}: no commit of the branch has it as it should be")
        else:
            files[path] = data
    if files:
        there.book.append((), files, expect=ledger.head)


def _past(there: Place, path: str, issued: Issued) -> bytes | None:
    """Return a file as the branch had it last when it was right, None where it never was."""
    tip = there.world.ledger(there.settings.branch, gitdrift.remote_of(there))
    status, output, error = git.run(there.world.place, "rev-list", tip, "--", path)
    if status:
        raise ReleaseError(f"the past of {path} cannot be read: {error}", "run: git fsck")
    for commit in output.decode("ascii", "replace").split():
        status, data, _ = git.run(
            there.world.place, "cat-file", "blob", f"{commit}:{path}", limit=values.LIMIT
        )
        if not status and _right(data, path, issued):
            return data
    return None


def _right(data: bytes, path: str, issued: Issued) -> bool:
    if path.endswith(".json"):
        return hashlib.sha256(data).hexdigest() == issued.document
    if path.endswith(".sig"):
        return not gitdrift.signature(data, {issued.root}, issued.artifact, None, path)
    return True


def _objects(there: Place, ledger: Ledger, ids: Sequence[str], tell: Tell) -> None:
    with tempfile.TemporaryDirectory(prefix="modelwarden-doctor-") as scratch:
        for store in dvcdrift.found(there, ledger, Path(scratch)):
            mine = [id_ for id_ in ids if id_ in store.needed]
            if store.config is not None and mine:
                sent = dvcdrift.put(store, mine)
                tell(f"{store.name}: {plural(sent, 'object')} sent")


# MLflow


def _versions(there: Place, ledger: Ledger, names: Sequence[str], tell: Tell) -> None:
    issued = {f"{one.artifact} {one.version}": one for one in ledger.issued}
    with stores.registry(there) as registry, closing(gitdrift.opened(there)) as kept:
        for name in names:
            one = issued[name]
            base = document_path(one.artifact, one.version).removesuffix(".json")
            with tempfile.TemporaryDirectory(prefix="modelwarden-doctor-") as staged:
                document = kept.document(one)
                files = {
                    "README.md": kept.read(f"{base}.card.md", values.LIMIT),
                    SIGNATURE: kept.read(f"{base}.sig", values.LIMIT),
                    ATTESTATIONS: kept.read(f"{base}.intoto.jsonl", values.LIMIT),
                }
                _rebuild(Path(staged), document, files)
                if registry is not None:
                    registry.record(document, one.root, Path(staged), tell)
            if registry is not None and one.withdrawn:
                registry.withdraw(one.artifact, one.version, one.withdrawn)


def _rebuild(staged: Path, document: Release, files: dict[str, bytes | None]) -> None:
    """Write what MLflow shows of a release, as far as the ledger has it or it follows from it."""
    records = {"records": [asdict(one) for one in document.measurements]}
    made = {
        RELEASE_JSON: values.dump(document),
        "release/measurements.json": json.dumps(records, indent=1, sort_keys=True).encode() + b"\n",
        "release/lineage.svg": as_svg(lineage(document)).encode(),
        **{path: data for path, data in files.items() if data is not None},
    }
    (staged / "release").mkdir()
    for path, data in made.items():
        storing.write(staged / path, data)


def _withdrawn(there: Place, ledger: Ledger, names: Sequence[str], tell: Tell) -> None:
    with stores.registry(there) as registry:
        for one in ledger.issued:
            if registry is not None and f"{one.artifact} {one.version}" in names:
                registry.withdraw(one.artifact, one.version, one.withdrawn)


def _aliases(there: Place, ledger: Ledger, names: Sequence[str], tell: Tell) -> None:
    with stores.registry(there) as registry:
        for artifact in names:
            if registry is not None:
                registry.point(artifact, aliases(ledger, artifact))


# GitHub, and what was left here


def _drafts(there: Place, ledger: Ledger, names: Sequence[str], tell: Tell) -> None:
    api = hub.releases()
    for one in ledger.issued:
        if f"{one.artifact} {one.version}" in names and (found := api.look(one.tag)) is not None:
            others = [o for o in ledger.issued if o.artifact == one.artifact and not o.withdrawn]
            newest = all(rank(o.version) <= rank(one.version) for o in others)
            tell(f"published: {api.publish(found, latest=newest).page}")


def _folders(there: Place, ledger: Ledger, names: Sequence[str], tell: Tell) -> None:
    for name in names:
        if not gitdrift.remove(name, there):
            tell(f"{Path(name).name}: somebody works on it")


# In this order: what is derived comes after what it is derived from, aliases after versions.
_WORK: dict[str, Callable[[Place, Ledger, Sequence[str], Tell], None]] = {
    "tag": _tags,
    "file": _files,
    "object": _objects,
    "version": _versions,
    "withdrawn": _withdrawn,
    "alias": _aliases,
    "draft": _drafts,
    "folder": _folders,
}
