"""Which stored objects somebody needs, and which nobody does. Pure.

An object is named by its md5, with ".dir" for the listing of a folder, wherever it lies. Whoever
names a folder needs all that its listing names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from registry import documents
from registry.errors import Blocked, PointerError
from registry.pointers import DVC_LIMIT

_ID = re.compile(r"(?<![0-9a-zA-Z])[0-9a-f]{32}(?:\.dir)?(?![0-9a-zA-Z])")
_FOLDER = ".dir"


class Lying(Protocol):
    """An object in a store. `time` is when it was written, in seconds, -1 where nobody knows."""

    @property
    def id(self) -> str:
        """Its md5, with ".dir" for a listing."""

    @property
    def size(self) -> int:
        """Its bytes, -1 where nobody knows."""

    @property
    def time(self) -> int:
        """When it was written."""


S = TypeVar("S", bound=Lying)


@dataclass(frozen=True, slots=True)
class Output:
    """What a tracking file says that DVC keeps: `path` as it stands there, `id` of the object."""

    path: str
    id: str
    stage: str = ""


@dataclass(frozen=True, slots=True)
class Tracking:
    """What a `.dvc` or `dvc.lock` names: `outputs` have to be there, of `ids` any may be."""

    outputs: tuple[Output, ...]
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Root:
    """Something that needs objects: `kind` is one word, `name` says which of its kind.

    `needs` have to be readable, of `ids` every one that is there counts too.
    """

    kind: str
    name: str
    needs: tuple[str, ...]
    ids: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """All that it names itself, sorted."""
        return tuple(sorted({*self.needs, *self.ids}))


@dataclass(frozen=True, slots=True)
class Sorted(Generic[S]):
    """The objects of one store: `young` are those that nobody needs, but that may be needed soon.

    `undated` are those of which nobody knows when they were written; they stay.
    """

    needed: tuple[S, ...]
    young: tuple[S, ...]
    undated: tuple[S, ...]
    garbage: tuple[S, ...]


def mentioned(text: str) -> tuple[str, ...]:
    """Return everything in a text that may be the name of an object."""
    return tuple(sorted(set(_ID.findall(text))))


def read(data: bytes, path: str) -> Tracking:
    """Read a `.dvc` file or a `dvc.lock` for what it names. Raises PointerError.

    An import, and what `cache` or `push` keep from the remote, need not be there.
    """
    hint = "correct it, or delete the branch or tag that has it; nothing was deleted"
    try:
        found = documents.load_yaml(data, limit=DVC_LIMIT).value
    except documents.DocumentError as error:
        raise PointerError(f"{path}: {error.message}", hint) from error
    if found is None:
        found = {}
    if not isinstance(found, dict):
        raise PointerError(f"{path}: not a mapping", hint)
    texts = {text for each in _texts(found) for text in mentioned(each)}
    texts.update(mentioned(data.decode("utf-8", "replace")))
    return Tracking(tuple(_outputs(found, path)), tuple(sorted(texts)))


def folders(roots: Iterable[Root]) -> tuple[str, ...]:
    """Return every folder that a root names, once."""
    return tuple(sorted({one for root in roots for one in root.named if one.endswith(_FOLDER)}))


def marked(roots: Iterable[Root], members: Mapping[str, Collection[str]]) -> frozenset[str]:
    """Return all objects that are needed; `members` are those of the listings that are there.

    Raises Blocked for a folder that has to be readable and is not: what it needs cannot be told.
    """
    found: set[str] = set()
    for root in roots:
        for one in root.named:
            found.add(one)
            if one in members:
                found.update(members[one])
            elif one.endswith(_FOLDER) and one in root.needs:
                raise Blocked(
                    f"{root.kind} {root.name}: the listing {one} is neither in the DVC remote nor "
                    "in the cache, so nobody knows what it needs",
                    "push it from a clone that has it, or remove what names it; "
                    "nothing was deleted",
                )
    return frozenset(found)


def divided(stored: Iterable[S], needed: Collection[str], before: float) -> Sorted[S]:
    """Divide a store's objects; garbage is what nobody needs and was written before a time.

    A listing that is needed under one layout is needed under each.
    """
    keep, young, undated, garbage = list[S](), list[S](), list[S](), list[S]()
    for one in stored:
        if one.id in needed:
            keep.append(one)
        elif one.time < 0:
            undated.append(one)
        elif one.time >= before:
            young.append(one)
        else:
            garbage.append(one)
    return Sorted(tuple(keep), tuple(young), tuple(undated), tuple(garbage))


def _texts(value: Any) -> Iterator[str]:
    """Yield every text of a document; its depth is bounded by its reader."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(key)
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _outputs(found: dict[str, Any], path: str) -> Iterator[Output]:
    if path.endswith("dvc.lock"):
        stages = found.get("stages")
        for name, stage in stages.items() if isinstance(stages, dict) else ():
            if isinstance(stage, dict):
                yield from _kept(stage.get("outs"), str(name))
    elif not found.get("deps"):  # of an import, the source is elsewhere, and DVC pushes nothing
        yield from _kept(found.get("outs"), "")


def _kept(outs: Any, stage: str) -> Iterator[Output]:
    for one in outs if isinstance(outs, list) else ():
        if not isinstance(one, dict) or one.get("cache") is False or one.get("push") is False:
            continue
        path, digest = one.get("path"), one.get("md5")
        if isinstance(path, str) and isinstance(digest, str) and _ID.fullmatch(digest):
            yield Output(path, digest, stage)
