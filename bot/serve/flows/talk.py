"""Comments and buttons: read again from GitHub, decided purely, done once, answered once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.github import checkruns
from bot.github.acts import Press, Rerun, Talk
from bot.github.values import Api, Pull
from bot.people import Account
from bot.serve.contract import Plain, Steps
from bot.serve.flows import effects, leave, reading, releasing
from bot.serve.flows.effects import Heard
from bot.serve.flows.payload import pack, unpack
from bot.serve.flows.upkeep import again
from bot.serve.flows.warden import Warden, same_commits, target_of
from bot.talk import approving, grammar, reply
from bot.talk.commands import COMMANDS
from bot.talk.decide import decide
from bot.talk.fresh import unheard
from bot.talk.shown import typed
from bot.talk.values import Answer, Effect, Release, Situation, refuse

_HOW = Answer(
    f"To accept a finding for a while, write in a new comment:\n\n"
    f"{typed(COMMANDS['waive'].example)}\n\nThe rules are in the report; a maintainer may do it."
)

_PAST = refuse(
    "the run is about other commits than those that the pull request has now.",
    "Look at its newest run, and what that one asks for.",
)


def flow(warden: Warden, steps: Steps, payload: Mapping[str, Plain]) -> Plain:
    """Answer one comment. What was decided once is done, whatever changes after a crash."""
    act = unpack(Talk, payload["value"])
    api = warden.hub.at(act.repo)

    def decided() -> dict[str, Plain]:
        comment = api.comment(act.comment)
        if comment is None:
            return {"note": "the comment is gone"}
        if why := unheard(comment, warden.clock()):
            return {"note": why}
        said = grammar.read(comment.body)
        if not said:
            return {"note": "no command"}
        heard = Heard(act.number, comment.author, f"c{act.comment}", reply.marker(act.comment))
        return _decided(warden, api, heard, act.comment, said)

    return _carry_out(warden, api, steps, decided)


def press(warden: Warden, steps: Steps, payload: Mapping[str, Plain]) -> Plain:
    """Do what a button of a check run stands for, with the rights of who pressed it."""
    act = unpack(Press, payload["value"])
    api = warden.hub.at(act.repo)
    if act.identifier == checkruns.AGAIN.identifier:
        check = act.external_id.rpartition(":")[2]
        rerun = Rerun(act.repo, act.head, checkruns.name_of(check), f"b{act.run}", act.sender)
        return steps.run("start", lambda: again(warden, rerun))
    run = warden.records.run_named(act.external_id)
    if run is None or not run.target.number or run.target.repo.id != act.repo.id:
        return "the run is not one of ours"
    target, kind = run.target, act.identifier
    heard = Heard(target.number, act.sender, f"b{act.run}", reply.marker(act.run))

    def decided() -> dict[str, Plain]:
        if kind == checkruns.WAIVE.identifier:
            return _packed(heard, reply.reply(act.run, (_HOW,)), ())
        if not same_commits(target_of(api.pull(target.number)), target):
            return _packed(heard, reply.reply(act.run, (_PAST,)), ())
        said = grammar.read(approving.line(target.head))  # the button is the command
        return _decided(warden, api, heard, act.run, said)

    return _carry_out(warden, api, steps, decided)


def _decided(
    warden: Warden, api: Api, heard: Heard, comment: int, said: tuple[grammar.Said, ...]
) -> dict[str, Plain]:
    now = situation(warden, api, api.pull(heard.number), heard.who, comment)
    answers = tuple(decide(one, now) for one in said)
    wanted = tuple(effect for answer in answers for effect in answer.effects)
    return _packed(heard, reply.reply(comment, answers), wanted)


def _packed(heard: Heard, text: str, wanted: tuple[Effect, ...]) -> dict[str, Plain]:
    return {"heard": pack(heard), "text": text, "effects": [effects.pack(e) for e in wanted]}


def _carry_out(
    warden: Warden, api: Api, steps: Steps, decided: Callable[[], dict[str, Plain]]
) -> Plain:
    """Decide, do and answer, each once and in this order."""
    chosen = steps.run("decide", decided)
    if "note" in chosen:
        return chosen["note"]
    heard = unpack(Heard, chosen["heard"])
    wanted = chosen["effects"]
    assert isinstance(wanted, list)
    text = str(chosen["text"])
    for effect in map(effects.unpack, wanted):
        name = type(effect).__name__

        def act(effect: Effect = effect) -> str:
            return effects.do(warden, api, heard, effect)

        said = steps.run(name, act)
        if isinstance(effect, Release):  # only then is it known how it went
            text = f"{text.rstrip()}\n\n{said}\n"
    steps.run("answer", lambda: _answer(warden, api, heard, text))
    return "answered"


def _answer(warden: Warden, api: Api, heard: Heard, text: str) -> str:
    warden.publisher(api).reply(heard.number, heard.marker, text)
    return ""


def situation(warden: Warden, api: Api, pull: Pull, who: Account, comment: int) -> Situation:
    """Gather what an answer depends on, now."""
    target = target_of(pull)
    with reading.world(warden, api, target) as opened:
        policy = reading.policy_at(warden, opened, target)
        document = reading.document(opened, target, policy.section("contributors").cla.document)
        unreleasing = releasing.barred(opened, target, policy, who)
        unwaiving = reading.denied(opened, target, "waive", who, warden.clock())
    loading = policy.section(warden.loading[0]) if warden.loading else None
    signed = any(
        s.account == who.id and s.document == document
        for s in warden.records.signatures(pull.repo.id)
    )
    return Situation(
        pull=pull,
        who=who,
        comment=comment,
        role=api.role(who.login),
        now=warden.clock(),
        checks=tuple(check.NAME for check in warden.checks),
        rules=warden.rules,
        left=leave.minutes_left(warden, pull),
        estimate=leave.estimate(warden, target, loading.minutes if loading else 0.0),
        suites=tuple(suite.name for suite in loading.suite) if loading else (),
        conflicted=warden.records.conflicted(pull.repo.id, pull.number, who.id),
        unwaiving=unwaiving,
        unreleasing=unreleasing,
        document=document,
        signed=signed,
        approval=leave.approval_of(warden, target),
        under_way=bool(warden.records.open_runs(pull.repo.id, pull.number)),
        approval_seconds=warden.approval_seconds,
    )
