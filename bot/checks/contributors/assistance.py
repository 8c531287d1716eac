"""How a change has to say that an AI helped: by the one trailer of the policy, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.checks.contributors.advice import History, for_line
from bot.checks.contributors.said import PEOPLE
from bot.checks.contributors.standing import LEVELS, Weight
from bot.checks.contributors.statements import Statement
from bot.checks.contributors.tools import Tools
from bot.finding import Finding, Level, Rule
from bot.quoting import plain
from bot.wording import plural

MAX_LISTED = 20
FORBIDDEN = "none"

TRAILER = Rule(
    "contributors/ai-trailer",
    Level.FAILURE,
    "A commit says that an AI helped in another way than the policy asks for.",
    "One trailer can be searched for; a tool named as an author claims what only people have.",
    "Take the line out, and write the trailer that `contributors.ai_trailer` names.",
)
RULES = (TRAILER,)


@dataclass(frozen=True, slots=True)
class Part:
    """A tool's part in a commit: `how` it shows (a trailer's key, or words), and which tool."""

    how: str
    tool: str
    key: str = ""


def judge(
    statements: tuple[Statement, ...],
    trailer: str,
    weight: Weight,
    tools: Tools,
    about: History,
) -> tuple[Finding, ...]:
    """Find what is not said with `trailer`; without one, a single note on tools as authors."""
    if weight == "off":
        return ()
    if not trailer:
        return _note(statements, tools)
    found = []
    for statement in statements:
        part = _wrong(statement, trailer.lower(), tools)
        if part is not None:
            found.append(_finding(statement, part, trailer, weight, about))
    rest = len(found) - MAX_LISTED
    more = plural(rest, "more commit") if rest > 0 else ""
    last = (TRAILER.at(f"and {more} of this kind", level=LEVELS[weight]),) if more else ()
    return (*found[:MAX_LISTED], *last)


def _wrong(statement: Statement, trailer: str, tools: Tools) -> Part | None:
    """Return the first part that the policy wants said otherwise."""
    parts = tuple(_parts(statement, tools))
    if trailer == FORBIDDEN:
        return parts[0] if parts else None
    declared = any(p.key == trailer for p in parts) or any(
        s.key == trailer and s.key not in PEOPLE for s in statement.said
    )
    # A tool that is named as an author stays wrong beside the right trailer.
    return next((p for p in parts if p.key != trailer and (p.key in PEOPLE or not declared)), None)


def _parts(statement: Statement, tools: Tools) -> Iterator[Part]:
    for said in statement.said:
        tool = said.tool(tools)
        if tool:
            how = f"with `{said.key.capitalize()}`" if said.key else "in its text"
            yield Part(how, tool, said.key)
    for who, key in ((statement.author, "author"), (statement.committer, "committer")):
        found = tools.of(who)
        if found is not None and found.ai:
            yield Part(f"as its {key}", found.name, key)


def _finding(
    statement: Statement, part: Part, trailer: str, weight: Weight, about: History
) -> Finding:
    shown = plain(part.tool)
    first = for_line(statement, about)
    if trailer.lower() == FORBIDDEN:
        message = f"{statement.name} names {shown} {part.how}; the policy lets no tool be named"
        remedy = f"{first} and take that out; you are the author of what you hand in."
    else:
        message = f"{statement.name} names {shown} {part.how}, not with `{trailer}`"
        remedy = f"{first} and say it as `{trailer}: {shown}`"
        remedy += ", in place of that line." if part.key in PEOPLE else "."
    return TRAILER.at(message, statement.place, remedy=remedy, level=LEVELS[weight])


def _note(statements: tuple[Statement, ...], tools: Tools) -> tuple[Finding, ...]:
    each = [
        (s, p.tool)
        for s in statements
        for p in _parts(s, tools)
        if p.key in (*PEOPLE, "author", "committer")
    ]
    if not each:
        return ()
    commits = plural(len({s.commit for s, _ in each}), "commit")
    names = ", ".join(plain(n) for n in tuple(dict.fromkeys(tool for _, tool in each))[:5])
    message = f"a tool is named as an author in {commits}: {names}"
    remedy = (
        "Nothing has to be done. `Assisted-by` is the trailer that names a tool as a tool; "
        "`contributors.ai_trailer` makes it the rule."
    )
    return (TRAILER.at(message, each[0][0].place, remedy=remedy, level=Level.NOTE),)
