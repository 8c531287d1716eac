"""Trust: who may release is changed by those who may change it, and signatures are theirs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.change import Change, TreeEntry
from bot.check import Section
from bot.errors import TooLarge
from bot.exhibit import Exhibit
from bot.finding import Finding, Level, Location, Rule
from bot.wording import plural
from bot.world import World
from security.errors import SecurityError
from security.paths import ATTESTATIONS, SIGNATURE
from security.trust import loading, rotation
from security.trust.tables import LIMIT
from security.trust.trustfile import PLACE, TrustFile

NAME = "trust"
VERSION = 1
SIGNATURES = f"{PLACE}.sig"
BUNDLE_LIMIT = 20_000_000  # bytes of a signature that is read in a change

UNSIGNED = Rule(
    "trust/unsigned",
    Level.FAILURE,
    "The trust file changes, and those who may change it did not sign the new one.",
    "Whoever can edit the trust file decides who may release: two people, not one merge.",
    "Each of them: modelwarden keys endorse .github/trust.toml --key KEY; commit the .sig file.",
)
REMOVED = Rule(
    "trust/removed",
    Level.FAILURE,
    "The trust file is removed.",
    "Without it, nobody can tell whose signature counts, and old versions are taken for new.",
    "Keep it; a project that ends lets it expire.",
)
MALFORMED = Rule(
    "trust/malformed",
    Level.FAILURE,
    "The trust file cannot be used as it stands.",
    "A trust file that is not understood lets nobody release, or worse, means something else.",
    "Correct what is named; docs/formats/trust.md has the grammar.",
)
FIRST = Rule(
    "trust/first",
    Level.WARNING,
    "This is the first trust file: nobody vouches for it but who reviews it.",
    "From here on, only those it names can change it.",
    "Compare each key with its owner by another way, then merge.",
)
SIGNER = Rule(
    "trust/signer",
    Level.FAILURE,
    "A model's signature is not by those whom the trust file at the base wants.",
    "People who verify the release by that trust file would refuse it.",
    "Have it signed by enough of the people named: modelwarden keys sign MODEL --key KEY --add.",
)
STALE = Rule(
    "trust/stale",
    Level.WARNING,
    "Files of a signed model change, and its signature does not.",
    "Whoever verifies the model after this change is told that it was tampered with.",
    "Sign it again: modelwarden keys sign MODEL --key KEY --force.",
)
RULES = (UNSIGNED, REMOVED, MALFORMED, FIRST, SIGNER, STALE)


class Settings(Section):
    """Trust file and signatures; there is nothing to set besides `enabled`."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is wrong as (rule, path, message, hint), and how many signatures were looked at."""

    faults: tuple[tuple[str, str, str, str], ...]
    signatures: int
    version: int


def at(world: World, commit: str) -> TrustFile | None:
    """Return the trust file at a commit, None without one. Raises SecurityError, TooLarge."""
    entry = _entry(world, commit, PLACE)
    return _load(world, entry) if entry is not None else None


def applies(change: Change, settings: Settings) -> str:
    """Apply to every change that touches a file."""
    return "" if change.files else "no file changed"


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """Judge the succession of trust files, and each changed signature by the one at the base."""
    old = _entry(world, change.merge_base, PLACE)
    new = _entry(world, change.head, PLACE)
    sides = [_entry(world, commit, SIGNATURES) for commit in (change.merge_base, change.head)]
    faults: list[tuple[str, str, str, str]] = []
    before: TrustFile | None = None
    with suppress(SecurityError, TooLarge):  # what was there then counts for nothing
        before = _load(world, old) if old else None
    if old != new or sides[0] != sides[1]:
        faults += _succession(world, before, old, new, sides[1])
    bundles = [f for f in change.files if _is_bundle(f.path) and f.file is not None]
    for bundle in bundles:
        if before is not None:
            faults += _signer(world, before, bundle.path, bundle.file)
        elif old is not None:
            why = f"{PLACE} at the base cannot be read, so that nobody's signature counts"
            faults.append((SIGNER.id, bundle.path, why, MALFORMED.remedy))
    faults += [
        (STALE.id, path, f"{path} does not cover them", "") for path in _stale(change, world)
    ]
    return Evidence(tuple(faults), len(bundles), before.version if before else 0)


def judge(evidence: Evidence, settings: Settings) -> tuple[Finding, ...]:
    """Name what is wrong."""
    rules = {rule.id: rule for rule in RULES}
    return tuple(
        rules[rule].at(message, Location(path), remedy=hint or rules[rule].remedy)
        for rule, path, message, hint in evidence.faults
    )


def summary(evidence: Evidence) -> str:
    """Say what was judged by what."""
    by = f"trust file version {evidence.version}" if evidence.version else "no trust file"
    return f"{by}, {plural(evidence.signatures, 'changed signature')}"


def exhibits(evidence: Evidence, settings: Settings) -> tuple[Exhibit, ...]:
    """Findings say it all."""
    return ()


def _succession(
    world: World,
    before: TrustFile | None,
    old: TreeEntry | None,
    new: TreeEntry | None,
    signatures: TreeEntry | None,
) -> list[tuple[str, str, str, str]]:
    if new is None:
        return [(REMOVED.id, PLACE, f"{PLACE} is removed", "")] if old else []
    try:
        data = world.read(new.blob, LIMIT)
        loading.load(data, PLACE)
    except TooLarge as error:
        return [(MALFORMED.id, PLACE, str(error), error.hint)]
    except SecurityError as error:
        return [(MALFORMED.id, PLACE, error.message, error.hint)]
    if before is None:
        return [(FIRST.id, PLACE, f"{PLACE} is new", "")]
    if old == new:
        return []  # more signatures on the same file
    try:
        if signatures is None:
            return [(UNSIGNED.id, PLACE, f"there is no {SIGNATURES}", "")]
        rotation.succeed(before, data, world.read(signatures.blob, LIMIT), datetime.now(UTC))
    except TooLarge as error:
        return [(UNSIGNED.id, SIGNATURES, str(error), error.hint)]
    except SecurityError as error:
        return [(UNSIGNED.id, PLACE, error.message, error.hint)]
    return []


def _signer(
    world: World, trust: TrustFile, path: str, entry: TreeEntry | None
) -> list[tuple[str, str, str, str]]:
    from security.verify import read_signed

    if entry is None:
        return []
    try:
        read_signed(world.read(entry.blob, BUNDLE_LIMIT), trust)
    except TooLarge as error:
        return [(SIGNER.id, path, str(error), error.hint)]
    except SecurityError as error:
        return [(SIGNER.id, path, error.message, error.hint)]
    return []


def _stale(change: Change, world: World) -> tuple[str, ...]:
    """Return unchanged signatures that lie in a folder above a file that changes."""
    changed = {f.path for f in change.files}
    folders: set[str] = set()
    for path in changed:
        name = path.rpartition("/")[2]
        if name in (SIGNATURE, ATTESTATIONS) or path.startswith(".git"):
            continue
        while path:
            path = path.rpartition("/")[0]
            if path in folders:
                break
            folders.add(path)
    places = (f"{folder}/{SIGNATURE}" if folder else SIGNATURE for folder in folders)
    return tuple(
        sorted(p for p in places if p not in changed and _entry(world, change.head, p) is not None)
    )


def _load(world: World, entry: TreeEntry) -> TrustFile:
    return loading.load(world.read(entry.blob, LIMIT), PLACE)


def _entry(world: World, commit: str, path: str) -> TreeEntry | None:
    entry = world.entry(commit, path)
    return entry if entry is not None and entry.is_file else None


def _is_bundle(path: str) -> bool:
    return path.rpartition("/")[2] == SIGNATURE
