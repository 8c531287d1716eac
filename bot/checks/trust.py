"""Trust: who may release is changed by those who may change it, and signatures are theirs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.change import Change, FileChange, TreeEntry
from bot.check import Section
from bot.errors import TooLarge
from bot.exhibit import Exhibit
from bot.finding import Finding, Level, Location, Rule
from bot.wording import plural
from bot.world import World
from security.errors import Malformed, SecurityError
from security.paths import ATTESTATIONS, IGNORED, SIGNATURE
from security.trust import envelopes, loading, rotation
from security.trust.tables import LIMIT
from security.trust.trustfile import PLACE, TrustFile

NAME = "trust"
VERSION = 2
SIGNATURES = f"{PLACE}.sig"
BUNDLE_LIMIT = 20_000_000  # bytes of a signature that is read in a change
BUNDLES_LIMIT = 100_000_000  # bytes of all of them, a second's work

UNREADABLE = f"{PLACE} at the base cannot be read"

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
    entry = world.entry(commit, PLACE)
    return _load(world, entry) if entry is not None else None


def applies(change: Change, settings: Settings) -> str:
    """Apply to every change that touches a file."""
    return "" if change.files else "no file changed"


def collect(change: Change, world: World, settings: Settings) -> Evidence:
    """Judge the succession of trust files, and each changed signature by the one at the base.

    The base as it is now: where a change parted from it is its author's choice, and may be
    before somebody's key was revoked.
    """
    old = world.entry(change.base, PLACE)
    faults: list[tuple[str, str, str, str]] = []
    before: TrustFile | None = None
    with suppress(SecurityError, TooLarge):
        before = _load(world, old) if old else None
    sides = [
        [world.entry(commit, place) for place in (PLACE, SIGNATURES)]
        for commit in (change.merge_base, change.head)
    ]
    if sides[0] != sides[1]:
        faults += _succession(world, before, old, *sides[1])
    bundles = [f for f in change.files if _is_bundle(f.path) and f.after is not None]
    if before is not None:
        faults += _signers(world, before, bundles)
    elif old is not None:
        why = f"{UNREADABLE}, so that nobody's signature counts"
        faults += [(SIGNER.id, bundle.path, why, MALFORMED.remedy) for bundle in bundles]
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
        data = _read(world, new)
        loading.load(data, PLACE)
    except TooLarge as error:
        return [(MALFORMED.id, PLACE, str(error), error.hint)]
    except SecurityError as error:
        return [(MALFORMED.id, PLACE, error.message, error.hint)]
    if before is None and old is not None:
        why = f"{UNREADABLE}, so that nobody can tell who may change it"
        return [(UNSIGNED.id, PLACE, why, "Whoever owns the repository looks into it.")]
    if before is None:
        return [(FIRST.id, PLACE, f"{PLACE} is new", "")]
    if old == new:
        return []  # more signatures on the same file
    try:
        if signatures is None:
            return [(UNSIGNED.id, PLACE, f"there is no {SIGNATURES}", "")]
        rotation.succeed(before, data, _read(world, signatures, envelopes.LIMIT), datetime.now(UTC))
    except TooLarge as error:
        return [(UNSIGNED.id, SIGNATURES, str(error), error.hint)]
    except SecurityError as error:
        return [(UNSIGNED.id, PLACE, error.message, error.hint)]
    return []


def _signers(
    world: World, trust: TrustFile, bundles: list[FileChange]
) -> list[tuple[str, str, str, str]]:
    """Judge changed signatures: each content once, and not more than can be judged in time."""
    said: dict[str, tuple[str, str]] = {}
    left, faults = BUNDLES_LIMIT, []
    for bundle in bundles:
        entry = bundle.after
        if entry is None:
            continue
        if entry.blob not in said or not entry.is_file:
            size = world.size(entry.blob) if entry.is_file else 0
            left -= min(size, BUNDLE_LIMIT)  # no more is read
            said[entry.blob] = _signer(world, trust, entry) if left >= 0 else _TOO_MUCH
        why, hint = said[entry.blob]
        if why:
            faults.append((SIGNER.id, bundle.path, why, hint))
    return faults


_TOO_MUCH = (
    f"the signatures of this change have more than {BUNDLES_LIMIT:,} bytes",
    "Change fewer of them at once.",
)


def _signer(world: World, trust: TrustFile, entry: TreeEntry) -> tuple[str, str]:
    """Return what is wrong with a signature and what to do, "" for nothing."""
    from security.verify import read_signed

    try:
        read_signed(_read(world, entry, BUNDLE_LIMIT), trust)
    except TooLarge as error:
        return str(error), error.hint
    except SecurityError as error:
        return error.message, error.hint
    return "", ""


def _stale(change: Change, world: World) -> tuple[str, ...]:
    """Return unchanged signatures that lie in a folder above a file that changes."""
    changed = {f.path for f in change.files}
    folders: set[str] = set()
    for path in changed:
        name = path.rpartition("/")[2]
        if name in (SIGNATURE, ATTESTATIONS) or path.partition("/")[0] in IGNORED:
            continue
        while path:
            path = path.rpartition("/")[0]
            if path in folders:
                break
            folders.add(path)
    places = (f"{folder}/{SIGNATURE}" if folder else SIGNATURE for folder in folders)
    return tuple(
        sorted(p for p in places if p not in changed and world.entry(change.head, p) is not None)
    )


def _load(world: World, entry: TreeEntry) -> TrustFile:
    return loading.load(_read(world, entry), PLACE)


def _read(world: World, entry: TreeEntry, limit: int = LIMIT) -> bytes:
    """Return what is at a place. Raises Malformed where that is no file, TooLarge."""
    if not entry.is_file:  # each reader would take a link, or a folder, for something else
        raise Malformed(f"{entry.path} is not a regular file", "Put the file itself there.")
    return world.read(entry.blob, limit)


def _is_bundle(path: str) -> bool:
    return path.rpartition("/")[2] == SIGNATURE
