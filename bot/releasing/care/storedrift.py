"""What of MLflow and of GitHub differs from the ledger; each is asked for its whole list once."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from bot.releasing.care import gitdrift
from bot.releasing.job import Place
from bot.releasing.ledger.beside import Beside
from bot.releasing.place import aliases
from bot.releasing.steps import hub, stores
from registry.errors import RegistryError, ReleaseError
from registry.release import assets, drift
from registry.release.assets import INDEX, SUMS
from registry.release.drift import REPAIR, Drift
from registry.release.ledger import RECORD, Issued, Ledger, document_path
from security.errors import SecurityError
from security.paths import SIGNATURE
from security.sign import bundle, statement

if TYPE_CHECKING:
    from bot.github.released import Asset, Found
    from bot.github.releases import Releases

_GONE = "upload the files again by hand (modelwarden release get), or withdraw the version"
_FOREIGN = "look whose it is; remove it there if it is nobody's"


def artifacts(there: Place, ledger: Ledger) -> tuple[str, ...]:
    """Return every artifact that was ever released here."""
    return tuple(sorted({there.artifact, *(one.artifact for one in ledger.issued)}))


def mlflow(there: Place, ledger: Ledger, *, full: bool) -> Iterator[Drift]:
    """Compare versions and aliases; with `full`, also runs and measurements. Raises StoreFailed."""
    with stores.registry(there) as registry:
        if registry is None:
            return
        for artifact in artifacts(there, ledger):
            known = registry.versions(artifact)
            wanted = aliases(ledger, artifact)
            yield from drift.registered(ledger, artifact, known, registry.aliases(artifact), wanted)
            if full:
                named = {one.version for one in known}
                with closing(gitdrift.opened(there)) as kept:
                    for one in ledger.issued:
                        if one.artifact == artifact and one.version in named:
                            yield from _runs(registry.look, kept, one)


def _runs(look: object, kept: Beside, one: Issued) -> Iterator[Drift]:
    assert callable(look)
    name = f"{one.artifact} {one.version}"
    try:
        whole = look(kept.document(one), one.root)
    except ReleaseError as error:  # something else under our name
        yield Drift("mlflow", error.message, "error", error.hint)
        return
    if whole is None:
        what = f"{name} is not whole: its run or one of its measurements is missing"
        yield Drift("mlflow", what, "error", REPAIR, ("version", name))


# GitHub


def is_asked(there: Place) -> bool:
    """Whether GitHub is asked: the policy publishes there, and there is a token."""
    return there.settings.github and bool(os.environ.get("GITHUB_TOKEN"))


def github(there: Place, ledger: Ledger, *, full: bool) -> Iterator[Drift]:
    """Compare releases with the ledger's; assets of those that are pointed at, or of all.

    Raises GitHubError, UsageError.
    """
    if not is_asked(there):
        if there.settings.github and ledger.issued:
            yield Drift("github", "GITHUB_TOKEN is not set: GitHub was not asked", "note", "set it")
        return
    api = hub.releases()
    by_tag: dict[str, list[Found]] = defaultdict(list)
    for one in api.every():
        by_tag[one.tag].append(one)
    used = {(one.artifact, one.version) for one in ledger.aliases}
    used |= {(one.artifact, one.version) for one in ledger.issued[-1:]}
    sealed = {
        (entry.artifact, said["version"])
        for entry in ledger.entries
        if entry.action == RECORD and (said := dict(entry.details))["place"] == stores.SEALED
    }
    with closing(gitdrift.opened(there)) as kept:
        for each in ledger.issued:
            key = (each.artifact, each.version)
            close = full or key in used
            signed = None if key in sealed else _signed(kept, each)
            yield from _release(api, each, by_tag[each.tag], signed, close=close, full=full)


def _release(
    api: Releases,
    issued: Issued,
    there: list[Found],
    signed: dict[str, str] | None,
    *,
    close: bool,
    full: bool,
) -> Iterator[Drift]:
    ours = sorted((one for one in there if one.commit), key=lambda one: (one.draft, one.id))
    for one in there:
        if not one.commit:
            what = f"a release of {issued.tag} is there that is not ours: {one.page}"
            yield Drift("github", what, "error", _FOREIGN)
    if not ours:
        if not there and not issued.withdrawn:
            yield Drift("github", f"there is no release of {issued.tag}", "warning", _GONE)
        return
    found, *spare = ours
    for one in spare:
        what = f"a draft of {issued.tag} too many: {one.page}"
        yield Drift("github", what, "warning", "remove it there")
    if found.commit != issued.commit:
        what = f"the release of {issued.tag} is of {found.commit[:12]}, not {issued.commit[:12]}"
        yield Drift("github", what, "error", _FOREIGN)
        return
    if issued.withdrawn or not (close or found.draft):
        return
    wrong = list(_assets(api, found, signed, full=full or found.draft))
    for what in wrong:
        yield Drift("github", f"{issued.tag}: {what}", "error", _GONE)
    if found.draft:
        what = f"the release of {issued.tag} is still a draft"
        fix = None if wrong else ("draft", f"{issued.artifact} {issued.version}")
        yield Drift("github", what, "error", _GONE if wrong else REPAIR, fix)


def _assets(
    api: Releases, found: Found, signed: dict[str, str] | None, *, full: bool
) -> Iterator[str]:
    """Yield what is wrong with the assets, held against what was signed."""
    from bot.github.uploads import Part

    held = {one.name: one for one in api.assets(found)}
    lost = [name for name in (INDEX, SUMS, SIGNATURE) if name not in held]
    if lost:
        yield f"the asset {lost[0]} is missing"
        return
    try:
        index = assets.read(api.content(held[INDEX], assets.LIMIT))
    except RegistryError as error:
        yield error.message
        return
    offered = {file.path: file.sha256 for file in index.files}
    other = sorted(path for path, sha in (signed or {}).items() if offered.get(path) != sha)
    if other:
        yield f"{len(other)} files are not what was signed, as {other[0]}"
    wanted = {part.name: (part.size, part.sha256) for _, part in index.parts}
    for name, (size, sha256) in sorted(wanted.items()):
        yield from _asset(held.get(name), name, size, sha256)
    for name in sorted(held.keys() - wanted.keys() - {INDEX, SUMS}):
        yield f"the asset {name} is none of the release's"
    if full:
        parts = [Part(n, Path(n), 0, size, sha) for n, (size, sha) in wanted.items()]
        for name in api.verify(found, [part for part in parts if part.name in held]):
            yield f"the asset {name} has other bytes"


def _asset(there: Asset | None, name: str, size: int, sha256: str) -> Iterator[str]:
    if there is None:
        yield f"the asset {name} is missing"
    elif not there.whole:
        yield f"the asset {name} was cut"
    elif there.size != size or there.sha256 not in ("", sha256):
        yield f"the asset {name} has other bytes"


def _signed(kept: Beside, issued: Issued) -> dict[str, str] | None:
    """Return the digest of each published file, None where the signature cannot be read."""
    path = document_path(issued.artifact, issued.version).removesuffix(".json") + ".sig"
    try:
        data = kept.read(path, bundle.LIMIT) or b""
        manifest = statement.read(bundle.read(data).envelope.payload).manifest
    except (RegistryError, SecurityError):
        return None  # told of as a difference of git
    found = {entry.path: entry.digest for entry in manifest.entries}
    return found | {SIGNATURE: hashlib.sha256(data).hexdigest()}
