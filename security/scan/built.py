"""Which values of a template may be text that the template itself put together.

An attribute's name in pieces (`"__cla" ~ "ss__"`) passes any list of forbidden names, so a lookup
by such a value is a doubt. Flow is coarse on purpose: no order, no branches, each name once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2.nodes import Template

DATA, TEXT, BUILT = 0, 1, 2  # what the caller gave; a literal; put together from either
_ROUNDS = 12


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NUMBERS = _words("length count int float abs round sum wordcount")
_KEEPING = _words("list select reject selectattr rejectattr sort unique dictsort items default d")
_GIVING = _words("get items keys values copy pop")
_COUNTING = _words(
    "startswith endswith find rfind index rindex count isdigit isalpha isalnum isdecimal islower"
    " isnumeric isspace istitle isupper"
)


@dataclass(frozen=True, slots=True)
class Visit:
    """A node with the loops around it, outermost first, and the macro it is written in."""

    node: Any
    loops: tuple[Any, ...]
    macro: str


@dataclass(frozen=True, slots=True)
class Assigned:
    """One way a name gets its value; `within` counts the loops around it."""

    key: str
    value: Any
    within: int
    line: int


class Built:
    """The nodes of one template, its macros and how each name gets its values."""

    def __init__(self, tree: Template) -> None:
        self.visits = tuple(_visits(tree))
        self.macros = {v.node.name: v.node for v in self.visits if _kind(v.node) == "Macro"}
        self.assigned = tuple(a for visit in self.visits for a in self._assigned(visit))
        self._flows: dict[str, int] = {}
        for _ in range(_ROUNDS):
            before = dict(self._flows)
            for one in self.assigned:
                found = max(self._flows.get(one.key, DATA), self.flow(one.value))
                self._flows[one.key] = found
            if before == self._flows:
                return
        self._flows = dict.fromkeys(self._flows, BUILT)  # a chain too long to follow

    def is_built(self, value: Any) -> bool:
        """Whether a value may be text put together in the template."""
        return self.flow(value) == BUILT

    def flow(self, value: Any) -> int:
        """Return DATA, TEXT or BUILT."""
        try:
            return self._flow(value)
        except RecursionError:
            return BUILT

    def _flow(self, node: Any) -> int:
        kind = _kind(node)
        if kind == "Const":
            return TEXT if isinstance(node.value, str) else DATA
        if kind == "Name":
            return self._flows.get(node.name, DATA)
        if kind == "Getattr":
            return self._flows.get(f"{getattr(node.node, 'name', '')}.{node.attr}", DATA)
        if kind == "Getitem":
            return BUILT if self._flow(node.node) else DATA
        if kind in ("Concat", "AssignBlock"):
            return BUILT
        if kind in ("Add", "Mod", "Mul"):
            return BUILT if self._flow(node.left) or self._flow(node.right) else DATA
        if kind == "CondExpr":
            return max(self._flow(n) for n in (node.expr1, node.expr2) if n is not None)
        if kind in ("And", "Or"):
            return max(self._flow(node.left), self._flow(node.right))
        if kind in ("List", "Tuple", "Dict"):
            return max((self._flow(item) for item in node.items), default=DATA)
        if kind == "Pair":
            return max(self._flow(node.key), self._flow(node.value))
        if kind == "Filter":
            return self._filtered(node)
        return self._called(node) if kind == "Call" else DATA

    def _filtered(self, node: Any) -> int:
        if node.name in _NUMBERS:
            return DATA
        base = BUILT if node.node is None else self._flow(node.node)
        if node.name in _KEEPING:
            return max([base, *(self._flow(a) for a in node.args if node.name in ("default", "d"))])
        return BUILT if base else TEXT

    def _called(self, node: Any) -> int:
        called = node.node
        if _kind(called) == "Name":
            return BUILT if called.name in self.macros or called.name == "caller" else DATA
        if _kind(called) != "Getattr":
            return BUILT
        if called.attr in _COUNTING:
            return DATA
        base = self._flow(called.node)
        if called.attr in _GIVING:
            return base
        return BUILT if base else TEXT

    def _assigned(self, visit: Visit) -> Iterator[Assigned]:
        node, within = visit.node, len(visit.loops)
        kind = _kind(node)
        pairs: list[tuple[Any, Any]] = []
        if kind == "Assign":
            pairs = [(node.target, node.node)]
        elif kind == "AssignBlock":
            pairs = [(node.target, node)]
        elif kind == "For":
            pairs = [(node.target, node.iter)]
        elif kind == "With":
            pairs = list(zip(node.targets, node.values, strict=True))
        elif kind == "Macro":
            pairs = list(zip(reversed(node.args), reversed(node.defaults), strict=False))
        elif kind == "Call" and getattr(node.node, "name", "") in self.macros:
            arguments = self.macros[node.node.name].args
            pairs = list(zip(arguments, node.args, strict=False))
            pairs += [(k.key, k.value) for k in node.kwargs]
        for target, value in pairs:
            for key in keys(target):
                yield Assigned(key, value, within, node.lineno)
                if _kind(value) == "Call" and getattr(value.node, "name", "") == "namespace":
                    for k in value.kwargs:
                        yield Assigned(f"{key}.{k.key}", k.value, within, node.lineno)


def keys(target: Any) -> tuple[str, ...]:
    """Return the names a target binds; a field of a namespace is `name.field`."""
    if isinstance(target, str):
        return (target,)
    if _kind(target) == "Tuple":
        return tuple(key for item in target.items for key in keys(item))
    return (f"{target.name}.{target.attr}",) if _kind(target) == "NSRef" else (target.name,)


def _visits(tree: Template) -> Iterator[Visit]:
    waiting = [Visit(tree, (), "")]
    while waiting:
        visit = waiting.pop()
        yield visit
        node = visit.node
        kind = _kind(node)
        inner = visit.loops
        if kind == "For":
            inner = (*visit.loops, node)
        elif kind == "Macro":
            inner = ()
        macro = node.name if kind == "Macro" else visit.macro
        for child in reversed(list(node.iter_child_nodes())):
            outside = kind == "For" and child is node.iter
            waiting.append(Visit(child, visit.loops if outside else inner, macro))


def _kind(node: Any) -> str:
    return type(node).__name__
