"""What a template may do, decided on its syntax tree: anything unknown is a doubt.

Bypasses it answers: attributes that lead into Python (CVE-2024-34359), names put together from
pieces, and filters that look up (CVE-2026-5760).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from security.scan.built import Built
from security.scan.costs import costs
from security.scan.dialect import (
    BY_ATTRIBUTE,
    BY_NAME,
    FILTERS,
    FUNCTIONS,
    KINDS,
    METHODS,
    REACHING,
    REFLECTIVE,
    TESTS,
)

if TYPE_CHECKING:
    from jinja2.nodes import Node, Template

_DUNDER = re.compile(r"__[A-Za-z]\w*__")
MOST = 20  # findings of one template


@dataclass(frozen=True, slots=True)
class Found:
    """One finding in a template; `certain` as of a Threat."""

    rule: str
    what: str
    line: int
    certain: bool = True


def judge_tree(tree: Template) -> Iterator[Found]:
    """Yield what a template does beyond the formatting of messages, at most MOST findings."""
    built = Built(tree)
    yield from islice(_all(tree, built), MOST)


def _all(tree: Template, built: Built) -> Iterator[Found]:
    waiting: list[Node] = [tree]
    while waiting:
        node = waiting.pop()
        waiting.extend(reversed(list(node.iter_child_nodes())))
        for rule, what, certain in _node(node, built):
            yield Found(rule, what, node.lineno or 1, certain)
    for line, what in costs(built):
        yield Found("template-cost", what, line, False)


Said = Iterator[tuple[str, str, bool]]


def _node(node: Any, built: Built) -> Said:
    kind = type(node).__name__
    if kind in ("Include", "Import", "FromImport", "Extends"):
        yield "template", f"{kind.lower()} of another template", True
    elif kind not in KINDS:
        yield "template", f"{kind} is nothing a chat template needs", False
    elif kind in _JUDGES:
        yield from _JUDGES[kind](node, built)


def _name(node: Any, _: Built) -> Said:
    if node.name.startswith("__"):
        yield "template", f"the name {node.name:.60}", True
    elif getattr(node, "ctx", "") == "load" and node.name in REACHING:
        yield "template", f"{node.name}, from which Python's globals are reached", True


def _namespace(node: Any, built: Built) -> Said:
    yield from _name(node, built)
    yield from _attribute(node.attr)


def _const(node: Any, _: Built) -> Said:
    if isinstance(node.value, str) and (match := _DUNDER.search(node.value)):
        yield "template", f"the text {match.group():.60}, a name inside of Python", False


def _getattr(node: Any, _: Built) -> Said:
    yield from _attribute(node.attr)


def _attribute(name: str) -> Said:
    for part in name.split("."):
        if part.startswith("__") or part in REFLECTIVE:
            yield "template", f"the attribute {part:.60}, a way into Python", True
        elif part.startswith("_"):
            yield "template", f"the attribute {part:.60}, which is internal", False


def _getitem(node: Any, built: Built) -> Said:
    value = getattr(node.arg, "value", None)
    if isinstance(value, str):
        # A field of a message may begin with one underscore; Python's own begin with two.
        if value.startswith("__") or value in REFLECTIVE:
            yield "template", f"the item {value!r:.60}, a way into Python", True
    elif built.is_built(node.arg):
        yield "template", "an item is looked up by a name put together in the template", False


def _call(node: Any, built: Built) -> Said:
    called, kind = node.node, type(node.node).__name__
    if kind == "Name":
        if called.name not in FUNCTIONS and called.name not in built.macros:
            yield "template", f"calls {called.name:.60}, which chat templates are not given", False
    elif kind == "Getattr":
        if called.attr not in METHODS:
            yield "template", f"calls .{called.attr:.60}()", False
    else:
        yield "template", "calls what it looked up or was returned", False
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        yield "template", "calls with arguments unpacked", False


def _filter(node: Any, _: Built) -> Said:
    name = node.name
    if name == "attr":
        yield "template", "the filter attr, which looks up any attribute", True
    elif name not in FILTERS:
        yield "template", f"the filter {name:.60}", False
    arguments = [getattr(a, "value", None) for a in node.args]
    if name in BY_ATTRIBUTE:
        yield from _named(arguments[BY_ATTRIBUTE[name] :][:1])
    if name in ("selectattr", "rejectattr"):
        yield from _among(arguments[1:2], TESTS)
    elif name in BY_NAME:
        yield from _among(arguments[:1], BY_NAME[name])
    for keyword in node.kwargs:
        if keyword.key == "attribute":
            yield from _named([getattr(keyword.value, "value", None)])
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        yield "template", f"the filter {name:.60} with arguments unpacked", False


def _named(values: list[Any]) -> Said:
    for value in values:
        if isinstance(value, str):
            yield from _attribute(value)
        elif type(value) is not int:
            yield "template", "an attribute whose name is put together", False


def _among(values: list[Any], known: frozenset[str]) -> Said:
    for value in values:
        if value == "attr":
            yield "template", "the filter attr, which looks up any attribute", True
        elif value not in known:
            yield "template", f"applies {value!r:.60}", False


def _test(node: Any, _: Built) -> Said:
    if node.name not in TESTS:
        yield "template", f"the test {node.name:.60}", False


_JUDGES = {
    "Name": _name,
    "NSRef": _namespace,
    "Const": _const,
    "Getattr": _getattr,
    "Getitem": _getitem,
    "Call": _call,
    "Filter": _filter,
    "Test": _test,
}
