"""Developer Certificate of Origin: what each commit says, and who has not signed it off."""

from __future__ import annotations

from bot.checks.contributors.accounts import NOBODY, Excused
from bot.checks.contributors.advice import (
    History,
    for_author,
    for_co_author,
    for_line,
    for_tool,
    history,
)
from bot.checks.contributors.person import Person
from bot.checks.contributors.remediation import Mode
from bot.checks.contributors.standing import LEVELS, Standing, Weight, standing
from bot.checks.contributors.statements import Statement, due, signers
from bot.checks.contributors.tools import Tools
from bot.finding import Finding, Level, Rule
from bot.quoting import plain

MAX_LISTED = 20  # co-authors of one commit that get a finding each

SIGN_OFF = Rule(
    "contributors/sign-off",
    Level.FAILURE,
    "A commit is not signed off by its author's own address.",
    "The sign-off is the author's word that the work may be given under the project's licence.",
    "Run `git commit --amend --no-edit --signoff` for the last commit.",
)
CO_AUTHOR = Rule(
    "contributors/co-author",
    Level.FAILURE,
    "A co-author of a commit has not signed it off.",
    "Each person whose work is in a commit has to say that it may be given.",
    "Add a Signed-off-by line of the co-author, with the co-author's consent.",
)
FIXUP = Rule(
    "contributors/fixup",
    Level.WARNING,
    "A commit is marked fixup!, squash! or amend!.",
    "Such a commit is part of another one; left apart it makes the history hard to read.",
    "Squash it with `git rebase -i --autosquash`.",
)
UNREADABLE = Rule(
    "contributors/unreadable",
    Level.UNKNOWN,
    "A commit is too large to read.",
    "A message of this size is no message; what it hides cannot be judged.",
    "Shorten the commit message and push again.",
)
AI_SIGN_OFF = Rule(
    "contributors/ai-signoff",
    Level.FAILURE,
    "A commit is signed off by a tool: an AI, or a bot in the place of a person.",
    "A sign-off certifies where the work comes from; only a person can give that word.",
    "Take the tool's Signed-off-by line out; the person who answers for the work signs off.",
)
RULES = (SIGN_OFF, CO_AUTHOR, FIXUP, UNREADABLE, AI_SIGN_OFF)


def judge(
    statements: tuple[Statement, ...],
    *,
    start: str,
    co_authors: bool,
    merges: bool = False,
    mode: Mode = "off",
    excused: Excused = NOBODY,
    tools: Tools = Tools(),
    weight: Weight = "fail",
) -> tuple[Finding, ...]:
    """Find what is not signed off, oldest commit first; `start` is what `git rebase` needs.

    `weight` is what a tool's sign-off weighs; with "off" it counts as anybody's.
    """
    judged = tuple(s for s in due(statements, merges) if s.commit not in excused.whole)
    signed = signers(statements, mode)
    believed = None if weight == "off" else tools
    each = {s.commit: standing(s, signed[s.commit], believed) for s in judged}
    missing = tuple(s.commit for s in judged if _lacks(s, each[s.commit], excused))
    about = history(statements, missing, start, mode)
    found: list[Finding] = []
    for statement in judged:
        if statement.oversize:
            found.append(unreadable(statement))
            continue
        found.extend(_author(statement, each[statement.commit], excused, weight, about))
        if co_authors:
            found.extend(_co_authors(statement, signed[statement.commit], tools, about))
        if statement.fixup:
            found.append(_fixup(statement, start))
    return tuple(found)


def unreadable(statement: Statement) -> Finding:
    """Say that a commit was too large to read."""
    message = f"commit {statement.commit[:12]} has {statement.oversize:,} bytes"
    return UNREADABLE.at(message + " and was not read", statement.place)


def _lacks(statement: Statement, stands: Standing, excused: Excused) -> bool:
    return not (statement.oversize or statement.commit in excused.author or stands.signed)


def told(statements: tuple[Statement, ...], mode: Mode, tools: Tools | None) -> str:
    """Say how many are signed off as they need; merges of the change's own commits aside."""
    judged, signers_ = due(statements, merges=False), signers(statements, mode)
    signed = sum(standing(s, signers_[s.commit], tools).signed for s in judged)
    if signed == len(judged):
        return "all signed off"
    return f"{signed:,} of {len(judged):,} signed off" if signed else "none signed off"


def _author(
    statement: Statement, stands: Standing, excused: Excused, weight: Weight, about: History
) -> list[Finding]:
    if statement.commit in excused.author:
        return []
    found = []
    if stands.by_tools and weight != "off":
        found.append(_by_tool(statement, stands, weight, about))
    # What a tool signed in the place of its author is one fault; its weight is the policy's.
    replaced = bool(found) and (weight == "fail" or stands.by_key)
    if not stands.signed and not replaced:
        found.append(_unsigned(statement, stands, about))
    return found


def _by_tool(statement: Statement, stands: Standing, weight: Weight, about: History) -> Finding:
    who = ", ".join(p.shown for p in stands.by_tools[:3])
    message = f"{statement.name} is signed off by {who}: a tool, not a person"
    level = LEVELS[weight]
    line = f"{for_line(statement, about)} and take that Signed-off-by line out."
    if stands.signed:
        return AI_SIGN_OFF.at(message, statement.place, remedy=line, level=level)
    tool = stands.author.name if stands.author else stands.by_tools[0].name
    mine = f"{line} {for_author(statement, about)}"
    remedy = for_tool(statement, tool, about) if stands.author else mine
    message += "; no person has signed it off" if stands.author else ""
    message += "" if stands.author else "; its author has not signed it off"
    return AI_SIGN_OFF.at(message, statement.place, remedy=remedy, level=level)


def _unsigned(statement: Statement, stands: Standing, about: History) -> Finding:
    author = statement.author
    if stands.author is not None:
        message = f"{statement.name} is by {plain(stands.author.name)}, "
        message += "a tool, and no person has signed it off"
        remedy = for_tool(statement, stands.author.name, about)
        return SIGN_OFF.at(message, statement.place, remedy=remedy)
    if not author.usable:
        remedy = (
            "Set `git config user.name` and `git config user.email`, then run "
            "`git commit --amend --no-edit --reset-author --signoff`."
        )
        shown = plain(f"{author.name} <{author.address}>")
        message = f"{statement.name} has no usable author: {shown}"
        return SIGN_OFF.at(message, statement.place, remedy=remedy)
    by = ", ".join(plain(p.address) or plain(p.name) for p in statement.signed[:3])
    message = f"{statement.name} is not signed off by its author {plain(author.address)}"
    message += f", only by {by}" if by else ""
    return SIGN_OFF.at(message, statement.place, remedy=for_author(statement, about))


def _co_authors(
    statement: Statement, signed: frozenset[str], tools: Tools, about: History
) -> list[Finding]:
    lacking = [p for p in statement.co_authors if not p.usable or p.key not in signed]
    missing = [p for p in lacking if tools.of(p) is None]  # a tool has no word to give
    found = [_co_author(statement, who, about) for who in missing[:MAX_LISTED]]
    if len(missing) > MAX_LISTED:
        message = f"{statement.name} is not signed off by {len(missing):,} co-authors in all"
        found.append(CO_AUTHOR.at(message, statement.place))
    return found


def _co_author(statement: Statement, who: Person, about: History) -> Finding:
    if who.usable:
        message = f"{statement.name} is not signed off by co-author {plain(who.address)}"
        remedy = for_co_author(statement, who, about)
    else:
        message = f"{statement.name} names a co-author without a usable address: "
        message += plain(f"{who.name} <{who.address}>")
        remedy = "Write the line as `Co-authored-by: Name <address>`, and sign off likewise."
    return CO_AUTHOR.at(message, statement.place, remedy=remedy)


def _fixup(statement: Statement, start: str) -> Finding:
    command = f"git rebase -i --autosquash {start}".strip()
    remedy = f"Before it is merged, run `{command}`, then `git push --force-with-lease`."
    message = f"{statement.name} is meant to be squashed into another commit"
    return FIXUP.at(message, statement.place, remedy=remedy)
