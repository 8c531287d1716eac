"""What keeps promises: stops, re-runs, reconciliation, the watchdog, the history of metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from bot.checks import regression
from bot.drift import metrics_at
from bot.github import checkruns
from bot.github.acts import Pushed, Rerun, Stop
from bot.github.errors import GitHubError, NotFound
from bot.github.values import Api, Pull, Repo, Role, Target
from bot.serve.contract import Plain, Point, Steps
from bot.serve.flows import leave, reading
from bot.serve.flows.payload import pack, unpack
from bot.serve.flows.warden import JUDGE, MEASURE, SUPERSEDED, Warden, target_of

PATIENCE = 600.0  # seconds after which a run without a job is given up
LOOK_BACK = timedelta(hours=72)  # GitHub keeps deliveries for three days
AGAIN = 100  # failed deliveries asked for in one pass


def stop(warden: Warden, steps: Steps, payload: Mapping[str, Plain]) -> Plain:
    """End what is under way for a closed pull request or one made a draft, if it is so still."""
    act = unpack(Stop, payload["value"])
    api = warden.hub.at(act.repo)

    def end() -> str:
        if _judged(api, act.number):  # deliveries come in any order
            return "it is open again"
        runs = warden.records.open_runs(act.repo.id, act.number)
        targets = {run.target for run in runs}
        cancel(warden, targets)
        warden.publisher(api).stop(targets, act.reason)
        return f"{len(runs)} runs"

    return steps.run("stop", end)


def _judged(api: Api, number: int) -> bool:
    """Whether a pull request is one that is judged by itself."""
    try:
        pull = api.pull(number)
    except NotFound:
        return False
    return pull.state == "open" and not pull.draft


def cancel(warden: Warden, targets: Iterable[Target]) -> None:
    """Cancel the jobs of these targets."""
    for target in targets:
        warden.jobs.cancel(JUDGE, target.key)
        warden.jobs.cancel(MEASURE, target.key)


def rerun(warden: Warden, steps: Steps, payload: Mapping[str, Plain]) -> Plain:
    """Judge again what somebody re-ran on GitHub: a new attempt with new runs."""
    act = unpack(Rerun, payload["value"])
    return steps.run("start", lambda: again(warden, act))


def again(warden: Warden, act: Rerun) -> str:
    """Start a new attempt for each pull request of the head that the sender may re-run."""
    api = warden.hub.at(act.repo)
    check = act.check.removeprefix(checkruns.SUMMARY).removeprefix(" / ")
    started = []
    for pull in api.pulls_with_head(act.head):
        if act.sender.id != pull.author.id and api.role(act.sender.login) < Role.TRIAGE:
            continue
        asked = leave.again(api, act.sender, (check,))
        warden.put(JUDGE, target_of(pull, act.attempt), again=asked)
        started.append(f"#{pull.number}")
    return ", ".join(started) or "no pull request that the sender may re-run has this head"


def reconcile(warden: Warden, steps: Steps, payload: Mapping[str, Plain]) -> Plain:
    """Judge the open pull requests of one repository whose head has no conclusion."""
    repo = unpack(Repo, payload["value"])

    def missed() -> str:
        api = warden.hub.at(repo)
        warden.records.know(repo)  # it may have another name or installation than its runs know
        found = [pull for pull in api.open_pulls() if not pull.draft and _missed(warden, api, pull)]
        for pull in found:
            warden.judge(target_of(pull), (SUPERSEDED,))
        return f"{len(found)} pull requests"

    return steps.run("reconcile", missed)


def _missed(warden: Warden, api: Api, pull: Pull) -> bool:
    target = target_of(pull)
    known = warden.records.run_named(checkruns.external_id(target, ""))
    if known is not None:  # the watchdog sees to it that it ends
        return known.conclusion == SUPERSEDED
    runs = api.runs(pull.head, checkruns.SUMMARY)
    return not any(run.status == "completed" for run in runs)


def sweep(warden: Warden, steps: Steps, payload: Mapping[str, Plain]) -> Plain:
    """Once an hour and at the start: every repository, and deliveries that failed."""

    def every() -> int:
        count = 0
        for repo in warden.hub.repositories():
            count += 1
            key = f"{repo.id}-{steps.key}"
            payload: dict[str, Plain] = {"value": pack(repo), "about": repo.name}
            warden.jobs.put("reconcile", key, payload, repo=repo.id)
        return count

    repositories = steps.run("repositories", every)
    asked = steps.run("deliveries", lambda: redeliver(warden))
    return f"{repositories} repositories, {asked} deliveries asked for again"


def redeliver(warden: Warden) -> int:
    """Ask again for deliveries that never arrived; GitHub does not do so by itself."""
    since = datetime.fromtimestamp(warden.clock(), UTC) - LOOK_BACK
    arrived: set[str] = set()
    asked = 0
    for sent in warden.hub.deliveries(since.isoformat(timespec="seconds")):
        if sent.guid in arrived or asked >= AGAIN:
            continue
        arrived.add(sent.guid)  # the newest attempt of each comes first
        if not 200 <= sent.status < 300 and warden.records.delivery(sent.guid) is None:
            warden.hub.redeliver(sent.id)
            asked += 1
    return asked


def watch(warden: Warden, steps: Steps, payload: Mapping[str, Plain]) -> Plain:
    """Conclude runs whose job has ended without concluding them: a check always reports."""

    def end() -> int:
        left: dict[Target, list[str]] = {}
        for run in warden.records.stale_runs(warden.clock() - PATIENCE):
            left.setdefault(run.target, []).append(run.check)
        for target, checks in left.items():
            if not any(warden.jobs.alive(kind, target.key) for kind in (JUDGE, MEASURE)):
                _give_up(warden, target, checks)
        return len(left)

    return steps.run("watch", end)


def _give_up(warden: Warden, target: Target, checks: list[str]) -> None:
    reason, remedy = "the job ended without an answer", "re-run the check"
    bodies = {check: checkruns.broken(target, check, reason, remedy) for check in checks}
    try:
        warden.publisher(warden.hub.at(target.repo)).conclude(target, bodies)
    except NotFound:  # the repository, the commit or our place there: nobody waits for it
        for check in checks:
            warden.records.concluded(target, check, "gone")
    except GitHubError as error:
        warden.log(f"{target.repo.name}#{target.number}: {error.message}")


def forget(warden: Warden, steps: Steps, payload: Mapping[str, Plain]) -> Plain:
    """Drop the mirror of a repository that the App may no longer see."""
    repo = payload["repo"]
    assert isinstance(repo, int)

    def drop() -> str:
        warden.mirrors.remove(repo)
        return ""

    return steps.run("forget", drop)


def history(warden: Warden, steps: Steps, payload: Mapping[str, Plain]) -> Plain:
    """Keep what the default branch's metrics file says at its new head."""
    act = unpack(Pushed, payload["value"])
    return steps.run("read", lambda: _history(warden, act))


def _history(warden: Warden, act: Pushed) -> int:
    target = Target(act.repo, 0, act.head, act.head)
    api = warden.hub.at(act.repo)
    path = reading.policy_of(warden, api, target).section(regression.NAME).metrics
    with reading.world(warden, api, target) as world:
        found = metrics_at(world, ((act.head[:12], act.head),), path)
    now = warden.clock()
    points = tuple(
        Point(act.repo.id, act.head, now, f"{one.task}: {one.metric}", value)
        for one in found.series
        for value in one.values
        if value is not None
    )
    warden.records.measured(points)
    return len(points)
