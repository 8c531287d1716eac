"""Which modules Python code imports: from its syntax tree, or line by line. Nothing is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from registry.assets.code import parsed

LIMIT = 1_000_000  # bytes of one file: a syntax tree takes a hundred times as much
LONGEST = 80  # characters of a module's name
MAX_NAMES = 1_000  # modules that one file seems to import; nobody imports as many
_CALLS = frozenset({"import_module", "__import__", "importorskip"})
_CAUGHT = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_LINE = re.compile(
    rb"(?:^|\"|\\n)[ \t]*"  # a notebook holds its lines as strings of JSON
    rb"(?:import[ \t]+([^#;\n\"\\]{1,400})|from[ \t]+([\w.]{1,80})[ \t]+import\b)",
    re.MULTILINE,
)
_LATER = re.compile(rb"[;:][ \t]{0,8}(?:import|from)[ \t]{1,8}(\w{1,80})")
_NAMED = re.compile(
    rb"(?:import_module|__import__|importorskip|find_spec|is_package_available|LazyLoader|version)"
    rb"\([ \t]{0,8}[\"'](\w{1,80})"
)
_HEAD = re.compile(rb"[ \t]*(\w{1,80})")


@dataclass(frozen=True, slots=True, order=True)
class Import:
    """A top-level module and the line of its first import.

    `optional`: every import of it may fail or is for the type checker alone.
    """

    name: str
    line: int
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Imports:
    """What one file imports. `trouble` says why it is not known, `line` where."""

    found: tuple[Import, ...] = ()
    trouble: str = ""
    line: int = 0


def read_imports(data: bytes) -> Imports:
    """Read the absolute imports of a Python file from its syntax tree."""
    if len(data) > LIMIT:
        return Imports(trouble=f"{len(data):,} bytes, more than {LIMIT:,}")
    found: dict[str, Import] = {}
    try:
        for one in _walked(parsed(data)):
            there = found.get(one.name)
            if there is None or (there.optional and not one.optional):
                found[one.name] = one
    except SyntaxError as error:
        return Imports(trouble=f"not Python: {error.msg:.80}", line=error.lineno or 0)
    return Imports(tuple(sorted(found.values())))


def _walked(tree: ast.Module) -> Iterator[Import]:
    waiting: list[tuple[ast.AST, bool]] = [(tree, False)]
    while waiting:
        node, optional = waiting.pop()
        called = _call(node)
        for name in _names(node) if called is None else _literal(called):
            top = name.partition(".")[0][:LONGEST]
            if top and isinstance(node, ast.stmt):
                yield Import(top, node.lineno, optional or called is not None)
        guarded = set(map(id, _guarded(node)))
        for child in _within(node):
            waiting.append((child, optional or id(child) in guarded))


def _within(node: ast.AST) -> Iterator[ast.AST]:
    # Statements alone: an expression holds no import, and is most of a tree.
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        found = getattr(node, part, ())
        yield from found if isinstance(found, list) else ()


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module] if node.module and not node.level else []
    return []


def _call(node: ast.AST) -> ast.Call | None:
    """Return the call that a statement is, or whose value it keeps."""
    value = getattr(node, "value", None) if isinstance(node, ast.stmt) else None
    return value if isinstance(value, ast.Call) and _called(value.func) in _CALLS else None


def _literal(call: ast.Call) -> list[str]:
    first = call.args[0] if call.args else None
    text = first.value if isinstance(first, ast.Constant) else None
    named = isinstance(text, str) and text.partition(".")[0].isidentifier()
    return [text] if named and isinstance(text, str) else []


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _guarded(node: ast.AST) -> Iterable[ast.AST]:
    """Return the children of a node that run only where a module is there, or never."""
    if isinstance(node, ast.Try | ast.TryStar):
        if any(_catches(handler.type) for handler in node.handlers):
            return [*node.body, *node.handlers, *node.orelse]
    elif isinstance(node, ast.If):
        names = {_called(n) or _called(getattr(n, "func", n)) for n in _tested(node.test)}
        if any(n == "TYPE_CHECKING" or n.endswith("_available") or n == "find_spec" for n in names):
            return [*node.body, *node.orelse]
    elif isinstance(node, ast.With):
        calls = [i.context_expr for i in node.items if isinstance(i.context_expr, ast.Call)]
        if any(_called(c.func) == "suppress" and any(map(_catches, c.args)) for c in calls):
            return node.body
    return ()


def _catches(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_called(one) in _CAUGHT for one in caught.elts)
    return caught is None or _called(caught) in _CAUGHT


def _tested(test: ast.expr) -> list[ast.expr]:
    parts = test.values if isinstance(test, ast.BoolOp) else [test]
    return [part.operand if isinstance(part, ast.UnaryOp) else part for part in parts]


def scan(data: bytes) -> tuple[str, ...]:
    """Return the modules that lines of a Python file or notebook seem to import.

    Texts count as well, so that a name may be found which no code imports; none is missed that
    stands on its own line. Far quicker than a syntax tree.
    """
    data = data[:LIMIT].replace(b"\\\n", b" ")
    found = dict[bytes, None]()
    for match in _LINE.finditer(data):
        if match[2]:
            found[match[2].partition(b".")[0]] = None
        for part in (match[1] or b"").split(b","):
            if head := _HEAD.match(part):
                found[head[1]] = None
    for pattern in (_LATER, _NAMED):
        found |= dict.fromkeys(m[1] for m in pattern.finditer(data))
    names = (name.decode("utf-8", "replace") for name in found if name)
    return tuple(sorted(islice((n for n in names if n.isidentifier()), MAX_NAMES)))
