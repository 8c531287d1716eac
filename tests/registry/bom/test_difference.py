"""What changed between two bills."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from registry.bom.building import build
from registry.bom.difference import Changes, Relicensed, Updated, difference
from registry.bom.values import Bom, Component, Edge
from tests.registry.bom.given import ABOUT, RELEASE, boms, licence, locks

DATE = "2026-10-01T12:00:00Z"


def package(name: str, version: str) -> Component:
    return Component(f"pkg:pypi/{name}@{version}", "package", name, version, "MIT")


def bom(*parts: Component, edges: tuple[Edge, ...] = ()) -> Bom:
    return Bom("app", DATE, parts, edges)


A1, A2, B1 = package("a", "1"), package("a", "2"), package("b", "1")
SET = Component("urn:x:data:d@1", "data", "d", properties=(("role", "training"),))
SUITE = Component("urn:x:data:d@2", "data", "d", properties=(("role", "evaluation"),))


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ([A1], [A1], Changes()),
        ([], [A1], Changes(added=(A1,))),
        ([A1], [], Changes(removed=(A1,))),
        ([A1, B1], [B1, A2], Changes(updated=(Updated(A1, A2),))),
        ([A1], [A1, A2], Changes(added=(A2,))),
        ([A1, A2], [A2], Changes(removed=(A1,))),
        ([A1], [replace(A1, hashes=(("md5", "0" * 32),))],
         Changes(updated=(Updated(A1, replace(A1, hashes=(("md5", "0" * 32),))),))),
        ([A1], [replace(A1, licence="GPL-3.0-only")],
         Changes(relicensed=(
             Relicensed(replace(A1, licence="GPL-3.0-only"), "MIT", "GPL-3.0-only"),))),
        ([A1], [replace(A1, licence="mit")], Changes()),
        ([A1], [replace(A2, licence="")],
         Changes(updated=(Updated(A1, replace(A2, licence="")),),
                 relicensed=(Relicensed(replace(A2, licence=""), "MIT", ""),))),
        ([replace(A1, licence="other")], [replace(A1, licence="")], Changes()),
        ([SET], [SUITE], Changes(added=(SUITE,), removed=(SET,))),
    ],
)  # fmt: skip
def test_components(before: list[Component], after: list[Component], changes: Changes) -> None:
    assert difference(bom(*before), bom(*after)) == changes


def test_edges_follow_what_is_updated() -> None:
    model, new = (Component(f"urn:x:model:m@{n}", "model", "m") for n in (1, 2))
    old = bom(model, SET, edges=(Edge(model.ref, "trains_on", SET.ref),))
    same = bom(new, SET, edges=(Edge(new.ref, "trains_on", SET.ref),))
    assert difference(old, same) == Changes(updated=(Updated(model, new),))
    other = bom(new, SET, edges=(Edge(new.ref, "evaluates_on", SET.ref),))
    assert difference(old, other) == Changes(
        updated=(Updated(model, new),), tied=other.edges,
        untied=(Edge(new.ref, "trains_on", SET.ref),),
    )  # fmt: skip


def test_two_releases() -> None:
    old = build(RELEASE, locks(), licence, ABOUT)
    next_one = replace(
        RELEASE, version="1.3.0", commit="e" * 40, weights=replace(RELEASE.weights, root="9" * 64)
    )
    lock = locks()[0][2].replace(b"numpy==2.4.6", b"numpy==2.5.0\nscipy==1.17.1")
    found = difference(old, build(next_one, [("r.txt", "requirements", lock)], licence, ABOUT))
    assert [one.name for one in found.added] == ["scipy"]
    assert not (found.removed or found.relicensed or found.tied or found.untied)
    assert [(u.before.version, u.after.version) for u in found.updated] == [
        ("2.4.6", "2.5.0"), ("1.2.0", "1.3.0"), ("1.2.0", "1.3.0"),
    ]  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(boms(), boms())
def test_nothing_is_lost(before: Bom, after: Bom) -> None:
    assert not difference(before, before)
    found = difference(before, after)
    old, new = ({one.ref for one in side.components} for side in (before, after))
    gone = {one.ref for one in found.removed} | {one.before.ref for one in found.updated}
    come = {one.ref for one in found.added} | {one.after.ref for one in found.updated}
    assert (old - new) <= gone <= old
    assert (new - old) <= come <= new
    back = difference(after, before)
    assert (len(back.added), len(back.removed)) == (len(found.removed), len(found.added))
