"""What a change does to dependencies, netted over all its manifests."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from registry.manifests.kinds import Kind, between, mutable
from registry.manifests.requirement import Manifest, Requirement

Key = Callable[["Placed"], Hashable]


@dataclass(frozen=True, slots=True)
class Placed:
    """A requirement and the manifest that holds it."""

    path: str
    kind: str
    requirement: Requirement


@dataclass(frozen=True, slots=True)
class Delta:
    """One requirement that differs: `before` is None where added, `after` where removed."""

    before: Placed | None
    after: Placed | None

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What is different about it."""
        if self.before is None:
            new = self.after is not None and mutable(self.after.requirement)
            return (Kind.ADDED, Kind.MUTABLE) if new else (Kind.ADDED,)
        if self.after is None:
            return (Kind.REMOVED,)
        old, new_one = self.before, self.after
        moved = (old.path, old.requirement.group) != (new_one.path, new_one.requirement.group)
        return between(old.requirement, new_one.requirement, moved=moved)


def difference(
    before: Iterable[tuple[str, Manifest]], after: Iterable[tuple[str, Manifest]]
) -> tuple[Delta, ...]:
    """Return what was added, altered or removed, in the order of the head, removals last.

    A requirement that only moves to another line or file is no difference. One that differs
    is paired with its nearest forerunner: the same marker and part of the same file first.
    """
    old, new = _placed(before), _placed(after)
    for same in (_whole_in_place, _whole_anywhere):
        old, new, _ = _matched(old, new, same)
    pairs: list[tuple[Placed, Placed]] = []
    for key in (_role_in_place, _name_in_place, _role_anywhere, _name_anywhere):
        old, new, found = _matched(old, new, key)
        pairs += found
    partner = {id(b): a for a, b in pairs}
    rest = [*new, *(b for _, b in pairs)]
    rest.sort(key=lambda p: (p.path, p.requirement.line))
    return (
        *(Delta(partner.get(id(p)), p) for p in rest),
        *(Delta(p, None) for p in old),
    )


def _placed(manifests: Iterable[tuple[str, Manifest]]) -> list[Placed]:
    return [Placed(path, m.kind, r) for path, m in manifests for r in m.requirements]


def _matched(
    old: list[Placed], new: list[Placed], key: Key
) -> tuple[list[Placed], list[Placed], list[tuple[Placed, Placed]]]:
    # Each requirement meets at most one other: two equal lines before, one after, leave one.
    waiting: dict[Hashable, list[Placed]] = {}
    for placed in reversed(old):
        waiting.setdefault(key(placed), []).append(placed)
    pairs, left = [], []
    for placed in new:
        if same := waiting.get(key(placed)):
            pairs.append((same.pop(), placed))
        else:
            left.append(placed)
    met = {id(before) for before, _ in pairs}
    return [p for p in old if id(p) not in met], left, pairs


def _name(placed: Placed) -> tuple[str, ...]:
    found = placed.requirement
    return (found.ecosystem, found.name or found.url)


def _role(placed: Placed) -> tuple[str, ...]:
    return (*_name(placed), placed.requirement.marker, placed.requirement.group)


def _whole(placed: Placed) -> tuple[object, ...]:
    r = placed.requirement
    return (*_role(placed), r.specifier, r.extras, r.url, r.index, r.hashed)


def _whole_in_place(placed: Placed) -> Hashable:
    return (placed.path, *_whole(placed))


def _whole_anywhere(placed: Placed) -> Hashable:
    return _whole(placed)


def _role_in_place(placed: Placed) -> Hashable:
    return (placed.path, *_role(placed))


def _name_in_place(placed: Placed) -> Hashable:
    return (placed.path, *_name(placed))


def _role_anywhere(placed: Placed) -> Hashable:
    return _role(placed)


def _name_anywhere(placed: Placed) -> Hashable:
    return _name(placed)
