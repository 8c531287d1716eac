"""Developer Certificate of Origin: what each commit says, and who has not signed it off."""

from __future__ import annotations

from collections.abc import Mapping

from bot.checks.contributors.accounts import NOBODY, Excused
from bot.checks.contributors.advice import History, for_author, for_co_author, history
from bot.checks.contributors.person import Person
from bot.checks.contributors.remediation import Mode
from bot.checks.contributors.statements import Statement, due, of_message, signers
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
RULES = (SIGN_OFF, CO_AUTHOR, FIXUP, UNREADABLE)


def judge_message(
    message: str, author_name: str, author_email: str, *, co_authors: bool = True
) -> tuple[Finding, ...]:
    """Judge the message of a commit about to be made, for the commit-msg hook."""
    statement = of_message(message, Person(author_name, author_email))
    return judge((statement,), start="", co_authors=co_authors)


def judge(
    statements: tuple[Statement, ...],
    *,
    start: str,
    co_authors: bool,
    merges: bool = False,
    mode: Mode = "off",
    excused: Excused = NOBODY,
) -> tuple[Finding, ...]:
    """Find what is not signed off, oldest commit first; `start` is what `git rebase` needs."""
    judged = tuple(s for s in due(statements, merges) if s.commit not in excused.whole)
    signed = signers(statements, mode)
    missing = tuple(s.commit for s in judged if _lacks_author(s, signed, excused))
    about = history(statements, missing, start, mode)
    lacking = frozenset(missing)
    found: list[Finding] = []
    for statement in judged:
        if statement.oversize:
            found.append(unreadable(statement))
            continue
        if statement.commit in lacking:
            found.append(_author(statement, about))
        if co_authors:
            found.extend(_co_authors(statement, signed[statement.commit], about))
        if statement.fixup:
            found.append(_fixup(statement, start))
    return tuple(found)


def unreadable(statement: Statement) -> Finding:
    """Say that a commit was too large to read."""
    message = f"commit {statement.commit[:12]} has {statement.oversize:,} bytes"
    return UNREADABLE.at(message + " and was not read", statement.place)


def _lacks_author(
    statement: Statement, signed: Mapping[str, frozenset[str]], excused: Excused
) -> bool:
    if statement.oversize or statement.commit in excused.author:
        return False
    return not by_author(statement, signed)


def by_author(statement: Statement, signed: Mapping[str, frozenset[str]]) -> bool:
    """Whether the author's own address signed the commit off, there or in a later commit."""
    return statement.author.usable and statement.author.key in signed[statement.commit]


def told(statements: tuple[Statement, ...], mode: Mode = "off") -> str:
    """Say how many are signed off by their authors; merges of the change's own commits aside."""
    judged, signers_ = due(statements, merges=False), signers(statements, mode)
    signed = sum(by_author(s, signers_) for s in judged)
    if signed == len(judged):
        return "all signed off"
    return f"{signed:,} of {len(judged):,} signed off" if signed else "none signed off"


def _author(statement: Statement, about: History) -> Finding:
    author = statement.author
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


def _co_authors(statement: Statement, signed: frozenset[str], about: History) -> list[Finding]:
    missing = [p for p in statement.co_authors if not p.usable or p.key not in signed]
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
