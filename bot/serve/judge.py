"""One judgement inside the child: the hall every door enters, over a mirror without contents."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import Any

from bot import catalog, engine
from bot.cache import Cache
from bot.change import SUBMODULE, Change
from bot.check import Check
from bot.errors import UsageError
from bot.policy import POLICY_PATH, Policy, at
from bot.report.json import ReportData, document
from bot.repository import GitWorld
from bot.serve import order as orders
from bot.serve.judgechild import Line, Objects, bound
from bot.serve.order import Order
from bot.verdict import Verdict
from bot.wording import plural

PLACES = ("", ".github", ".github/workflows", ".github/ISSUE_TEMPLATE")
MAX_TEXTS = 200
_USUAL = re.compile(r"\.(?:md|ya?ml|toml)$|(?:^|/)(?:LICEN[CS]E|COPYING|NOTICE|CODEOWNERS)\b")


def run(data: bytes, line: Line) -> ReportData:
    """Carry out an order; return the report as its JSON."""
    order = orders.load(data)
    bound(order.memory)
    every = catalog.checks(order.plugins)
    chosen = engine.select(every, (*order.checks, *order.waiting))
    objects = Objects(line)

    def notify(verdict: Verdict) -> None:
        line.send(orders.VERDICT, [verdict.check, verdict.outcome, round(verdict.seconds, 3)])

    # What the cache holds is made by our code from blobs, under the blob's id: a change can add
    # facts about its own files, and none about another's.
    with GitWorld(
        order.git_dir,
        Cache(order.cache),
        lambda said: line.send(orders.SAY, said[: orders.TEXT]),
        people=order.people,
        objects=objects,
    ) as world:
        change = _change(world, order)
        objects.ahead(_contents(world, change))
        policy = _policy(world, order, every)
        report = engine.review(
            change,
            policy,
            world,
            chosen,
            today=order.today,
            notify=notify,
            waiting=dict.fromkeys(order.waiting, order.reason),
        )
    return document(report, timings=True)


def _change(world: GitWorld, order: Order) -> Change:
    change = world.change(order.base, order.head)
    return replace(change, repository=order.repository, number=order.number, author=order.author)


def _contents(world: GitWorld, change: Change) -> tuple[str, ...]:
    """Return what will be read: the policy, both sides of what changed, a project's usual texts.

    Each request takes a while, so what several checks would ask for one by one comes with it.
    """
    policy = world.entry(change.base, POLICY_PATH)
    sides = [side for f in change.files for side in (f.before, f.after)]
    found = [e for e in (policy, *sides) if e is not None and e.mode != SUBMODULE]
    places = [(commit, place) for commit in (change.merge_base, change.head) for place in PLACES]
    texts = (e for at in places for e in world.folder(*at) if e.is_file and _USUAL.search(e.path))
    found += islice(texts, MAX_TEXTS)
    return tuple(dict.fromkeys(e.blob for e in found))


def _policy(world: GitWorld, order: Order, checks: tuple[Check, ...]) -> Policy:
    """Return the policy at the base, with what people decided by comment."""
    rules = catalog.rules(checks)
    policy = at(world, order.base, checks, rules)
    added = [
        waiver
        for waived in order.waived
        if waived.rule in rules and (waiver := orders.waiver(waived)).until >= order.today
    ]
    root = policy.root
    if order.suites or order.device:
        narrowed = _narrowed(policy.section("regression"), order)
        root = root.model_copy(update={"regression": narrowed})
    source = policy.source
    if added:
        source += f", with {plural(len(added), 'waiver')} by comment"
    return replace(policy, root=root, source=source, added=tuple(added))


def _narrowed(settings: Any, order: Order) -> Any:
    known = {suite.name for suite in settings.suite}
    for name in order.suites:
        if name not in known:
            said = ", ".join(sorted(known)) or "none"
            raise UsageError(f"the policy has no suite '{name}'", f"its suites: {said}")
    changes: dict[str, Any] = {}
    if order.suites:
        changes["suite"] = tuple(s for s in settings.suite if s.name in order.suites)
    if order.device:
        changes["device"] = order.device
    return settings.model_copy(update=changes)
