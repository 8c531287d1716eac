"""`/warden measure`: leave to load the weights of one change, bound to exactly its commits."""

from __future__ import annotations

import re
import shlex

from bot.github.values import Pull, Target
from bot.serve.contract import Approval
from bot.talk.commands import WORD
from bot.talk.grammar import Command
from bot.talk.quota import exceeded
from bot.talk.shown import code, ended, listed, minutes, moment, quoted, typed
from bot.talk.values import Answer, Approve, Situation, refuse
from bot.wording import nearest

LOADS = "regression"  # the check that loads weights
DIGITS = 12  # of the head that an approval names at least

VOIDS = (
    "A push, a force-push, another base branch or base commit, closing, reopening and conversion "
    "to a draft end the approval."
)

_HEX = re.compile(r"\A[0-9a-f]{1,64}\Z")


def line(head: str, suite: str = "") -> str:
    """Return what approves a run on this head."""
    chosen = f" --suite {shlex.quote(suite)}" if suite else ""
    return f"{WORD} measure --head {head[:DIGITS]}{chosen}"


def measure(command: Command, situation: Situation) -> Answer:
    """Approve a run, or say why not and what would be right."""
    pull, suite = situation.pull, command.value("SUITE")
    if pull.draft:
        return refuse("the pull request is a draft.", "Mark it as ready for review first.")
    if not situation.suites:
        return refuse(
            "the policy at the base commit names no suite, so nothing would be measured.",
            "Name one under `regression.suite` in the policy.",
        )
    if suite and suite not in situation.suites:
        known = listed(situation.suites)
        near = quoted(ended(nearest(suite, situation.suites)))
        return refuse(f"the policy has no suite {code(suite)}{near}", f"It has {known}.")
    if wrong := _head(command.value("SHA"), pull):
        return refuse(
            f"{wrong}. Look at what it holds now, then type:", typed(line(pull.head, suite))
        )
    if standing := _standing(situation, suite):
        return Answer(
            f"A run on {code(pull.head[:DIGITS])} is approved already, by "
            f"{code(standing.login)}, until {moment(standing.expires_at)}."
        )
    if over := exceeded(situation.left, situation.estimate):
        return refuse(f"{over}.", "Approve it then, or ask the operator for a larger budget.")
    return _approve(suite, situation)


def _head(given: str, pull: Pull) -> str:
    """Return what is wrong with the head that was named, "" where it is the present one."""
    digits = given.lower()
    if not given:
        return "an approval names the head it is for, and `--head` is missing"
    if not _HEX.match(digits):
        return f"{code(given)} is no commit id"
    if not pull.head.startswith(digits):
        now = code(pull.head[:DIGITS])
        return f"{code(given)} is not the head of the pull request, which is {now}"
    if len(digits) < DIGITS:
        return f"{code(given)} is too short: at least {DIGITS} digits say which commit was meant"
    return ""


def _standing(situation: Situation, suite: str) -> Approval | None:
    """Return the approval that already covers what is asked."""
    found, pull = situation.approval, situation.pull
    if found is None or found.expires_at <= situation.now or found.suite not in ("", suite):
        return None
    same = (found.target.head, found.target.base) == (pull.head, pull.base)
    return found if same else None


def _approve(suite: str, situation: Situation) -> Answer:
    pull, who = situation.pull, situation.who
    ends = situation.now + situation.approval_seconds
    approval = Approval(
        target=Target(pull.repo, pull.number, pull.head, pull.base),
        check=LOADS,
        suite=suite,
        approver=who.id,
        login=who.login,
        at=situation.now,
        expires_at=ends,
    )
    what = f"suite {code(suite)}" if suite else "every suite of the policy"
    return Answer(
        f"{code(who.login)} approved measuring {code(pull.head[:DIGITS])} on {what}: about "
        f"{minutes(situation.estimate)}, until {moment(ends)}. {VOIDS}",
        (Approve(approval),),
    )
