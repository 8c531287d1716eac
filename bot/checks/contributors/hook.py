"""The message of a commit about to be made, judged before it is one."""

from __future__ import annotations

from bot.checks.contributors import assistance, signoff
from bot.checks.contributors.advice import history
from bot.checks.contributors.person import Person
from bot.checks.contributors.settings import Settings
from bot.checks.contributors.statements import of_message
from bot.checks.contributors.tools import tools
from bot.finding import Finding


def judge_message(message: str, author: Person, settings: Settings) -> tuple[Finding, ...]:
    """Judge a message as the commit-msg hook does; the author is who git would name."""
    statements = (of_message(message, author),)
    known = tools(settings.ai_accounts)
    found: tuple[Finding, ...] = ()
    if settings.dco == "required":
        found = signoff.judge(
            statements,
            start="",
            co_authors=settings.co_authors,
            tools=known,
            weight=settings.ai_signoff,
        )
    about = history(statements, (), "", "off")
    trailer, weight = settings.ai_trailer, settings.ai_undeclared
    return (*found, *assistance.judge(statements, trailer, weight, known, about))
