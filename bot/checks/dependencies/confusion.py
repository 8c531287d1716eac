"""Dependency confusion: names of a private index that a public one could answer for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from bot.checks.dependencies.origins import within
from bot.checks.dependencies.shown import shown
from bot.finding import Finding, Level, Location, Rule
from bot.manifestfiles import ManifestChange
from registry.manifests import LOCKS
from registry.manifests.popular import is_popular
from registry.manifests.requirement import Manifest, Requirement

CONFUSION = Rule(
    "dependencies/confusion",
    Level.FAILURE,
    "A private package could be answered for by a public index.",
    "Whoever registers the name there is installed in its place.",
    "Tie the package to its index: `[tool.uv.sources]`, a Poetry `source`, or one --index-url "
    "for the whole file; list the index in `dependencies.private_indexes`.",
)
RULES = (CONFUSION,)
RESOLVED = ("uv-lock", "poetry-lock")  # locks that say which index a package came from
NAMED = ("pyproject", "pipfile")  # manifests that can tie a package to an index
Said = tuple[Requirement, str, Level]


def judge(
    files: Iterable[ManifestChange], private: tuple[str, ...], own: tuple[str, ...]
) -> Iterator[Finding]:
    """Judge what of the private names the head leaves open and the base did not.

    `own` are the private indexes. Without a list of names, those count as private that a lock
    took from an index where nothing is well known, beside another index: then it is a warning.
    """
    files = tuple(files)
    guessed = frozenset() if private else _guessed(files)
    for file in files:
        if file.after is None or file.trouble or file.kind == "constraints":
            continue
        old = {_key(said) for said in _open(file.kind, file.before, private, own, guessed)}
        for said in _open(file.kind, file.after, private, own, guessed):
            found, message, level = said
            if _key(said) not in old:
                place = Location(file.path, found.line)
                yield CONFUSION.at(f"{shown(found.raw)}: {shown(message)}", place, level=level)


def _key(said: Said) -> tuple[str, str]:
    return said[0].name, said[1]


def is_private(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a canonical name is one of the private ones."""
    return any(fnmatchcase(name, pattern.lower().replace("_", "-")) for pattern in patterns)


def _guessed(files: tuple[ManifestChange, ...]) -> frozenset[str]:
    served: dict[str, set[str]] = {}
    for file in files:
        if file.after is not None and file.kind in RESOLVED:
            for found in file.after.requirements:
                if not found.url:
                    served.setdefault(found.index, set()).add(found.name)
    if len(served) < 2:
        return frozenset()
    own = (names for names in served.values() if not any(map(is_popular, names)))
    return frozenset(name for names in own for name in names)


def _open(
    kind: str,
    manifest: Manifest | None,
    private: tuple[str, ...],
    own: tuple[str, ...],
    guessed: frozenset[str],
) -> Iterator[Said]:
    if manifest is None:
        return
    asked = [
        r for r in manifest.requirements if r.name and not r.url and r.ecosystem == "pypi"
    ]  # what has a URL comes from there
    if guessed:
        extra = next((o for o in manifest.options if o.name == "--extra-index-url"), None)
        tied = _tied(manifest)
        for found in asked if extra is not None and kind not in LOCKS else ():
            if found.name in guessed and found.name not in tied and not found.index:
                message = "the lock took it from an index of its own, --extra-index-url mixes it"
                yield found, message, Level.WARNING
        return
    named = [r for r in asked if is_private(r.name, private)]
    if kind in RESOLVED:
        yield from _in_lock(named, asked, private, own)
    elif named and kind not in LOCKS:
        yield from _in_manifest(kind, manifest, named, own)


def _in_lock(
    named: list[Requirement],
    asked: list[Requirement],
    private: tuple[str, ...],
    own: tuple[str, ...],
) -> Iterator[Said]:
    shared = {r.index for r in asked if not is_private(r.name, private)}
    for found in named:
        place = found.index or "the default index"
        if own and not within(found.index, own):
            yield found, f"the lock takes it from {place}, not a private index", Level.FAILURE
        elif not own and (not found.index or found.index in shared):
            message = f"the lock takes it from {place}, where public packages come from too"
            yield found, message, Level.FAILURE


def _in_manifest(
    kind: str, manifest: Manifest, named: list[Requirement], own: tuple[str, ...]
) -> Iterator[Said]:
    places = {o.name: o.value for o in reversed(manifest.options)}
    tied = _tied(manifest)
    for found in named:
        if found.index or found.name in tied:
            continue
        if "--extra-index-url" in places:
            message = "--extra-index-url lets every index answer, the highest version wins"
            yield found, message, Level.FAILURE
        elif "--index-url" in places:
            if own and not within(places["--index-url"], own):
                message = f"{places['--index-url']} is not a private index"
                yield found, message, Level.FAILURE
        elif kind in NAMED and "index" in places:
            yield found, "nothing ties it to its index", Level.FAILURE
        else:
            yield found, "nothing here says which index it comes from", Level.WARNING


def _tied(manifest: Manifest) -> set[str]:
    return {o.value.partition("=")[0] for o in manifest.options if o.name == "source"}
