"""The dialect of Jinja that chat templates are written in: loop controls and `generation`."""

from __future__ import annotations

import warnings

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

_BEYOND_ASCII = 200  # characters of a message of the parser that are repeated


class SyntaxProblem(Exception):
    """No template; the message is one printable line."""


class Generation(Extension):
    """`{% generation %}`, by which trainers mark what the assistant said."""

    tags = {"generation"}  # noqa: RUF012 - as the parent declares it

    def parse(self, parser: Parser) -> nodes.Node:
        """Return the body as a scope of its own."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


_ENVIRONMENT = Environment(extensions=["jinja2.ext.loopcontrols", Generation], cache_size=0)  # noqa: S701 - renders nothing


def parse(text: str) -> nodes.Template:
    """Parse a template. Raises SyntaxProblem, RecursionError, ValueError; renders nothing."""
    with warnings.catch_warnings():  # an odd escape in a string is the author's business
        warnings.simplefilter("ignore")
        try:
            return _ENVIRONMENT.parse(text)
        except TemplateSyntaxError as error:
            told = f"line {error.lineno}: {error.message}"[:_BEYOND_ASCII]
            raise SyntaxProblem(told.encode("unicode_escape").decode()) from error
