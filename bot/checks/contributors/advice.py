"""What to type where a sign-off is missing: exact commands and lines, never another's sign-off."""

from __future__ import annotations

from dataclasses import dataclass

from bot.checks.contributors import remediation
from bot.checks.contributors.person import Person
from bot.checks.contributors.remediation import Mode
from bot.checks.contributors.statements import Statement
from bot.quoting import plain

_PUSH = "then `git push --force-with-lease`."


@dataclass(frozen=True, slots=True)
class History:
    """What a remedy has to know of the whole change; `mode` is what remediation it allows."""

    start: str
    tip: str
    only_tip: bool  # nothing but the last commit lacks its sign-off
    one_author: bool
    merges: bool
    mode: Mode = "off"


def history(
    statements: tuple[Statement, ...], missing: tuple[str, ...], start: str, mode: Mode
) -> History:
    """Return the facts; `missing` are the ids of commits that their authors have not signed off."""
    tip = statements[-1].commit if statements else ""
    return History(
        start,
        tip,
        only_tip=missing == (tip,),
        one_author=len({s.author.key for s in statements}) == 1,
        merges=any(s.parents > 1 for s in statements),
        mode=mode,
    )


def for_author(statement: Statement, about: History) -> str:
    """Say how the author signs a commit off."""
    line = statement.author.line
    if not about.start:
        return f"Run `git commit --signoff`, or end the message with the line: {line}"
    late = _late(statement, statement.author, about)
    if about.only_tip:
        command = "git commit --amend --no-edit --signoff"
        return f"Run `{command}`, which adds the line: {line} - {_PUSH}{late}"
    if about.one_author:
        # --signoff signs by whoever runs it: right only where that is everybody's author.
        keep = " --rebase-merges" if about.merges else ""
        command = f"git rebase{keep} --signoff {about.start}"
        return f"Run `{command}`, which adds the line: {line} - {_PUSH}{late}"
    return f"As its author, {_reword(statement, about)} the line: {line} - {_PUSH}{late}"


def for_co_author(statement: Statement, who: Person, about: History) -> str:
    """Say how a co-author's sign-off is added."""
    how = _reword(statement, about)
    late = _late(statement, who, about)
    return f"With the co-author's consent, {how} the line: {who.line}{'.' if late else ''}{late}"


def for_tool(statement: Statement, tool: str, about: History) -> str:
    """Say how a person answers for what a tool wrote: never with the tool's own line."""
    helped = f"`Assisted-by: {plain(tool)}` names the tool."
    if not about.start:
        return f"A person who answers for it runs `git commit --signoff`; {helped}"
    how = _reword(statement, about)
    return f"A person who answers for it has to {how} their own Signed-off-by line; {helped}"


def for_line(statement: Statement, about: History) -> str:
    """Say how a line of a message is taken out."""
    if not about.start or statement.commit == about.tip:
        return "Run `git commit --amend`"
    short = statement.commit[:12]
    return f"Run `git rebase -i {about.start}`, mark {short} as `reword`"


def _reword(statement: Statement, about: History) -> str:
    if not about.start or statement.commit == about.tip:
        return "run `git commit --amend` and end the message with"
    short = statement.commit[:12]
    return f"run `git rebase -i {about.start}`, mark {short} as `reword` and end its message with"


def _late(statement: Statement, who: Person, about: History) -> str:
    """The other way, where the policy allows it: a commit on top, no history rewritten."""
    if about.mode == "off" or not about.start:
        return ""
    line = remediation.wording(who, statement.commit)
    return f" Or push one more signed-off commit by {who.shown} with this line: {line}"
