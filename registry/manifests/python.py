"""Python expressions, evaluated as far as literals go. Nothing is imported or run."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Callable
from typing import Any

from registry.documents import DocumentError
from registry.manifests.literals import (
    TEXT_LIMIT,
    Either,
    File,
    Function,
    Items,
    Number,
    Table,
    Text,
    Unknown,
    Value,
    either,
    elements,
    joined,
    options,
    weight,
)
from registry.manifests.strings import below, by_name, filled, of_text, path

STEPS = 150_000  # nodes looked at and values copied, all in all
_SAME = frozenset({"list", "tuple", "set", "frozenset", "sorted", "reversed", "str", "Path",
                   "abspath", "realpath", "fspath", "cast", "PurePath", "copy", "deepcopy",
                   "fromkeys", "normpath"})  # fmt: skip
_FLAT = frozenset({"sum", "chain", "from_iterable", "union", "concatenate"})


class Expressions:
    """Evaluates expressions. `scopes` are the variables, innermost last."""

    def __init__(self) -> None:
        self.scopes: list[dict[str, Value]] = [{"__file__": Text("setup.py", 1)}]
        self.left = STEPS

    def spend(self, count: int = 1) -> None:
        """Take from the budget. Raises DocumentError where it is used up."""
        self.left -= count
        if self.left < 0:
            raise DocumentError("too much to follow without running it")

    def call(self, function: Function, node: ast.Call) -> Value:
        """Return what a function of the file returns."""
        raise NotImplementedError

    def value(self, node: ast.expr | None) -> Value:
        """Return what an expression comes to."""
        self.spend()
        if node is None:
            return Unknown()
        method: Callable[[Any], Value] | None = getattr(self, f"_{type(node).__name__}", None)
        return method(node) if method else Unknown(node.lineno)

    def look_up(self, name: str) -> Value | None:
        """Return a variable, or None."""
        for scope in (self.scopes[-1], self.scopes[0]):
            if name in scope:
                return scope[name]
        return None

    def _Constant(self, node: ast.Constant) -> Value:
        if isinstance(node.value, str):
            return Text(node.value, node.lineno)
        if isinstance(node.value, int):
            return Number(node.value)
        return Unknown(node.lineno)

    def _Name(self, node: ast.Name) -> Value:
        return self.look_up(node.id) or Unknown(node.lineno)

    def _List(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        found: list[Value] = []
        for one in node.elts:
            if isinstance(one, ast.Starred):
                found += elements(self.value(one.value))
            else:
                found.append(self.value(one))
        self.spend(len(found))
        return Items(tuple(found))

    _Tuple = _Set = _List

    def _Dict(self, node: ast.Dict) -> Value:
        table = Table()
        for key, item in zip(node.keys, node.values, strict=True):
            value = self.value(item)
            self.spend(len(table.rows) // 16)
            if key is not None:
                table = table.put(self.key(self.value(key)), value)
            else:
                table = self.merged(table, value)
        return table

    def merged(self, table: Table, other: Value) -> Table:
        """Return a table with the rows of another."""
        for one in options(other):
            if isinstance(one, Table):
                for name, value in one.rows:
                    self.spend(len(table.rows) // 16)
                    table = table.put(name, value)
            else:
                table = table.put("?", Items((Unknown(getattr(one, "line", 0)),)))
        return table

    def key(self, value: Value) -> str:
        """Return a value as the key of a table; "?" where it is not known."""
        return value.value if isinstance(value, Text) else "?"

    def _BinOp(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Add | ast.BitOr):
            if isinstance(left, Table):
                return self.merged(left, right)
            found = joined(left, right, node.lineno)
            self.spend(weight(found))
            return found
        if isinstance(node.op, ast.Div) and isinstance(right, Text):
            return below(left, right)
        if isinstance(node.op, ast.Mod) and isinstance(left, Text):
            values = right.values if isinstance(right, Items) else (right,)
            made = filled(left, "%s", values)
            self.spend(weight(made))
            return made
        return Unknown(node.lineno)

    def _BoolOp(self, node: ast.BoolOp) -> Value:
        return either(*(self.value(v) for v in node.values))

    def _IfExp(self, node: ast.IfExp) -> Value:
        return either(self.value(node.body), self.value(node.orelse))

    def _JoinedStr(self, node: ast.JoinedStr) -> Value:
        text = ""
        for part in node.values:
            inner = part.value if isinstance(part, ast.FormattedValue) else part
            plain = not (isinstance(part, ast.FormattedValue) and part.format_spec)
            value = self.value(inner)
            if not isinstance(value, Text) or not plain:
                return value if isinstance(value, File) else Unknown(node.lineno)
            text += value.value
            if len(text) > TEXT_LIMIT:
                return Unknown(node.lineno)
        return Text(text, node.lineno)

    def _Subscript(self, node: ast.Subscript) -> Value:
        index = self.value(node.slice)
        found: list[Value] = []
        for one in options(self.value(node.value)):
            if isinstance(one, File):
                found.append(one)
            elif isinstance(one, Table):
                keys = [k for k in options(index) if isinstance(k, Text)]
                self.spend(len(one.rows) // 16)
                found += [one.get(k.value) or Unknown(node.lineno) for k in keys]
            elif isinstance(one, Items) and isinstance(node.slice, ast.Slice):
                found.append(one)
            elif isinstance(one, Items) and isinstance(index, Number):
                inside = -len(one.values) <= index.value < len(one.values)
                found.append(one.values[index.value] if inside else Unknown(node.lineno))
        return either(*found) if found else Unknown(node.lineno)

    def _Attribute(self, node: ast.Attribute) -> Value:
        value = self.value(node.value)
        if isinstance(value, Text) and node.attr == "parent":
            return Text(posixpath.dirname(value.value), value.line)
        if node.attr == "setup":
            return Function(None)  # of setuptools, under a name of its own
        return value if isinstance(value, File) else Unknown(node.lineno)

    def _ListComp(self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> Value:
        found: list[Value] = []
        self._loop(node.generators, lambda: found.append(self.value(node.elt)))
        return Items(tuple(found))

    _GeneratorExp = _SetComp = _ListComp

    def _DictComp(self, node: ast.DictComp) -> Value:
        rows: dict[str, Value] = {}

        def put() -> None:
            rows[self.key(self.value(node.key))] = self.value(node.value)

        self._loop(node.generators, put)
        return Table(tuple(rows.items()))

    def _loop(self, generators: list[ast.comprehension], each: Callable[[], None]) -> None:
        # Its conditions are passed over: what they may let through counts.
        if not generators:
            each()
            return
        before = dict(self.scopes[-1])
        self.spend(len(before))
        for one in elements(self.value(generators[0].iter)):
            self.bind(generators[0].target, one)
            self._loop(generators[1:], each)
        self.scopes[-1] = before if len(self.scopes) > 1 else self.scopes[-1]

    def bind(self, target: ast.expr, value: Value) -> None:
        """Give names their value."""
        self.spend()
        if isinstance(target, ast.Name):
            self.scopes[-1][target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            known = value.values if isinstance(value, Items) else ()
            same = len(known) == len(target.elts)
            for number, one in enumerate(target.elts):
                single = value if isinstance(value, File) else Unknown(target.lineno)
                self.bind(one, known[number] if same else single)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value)

    def _Call(self, node: ast.Call) -> Value:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if isinstance(node.func, ast.Name):
            name = node.func.id
            known = self.look_up(name)
            if isinstance(known, Function):
                return self.call(known, node)
        elif isinstance(node.func, ast.Attribute) and name == "setup":
            return self.call(Function(None), node)
        given = [self.value(a.value if isinstance(a, ast.Starred) else a) for a in node.args]
        if isinstance(node.func, ast.Attribute):
            found = self._method(self.value(node.func.value), name, given, node)
            if found is not None:
                self.spend(weight(found))
                return found
        return self._builtin(name, given, node)

    def _builtin(self, name: str, given: list[Value], node: ast.Call) -> Value:
        first = given[0] if given else Unknown(node.lineno)
        if name == "open" and isinstance(first, Text):
            return File(first.value, node.lineno)
        if name == "parse_requirements" and isinstance(first, Text):
            return File(first.value, node.lineno)
        if name == "join" and all(isinstance(g, Text) for g in given) and given:
            return path(given)
        if name == "join" and given and isinstance(given[-1], Text):
            return path([g for g in given if isinstance(g, Text)])
        if name == "dirname" and isinstance(first, Text):
            return Text(posixpath.dirname(first.value), first.line)
        if name == "dict":
            table = self.merged(Table(), first) if given else Table()
            for keyword in node.keywords:
                value = self.value(keyword.value)
                table = table.put(keyword.arg, value) if keyword.arg else self.merged(table, value)
            return table
        if name in _SAME:
            if not given:
                return Items()
            return Items(elements(first)) if isinstance(first, Table) else first
        if name in _FLAT:
            inner = [e for g in given for e in elements(g)]
            flat = [
                e for i in inner for e in (elements(i) if isinstance(i, Items | Either) else (i,))
            ]
            self.spend(len(flat))
            return Items(tuple(flat))
        if name == "findall" and len(given) == 2 and isinstance(given[1], Text):
            return by_name(first, given[1])
        files = [g for g in given for o in options(g) if isinstance(o, File)]
        return files[0] if files else Unknown(node.lineno)

    def _method(self, of: Value, name: str, given: list[Value], node: ast.Call) -> Value | None:
        if isinstance(of, File):
            return of
        if isinstance(of, Table):
            if name in ("values", "items"):
                pairs = (Items((Text(n, 0), v)) for n, v in of.rows)
                return Items(tuple(v for _, v in of.rows) if name == "values" else tuple(pairs))
            if name in ("get", "pop", "setdefault") and given:
                fallback = given[1] if len(given) > 1 else Items()
                return of.get(self.key(given[0])) or fallback
        if isinstance(of, Table | Items) and name in ("keys", "copy"):
            return of
        if isinstance(of, Items) and name == "union":
            return Items((*of.values, *(e for g in given for e in elements(g))))
        if not isinstance(of, Text):
            return None
        if name in ("read_text", "open", "read_bytes"):
            return File(of.value, node.lineno)
        if name == "joinpath":
            return path([of, *(g for g in given if isinstance(g, Text))])
        return of_text(of, name, given)
