"""Changed safetensors models compared with their bases, for the weights check."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.util import find_spec

from bot.change import Change
from bot.checks.weights import models
from bot.checks.weights.contents import Held, Opener
from bot.checks.weights.models import Shelf
from bot.errors import CouldNotTell
from bot.world import World
from lab.tensors.compare import compare
from lab.tensors.layout import layout
from lab.tensors.values import Diff
from registry.errors import RegistryError
from security.errors import SecurityError

MAX_MODELS = 50
_NONE = Diff()


@dataclass(frozen=True, slots=True)
class ModelDiff:
    """One changed model, and a changed file of it. `base` says what it was compared with, "" for
    nothing; `vocabulary` is the size that its configuration states (-1: none); `doubt` says why
    not all is known."""

    model: str
    path: str
    base: str = ""
    diff: Diff = _NONE
    vocabulary: int = -1
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class _Pair:
    """Files of a model that differ from its base; `before` is None where there is no base."""

    label: str
    before: tuple[Held, ...] | None
    after: tuple[Held, ...]
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one collection works with."""

    change: Change
    world: World
    maker: str
    limit: int


def collect(
    change: Change, world: World, paths: Iterable[str], maker: str, limit: int
) -> tuple[ModelDiff, ...]:
    """Compare every model that one of these changed safetensors files belongs to."""
    asked = _Asked(change, world, maker, limit)
    folders: dict[str, list[str]] = {}
    for path in sorted(set(paths)):
        folders.setdefault(posixpath.dirname(path), []).append(path)
    found: list[ModelDiff] = []
    for folder, files in folders.items():
        found += _of_folder(asked, folder, files)
        if len(found) > MAX_MODELS:
            more = f"only the first {MAX_MODELS} changed models were compared"
            return (*found[:MAX_MODELS], ModelDiff("further models", files[0], doubt=more))
    return tuple(found)


def _of_folder(asked: _Asked, folder: str, paths: list[str]) -> list[ModelDiff]:
    try:
        head = models.shelf(asked.world, asked.change.head, folder)
    except (RegistryError, CouldNotTell) as error:
        return [ModelDiff(folder or ".", paths[0], doubt=error.message)]
    found = []
    for stem, files in head.models:
        changed = [held.path for held in files if held.path in paths]
        if changed:
            found.append(_compared(asked, folder, stem, changed[0], files))
    return found


def _compared(
    asked: _Asked, folder: str, stem: str, path: str, files: tuple[Held, ...]
) -> ModelDiff:
    model = ModelDiff(
        posixpath.join(folder, stem + models.SUFFIX), path, vocabulary=_vocabulary(asked, folder)
    )
    try:
        pair = _pair(asked, folder, stem, files)
    except (RegistryError, CouldNotTell) as error:
        return replace(model, doubt=error.message)
    model = replace(model, base=pair.label, doubt=pair.doubt)
    try:
        diff = _diff(asked, pair)
        if pair.before and not _related(diff):
            doubt = f"it shares no tensor with {pair.label}"
            diff = _diff(asked, _Pair("", None, pair.after))
            return replace(model, base="", diff=diff, doubt=doubt)
    except (RegistryError, CouldNotTell, SecurityError) as error:
        return replace(model, doubt=error.message)
    return replace(model, diff=diff)


def _related(diff: Diff) -> bool:
    counts = dict(diff.counts)
    return diff.same > 0 or counts.get("added", 0) < diff.tensors or not diff.tensors


def _pair(asked: _Asked, folder: str, stem: str, files: tuple[Held, ...]) -> _Pair:
    """Find what a model is compared with: itself before the change, or its declared base."""
    change, world = asked.change, asked.world
    before = models.shelf(world, change.merge_base, folder).model(stem)
    if before:
        old, new = _differing(before, files)
        return _Pair(change.merge_base[:12], old, new)
    declared = models.declared(world, change.head, folder)
    if not declared:
        return _Pair("", None, files)
    for commit in (change.merge_base, change.head):
        place, found = models.local(world, commit, folder, declared)
        base = _main(found, stem)
        if base:
            old, new = _differing(base, files)
            own = ", which this change brings itself" if commit != change.merge_base else ""
            return _Pair(f"its declared base {place} at {commit[:12]}{own}", old, new)
    return _Pair("", None, files, f"its declared base {declared!r:.120} is not in this repository")


def _main(found: Shelf, stem: str) -> tuple[Held, ...]:
    """Return the model of the same name, or the only one."""
    only = found.models[0][1] if len(found.models) == 1 else ()
    return found.model(stem) or only


def _differing(
    before: tuple[Held, ...], after: tuple[Held, ...]
) -> tuple[tuple[Held, ...], tuple[Held, ...]]:
    """Leave out files that are the same bytes on both sides: nothing of them is read."""
    old, new = ({held.digest for held in side} for side in (before, after))
    return (
        tuple(held for held in before if held.digest not in new),
        tuple(held for held in after if held.digest not in old),
    )


def _diff(asked: _Asked, pair: _Pair) -> Diff:
    def make() -> Diff:
        with Opener(asked.world) as opener:
            after = layout(map(opener.source, pair.after))
            before = None if pair.before is None else layout(map(opener.source, pair.before))
            return compare(before, after, asked.limit)

    numbers = "numbers" if find_spec("numpy") else "layout"
    before = "new" if pair.before is None else _named(pair.before)
    maker = f"{asked.maker}/diff/{numbers}/{asked.limit}/{before}"
    return asked.world.facts(maker, _named(pair.after), Diff, make)


def _named(files: tuple[Held, ...]) -> str:
    """Return a digest of what these files hold, whatever they are called."""
    lines = sorted(f"{held.place} {held.digest}\n" for held in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _vocabulary(asked: _Asked, folder: str) -> int:
    entry = asked.world.entry(asked.change.head, posixpath.join(folder, "config.json"))
    if entry is None or not entry.is_file:
        return -1
    found = models.config(asked.world, entry)
    text = found.get("text_config")
    sizes = (found.get("vocab_size"), text.get("vocab_size") if isinstance(text, dict) else None)
    return next((size for size in sizes if type(size) is int), -1)
