"""Licences of the packages a change adds or alters, and what the policy says of them."""

from __future__ import annotations

import sysconfig
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Protocol

from bot import manifestfiles
from bot.change import FOLDER, Change
from bot.finding import Finding, Level, Location, Rule
from bot.manifestfiles import ManifestChange
from bot.wording import plural
from bot.world import World
from registry.licenses import cache
from registry.licenses.expressions import is_unstated, weigh
from registry.licenses.facts import Fact, Library
from registry.licenses.metadata import Claim
from registry.manifests import Manifest, Requirement

UPDATE = "modelwarden watch licenses --update"
_CLAIMS = "licenses/claims/3"  # goes up where what metadata and texts mean is read anew
_AGES = 99_999  # days
ALLOWED, REVIEW, UNSTATED, DENIED = range(4)

REFUSED = Rule(
    "licenses/denied",
    Level.FAILURE,
    "A dependency that the change adds or alters has a licence on the deny list.",
    "Its terms bind or forbid what the project and its users want to do.",
    "Choose another package, or take the licence from `licenses.deny` if it is acceptable.",
)
UNLISTED = Rule(
    "licenses/review",
    Level.FAILURE,
    "A dependency that the change adds or alters has a licence that is not on the allow list.",
    "Nobody has said that its terms are acceptable here.",
    "Read the licence, then add it to `licenses.allow` or choose another package.",
)
UNKNOWN = Rule(
    "licenses/unknown",
    Level.FAILURE,
    "The metadata of a dependency that the change adds or alters states no clear licence.",
    "Without a licence there is no right to use it, and vague metadata is no licence.",
    "Find its licence and state it in the policy under `licenses.facts`, as NAME: EXPRESSION.",
)
UNRESOLVED = Rule(
    "licenses/unresolved",
    Level.UNKNOWN,
    "No metadata is at hand for a dependency that the change adds or alters.",
    "A licence nobody has read cannot be said to be acceptable.",
    f"Run `{UPDATE}`, or state the licence in the policy under `licenses.facts`.",
)
DISAGREES = Rule(
    "licenses/metadata-disagrees",
    Level.WARNING,
    "The metadata of a dependency name another licence than the text it ships.",
    "The text is what its authors signed; it is believed here, and tools that read metadata err.",
    "Ask its authors, or state the licence in the policy under `licenses.facts`.",
)
UNREADABLE = Rule(
    "licenses/unreadable",
    Level.UNKNOWN,
    "A changed manifest, or a line of it, cannot be read.",
    "It may ask for packages whose licences nobody has seen.",
    "Correct the file so that it can be read; where only running it would tell, write the packages "
    "out.",
)
RULES = (REFUSED, UNLISTED, UNKNOWN, UNRESOLVED, DISAGREES, UNREADABLE)


class Lists(Protocol):
    """The part of the policy that says which licences are acceptable."""

    allow: tuple[str, ...]
    review: tuple[str, ...]
    deny: tuple[str, ...]
    facts: Mapping[str, str]
    wheels: tuple[str, ...]
    max_age_days: int


@dataclass(frozen=True, slots=True)
class Package:
    """A package the change adds or alters, where it stands, and what is known of it.

    `pinned`: the specifier admits one version. `age` is that of a fact from an index, in days.
    """

    name: str
    specifier: str
    path: str
    line: int
    fact: Fact
    group: str = ""
    pinned: bool = False
    age: int = 0


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A place in a manifest that cannot be read."""

    path: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Packages:
    """Every package of the change."""

    each: tuple[Package, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()


def collect(change: Change, world: World, settings: Lists) -> Packages:
    """Read the changed manifests on both sides and look up what is new."""
    files = manifestfiles.collect(change, world).files
    old = {_identity(r) for f in files for r in _requirements(f.before)}
    new: dict[tuple[str, ...], tuple[str, Requirement]] = {}
    for file in files:
        for requirement in _requirements(file.after):
            if _identity(requirement) not in old:
                new.setdefault(_identity(requirement), (file.path, requirement))
    library = shelves(change.head, world, settings) if new else Library({})
    today = datetime.now(UTC).date()
    packages = (
        _package(path, r, _fact(r, library), today)
        for path, r in new.values()
        if not r.is_local and (r.ecosystem, r.name) != ("conda", "python")
    )
    ordered = sorted(packages, key=lambda p: (p.path, p.line, p.name))
    return Packages(tuple(ordered), tuple(u for f in files for u in _unreadable(f)))


def _package(path: str, requirement: Requirement, fact: Fact, today: date) -> Package:
    r = requirement
    age = _age(fact.fetched, today) if fact.fetched else 0
    name, pinned = r.name or r.raw, bool(r.version)
    return Package(name, r.specifier, path, r.line, fact, r.group, pinned, age)


def _age(fetched: str, today: date) -> int:
    try:
        return (today - date.fromisoformat(fetched)).days
    except ValueError:
        return _AGES  # a date nobody can read: as old as can be


def _requirements(manifest: Manifest | None) -> tuple[Requirement, ...]:
    return manifest.requirements if manifest is not None else ()


def _identity(requirement: Requirement) -> tuple[str, ...]:
    r = requirement
    return (r.ecosystem, r.name or r.raw, r.specifier, r.url)


def _unreadable(file: ManifestChange) -> list[Unreadable]:
    if file.trouble:
        return [Unreadable(file.path, file.line, file.trouble)]
    old = {p.message for p in file.before.problems} if file.before else set()
    problems = file.after.problems if file.after else ()
    return [Unreadable(file.path, p.line, p.message) for p in problems if p.message not in old]


def _fact(requirement: Requirement, library: Library) -> Fact:
    r = requirement
    if r.name in library.stated:
        return library.fact(r.name, "")
    if r.url or not r.name:
        return Fact(reason="it comes from a URL, whose metadata is not at hand")
    if r.ecosystem != "pypi":
        return Fact(reason=f"it is a {r.ecosystem} package, whose metadata is not at hand")
    return library.fact(r.name, r.specifier)


def shelves(head: str, world: World, settings: Lists) -> Library:
    """Return all that is at hand about licences, but what a commit itself could hold."""
    return Library(
        settings.facts,
        environments(head, world),
        wheel_folders(head, world, settings.wheels),
        cache.default_path(),
        lambda digest, make: world.facts(_CLAIMS, digest, Claim, make),
    )


def wheel_folders(head: str, world: World, paths: tuple[str, ...]) -> tuple[Path, ...]:
    """Return the folders of wheels that the policy names, but what a commit itself could hold."""
    folders = (_outside(head, world, path) for path in paths)
    return tuple(folder for folder in folders if folder is not None)


def environments(head: str, world: World) -> tuple[Path, ...]:
    """Return the folders of installed distributions, but what a commit itself could hold."""
    own = {Path(sysconfig.get_path(key)) for key in ("purelib", "platlib")}
    environment = _outside(head, world, ".venv")
    installed = sorted(environment.glob("lib/python3*/site-packages")) if environment else []
    return (*installed, *sorted(own))


def _outside(head: str, world: World, path: str) -> Path | None:
    """Return the folder, unless the change itself could hold it: its word proves nothing."""
    if PurePosixPath(path).is_absolute():
        return Path(path)
    if world.worktree is None or ".." in PurePosixPath(path).parts:
        return None
    folder = ""
    for part in PurePosixPath(path).parts:
        names = {e.path.rsplit("/", 1)[-1].casefold(): e for e in world.folder(head, folder)}
        entry = names.get(part.casefold())
        if entry is None:
            return world.worktree / path
        if entry.mode != FOLDER:
            return None
        folder = entry.path
    return None


def judge(packages: Packages, lists: Lists) -> tuple[Finding, ...]:
    """Find packages whose licence is refused, unlisted or unknown."""
    found = [
        UNREADABLE.at(f"{u.path} cannot be read: {u.message}", Location(u.path, u.line))
        for u in packages.unreadable
    ]
    for package in packages.each:
        finding = _judge_one(package, lists)
        if finding is not None:
            found.append(finding)
        if package.fact.disagrees:
            place = Location(package.path, package.line)
            message = f"{package.name + package.specifier}: {package.fact.disagrees}"
            found.append(DISAGREES.at(message, place))
    return tuple(found)


def _judge_one(package: Package, lists: Lists) -> Finding | None:
    fact, place = package.fact, Location(package.path, package.line)
    name = package.name + package.specifier
    if not fact.source:
        return UNRESOLVED.at(f"the licence of {name} is not known: {fact.reason}", place)
    # What a version is under does not change; which version a range means does.
    if not package.pinned and not -1 <= package.age <= lists.max_age_days:
        aged = f"{package.age:,} days old" if package.age > 0 else "of a day to come"
        message = f"what is known of {name} is {aged}, and a newer version may have another licence"
        return UNRESOLVED.at(message, place)
    told = f"({fact.source}{f', version {fact.version}' if fact.version else ''})"
    if not fact.license:
        return UNKNOWN.at(f"the licence of {name} is not clear: {fact.reason} {told}", place)
    weight = weigh(fact.license, lambda leaf: weight_of(leaf, lists))
    if weight == DENIED:
        return REFUSED.at(f"{name} is under {fact.license}, which is denied {told}", place)
    if weight == UNSTATED:
        return UNKNOWN.at(f"the licence of {name} is stated as {fact.license} {told}", place)
    if weight == REVIEW:
        return UNLISTED.at(f"{name} is under {fact.license}, which is not allowed {told}", place)
    return None


def weight_of(leaf: str, lists: Lists) -> int:
    """Return how the policy weighs one licence; an exception only ever adds permission."""
    for name in (leaf, leaf.split(" WITH ")[0].removesuffix("+")):
        if is_unstated(name):
            return UNSTATED
        listed = ((DENIED, lists.deny), (REVIEW, lists.review), (ALLOWED, lists.allow))
        for weight, patterns in listed:
            if any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns):
                return weight
    return REVIEW


def summary(packages: Packages) -> str:
    """Say how many packages were resolved, from where, and how old the oldest fact is."""
    total = len(packages.each)
    if not total:
        return "no package added or altered"
    known = [p for p in packages.each if p.fact.license]
    kinds = Counter("index" if p.fact.fetched else p.fact.source for p in known)
    told = [f"{count} {kind}" for kind, count in kinds.most_common()]
    ages = [p.age for p in known if p.fact.fetched]
    changed = plural(total, "changed package")
    told_of = f"{len(known):,} of {changed} resolved" + (f" ({', '.join(told)})" if told else "")
    return told_of + (f", facts {plural(max(0, *ages), 'day')} old" if ages else "")
