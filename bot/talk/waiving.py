"""`/warden waive`: who may accept what, how long; and what a comment can never accept."""

from __future__ import annotations

import re
from datetime import date, timedelta

from bot.report.neutral import harmless
from bot.serve.contract import Waived
from bot.talk.approving import DIGITS
from bot.talk.grammar import Command
from bot.talk.shown import code, ended, quoted
from bot.talk.values import Answer, Situation, Waive, refuse
from bot.wording import nearest

SHORTEST, LONGEST = 12, 500  # characters of a reason

_RUNS = (
    "it is about code that would run on people's machines; only the policy file can accept that, "
    "for one path, reviewed by its owners"
)
_WORKFLOW = (
    "it is about workflows that could give away the project's secrets; only the policy file can "
    "accept that, reviewed by its owners"
)
_UNSEEN = (
    "nothing was measured, for a reason on our side; a comment cannot stand in for a measurement. "
    "Once the machine is in order, ask for the run again"
)
# A rule, or a whole check with "/": why a comment cannot waive it.
NEVER = {
    "trust/": "who may release is decided by those whom the trust file at the base names",
    "policy/": "it is about the policy itself, which only a reviewed change of the file alters",
    "weights/pickle": _RUNS,
    "weights/hostile": _RUNS,
    "weights/executable-config": _RUNS,
    "weights/unsafe-index": _RUNS,
    "weights/pointer-invalid": _RUNS,
    "weights/undecided": "nobody could tell whether the file runs code; only the policy file can "
    "accept that, for one path, reviewed by its owners",
    "files/unsafe-path": _RUNS,
    "files/symlink-escape": _RUNS,
    "community/script-injection": _WORKFLOW,
    "community/pull-request-target": _WORKFLOW,
    "community/checkout-unknown": _WORKFLOW,
    "regression/unprotected": _UNSEEN,
    "regression/unequipped": _UNSEEN,
    "regression/no-answer": _UNSEEN,
}
_DATE = re.compile(r"\A\d{4}-\d\d-\d\d\Z", re.ASCII)


def never(rule: str) -> str:
    """Return why no comment can waive the rule, "" where one can."""
    return NEVER.get(rule) or NEVER.get(rule.partition("/")[0] + "/", "")


def waive(command: Command, situation: Situation) -> Answer:
    """Accept the findings of a rule on this pull request, or say why not."""
    rule = command.value("RULE")
    if situation.own:
        return refuse(
            "nobody waives findings of their own change.",
            "Ask another maintainer, or propose a waiver in the policy file.",
        )
    if situation.unwaiving:
        return refuse(
            f"{harmless(situation.unwaiving)}.",
            "Ask somebody whom `.github/trust.toml` lets waive, or change the policy file.",
        )
    if rule not in situation.rules:
        return refuse(unknown_rule(rule, situation), "The rules are listed in `docs/rules.md`.")
    if why := never(rule):
        return refuse(f"{code(rule)} cannot be waived by a comment: {why}.")
    until = _day(command.value("DATE"))
    if isinstance(until, str):
        return refuse(until, _example(situation))
    last = situation.today + timedelta(days=situation.waiver_days)
    if not situation.today < until <= last:
        return refuse(
            f"{until} is not after today ({situation.today}) and at most "
            f"{situation.waiver_days} days ahead ({last}).",
            "A waiver is a loan: when it ends, somebody fixes the finding or decides again.",
        )
    reason = harmless(command.value("because"))
    if not SHORTEST <= len(reason) <= LONGEST:
        return refuse(
            f"the reason has {len(reason):,} characters; it needs {SHORTEST} to {LONGEST}.",
            "Say why the finding is acceptable here: others will read it in the report.",
        )
    pull, who = situation.pull, situation.who
    return Answer(
        f"{code(rule)} is waived on {code(pull.head[:DIGITS])} until {until}, by "
        f"{code(who.login)}: {quoted(reason, LONGEST)}\n\nA push ends it: nobody has "
        "accepted what comes with one.",
        (
            Waive(
                Waived(
                    repo=pull.repo.id,
                    number=pull.number,
                    rule=rule,
                    until=until.isoformat(),
                    reason=reason,
                    by=who.id,
                    login=who.login,
                    comment=situation.comment,
                    at=situation.now,
                    head=pull.head,
                )
            ),
        ),
    )


def unknown_rule(rule: str, situation: Situation) -> str:
    """Say that there is no such rule, and which is like it."""
    return f"there is no rule {code(rule)}{quoted(ended(nearest(rule, situation.rules)))}"


def _day(text: str) -> date | str:
    if _DATE.match(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            return f"there is no day {code(text)}."
    return f"{code(text)} is no date, YYYY-MM-DD."


def _example(situation: Situation) -> str:
    soon = situation.today + timedelta(days=14)
    return f"Two weeks from now is `{soon}`; at most {situation.waiver_days} days are possible."
