"""What comes of a command: rights first, then the command's own conditions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

from bot.github.values import Role
from bot.people import ClaSignature
from bot.talk.approving import DIGITS, LOADS, measure
from bot.talk.commands import COMMANDS, Spec
from bot.talk.grammar import Command, Said, Unread
from bot.talk.releasing import release
from bot.talk.shown import code, ended, listed, prose, quoted
from bot.talk.values import Answer, Cancel, Declare, Recheck, SignCla, Situation, refuse
from bot.talk.waiving import never, unknown_rule, waive
from bot.wording import nearest

# Commands that mean nothing once a pull request is closed.
_OPEN_ONLY = frozenset({"check", "measure", "waive", "conflict"})


def decide(said: Said, situation: Situation) -> Answer:
    """Return the answer to one line, and its effects. A refusal has none."""
    if isinstance(said, Unread):
        return replace(
            refuse(f"{quoted(ended(said.why), 400)}", prose(said.remedy)), line=said.line
        )
    spec = COMMANDS[said.name]
    answer = _barrier(spec, situation) or _DECIDERS[spec.name](said, situation)
    return replace(answer, line=said.line)


def allowed(spec: Spec, situation: Situation) -> bool:
    """Whether the role, or being the author, is enough for the command."""
    return situation.role >= spec.role or (spec.author and situation.own)


def _barrier(spec: Spec, situation: Situation) -> Answer | None:
    who = code(situation.who.login)
    if not allowed(spec, situation):
        has = "no role" if situation.role is Role.NONE else f"the {_name(situation.role)} role"
        return refuse(
            f"{code(spec.name)} is for: {spec.who}. GitHub says that {who} has {has} here.",
            "Ask somebody who has it.",
        )
    if spec.barred and situation.conflicted:
        return refuse(
            f"{who} has declared a conflict of interest on this pull request.",
            "Ask another maintainer.",
        )
    if spec.name in _OPEN_ONLY and situation.pull.state != "open":
        return refuse("the pull request is not open.", "Reopen it first.")
    return None


def _name(role: Role) -> str:
    return role.name.lower()


def _help(command: Command, situation: Situation) -> Answer:
    asked = command.value("COMMAND").lower().removeprefix("/")
    if not asked:
        lines = [_line(spec, situation) for spec in COMMANDS.values()]
        return Answer("\n".join(["One command a line, at its start:\n", *lines]))
    spec = COMMANDS.get(asked)
    if spec is None:
        near = quoted(ended(nearest(asked, COMMANDS)))
        return refuse(f"there is no command {code(asked)}{near}")
    return Answer(
        f"{code(spec.usage)}\n\n{prose(spec.does)} {prose(spec.more)}\n\n"
        f"For: {quoted(spec.who)}. Example: {code(spec.example)}"
    )


def _line(spec: Spec, situation: Situation) -> str:
    yours = "" if allowed(spec, situation) else " (not yours here)"
    return f"- {code(spec.usage)}: {prose(spec.does)} For: {quoted(spec.who)}{yours}."


def _check(command: Command, situation: Situation) -> Answer:
    name = command.value("CHECK").lower()
    head = code(situation.pull.head[:DIGITS])
    if not name:
        return Answer(f"Every check judges {head} again.", (Recheck(),))
    if name not in situation.checks:
        near = quoted(ended(nearest(name, situation.checks)))
        known = listed(situation.checks)
        return refuse(f"there is no check {code(name)}{near}", f"There are {known}.")
    more = " It loads weights only with an approval." if name == LOADS else ""
    return Answer(f"{code(name)} judges {head} again.{more}", (Recheck((name,)),))


def _cancel(command: Command, situation: Situation) -> Answer:
    if not situation.under_way and situation.approval is None:
        return Answer("Nothing of this pull request runs or waits.")
    reason = f"cancelled by {situation.who.login} in a comment"
    return Answer(
        "What runs or waits for this pull request ends, and approvals with it.", (Cancel(reason),)
    )


def _explain(command: Command, situation: Situation) -> Answer:
    rule = situation.rules.get(command.value("RULE"))
    if rule is None:
        return refuse(unknown_rule(command.value("RULE"), situation))
    why = never(rule.id)
    waiving = (
        f"No comment can waive it: {why}." if why else "A maintainer can waive it for a while."
    )
    return Answer(
        f"{code(rule.id)} ({rule.level.value}): {prose(rule.finds)}\n\n"
        f"Why: {prose(rule.why)}\n\nWhat to do: {prose(rule.remedy)}\n\n{waiving}"
    )


def _sign(command: Command, situation: Situation) -> Answer:
    who, document = situation.who, situation.document
    if document is None:
        return refuse("this project asks for no contributor agreement at the base commit.")
    if who.bot:
        return refuse("a bot cannot agree to anything.")
    if situation.signed:
        return Answer(f"{code(who.login)} has signed this text already.")
    at = datetime.fromtimestamp(situation.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = ClaSignature(
        account=who.id,
        login=who.login,
        document=document,
        comment=situation.comment,
        repository=situation.pull.repo.name,
        at=at,
    )
    return Answer(
        f"{code(who.login)} has signed the contributor agreement whose SHA-256 is "
        f"{code(document)}.",
        (SignCla(signature),),
    )


def _conflict(command: Command, situation: Situation) -> Answer:
    who = code(situation.who.login)
    if situation.conflicted:
        return Answer(f"{who} has declared this already.")
    return Answer(
        f"{who} declares a conflict of interest: from now on {who} can approve, waive or release "
        f"nothing on this pull request, and approvals by {who} end.",
        (Declare(situation.who.id),),
    )


_DECIDERS: Mapping[str, Callable[[Command, Situation], Answer]] = MappingProxyType(
    {
        "help": _help,
        "check": _check,
        "measure": measure,
        "cancel": _cancel,
        "waive": waive,
        "explain": _explain,
        "sign-cla": _sign,
        "conflict": _conflict,
        "release": release,
    }
)
