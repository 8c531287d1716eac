"""Templates that never end or fill the memory: loops by number, text that doubles, recursion.

No bound is proven. What messages and tools drive is taken for small; what the template drives by
itself is counted, and beyond the bounds below it is a doubt.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from security.scan.built import Built, Visit, keys

MOST_TURNS = 1_000_000  # of all loops in one another that the template itself counts
LARGEST = 1_000_000  # number written anywhere
WIDEST = 10_000  # number given to a filter or to range
DEEPEST = 8  # loops in one another
TEXT_TURNS = 1_000  # guess for a loop over text the template holds or splits
MOST_DOUBLINGS = 6  # outside of loops
MOST_GROWING = 16  # replacements by something longer
_WIDTH = re.compile(r"%[-+ #0]*(\d{5,}|\*)|\{[^{}]*:[^{}]*\d{5,}")

Said = Iterator[tuple[int, str]]


def costs(built: Built) -> Said:
    """Yield (line, what) of each doubt about time and memory."""
    growing = 0
    made = {a.key for a in built.assigned if type(a.value).__name__ in ("Mul", "Pow")}
    for visit in built.visits:
        node, kind = visit.node, type(visit.node).__name__
        if kind == "Const":
            yield from _const(node)
        elif kind in ("Pow", "Mul"):
            yield from _product(node, kind, built)
        elif kind == "Filter" or (kind == "Call" and type(node.node).__name__ == "Getattr"):
            yield from _wide(node)
            growing += _grows(node)
        elif kind == "Call" and getattr(node.node, "name", "") == "range":
            yield from _range(node, made)
        elif kind == "For":
            yield from _loop(visit, built)
    if growing > MOST_GROWING:
        yield 1, f"{growing} replacements by something longer"
    yield from _doubling(built)
    yield from _macros(built)


def _const(node: Any) -> Said:
    value = node.value
    if isinstance(value, int | float) and not abs(value) <= LARGEST:
        yield node.lineno, f"a number beyond {LARGEST:,}"
    if isinstance(value, str) and _WIDTH.search(value):
        yield node.lineno, "a format of great or unknown width"


def _product(node: Any, kind: str, built: Built) -> Said:
    if kind == "Pow":
        yield node.lineno, "a power"
        return
    sides = (node.left, node.right)
    small = [s for s in sides if _number(s) is not None and abs(_number(s) or 0) <= 1_000]
    others = [s for s in sides if s not in small]
    if not small:
        yield node.lineno, "a product of two unknown values"
    elif any(_long(side, built) for side in others):
        yield node.lineno, "text or a list repeated"


def _long(node: Any, built: Built) -> bool:
    if type(node).__name__ == "Const":
        return isinstance(node.value, str) and len(node.value) > 16
    return type(node).__name__ in ("List", "Tuple") or built.flow(node) > 0


def _number(node: Any) -> int | None:
    value = getattr(node, "value", None) if type(node).__name__ == "Const" else None
    return value if isinstance(value, int) else None


def _wide(node: Any) -> Said:
    for value in (*node.args, *(k.value for k in node.kwargs)):
        if (_number(value) or 0) > WIDEST:
            yield node.lineno, f"a width beyond {WIDEST:,}"


def _grows(node: Any) -> bool:
    name = getattr(node, "name", "") or node.node.attr
    if name != "replace" or len(node.args) < 2:
        return False
    old, new = (getattr(a, "value", None) for a in node.args[:2])
    return not (isinstance(old, str) and isinstance(new, str) and len(new) <= len(old))


def _range(node: Any, made: set[str]) -> Said:
    for argument in node.args:
        for inner in _tree(argument):
            kind = type(inner).__name__
            if kind in ("Mul", "Pow") or (_number(inner) or 0) > WIDEST:
                yield node.lineno, f"a range beyond {WIDEST:,} or of unknown length"
                return
            if kind == "Name" and inner.name in made:
                yield node.lineno, "a range of a length that was multiplied"
                return


def _loop(visit: Visit, built: Built) -> Said:
    if visit.node.recursive:
        yield visit.node.lineno, "a loop that calls itself"
    around = (*visit.loops, visit.node)
    if len(around) > DEEPEST:
        yield visit.node.lineno, f"more than {DEEPEST} loops in one another"
    turns = 1
    for loop in around:
        turns *= _turns(loop.iter, built)
    if turns > MOST_TURNS:
        yield visit.node.lineno, f"loops in one another with some {turns:,} turns"


def _turns(node: Any, built: Built) -> int:
    """Return how often a loop runs by the template's own doing; 1 where messages decide."""
    kind = type(node).__name__
    if kind == "Const" and isinstance(node.value, str):
        return max(1, len(node.value))
    if kind in ("List", "Tuple", "Dict"):
        return max(1, len(node.items))
    if kind == "Call" and getattr(node.node, "name", "") == "range":
        numbers = [_number(a) for a in node.args]
        known = [abs(n) for n in numbers if n is not None]
        return max([1, *known]) if len(known) == len(numbers) else TEXT_TURNS
    return TEXT_TURNS if built.flow(node) > 0 else 1


def _doubling(built: Built) -> Said:
    made: dict[str, set[str]] = {}
    twice: list[tuple[str, int, int, set[str]]] = []
    for one in built.assigned:
        parts = Counter(_parts(one.value))
        made.setdefault(one.key, set()).update(parts)
        double = {name for name, count in parts.items() if count > 1}
        if double:
            twice.append((one.key, one.within, one.line, double))
    times = [line for _, _, line, double in twice if double & made.keys()]
    if len(times) > MOST_DOUBLINGS:
        yield times[0], f"{len(times)} values made of one value twice"
        return
    for key, within, line, double in twice:
        if within and any(_leads(name, key, made) for name in double):
            yield line, f"{key:.60} doubles in a loop"


def _leads(name: str, key: str, made: dict[str, set[str]]) -> bool:
    """Whether what a name holds is made, over any number of steps, of what a key holds."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        found = waiting.pop()
        if found == key:
            return True
        if found not in seen:
            seen.add(found)
            waiting.extend(made.get(found, ()))
    return False


def _parts(value: Any) -> Iterator[str]:
    """Yield the names whose value ends up in a value, as often as it does."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        kind = type(node).__name__
        if kind == "Name":
            yield node.name
        elif kind == "Getattr" and type(node.node).__name__ == "Name":
            yield f"{node.node.name}.{node.attr}"
        elif kind == "CondExpr":  # one of the two, not both
            waiting.append(node.expr1)
        elif kind == "Getitem" and type(node.arg).__name__ == "Slice":
            waiting.append(node.node)
        elif kind == "If":
            waiting.extend(node.body)
        elif kind in ("Add", "Concat", "Output", "AssignBlock", "Filter", "Call", "For"):
            waiting.extend(_inside(node, kind))


def _inside(node: Any, kind: str) -> list[Any]:
    if kind == "For":
        return list(node.body)
    if kind == "Call" and type(node.node).__name__ == "Getattr":
        return [node.node.node, *node.args]
    if kind == "Call":
        return []  # macros are counted by themselves
    if kind == "AssignBlock":
        return list(node.body)
    return list(node.iter_child_nodes())


def _macros(built: Built) -> Said:
    calls: dict[str, list[tuple[str, Visit]]] = {}
    for visit in built.visits:
        name: str = getattr(getattr(visit.node, "node", None), "name", "")
        if type(visit.node).__name__ == "Call" and name in built.macros:
            calls.setdefault(visit.macro, []).append((name, visit))
    weights: dict[str, int] = {}
    loops = {
        key for v in built.visits if type(v.node).__name__ == "For" for key in keys(v.node.target)
    }
    order, circular = _order(calls)
    for name in order:
        total = 1
        for called, visit in calls.get(name, []):
            if (name, called) in circular:
                if not _descends(visit.node, loops, built):
                    yield visit.node.lineno, f"{name:.60} calls itself, not on a part of its value"
                continue
            turns = 1
            for loop in visit.loops:
                turns *= _turns(loop.iter, built)
            total += turns * weights.get(called, 1)
        weights[name] = min(total, MOST_TURNS * 10)
        if total > MOST_TURNS:
            yield 1, f"macros that call one another more than {MOST_TURNS:,} times"
            return


def _order(calls: dict[str, list[tuple[str, Visit]]]) -> tuple[list[str], set[tuple[str, str]]]:
    """Return macros with those they call first, and the calls that close a circle."""
    order: list[str] = []
    circular: set[tuple[str, str]] = set()
    state: dict[str, int] = {}  # 1 while what it calls is looked at, 2 after
    for start in ("", *calls):
        waiting = [(start, False)]
        while waiting:
            name, left = waiting.pop()
            if left:
                state[name] = 2
                order.append(name)
            elif name not in state:
                state[name] = 1
                waiting.append((name, True))
                for called in dict.fromkeys(called for called, _ in calls.get(name, [])):
                    if state.get(called) == 1:
                        circular.add((name, called))
                    else:
                        waiting.append((called, False))
    return order, circular


def _descends(call: Any, loops: set[str], built: Built) -> bool:
    """Whether a call is given a part of something, which ends when the parts do."""
    spaces = {a.key for a in built.assigned if _is_namespace(a.value)}
    for value in (*call.args, *(k.value for k in call.kwargs)):
        node = value
        while type(node).__name__ == "Filter" and node.node is not None:
            if node.name == "items":  # of what is no mapping it raises
                return True
            node = node.node
        if type(node).__name__ == "Dict" and node.items:
            node = node.items[0].value
        kind = type(node).__name__
        base = getattr(getattr(node, "node", None), "name", "")
        if kind == "Name" and node.name in loops:
            return True
        if kind == "Getitem" and type(node.arg).__name__ == "Slice":
            continue
        if kind in ("Getattr", "Getitem") and base not in spaces:
            return True
    return False


def _is_namespace(value: Any) -> bool:
    return type(value).__name__ == "Call" and getattr(value.node, "name", "") == "namespace"


def _tree(node: Any) -> Iterator[Any]:
    waiting = [node]
    while waiting:
        inner = waiting.pop()
        yield inner
        waiting.extend(inner.iter_child_nodes())
