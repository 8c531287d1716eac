"""The resolved closure of locks: which package brings in which, and what a change does to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from registry.manifests.requirement import Manifest

MAX_STEPS = 500  # names of one way; beyond it no way counts as known
Wanted = tuple[str, tuple[str, ...]]  # a name the project asks for, with extras
State = tuple[int, str]  # a package, and the part of it that is needed


@dataclass(frozen=True, slots=True)
class Arrival:
    """A package that is new and that nobody asked for by name.

    `route` leads to it from a direct dependency, both ends included; () where the lock does not
    say. `cause` is the step of the route that this change brought: "b went from 1.0 to 2.0".
    """

    name: str
    version: str
    path: str
    line: int
    route: tuple[str, ...]
    cause: str


@dataclass(frozen=True, slots=True)
class Closure:
    """What became of the packages of all locks together, the project's own ones left out."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    arrivals: tuple[Arrival, ...] = ()


class Graph:
    """Packages of a lock and the shortest way to each from what the project asks for.

    Where a lock does not hold the project itself, `asked` says what its manifest asks for; where
    nobody says that, whatever no other package needs counts as asked for.
    """

    def __init__(self, lock: Manifest, asked: Iterable[Wanted] = ()) -> None:
        self.lock = lock
        self.says = bool(lock.links)
        own = frozenset(lock.roots)
        self._after: dict[State, list[State]] = {}
        starts: dict[State, None] = {}
        for link in lock.links:
            states = [(link.target, ""), *((link.target, f"extra:{e}") for e in link.extras)]
            if link.source in own or link.source == -1:
                starts |= dict.fromkeys(s for s in states if s[0] not in own)
            else:
                self._after.setdefault((link.source, link.part), []).extend(states)
        if not starts:
            starts = dict.fromkeys(self._asked(asked) or self._unneeded(own))
        self.direct = frozenset(lock.requirements[place].name for place, _ in starts)
        self._before: dict[State, State | None] = dict.fromkeys(starts)
        self._first: dict[str, State] = {}
        self._walk(own)

    def _asked(self, asked: Iterable[Wanted]) -> list[State]:
        wanted = dict[str, tuple[str, ...]]()
        for name, extras in asked:
            wanted[name] = (*wanted.get(name, ()), *extras)
        return [
            (place, part)
            for place, one in enumerate(self.lock.requirements)
            if one.name in wanted
            for part in ("", *(f"extra:{e}" for e in wanted[one.name]))
        ]

    def _unneeded(self, own: frozenset[int]) -> list[State]:
        needed = {link.target for link in self.lock.links}
        places = range(len(self.lock.requirements) if needed else 0)
        return [(place, "") for place in places if place not in needed and place not in own]

    def _walk(self, own: frozenset[int]) -> None:
        waiting = deque(self._before)
        while waiting:
            state = waiting.popleft()
            self._first.setdefault(self.lock.requirements[state[0]].name, state)
            for other in self._after.get(state, ()):
                if other not in self._before and other[0] not in own:
                    self._before[other] = state
                    waiting.append(other)

    def path(self, name: str) -> tuple[str, ...]:
        """Return the names from a direct dependency to `name`, () where none leads there."""
        state = self._first.get(name)
        found: list[str] = []
        while state is not None:
            if len(found) > MAX_STEPS:
                return ()
            here = self.lock.requirements[state[0]].name
            if not found or found[-1] != here:  # a package and its extra are one step
                found.append(here)
            state = self._before[state]
        return tuple(reversed(found))


def paths(graph: Graph, name: str) -> tuple[str, ...]:
    """Return the shortest way a -> b -> name from a direct dependency; () where none is known."""
    return graph.path(name)


Side = Sequence[tuple[str, Graph]]  # locks of one side, by path
Versions = dict[str, tuple[str, ...]]


def compare(before: Side, after: Side) -> Closure:
    """Return what differs between the locks of two sides, netted over all of them."""
    old, new = _versions(before), _versions(after)
    added = tuple(sorted(new.keys() - old.keys()))
    return Closure(
        added,
        tuple(sorted(old.keys() - new.keys())),
        tuple(sorted(name for name in new.keys() & old.keys() if new[name] != old[name])),
        _arrivals(frozenset(added), before, after, old, new),
    )


def _versions(side: Side) -> Versions:
    found: dict[str, set[str]] = {}
    for _, graph in side:
        own = frozenset(graph.lock.roots)
        for place, one in enumerate(graph.lock.requirements):
            if place not in own:
                found.setdefault(one.name, set()).add(one.version or one.url)
    return {name: tuple(sorted(versions)) for name, versions in found.items()}


def _arrivals(
    added: frozenset[str], before: Side, after: Side, old: Versions, new: Versions
) -> tuple[Arrival, ...]:
    direct = {name for _, graph in after for name in graph.direct}
    asked = {name for _, graph in before for name in graph.direct}
    found: dict[str, Arrival] = {}
    for path, graph in after:
        if not graph.says:
            continue
        for one in graph.lock.requirements:
            if one.name in added and one.name not in direct and one.name not in found:
                route = graph.path(one.name)
                cause = _cause(route, asked, old, new)
                found[one.name] = Arrival(one.name, one.version, path, one.line, route, cause)
    return tuple(found[name] for name in sorted(found))


def _cause(route: tuple[str, ...], asked: set[str], old: Versions, new: Versions) -> str:
    """Say which step of a route the change brought."""
    for name in route[:-1]:
        if name not in old:
            return f"{name} is new"
        if old[name] != new[name]:
            return _moved(name, old[name], new[name])
    if len(route) > 1 and route[0] not in asked:
        return f"{route[0]} is asked for by name now"
    return f"{route[-2]} needs it now" if len(route) > 1 else ""


def _moved(name: str, old: tuple[str, ...], new: tuple[str, ...]) -> str:
    beside = [version for version in new if version not in old]
    if beside and set(old) < set(new):
        return f"{name} {', '.join(beside)} stands beside {', '.join(old)} now"
    return f"{name} went from {', '.join(old)} to {', '.join(new)}"
