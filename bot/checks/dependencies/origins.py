"""Where a dependency comes from: URLs, repositories, indexes, included files."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from bot.checks.dependencies.shown import shown
from bot.finding import Finding, Level, Location, Rule
from bot.manifestfiles import Include, ManifestChange
from registry.manifests.difference import Delta
from registry.manifests.pep508 import ARCHIVES
from registry.manifests.requirement import Option

URL = Rule(
    "dependencies/url",
    Level.FAILURE,
    "A dependency comes from a direct URL, an archive, or a path outside the repository.",
    "What lies behind a URL can change, and no index or advisory knows about it.",
    "Use a release from the index, or list the place in `dependencies.allow_urls`.",
)
VCS = Rule(
    "dependencies/vcs",
    Level.FAILURE,
    "A dependency comes from a branch, tag or short id of a repository.",
    "Only a full commit id stays what it was; all other references can be moved.",
    "Write the full commit id: `name @ git+https://HOST/REPO@COMMIT`.",
)
INDEX = Rule(
    "dependencies/index",
    Level.FAILURE,
    "Packages are taken from an index, host or channel that was not used before.",
    "Whoever runs an added index can answer for any package name.",
    "Remove the option, or list the index in `dependencies.indexes`.",
)
INCLUDE = Rule(
    "dependencies/include",
    Level.WARNING,
    "A requirements file includes another one that is not judged here.",
    "What it asks for is installed too, and this verdict says nothing about it.",
    "Include only requirements files of this repository, named as such.",
)
RULES = (URL, VCS, INDEX, INCLUDE)
SOURCES = (
    "--index-url",
    "--extra-index-url",
    "--find-links",
    "--trusted-host",
    "index",
    "file host",
    "channel",
)
OWN_CHANNELS = ("conda-forge", "defaults", "nodefaults")


def judge_url(delta: Delta, allowed: tuple[str, ...]) -> Iterator[Finding]:
    """Judge the direct URL of one added or altered requirement."""
    if delta.after is None or not (url := delta.after.requirement.url):
        return
    after, before = delta.after.requirement, delta.before
    if before is not None and before.requirement.url == url:
        return
    name, place = shown(after.raw) or "a dependency", Location(delta.after.path, after.line)
    if "${" in url:  # pip puts the environment's own value there, on each machine another one
        yield URL.at(f"{name} comes from {shown(url)}, which the environment decides", place)
        return
    if after.is_local:
        if not _leaves(url) and url.partition("#")[0].lower().endswith(ARCHIVES):
            remedy = "Use a release from the index, or bring the sources instead of an archive."
            message = f"{name} comes from {shown(url)}, an archive that nobody can review"
            yield URL.at(message, place, remedy=remedy)
        elif _leaves(url):
            yield URL.at(f"{name}: the path {shown(url)} is outside", place, level=Level.WARNING)
        return
    if after.is_vcs and not after.commit:
        yield VCS.at(f"{name} comes from {shown(url)}, which can move", place)
    elif not within(url, allowed):
        # A fixed commit cannot change any more: worth a look, no reason to stop.
        level = Level.NOTE if after.is_vcs else Level.FAILURE
        yield URL.at(f"{name} comes from {shown(url)}", place, level=level)


def _leaves(url: str) -> bool:
    return url.startswith(("/", "~", "file:", "\\")) or ".." in url.split("/")


def within(url: str, allowed: tuple[str, ...]) -> bool:
    """Whether a URL is one of the allowed ones or below it: same scheme, host and folder."""
    parts = _split(url.removeprefix("git+"))
    if parts is None or ".." in parts.path.split("/") or "\\" in url or "%" in parts.path:
        return False
    for prefix in allowed:
        other = _split(prefix.removeprefix("git+"))
        if other is None or (parts.scheme, parts.netloc) != (other.scheme, other.netloc):
            continue
        folder = other.path.rstrip("/")
        if parts.path.rstrip("/") == folder or parts.path.startswith((f"{folder}/", f"{folder}@")):
            return True
    return False


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url.strip())
    except ValueError:
        return None


def judge_indexes(files: tuple[ManifestChange, ...], allowed: tuple[str, ...]) -> Iterator[Finding]:
    """Judge the indexes that the head names and the base does not, in any changed file."""
    known = {_source(o) for f in files if f.before for o in f.before.options}
    for file in files:
        if file.after is None:
            continue
        for option in file.after.options:
            source = _source(option)
            if option.name not in SOURCES or source in known or _allowed(option, allowed):
                continue
            known.add(source)
            # A first lock has to name some index; one that changes in a lock is an event.
            first = file.after.is_lock and file.before is None
            level = Level.WARNING if first or option.name == "channel" else Level.FAILURE
            place = Location(file.path, option.line)
            yield INDEX.at(f"{option.name} {shown(option.value)}", place, level=level)


def _source(option: Option) -> tuple[str, str]:
    # An index is the same one whether a lock or an option names it.
    name = "--trusted-host" if option.name == "--trusted-host" else ""
    return name, option.value.rstrip("/")


def _allowed(option: Option, allowed: tuple[str, ...]) -> bool:
    if option.name == "channel":
        return option.value in OWN_CHANNELS or option.value in allowed
    hosts = {parts.netloc for a in allowed if (parts := _split(a)) is not None}
    if option.name == "--trusted-host":
        return False  # it switches certificate checks off, for whatever host
    if option.name == "file host":
        return option.value.partition("://")[2] in hosts
    return within(option.value, allowed)


def judge_include(include: Include) -> Iterator[Finding]:
    """Judge one new include: what it brings in is judged, or somebody has to look."""
    place = Location(include.path, include.line)
    target = shown(include.target)
    if include.state == "url":
        yield INCLUDE.at(f"includes the URL {target}", place, level=Level.FAILURE)
    elif include.state == "outside":
        yield INCLUDE.at(f"includes {target}, outside the repository", place, level=Level.FAILURE)
    elif include.state == "missing":
        yield INCLUDE.at(f"includes {target}, which is not there", place)
    elif include.state == "unjudged":
        yield INCLUDE.at(f"includes {target}, which is not known as a manifest", place)
