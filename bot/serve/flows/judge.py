"""One pull request or merge group: announce, judge all but the weights, publish, pass on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.errors import BotError
from bot.github.errors import NotFound
from bot.github.values import Api, Target
from bot.people import People
from bot.report import render
from bot.report.outline import headline
from bot.serve.contract import Judged, Plain, Steps
from bot.serve.flows import conclude, reading
from bot.serve.flows.payload import unpack
from bot.serve.flows.warden import JUDGE, MEASURE, STATIC, SUPERSEDED, Warden, target_of
from bot.serve.judging import judge
from bot.serve.order import Order
from bot.verdict import Report

MINUTES = 10.0  # wall clock of the checks that load nothing


def flow(warden: Warden, steps: Steps, payload: Mapping[str, Plain]) -> Plain:
    """Judge one target. Its runs are concluded whatever happens."""
    target = unpack(Target, payload["target"])
    again = tuple(str(name) for name in _list(payload.get("again")))
    api = warden.hub.at(target.repo)
    reason = steps.run("look", lambda: _look(warden, api, target))
    if reason:
        return reason
    try:
        steps.run("supersede", lambda: supersede(warden, api, target))
        steps.run("announce", lambda: _announce(warden, api, target))
        steps.run("review", lambda: _review(warden, api, target))
        return steps.run("publish", lambda: conclude.static(warden, api, target, again))
    except BotError as error:
        message, hint = error.message, error.hint
        steps.run("give up", lambda: conclude.failed(warden, api, target, message, hint))
        return message


def _list(value: Plain) -> list[Plain]:
    return value if isinstance(value, list) else []


def _look(warden: Warden, api: Api, target: Target) -> str:
    """Return why there is nothing to judge. A newer state of the pull request gets its own job."""
    try:
        reason = warden.current(api, target)
    except NotFound:
        return "the pull request is gone"
    if reason.startswith("superseded"):
        pull = api.pull(target.number)
        warden.judge(target_of(pull))
    return reason


def supersede(warden: Warden, api: Api, target: Target) -> str:
    """End every other job of the same pull request, and its runs."""
    if not target.number:
        return ""
    others = [
        run
        for run in warden.records.open_runs(target.repo.id, target.number)
        if run.target.key != target.key
    ]
    targets = {run.target for run in others}
    for other in targets:
        warden.jobs.cancel(JUDGE, other.key)
        warden.jobs.cancel(MEASURE, other.key)
    warden.publisher(api).stop(targets, f"superseded by {target.head[:12]}")
    for run in others:
        warden.records.concluded(run.target, run.check, SUPERSEDED)
    return f"{len(others)} runs"


def _announce(warden: Warden, api: Api, target: Target) -> str:
    warden.publisher(api).open(
        target, warden.names, warden.link(target), lambda: warden.jobs.alive(JUDGE, target.key)
    )
    warden.note(target, "modelwarden", "judging", target.head[:12])
    return ""


def _review(warden: Warden, api: Api, target: Target) -> str:
    report = review(warden, api, target, part=STATIC)
    keep(warden, target, STATIC, report)
    return report.outcome


def review(
    warden: Warden,
    api: Api,
    target: Target,
    *,
    part: str,
    suite: str = "",
    minutes: float = MINUTES,
) -> Report:
    """Judge a part of the checks in a child that holds no secret; return its report."""
    author, people = _people(warden, api, target)
    measuring = part == MEASURE
    kind = MEASURE if measuring else JUDGE

    def cancelled() -> bool:
        return not warden.jobs.alive(kind, target.key)

    with reading.mirror(warden, api, target, cancelled) as (place, objects):
        if measuring:
            reading.ledger(warden, api, target, place, objects, cancelled)
        order = Order(
            git_dir=place,
            repository=target.repo.name,
            number=target.number,
            author=author,
            base=target.base,
            head=target.head,
            today=warden.today,
            checks=warden.loading if measuring else warden.reading,
            waiting=() if measuring else warden.loading,
            waived=warden.waived(target, {c.commit for c in people.commits}),
            people=people,
            plugins=warden.plugins,
            variables=warden.variables if measuring else (),
            minutes=minutes,
            suites=(suite,) if suite else (),
            cache=warden.cache,
        )
        return judge(order, objects, say=warden.log, cancelled=cancelled)


def _people(warden: Warden, api: Api, target: Target) -> tuple[str, People]:
    commits = api.commit_accounts(target.base, target.head)
    signatures = warden.records.signatures(target.repo.id)
    if not target.number:
        bot = warden.hub.identity().bot
        return bot.login, People(bot, commits, signatures, queue=True)
    author = api.pull(target.number).author
    return author.login, People(author, commits, signatures)


def keep(warden: Warden, target: Target, part: str, report: Report) -> None:
    """Remember a report as JSON; its repository and number are the target's."""
    change = replace(report.change, repository=target.repo.name, number=target.number)
    text = render(replace(report, change=change), "json", warden.rules, timings=True)
    said, now = headline(report), warden.clock()
    warden.records.keep(Judged(target, part, text.encode(), report.outcome, said, now))
