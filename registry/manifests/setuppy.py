"""setup.py, read as a syntax tree: what it gives to `setup`, as far as literals say so."""

from __future__ import annotations

import ast
import posixpath
import warnings
from collections.abc import Iterator

from packaging.utils import canonicalize_name

from registry.documents import DocumentError, text_of
from registry.manifests.literals import (
    File,
    Function,
    Items,
    Table,
    Text,
    Unknown,
    Value,
    either,
    elements,
    joined,
    leaves,
    options,
    weight,
)
from registry.manifests.pep508 import requirement
from registry.manifests.python import Expressions
from registry.manifests.requirement import Item, Manifest, Option, Problem, Requirement, manifest
from registry.manifests.setupcalls import builds, is_setup

SIZE_LIMIT = 500_000  # bytes: a syntax tree takes a hundred times as much
CALLS = 12  # functions within functions
_GROUPS = {"install_requires": "", "setup_requires": "build", "tests_require": "group:tests",
           "requires": ""}  # fmt: skip
_ADDING = frozenset({"append", "extend", "insert", "update", "add"})


def read_setup(data: bytes) -> Manifest:
    """Read a setup.py. Raises DocumentError."""
    text = text_of(data, limit=SIZE_LIMIT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        reader = _Setup()
        reader.block(tree.body)
        if not reader.calls:
            reader.untold(tree)
    except SyntaxError as error:
        raise DocumentError(f"not Python: {error.msg}", error.lineno or 0) from error
    except (RecursionError, MemoryError, ValueError) as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError("nested too deeply to follow") from error
    rows = text.split("\n")
    found = [i for c in reader.calls for i in _items(*c, len(rows))]
    if not reader.calls and (line := builds(tree)):
        found.append(Problem("how it calls setup cannot be told without running it", line))
    return manifest("setup-py", found)


class _Setup(Expressions):
    """Follows statements. Both ways of a condition are taken, and either result may hold."""

    def __init__(self) -> None:
        super().__init__()
        self.scopes[0]["setup"] = Function(None)
        self.calls: list[tuple[Table, int]] = []
        self.returned: list[list[Value]] = []
        self.deep = 0

    def untold(self, tree: ast.Module) -> None:
        """Follow the functions that call `setup` although nothing calls them."""
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and any(is_setup(n) for n in ast.walk(node)):
                self.call(Function(node), ast.Call(ast.Name(node.name), [], []))

    def block(self, body: list[ast.stmt]) -> bool:
        """Follow statements; say whether they end in `return` or `raise`."""
        for statement in body:
            self.spend()
            method = getattr(self, f"_{type(statement).__name__}", None)
            if method and method(statement):
                return True
        return False

    def call(self, function: Function, node: ast.Call) -> Value:
        given: list[Value] = []
        for one in node.args:
            value = self.value(one.value if isinstance(one, ast.Starred) else one)
            given += elements(value) if isinstance(one, ast.Starred) else [value]
        keywords = Table()
        for keyword in node.keywords:
            value = self.value(keyword.value)
            keywords = (
                keywords.put(keyword.arg, value) if keyword.arg else self.merged(keywords, value)
            )
        if function.node is None:
            self.calls.append((keywords, node.lineno))
            return Unknown()
        if self.deep >= CALLS:
            return Unknown(function.node.lineno)
        self.deep += 1
        self.scopes.append(self._parameters(function.node.args, given, keywords))
        self.returned.append([])
        self.block(function.node.body)
        scope, found = self.scopes.pop(), self.returned.pop()
        self.deep -= 1
        for name, argument in zip(function.node.args.args, node.args, strict=False):
            # A list that the function adds to is the caller's own.
            after = scope.get(name.arg)
            if isinstance(argument, ast.Name) and isinstance(after, Items | Table):
                self._store(argument, after)
        return either(*found) if found else Unknown(function.node.lineno)

    def _parameters(
        self, wanted: ast.arguments, given: list[Value], keywords: Table
    ) -> dict[str, Value]:
        names = [a.arg for a in (*wanted.posonlyargs, *wanted.args)]
        scope: dict[str, Value] = {n: Unknown() for n in names}
        for name, default in zip(reversed(names), reversed(wanted.defaults), strict=False):
            scope[name] = self.value(default)
        for argument, default_or_none in zip(wanted.kwonlyargs, wanted.kw_defaults, strict=True):
            scope[argument.arg] = self.value(default_or_none)
        scope.update(zip(names, given, strict=False))
        scope.update({n: v for n, v in keywords.rows if n in scope})
        if wanted.vararg:
            scope[wanted.vararg.arg] = Items(tuple(given[len(names) :]))
        if wanted.kwarg:
            scope[wanted.kwarg.arg] = Table(tuple(r for r in keywords.rows if r[0] not in scope))
        return scope

    def _store(self, target: ast.expr, value: Value) -> None:
        """Put a value where an expression points, in the scope that holds it."""
        self.spend(len(value.rows) // 16 if isinstance(value, Table) else 1)
        if isinstance(target, ast.Name):
            here = self.scopes[-1] if target.id in self.scopes[-1] else self.scopes[0]
            here[target.id] = value
        elif isinstance(target, ast.Subscript):
            inside, index = self.value(target.value), self.value(target.slice)
            for one in options(inside):
                if isinstance(one, Table):
                    self._store(target.value, one.put(self.key(index), value))
                elif isinstance(one, Items):
                    self._store(target.value, Items((*one.values, value)))

    def _FunctionDef(self, node: ast.FunctionDef) -> None:
        self.scopes[-1][node.name] = Function(node)

    def _ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            name = alias.asname or alias.name
            self.scopes[-1][name] = (
                Function(None) if alias.name == "setup" else Unknown(node.lineno)
            )

    def _Assign(self, node: ast.Assign) -> None:
        value = self.value(node.value)
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                self._store(target, value)
            else:
                self.bind(target, value)

    def _AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.bind(node.target, self.value(node.value))

    def _AugAssign(self, node: ast.AugAssign) -> None:
        before, more = self.value(node.target), self.value(node.value)
        if isinstance(before, Table):
            self._store(node.target, self.merged(before, more))
        elif isinstance(node.op, ast.Add | ast.BitOr):
            found = joined(before, more, node.lineno)
            self.spend(weight(found))
            self._store(node.target, found)

    def _Expr(self, node: ast.Expr) -> None:
        call = node.value
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            self.value(call)
            return
        if call.func.attr not in _ADDING or not (call.args or call.keywords):
            self.value(call)
            return
        before = self.value(call.func.value)
        given = self.value(call.args[-1]) if call.args else Table()
        for keyword in call.keywords:
            given = self.merged(Table(), given)
            given = given.put(keyword.arg or "?", self.value(keyword.value))
        made: list[Value] = []
        for one in options(before):
            if isinstance(one, Table):
                made.append(self.merged(one, given))
            elif isinstance(one, Items):
                alone = call.func.attr in ("append", "add", "insert")
                more = (given,) if alone else elements(given)
                self.spend(len(one.values) // 16)
                made.append(Items((*one.values, *more)))
        if made:
            self._store(call.func.value, either(*made))

    def _Return(self, node: ast.Return) -> bool:
        if self.returned:
            self.returned[-1].append(self.value(node.value))
        return True

    def _Raise(self, node: ast.Raise) -> bool:
        return True

    def _If(self, node: ast.If) -> bool:
        return self._ways(node.body, node.orelse)

    def _ways(self, *bodies: list[ast.stmt]) -> bool:
        start = [dict(s) for s in self.scopes]
        ends: list[list[dict[str, Value]]] = []
        for body in bodies:
            self.spend(sum(map(len, start)))
            self.scopes[:] = [dict(s) for s in start]
            if not self.block(body):
                ends.append(self.scopes[:])
        if not ends:
            return True
        self.scopes[:] = ends[0]
        for other in ends[1:]:
            for scope, changed in zip(self.scopes, other, strict=True):
                for name, value in changed.items():
                    if scope.get(name) is not value:
                        self.spend(weight(value))
                        scope[name] = either(scope[name], value) if name in scope else value
        return False

    def _For(self, node: ast.For) -> bool:
        for one in elements(self.value(node.iter)):
            self.bind(node.target, one)
            self.block(node.body)
        return self.block(node.orelse)

    def _While(self, node: ast.While) -> bool:
        return self._ways(node.body, [])

    def _With(self, node: ast.With) -> bool:
        for item in node.items:
            value = self.value(item.context_expr)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, value)
        return self.block(node.body)

    def _Try(self, node: ast.Try) -> bool:
        ended = self.block(node.body)
        ended = self._ways([] if not ended else [ast.Raise()], *(h.body for h in node.handlers))
        return (ended or self.block(node.orelse)) | self.block(node.finalbody)


def _items(given: Table, line: int, last: int) -> Iterator[Item]:
    name = given.get("name")
    own = canonicalize_name(name.value) if isinstance(name, Text) else ""
    found: list[Item] = []
    for keyword, group in _GROUPS.items():
        if (value := given.get(keyword)) is not None:
            found += _listed(value, keyword, group, "", line)
    for extras in options(given.get("extras_require") or Table()):
        if not isinstance(extras, Table):
            found.append(Problem("extras_require cannot be told without running it", line))
            continue
        for extra, value in extras.rows:
            # Written "name:marker", it asks only where the marker holds.
            title, _, marker = extra.partition(":")
            group = f"extra:{title.strip()}" if title.strip() else ""
            found += _listed(value, f"the extra {extra[:80]!r}", group, marker.strip(), line)
    if given.get("?") is not None:
        found.append(Problem("what setup is given cannot be told without running it", line))
    for item in found:
        if not (isinstance(item, Requirement) and item.name == own and own and item.extras):
            yield item


def _listed(value: Value, what: str, group: str, marker: str, line: int) -> Iterator[Item]:
    for one in leaves(value):
        if isinstance(one, File):
            path = posixpath.normpath(one.path) if one.path else ""
            yield Option("--requirement", path, one.line or line)
        elif isinstance(one, Unknown):
            yield Problem(f"{what} cannot be told without running it", one.line or line)
        else:
            rows = one.value.split("\n")
            for number, row in enumerate(rows):
                said = row.strip()
                if said and not said.startswith("#"):
                    said = f"{said}; {marker}" if marker and ";" not in said else said
                    at = one.line + number if one.line else line
                    yield requirement(said, at, group=group)
