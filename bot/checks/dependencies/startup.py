"""Code of a new package that runs whenever Python starts: `.pth` files in wheels at hand."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_version, parse_wheel_filename

from bot.checks.dependencies.shown import shown
from bot.finding import Finding, Level, Location, Rule
from registry.licenses.wheel import MAX_MEMBERS, UNREADABLE
from registry.manifests.difference import Delta

PTH_LIMIT = 65_536  # bytes of one .pth file; more than any honest one has
MAX_WHEELS = 10_000  # files of one folder that are listed
_SITES = (".data/purelib", ".data/platlib")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack without a bound

STARTUP = Rule(
    "dependencies/startup-code",
    Level.WARNING,
    "A version that the change takes in runs code whenever Python starts.",
    "An added .pth file runs in every process, imported or not; stolen releases hide there.",
    "Read the file in the wheel; if it is not meant, keep the version before and report it.",
)
RULES = (STARTUP,)


@dataclass(frozen=True, slots=True)
class Hook:
    """A .pth file with code in a wheel of a new version that the wheel before did not have."""

    package: str
    file: str
    path: str
    line: int


def collect(deltas: Iterable[Delta], folders: tuple[Path, ...]) -> tuple[Hook, ...]:
    """Look into the wheels at hand of the versions that are new; nothing is unpacked or run."""
    if not folders:
        return ()
    wheels = _wheels(folders)
    found: dict[tuple[str, str], Hook] = {}
    for delta in deltas:
        after = delta.after.requirement if delta.after else None
        if delta.after is None or after is None or not after.version:
            continue
        old = delta.before.requirement.version if delta.before else ""
        if old == after.version:
            continue
        olds = wheels.get((after.name, canonicalize_version(old)), ())
        before = {name for path in olds for name in _hooks(path)}
        for path in wheels.get((after.name, canonicalize_version(after.version)), ()):
            for name in _hooks(path):
                if name not in before:
                    package = f"{after.raw} {after.version}"
                    hook = Hook(package, name, delta.after.path, after.line)
                    found.setdefault((package, name), hook)
    return tuple(found.values())


def _wheels(folders: tuple[Path, ...]) -> dict[tuple[str, str], list[Path]]:
    found: dict[tuple[str, str], list[Path]] = {}
    for folder in folders:
        try:
            paths = sorted(folder.glob("*.whl"))[:MAX_WHEELS]
        except OSError:
            continue
        for path in paths:
            try:
                name, version, *_ = parse_wheel_filename(path.name)
            except InvalidWheelFilename:
                continue
            found.setdefault((name, canonicalize_version(version)), []).append(path)
    return found


def _hooks(path: Path) -> list[str]:
    """Return the .pth files of a wheel that land in site-packages and hold code."""
    try:
        with zipfile.ZipFile(path) as wheel:
            names = wheel.namelist()
            if len(names) > MAX_MEMBERS:
                return ["more files than are looked at"]
            return [name for name in dict.fromkeys(names) if _lands(name) and _runs(wheel, name)]
    except UNREADABLE:
        return []  # an installer cannot read it either


def _lands(name: str) -> bool:
    folder, file = posixpath.split(posixpath.normpath(name))
    return file.endswith(".pth") and (not folder or folder.endswith(_SITES))


def _runs(wheel: zipfile.ZipFile, name: str) -> bool:
    # `site` runs lines that start with the word, what a line is depends on the version of Python;
    # all others are folders to look in.
    info = wheel.getinfo(name)
    if info.compress_type not in _METHODS:
        return True
    with wheel.open(info) as member:
        data = member.read(PTH_LIMIT + 1)  # the size a zip states may be a lie
    return b"import" in data or len(data) > PTH_LIMIT


def judge(hooks: tuple[Hook, ...]) -> Iterator[Finding]:
    """Tell each file on the line that takes the version in."""
    for hook in hooks:
        place = Location(hook.path, hook.line)
        yield STARTUP.at(f"{shown(hook.package)} runs {shown(hook.file)} at start-up", place)
