"""Listings of DVC folders, and sizes: at hand, or asked of the remote without what they list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from registry import dvc, objects
from registry.dvcask import Object, ask
from registry.errors import RegistryError
from registry.pointers import DVC_LIMIT, Member, Pointer, PointerKind, read_dir
from registry.project import Project

STALL = 30.0  # seconds in which nothing is heard of a remote
MAX_FETCHED = 20  # listings of one project
MAX_MEMBERS = 200_000  # files of all listings together
MAX_SIZES = 1_000  # objects whose size a remote is asked for


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder output holds; `doubt` says why that is not known."""

    members: tuple[Member, ...] = ()
    doubt: str = ""


def listings(
    project: Project, pointers: Iterable[Pointer], *, fetch: bool, stall: float = STALL
) -> tuple[Listing, ...]:
    """Return the listing of each folder pointer, its digest proven.

    What is not at hand is fetched into the first cache of the project, with the BASE commit's
    configuration, if `fetch` says so. Never raises for what a pointer, a listing or a remote does.
    """
    asked = tuple(pointers)
    missing = tuple(dict.fromkeys(p for p in asked if p.digest and project.find(p) is None))
    reasons = _fetched(project, missing, stall) if fetch and missing else {}
    found, left = [], MAX_MEMBERS
    for pointer in asked:
        one = _listing(project, pointer, reasons.get(pointer) or "it is not at hand", left)
        left -= len(one.members)
        found.append(one)
    return tuple(found)


def sizes(
    project: Project,
    digests: Sequence[str],
    *,
    legacy: bool = False,
    fetch: bool,
    stall: float = STALL,
) -> Mapping[str, int]:
    """Return the sizes in bytes of objects, as far as the local cache or the remote tells them.

    Nothing of them is read. At most MAX_SIZES are asked for; a remote that does not answer tells
    none.
    """
    found: dict[str, int] = {}
    absent: list[Object] = []
    for digest in digests[:MAX_SIZES]:
        one = Object("", digest, legacy)
        path = project.find(Pointer("", PointerKind.DVC, digest, -1, legacy))
        if path is not None:
            found[digest] = path.lstat().st_size
        else:
            absent.append(one)
    config = project.config and dvc.configuration(
        project.config, project.local_config, project.folder
    )
    if absent and fetch and config and config.remotes:
        wanted: list[tuple[Object, Path | None]] = [(one, None) for one in absent]
        try:
            for answer in ask(config, "stat", wanted, stall=stall):
                if answer.size is not None and answer.size >= 0:
                    found[absent[answer.number].digest] = answer.size
        except RegistryError:
            return found  # a size that is not known is shown as one
    return found


def _listing(project: Project, pointer: Pointer, reason: str, left: int) -> Listing:
    if not pointer.digest:
        return Listing(doubt="no digest is recorded")
    path = project.find(pointer)
    if path is None:
        return Listing(doubt=reason)
    try:
        members = read_dir(objects.read(path, pointer.digest, DVC_LIMIT), pointer.path)
    except RegistryError as error:
        return Listing(doubt=error.message)
    if len(members) > left:
        return Listing(doubt=f"the changed folders list more than {MAX_MEMBERS:,} files")
    return Listing(members)


def _fetched(project: Project, missing: tuple[Pointer, ...], stall: float) -> dict[Pointer, str]:
    """Fetch listings into the project's first cache; return why some did not come."""
    reasons = dict.fromkeys(missing[MAX_FETCHED:], f"more than {MAX_FETCHED} are not at hand")
    asked = missing[:MAX_FETCHED]
    if project.config is None:
        return reasons | dict.fromkeys(asked, "it is not at hand, and the base has no .dvc/config")
    try:
        return reasons | _read(project, project.config, asked, stall)
    except RegistryError as error:
        return reasons | dict.fromkeys(asked, error.message)


def _read(
    project: Project, base_config: bytes, missing: tuple[Pointer, ...], stall: float
) -> dict[Pointer, str]:
    """Ask how large the listings are, then fetch those that may be read."""
    config = dvc.configuration(base_config, project.local_config, project.folder)
    if not config.remotes:
        return dict.fromkeys(missing, "it is not at hand, and the base names no DVC remote")
    wanted = [(dvc.object_of(pointer), pointer) for pointer in missing]
    stated: list[tuple[Object, Path | None]] = [(one, None) for one, _ in wanted]
    reasons: dict[Pointer, str] = {}
    small: list[Object] = []
    for answer in ask(config, "stat", stated, stall=stall):
        one, pointer = wanted[answer.number]
        if answer.size is None:
            reasons[pointer] = "the remote does not show it"
        elif not 0 <= answer.size <= DVC_LIMIT:
            reasons[pointer] = f"it has more than {DVC_LIMIT:,} bytes, or no size"
        else:
            small.append(one)
    try:
        dvc.bring(small, config, project.caches[0], stall=stall)
    except RegistryError as error:  # those that came before it are there
        reasons = dict.fromkeys(missing, error.message) | reasons
    return reasons
