"""Where a dependency comes from: URLs, repositories, indexes, included files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from bot.checks.dependencies.shown import shown
from bot.finding import Finding, Level, Location, Rule
from bot.manifestfiles import Include, ManifestChange
from registry.manifests import COMMANDS
from registry.manifests.difference import Delta
from registry.manifests.kinds import sources
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
DROPPED = Rule(
    "dependencies/index-dropped",
    Level.WARNING,
    "An index that packages came from is no longer named.",
    "What it alone answered for is now asked of another index, where anybody may own the name.",
    "Keep the index, or make sure that no package name was only there.",
)
RULES = (URL, VCS, INDEX, INCLUDE, DROPPED)
INDEXES = ("--index-url", "--extra-index-url", "--find-links", "index")
Vcs = Literal["commit", "any"]
OWN_CHANNELS = ("conda-forge", "defaults", "nodefaults")


def judge_url(delta: Delta, allowed: tuple[str, ...], vcs: Vcs = "commit") -> Iterator[Finding]:
    """Judge the direct URL of one added or altered requirement."""
    if delta.after is None or not (url := delta.after.requirement.url):
        return
    after, before = delta.after.requirement, delta.before
    if before is not None and before.requirement.url == url:
        return
    name, place = shown(after.raw) or "a dependency", Location(delta.after.path, after.line)
    if after.is_local and delta.after.kind in COMMANDS:
        return  # a folder or a file that was just built on the machine that runs the command
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
        level = Level.FAILURE if vcs == "commit" else Level.WARNING
        yield VCS.at(f"{name} comes from {shown(url)}, which can move", place, level=level)
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


def judge_indexes(
    files: tuple[ManifestChange, ...], allowed: tuple[str, ...], new: Level = Level.FAILURE
) -> Iterator[Finding]:
    """Judge the sources that only one side names; `new` is how much an added one weighs."""
    readable = [f for f in files if not f.trouble]
    first_locks = {f.path for f in files if f.after and f.after.is_lock and f.before is None}
    commands = {f.path for f in files if f.kind in COMMANDS}
    deleted = {f.path for f in files if f.deleted}
    before = ((f.path, f.before) for f in files if f.before)
    for source in sources(before, ((f.path, f.after) for f in readable if f.after)):
        option, place = source.option, Location(source.path, source.option.line)
        if source.after and not _allowed(option, allowed):
            # A first lock has to name some index; one that changes in a lock is an event.
            # A command that names its one index changes that job or image, and mixes nothing.
            mild = source.path in first_locks or option.name == "channel" or "${" in option.value
            mild |= source.path in commands and option.name == "--index-url"
            level = Level.WARNING if mild else new
            yield INDEX.at(f"{option.name} {shown(option.value)}", place, level=level)
        gone = not source.after and option.name in INDEXES and not source.is_lock
        if gone and source.path not in deleted and not _unreadable(source.path, files):
            message = f"{option.name} {shown(option.value)} is no longer named"
            yield DROPPED.at(message, Location(source.path))


def _unreadable(path: str, files: tuple[ManifestChange, ...]) -> bool:
    return any(f.path == path and f.trouble for f in files)


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
    elif include.state == "link":
        message = f"includes {target}, a link or folder, not a file"
        yield INCLUDE.at(message, place, level=Level.FAILURE)
    elif include.state == "cycle":
        message = f"includes {target}, which includes this file again"
        yield INCLUDE.at(message, place, level=Level.UNKNOWN)
    elif include.state == "elsewhere":
        message = f"installs from {target}, which is not in the repository"
        yield INCLUDE.at(message, place, level=Level.NOTE)
    elif include.state == "missing":
        message = f"includes {target}, which is not there"
        yield INCLUDE.at(message, place, level=Level.UNKNOWN)
    elif include.state == "beyond":
        message = f"includes {target} and more, beyond what is looked up"
        yield INCLUDE.at(message, place, level=Level.UNKNOWN)
