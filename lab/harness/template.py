"""Jinja2 templates of task files, rendered in a sandbox with bounds on work and size.

The settings are lm-evaluation-harness's. Every turn of a loop and every value that is built or
written is charged to the render's budget; the time of all renders grows with the documents.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import StrictUndefined, Template, nodes
from jinja2.exceptions import SecurityError
from jinja2.filters import do_join, do_replace
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import pass_eval_context

from lab.errors import one_line
from lab.items.suite import TEXT_LIMIT

LENGTH_LIMIT = 200_000  # characters of a template
WORK_LIMIT = 2 * TEXT_LIMIT  # characters and values that one render handles
TURN = 20  # what a turn of a loop is charged
BIT_LIMIT = 10_000  # of a number

# Left out: what pads to any width, formats, is random, or has no use in a prompt.
_FILTERS = frozenset(
    (
        *("abs", "attr", "capitalize", "count", "d", "default", "dictsort", "first", "float"),
        *("groupby", "int", "items", "join", "last", "length", "list", "lower", "map", "max"),
        *("min", "reject", "rejectattr", "replace", "reverse", "round", "safe", "select"),
        *("selectattr", "sort", "string", "striptags", "sum", "title", "tojson", "trim"),
        *("truncate", "unique", "upper", "wordcount"),
    )
)
_GLOBALS = frozenset({"range", "dict"})  # without namespaces, loops gather nothing
_PADDING = frozenset(
    ("center", "expandtabs", "format", "format_map", "ljust", "rjust", "translate", "zfill")
)
_BANNED: tuple[type[nodes.Node], ...] = (
    *(nodes.Macro, nodes.CallBlock, nodes.Include, nodes.Import, nodes.FromImport),
    *(nodes.Extends, nodes.AssignBlock, nodes.FilterBlock),
)


class TemplateError(ValueError):
    """A template cannot be rendered; the message is one line."""


class Templates:
    """Renders templates, each compiled once. With `trust`, patterns may take their time."""

    def __init__(self, *, trust: bool = False) -> None:
        self._environment = _Environment(trust=trust)
        self._compiled: dict[str, Template] = {}

    def check(self, source: str) -> None:
        """Compile a template. Raises TemplateError."""
        if source not in self._compiled:
            self._compiled[source] = _compile(self._environment, source)

    def render(self, source: str, document: Mapping[str, Any]) -> str:
        """Return the template filled in with the document's fields. Raises TemplateError."""
        self.check(source)
        self._environment.work = WORK_LIMIT
        pieces, size = [], 0
        try:
            for piece in self._compiled[source].generate(document):
                pieces.append(piece)
                size += len(piece)
                if size > TEXT_LIMIT:
                    raise TemplateError(f"more than {TEXT_LIMIT:,} characters")
        except TemplateError:
            raise
        except Exception as error:  # a template may raise anything
            raise TemplateError(one_line(error)) from error
        return "".join(pieces)


def _compile(environment: _Environment, source: str) -> Template:
    if len(source) > LENGTH_LIMIT:
        raise TemplateError(f"a template of more than {LENGTH_LIMIT:,} characters")
    try:
        tree = environment.parse(source)
        _guard(tree)
        tree.set_environment(environment)
        code = environment.compile(tree)
        return environment.template_class.from_code(environment, code, environment.make_globals({}))
    except TemplateError:
        raise
    except Exception as error:  # a syntax error, or nested too deeply for the compiler
        raise TemplateError(one_line(error)) from error


def _guard(tree: nodes.Template) -> None:
    """Charge loops and built values to the budget; refuse what could recur or gather text."""
    if found := next(tree.find_all(_BANNED), None):
        raise TemplateError(f"{type(found).__name__} blocks are not read")
    for node in list(tree.find_all((nodes.For, nodes.Concat, nodes.List, nodes.Dict))):
        if isinstance(node, nodes.For):
            if node.recursive:
                raise TemplateError("recursive loops are not read")
            node.iter = _filtered(node.iter, "_turns")
        elif isinstance(node, nodes.Concat):
            node.nodes = [_filtered(part, "_charged") for part in node.nodes]
        elif isinstance(node, nodes.List):
            node.items = [_filtered(part, "_charged") for part in node.items]
        elif isinstance(node, nodes.Dict):
            for pair in node.items:
                pair.value = _filtered(pair.value, "_charged")
    for node in tree.find_all(nodes.Tuple):
        if node.ctx == "load":
            node.items = [_filtered(part, "_charged") for part in node.items]


def _filtered(node: Any, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def __init__(self, *, trust: bool) -> None:
        super().__init__(
            undefined=StrictUndefined, keep_trailing_newline=True, finalize=self.charged
        )
        self.work = WORK_LIMIT
        self.filters = {name: self.filters[name] for name in _FILTERS}
        self.filters |= {"_turns": self.turns, "_charged": self.charged}
        self.filters |= {"join": _join, "replace": _replace}
        self.filters["regex_replace"] = _regex_replace if trust else _no_regex
        self.globals = {name: self.globals[name] for name in _GLOBALS}

    def charge(self, size: int) -> None:
        """Take from the budget. Raises SecurityError when it is spent."""
        self.work -= size
        if self.work < 0:
            raise SecurityError("too much work for one document")

    def charged(self, value: Any) -> Any:
        """Charge the size of a value, all of what it holds."""
        if isinstance(value, str):
            self.charge(len(value) + 1)
        elif isinstance(value, Mapping):
            for pair in value.items():
                self.charged(pair)
        elif isinstance(value, list | tuple):
            for one in value:
                self.charged(one)
        self.charge(1)
        return value

    def turns(self, values: Iterable[Any]) -> list[Any]:
        """Charge the turns of a loop over the values."""
        found = list(values)
        self.charge(TURN * (len(found) + 1))
        return found

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute left and right, unless the result would be huge."""
        if operator == "%" and isinstance(left, str | bytes):
            raise SecurityError("text is not formatted with %")
        self.charge(_growth(operator, left, right))
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call what a template calls, unless it is a way to huge text."""
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        self.charged(args)
        self.charged(kwargs)
        if name in _PADDING:
            raise SecurityError(f"{name} is not called")
        if isinstance(owner, str):
            if name == "replace" and len(args) > 1:
                self.charge(_replaced(owner, args[0], args[1]))
            if name == "join" and args:
                args = (self.turns(args[0]),)
                self.charged(args)
                self.charge(len(owner) * len(args[0]))
        return super().call(context, obj, *args, **kwargs)


def _growth(operator: str, left: Any, right: Any) -> int:
    """Return about the size of what an operator makes, in characters, values or bits."""
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * (right if operator == "**" else 1)
        return WORK_LIMIT + 1 if max(bits, right.bit_length()) > BIT_LIMIT else 1
    if operator == "*":
        text, times = (right, left) if isinstance(left, int) else (left, right)
        return len(text) * times if hasattr(text, "__len__") and isinstance(times, int) else 1
    return sum(len(side) for side in (left, right) if hasattr(side, "__len__"))


def _replaced(text: str, old: object, new: object) -> int:
    count = text.count(str(old)) if str(old) else len(text) + 1
    return len(text) + count * len(str(new))


@pass_eval_context
def _join(context: EvalContext, value: Iterable[Any], d: str = "", attribute: Any = None) -> str:
    environment = context.environment
    assert isinstance(environment, _Environment)
    values = environment.turns(value)
    environment.charged(values)
    environment.charge(len(d) * len(values))
    return str(do_join(context, values, d, attribute))


@pass_eval_context
def _replace(context: EvalContext, s: str, old: str, new: str, count: int | None = None) -> str:
    environment = context.environment
    assert isinstance(environment, _Environment)
    environment.charge(_replaced(str(environment.charged(s)), old, new))
    return str(do_replace(context, str(s), old, new, count))


def _regex_replace(string: str, pattern: str, repl: str, count: int = 0) -> str:
    return re.sub(pattern, repl, string, count=count)


def _no_regex(*_: object) -> str:
    raise SecurityError("regex_replace can take for ever: it needs --trust-code")
