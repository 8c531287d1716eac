"""Pull requests with the same head: GitHub shows check runs by commit, and lets the newest decide.

Somebody could open a second one into a branch whose policy asks for less, and its verdict would
let the first one in. So no verdict on a commit is better than that of another pull request, or of
a group of the merge queue, that has it as its head.
"""

from __future__ import annotations

from bot.errors import BotError
from bot.github import checkruns
from bot.github.errors import NotFound
from bot.github.values import Api, CheckRun, Target
from bot.report.read import load
from bot.serve.flows.warden import MEASURE, STATIC, Warden
from bot.verdict import WORST_FIRST, Outcome

REMEDY = "close the other one, or have it pass; then re-run this check"
_GOOD = (Outcome.PASS, Outcome.SKIP)


def worse(warden: Warden, api: Api, target: Target) -> str:
    """Return why a good verdict on this commit may not be shown as one, "" where it may.

    One that is under way counts as bad: it may have begun before ours, and would stay hidden.
    """
    if not target.number:  # a stranger's pull request with its commit would hold up the queue
        return ""
    for number, run in _others(warden, api, target).items():
        base = _base(api, number, target.head)
        if base not in (None, target.base) and (  # judged by the same policy, it says the same
            run.status != "completed" or not _good(warden, target, number, base or "")
        ):
            other = f"pull request {number}" if number else "a group of the merge queue"
            return f"the same commit is the head of {other}, which has not passed"
    return ""


def _others(warden: Warden, api: Api, target: Target) -> dict[int, CheckRun]:
    """Return the newest summary run of everything else that has this head, by number."""
    found: dict[int, CheckRun] = {}
    for run in api.runs(target.head, checkruns.SUMMARY):
        known = warden.records.run_named(run.external_id)
        if known is not None and known.target.number != target.number:
            found.setdefault(known.target.number, run)
    return found


def _base(api: Api, number: int, head: str) -> str | None:
    """Return the base of what is open with this head, "" for a group; None where nothing is."""
    try:
        pull = api.pull(number) if number else None
    except NotFound:
        return None
    if pull is None:
        return ""
    return pull.base if (pull.state, pull.head) == ("open", head) else None


def _good(warden: Warden, target: Target, number: int, base: str) -> bool:
    """Whether what is kept of another with this head lets it in; its run may say less."""
    kept = [
        j
        for j in warden.records.latest(target.repo.id, 8, number)
        if j.target.head == target.head and base in ("", j.target.base)
    ]
    verdicts: dict[str, Outcome] = {}
    for judged in sorted(kept, key=lambda j: (STATIC, MEASURE).index(j.part)):
        try:
            verdicts |= {v.check: v.outcome for v in load(judged.report).verdicts}
        except BotError:
            return False
    return min(verdicts.values(), key=WORST_FIRST.index, default=Outcome.ERROR) in _GOOD
