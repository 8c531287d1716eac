"""Whether a person has given their word for a commit: an author, or whoever answers for a tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.checks.contributors.person import Person
from bot.checks.contributors.statements import Statement
from bot.checks.contributors.tools import Tool, Tools
from bot.finding import Level

Weight = Literal["fail", "review", "note", "off"]
LEVELS: Mapping[str, Level] = {
    "fail": Level.FAILURE,
    "review": Level.WARNING,
    "note": Level.NOTE,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How one commit stands: `signed` is whether it has the word it needs.

    `author` is the tool that wrote it, if one did; `by_tools` are sign-offs that are no word, and
    `by_key` whether the author's own address signed, whoever that is.
    """

    signed: bool
    by_key: bool
    author: Tool | None = None
    by_tools: tuple[Person, ...] = ()


def standing(statement: Statement, signed: frozenset[str], tools: Tools | None) -> Standing:
    """Judge one commit; `signed` are all addresses (as keys) that signed it off.

    Without `tools` everybody counts as a person. What a tool wrote needs a sign-off by any
    person; what a person wrote needs that person's own.
    """
    own = statement.author.usable and statement.author.key in signed
    if tools is None:
        return Standing(own, own)
    found = [(p, tool) for p in statement.signed if (tool := tools.of(p)) is not None]
    # An address stands for a person where some line of it does, or a later commit.
    lines = {p for p, _ in found}
    people = {p.key for p in statement.signed if p not in lines} & signed
    people |= {key for key in signed - statement.signers if not tools.key(key)}
    author = tools.of(statement.author, statement.commit)
    if author is not None:
        if statement.commit in tools.commits:  # the address is the bot's, whatever it looks like
            people.discard(statement.author.key)
        enough = bool(people)
    else:
        enough = own and statement.author.key in people
    # Other bots add their line to what people signed; that harms nobody.
    told = tuple(p for p, tool in found if tool.ai or (author is not None and not enough))
    if author is not None and own and not enough and not told:
        told = tuple(p for p in statement.signed if p.key == statement.author.key)
    return Standing(enough, own, author, told)
