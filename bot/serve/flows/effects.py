"""What a command does, each effect safe to repeat: keyed by the comment that asked for it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.github.values import Api, Target
from bot.people import Account
from bot.serve.contract import Approval, Plain
from bot.serve.flows import leave, payload, releasing
from bot.serve.flows.upkeep import cancel
from bot.serve.flows.warden import JUDGE, MEASURE, STATIC, Warden, same_commits, target_of
from bot.talk.values import Approve, Cancel, Declare, Effect, Recheck, Release, SignCla, Waive

_KINDS: dict[str, type[Effect]] = {
    kind.__name__: kind for kind in (Recheck, Approve, Cancel, Waive, SignCla, Declare, Release)
}


@dataclass(frozen=True, slots=True)
class Heard:
    """Something said on a pull request: `source` is the attempt that what it asks for makes."""

    number: int
    who: Account
    source: str
    marker: str


def pack(effect: Effect) -> dict[str, Plain]:
    """Return an effect as JSON."""
    return {"kind": type(effect).__name__, "value": payload.pack(effect)}


def unpack(data: Plain) -> Effect:
    """Return the effect that was packed."""
    assert isinstance(data, dict)
    return payload.unpack(_KINDS[str(data["kind"])], data["value"])


def do(warden: Warden, api: Api, heard: Heard, effect: Effect) -> str:
    """Do one effect and note it in the audit trail; return its kind, or what is said of it."""
    said = type(effect).__name__
    repo, records, number = api.repo.id, warden.records, heard.number
    pull = api.pull(number)
    target = target_of(pull, heard.source)
    match effect:
        case Recheck(checks):
            warden.put(JUDGE, target, again=leave.again(api, heard.who, checks or ("",)))
        case Approve(approval):
            if same_commits(target, approval.target):  # else it has moved on since
                records.approve(approval)
                _measure(warden, target, approval, pull.author.id)
        case Cancel(reason):
            records.void(repo, number, reason)
            targets = {run.target for run in records.open_runs(repo, number)}
            cancel(warden, targets)
            warden.publisher(api).stop(targets, reason)
        case Waive(waived):
            records.waive(waived)
            warden.put(JUDGE, target, again=["policy"])
        case SignCla(signature):
            records.sign(repo, signature)
            warden.put(JUDGE, target, again=["contributors"])
        case Declare(account):
            records.conflict(repo, number, account)
            records.void(repo, number, "its approver has a conflict of interest", by=account)
        case Release():
            said = releasing.start(api, number, effect)
    warden.note(target, heard.who.login, type(effect).__name__.lower(), _detail(effect))
    return said


def _measure(warden: Warden, target: Target, approval: Approval, author: int) -> None:
    """Measure what was approved, beside the other verdicts on the same commits."""
    kept = warden.records.latest(target.repo.id, 50, target.number)
    source = next(
        (j.target for j in kept if j.part == STATIC and same_commits(j.target, target)), None
    )
    if source is None:  # not judged yet: the judging itself will find the approval
        return
    packed = payload.pack(source)
    warden.put(MEASURE, target, author=author, suite=approval.suite, source=packed)


def _detail(effect: Effect) -> str:
    match effect:
        case Waive(waived):
            return f"{waived.rule} until {waived.until}: {waived.reason}"
        case Approve(approval):
            return f"{approval.target.head[:12]} until {approval.expires_at:.0f}"
        case Cancel(reason):
            return reason
        case Recheck(checks):
            return ", ".join(checks)
        case SignCla(signature):
            return signature.document
        case Release(version):
            return version
    return ""
