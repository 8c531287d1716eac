"""Which entries of a package affect a version, and what a range of versions admits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from registry.advisories.values import Entry
from registry.advisories.versions import holds, key, parsed, unclear

MAX_FIXES = 200  # versions tried for a remedy
_FAR = Version("99999999")  # beyond every version: stands for the newest one


def affects(entry: Entry, text: str) -> bool:
    """Whether the entry affects this version: it is in a span, or listed.

    A local version (2.1.0+cu118) is also judged by the public one that it is a build of.
    """
    version = parsed(text)
    if version is None:
        return text in entry.versions or any(s.introduced == "0" and not (s.fixed or s.last)
                                             for s in entry.spans)  # fmt: skip
    return _affects(entry, version) or (
        version.local is not None and _affects(entry, Version(version.public))
    )


def _affects(entry: Entry, version: Version) -> bool:
    return any(holds(s, version) for s in entry.spans) or (
        bool(entry.versions) and key(str(version)) in entry.versions
    )


def undecided(entry: Entry, text: str) -> bool:
    """Whether nobody can say if the entry affects this version: there is no order to go by."""
    if affects(entry, text):
        return False
    version = parsed(text)
    return unclear(entry.vague, version) or (version is None and bool(entry.spans))


def fix(entries: Sequence[Entry], text: str) -> str:
    """Return the first version above this one that fixes all that is known, or ""."""
    version = parsed(text)
    ends = {s.fixed for e in entries for s in e.spans if s.fixed}
    known = ((parsed(end), end) for end in ends)
    above = sorted((v, end) for v, end in known if v and (version is None or v > version))
    for candidate, end in above[:MAX_FIXES]:
        if not any(_affects(entry, candidate) for entry in entries):
            return end
    return ""


def specifiers(text: str) -> SpecifierSet | None:
    """Return the range, Poetry's ^ and ~ included; None where it is neither's."""
    clauses = text.split(",") if len(text) <= 1_000 else ["?"]
    try:
        return SpecifierSet(",".join(_plain(clause.strip()) for clause in clauses))
    except (InvalidSpecifier, InvalidVersion, ValueError):
        return None


def _plain(clause: str) -> str:
    # Poetry, "Dependency specification": ^1.2 keeps the first number that is not zero, ~1.2 the
    # second one, and a version alone is that version.
    if clause in ("", "*"):
        return ""
    if clause[0].isdigit():
        return f"=={clause}"
    if clause[0] not in "^~" or clause.startswith("~="):
        return clause
    release = Version(clause[1:]).release
    kept = next((i for i, n in enumerate(release) if n), len(release) - 1)
    if clause[0] == "~":
        kept = min(1, len(release) - 1)
    return f">={clause[1:].strip()},<{'.'.join(map(str, (*release[:kept], release[kept] + 1)))}"


def admits(specifier: SpecifierSet, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the entries that affect some version in the range."""
    known = tuple(specifier.filter(_witnesses(specifier, entries), prereleases=True))
    return tuple(e for e in entries if any(_affects(e, version) for version in known))


def newest(specifier: SpecifierSet, entries: Sequence[Entry]) -> tuple[tuple[Entry, bool], ...]:
    """Return the entries that affect the newest version in the range, and whether all others too.

    Nothing is said of releases that nobody wrote of: between two versions that are named,
    what holds just above the lower one holds for all.
    """
    known = sorted(specifier.filter(_witnesses(specifier, entries), prereleases=False))
    if not known:
        return ()
    hit = [e for e in entries if _affects(e, known[-1])]
    return tuple((e, all(_affects(e, version) for version in known)) for e in hit)


def _witnesses(specifier: SpecifierSet, entries: Iterable[Entry]) -> list[Version]:
    # Being affected or admitted changes only at versions that are named, so those, and one
    # just above each, stand for all there are.
    named = {version for text in _named(specifier, entries) if (version := parsed(text))}
    above = {Version(f"{v.epoch}!{'.'.join(map(str, v.release))}.0.1") for v in named}
    return [*named, *above, Version("0"), _FAR]


def _named(specifier: SpecifierSet, entries: Iterable[Entry]) -> Iterator[str]:
    for clause in specifier:
        yield clause.version.removesuffix(".*")
    for entry in entries:
        yield from entry.versions
        for span in entry.spans:
            yield from (span.introduced, span.fixed, span.last)
