"""What a document says: its text, target, choices and prefix, by field, template or function."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from lab.harness.code import Code
from lab.harness.data import Document
from lab.harness.syntax import Function
from lab.harness.template import TemplateError, Templates
from lab.items.suite import CHOICE_LIMIT


class FieldError(ValueError):
    """A document does not say what is asked of it; the message is one line."""


class Fields:
    """Reads documents as lm-evaluation-harness's `doc_to_...` settings say.

    `columns` are the names that stand for a field; a number written as text is an index where
    the task has choices.
    """

    def __init__(self, columns: Sequence[str], code: Code, *, choices: bool) -> None:
        self._columns = frozenset(columns)
        self._code = code
        self._choices = choices
        self._templates = Templates(trust=code.trust)

    def text(self, spec: Any, document: Document) -> Any:
        """Return the text of a document, or an index."""
        return self._index(self._value(spec, document), spec)

    def target(self, spec: Any, document: Document) -> Any:
        """Return the target: a string, an index or a list."""
        if isinstance(spec, list):
            return spec
        value = self._index(self._value(spec, document), spec)
        literal = isinstance(value, str) and value[:1] == "[" and value[-1:] == "]"
        if literal and len(value) > 1 and self._is_template(spec):
            try:
                return ast.literal_eval(value)
            except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
                return value
        return value

    def choices(self, spec: Any, document: Document) -> list[str]:
        """Return the choices, all strings."""
        value = list(spec.values()) if isinstance(spec, dict) else spec
        if not isinstance(spec, dict | list):
            value = self._value(spec, document)
            if self._is_template(spec):
                value = _literal(value)
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise FieldError("the choices are not a list of strings")
        if len(value) > CHOICE_LIMIT:
            raise FieldError(f"more than {CHOICE_LIMIT} choices")
        return list(value)

    def resolved(self, spec: Any, document: Document) -> str:
        """Return a description or prefix: a field of this document, or else a template."""
        if not spec:
            return ""
        value = document[spec] if spec in document else self._render(spec, document)
        if value is not None and not isinstance(value, str):
            raise FieldError(f"{spec!r:.80} is not a string")
        return value or ""

    def _value(self, spec: Any, document: Document) -> Any:
        if isinstance(spec, Function):
            return self._code.function(spec)(document)
        if self._is_template(spec):
            return self._render(spec, document)
        if isinstance(spec, str):
            if spec not in document:
                raise FieldError(f"has no field {spec!r:.80}")
            return document[spec]
        return spec

    def _is_template(self, spec: Any) -> bool:
        return isinstance(spec, str) and spec not in self._columns

    def _index(self, value: Any, spec: Any) -> Any:
        if self._choices and self._is_template(spec) and value.isdigit():
            return _literal(value)
        return value

    def _render(self, spec: str, document: Document) -> str:
        try:
            return self._templates.render(spec, document)
        except TemplateError as error:
            raise FieldError(f"template {spec!r:.60}: {error}") from error


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError) as error:
        raise FieldError(f"{text!r:.80} is not a Python literal") from error


def check_template(spec: str) -> str:
    """Return why a template cannot be compiled, "" where it can."""
    try:
        Templates().check(spec)
    except TemplateError as error:
        return str(error)
    return ""
