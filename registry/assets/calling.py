"""Calls of a syntax tree with the texts they are given, as far as the file writes them out."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

LONGEST = 300  # characters of a text that may be a name


@dataclass(frozen=True, slots=True)
class Call:
    """A call `owner.name(...)`; `target` is the variable it is assigned to, "" for none.

    `texts` are keyword arguments and `positions` positional ones, those that are texts.
    """

    name: str
    owner: str
    line: int
    target: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    positions: Mapping[int, str] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """The call as a reader knows it."""
        return f"{self.owner}.{self.name}" if self.owner else self.name


def constants(nodes: Iterable[ast.AST]) -> Mapping[str, str]:
    """Return the names that stand for one text in the whole file, whoever reads them.

    Assignments, defaults of parameters and `default=` of a command line's option count. A name
    with two values, or one that is not text, stands for nothing.
    """
    found: dict[str, set[str | None]] = {}
    for node in nodes:
        for name, value in _assigned(node):
            found.setdefault(name, set()).add(_literal(value))
    return {
        name: text for name, texts in found.items() if len(texts) == 1 for text in texts if text
    }


def defaults(nodes: Iterable[ast.AST], names: frozenset[str]) -> Iterator[tuple[str, str, int]]:
    """Yield (name, text, line) of assignments and defaults of these names."""
    for node in nodes:
        for name, value in _assigned(node):
            text = _literal(value) if name in names else None
            if text and value is not None:
                yield name, text, value.lineno


def called(nodes: Iterable[ast.AST], known: Mapping[str, str]) -> Iterator[Call]:
    """Yield the calls of these nodes."""
    targets: dict[int, str] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            targets[id(node.value)] = _last(node.targets[0])
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets[id(node.value)] = _last(node.target)
    for node in nodes:
        if isinstance(node, ast.Call):
            name = _last(node.func)
            owner = _last(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            yield Call(
                name,
                owner,
                node.lineno,
                targets.get(id(node), ""),
                {k.arg: t for k in node.keywords if k.arg and (t := _text(k.value, known))},
                {n: t for n, a in enumerate(node.args[:8]) if (t := _text(a, known))},
            )


def _last(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.expr, known: Mapping[str, str]) -> str:
    name = _last(node)
    return (_literal(node) or "") if not name else known.get(name, "")


def _literal(node: ast.expr | None) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value if len(node.value) <= LONGEST else None
    return None


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield each name that a node gives a value, None where nobody can know which."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Tuple | ast.List):
                yield from ((_last(one), None) for one in target.elts)
            else:
                yield _last(target), node.value
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield _last(node.target), _default(node.value)
    elif isinstance(node, ast.AugAssign | ast.NamedExpr | ast.For | ast.comprehension):
        yield _last(node.target), None
    elif isinstance(node, ast.arguments):
        plain = [*node.posonlyargs, *node.args]
        for arg, value in zip(plain[::-1], node.defaults[::-1], strict=False):
            yield arg.arg, value
        for arg, other in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            if other is not None:
                yield arg.arg, other
    elif isinstance(node, ast.Call) and _last(node.func) == "add_argument" and node.args:
        option = _literal(node.args[0]) or ""
        default = next((k.value for k in node.keywords if k.arg == "default"), None)
        if default is not None and option:
            yield option.lstrip("-").replace("-", "_"), default


def _default(node: ast.expr) -> ast.expr | None:
    """Return the default that a dataclass field gives, else the value itself."""
    if isinstance(node, ast.Call) and _last(node.func) in ("field", "Field"):
        return next((k.value for k in node.keywords if k.arg == "default"), None)
    return node
