"""Which package of a lock brings in which, and what a change does to all that is locked."""

import gzip
import itertools
import time
import tomllib
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from registry.documents import DocumentError
from registry.manifests import graphs, read
from registry.manifests.closure import Closure, Graph, compare, paths
from registry.manifests.requirement import Link

LOCKS = Path(__file__).parents[4] / "shared/data/audit/locks/datatrove"
NAMES = ("0c879efa", "ac8284b0", "cf7119a7", "e12c4142")


def uv(*packages: str, top: str = "") -> bytes:
    return (top + "".join(f"[[package]]\n{p}\n" for p in packages)).encode()


def package(name: str, *needs: str, version: str = "1", more: str = "") -> str:
    wanted = ", ".join(n if n.startswith("{") else f'{{ name = "{n}" }}' for n in needs)
    return f'name = "{name}"\nversion = "{version}"\nsource = {{ registry = "r" }}\n' + (
        f"dependencies = [{wanted}]\n{more}" if needs else more
    )


OWN = 'name = "own"\nsource = { editable = "." }\ndependencies = [{ name = "a" }]\n'


def graph(data: bytes, kind: str = "uv-lock", **more: Any) -> Graph:
    return Graph(read(kind, data), **more)


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (uv(OWN, package("a", "b"), package("b", "c"), package("c")), "c", ("a", "b", "c")),
        (uv(OWN, package("a", "b"), package("b", "c"), package("c")), "a", ("a",)),
        (uv(OWN, package("a", "b"), package("b", "c"), package("c")), "own", ()),
        (uv(OWN, package("a", "b"), package("b", "c"), package("c")), "nobody", ()),
        # the shortest way, and a circle
        (uv(OWN, package("a", "b", "c"), package("b", "c"), package("c")), "c", ("a", "c")),
        (uv(OWN, package("a", "b"), package("b", "a", "c"), package("c", "b")), "c",
         ("a", "b", "c")),
        # an extra that nobody asks for brings nothing in; one that somebody does, does
        (uv(OWN, package("a", more='[package.optional-dependencies]\ns3 = [{name = "b"}]'),
            package("b")), "b", ()),
        (uv(OWN.replace('"a" }', '"a", extra = ["S_3"] }'),
            package("a", more='[package.optional-dependencies]\ns-3 = [{name = "b"}]'),
            package("b")), "b", ("a", "b")),
        # what groups and extras of the project ask for is asked for
        (uv(OWN + '[package.dev-dependencies]\ndev = [{ name = "d" }]\n', package("a"),
            package("d", "e"), package("e")), "e", ("d", "e")),
        (uv(OWN + '[package.optional-dependencies]\nx = [{ name = "d" }]\n', package("a"),
            package("d", "e"), package("e")), "e", ("d", "e")),
        # forks: each version needs other things
        (uv(OWN, package("a", '{ name = "b", version = "2" }'), package("b", "c"),
            package("b", "d", version="2"), package("c"), package("d")), "d", ("a", "b", "d")),
        (uv(OWN, package("a", '{ name = "b", version = "2" }'), package("b", "c"),
            package("b", "d", version="2"), package("c"), package("d")), "c", ()),
        # a workspace: members are nobody's dependency; a script has only its own list
        (uv('name = "m"\nsource = { editable = "m" }\ndependencies = [{ name = "n" }]\n',
            'name = "n"\nsource = { virtual = "n" }\ndependencies = [{ name = "a" }]\n',
            package("a", "b"), package("b"), top='[manifest]\nmembers = ["m", "n"]\n'),
         "b", ("a", "b")),
        (uv(package("a", "b"), package("b"), top='[manifest]\nrequirements = [{name = "a"}]\n'),
         "b", ("a", "b")),
        (uv(package("b"), package("a", "b"),
            top='[manifest.dependency-groups]\ndev = [{name = "b"}]\n'), "b", ("b",)),
        # the project's own packages are nobody's dependency, whoever names them
        (uv('name = "m"\nsource = { editable = "m" }\ndependencies = [{ name = "n" }]\n',
            'name = "n"\nsource = { virtual = "n" }\n', top='[manifest]\nmembers = ["m", "n"]\n'),
         "n", ()),
        (uv(OWN, package("a", "own")), "own", ()),
        # nobody says what is asked for: what nothing needs
        (uv(package("a", "b"), package("b")), "b", ("a", "b")),
        # hostile shapes are passed over
        (uv(package("a", more='dependencies = "b"'), package("b")), "b", ()),
        (uv(package("a", more="dependencies = [1, {}, { name = 3 }]"), package("b")), "b", ()),
        (uv(OWN, package("a", '{ name = "b", extra = [1, "x"], marker = 2 }'), package("b")),
         "b", ("a", "b")),
        (uv("version = '1'\n", OWN, package("a", "b"), package("b")), "b", ("a", "b")),
        (uv(package("a", more="[package.optional-dependencies]\nx = 1"), package("b")), "b", ()),
    ],
)  # fmt: skip
def test_ways(data: bytes, name: str, expected: tuple[str, ...]) -> None:
    assert paths(graph(data), name) == expected


POETRY = b"""\
[[package]]
name = "Moto"
version = "5"

[package.dependencies]
boto3 = ">=1"
docker = {version = ">=3", optional = true, markers = "extra == 'server'"}
yarl = [{version = "1"}, {version = "2", markers = "x"}]
gone = "*"

[package.extras]
Server = ["docker (>=3)", "%%%", 3]

[[package]]
name = "boto3"
version = "1"

[[package]]
name = "docker"
version = "3"

[[package]]
name = "yarl"
version = "1"
"""
PYLOCK = b"""\
[[packages]]
name = "a"
version = "1"
dependencies = [{ name = "b", version = "2" }]

[[packages]]
name = "b"
version = "1"
dependencies = [{ name = "c" }]

[[packages]]
name = "b"
version = "2"

[[packages]]
name = "c"
"""


def test_poetry() -> None:
    assert paths(graph(POETRY, "poetry-lock", asked=[("moto", ())]), "boto3") == ("moto", "boto3")
    assert paths(graph(POETRY, "poetry-lock", asked=[("moto", ())]), "docker") == ()
    with_extra = graph(POETRY, "poetry-lock", asked=[("moto", ("server",))])
    assert paths(with_extra, "docker") == ("moto", "docker")
    assert paths(graph(POETRY, "poetry-lock", asked=[("yarl", ())]), "yarl") == ("yarl",)
    # what is asked for is not in this lock: what nothing needs counts as asked for
    assert paths(graph(POETRY, "poetry-lock", asked=[("else", ())]), "yarl") == ("moto", "yarl")


def test_pylock() -> None:
    found = graph(PYLOCK, "pylock", asked=[("a", ())])
    assert found.says
    assert paths(found, "b") == ("a", "b")
    assert paths(found, "c") == ()  # only the other version of b needs it


def test_a_lock_without_links_says_so() -> None:
    data = b'{"_meta": {}, "default": {"a": {"version": "==1"}}, "develop": {}}'
    found = graph(data, "pipfile-lock")
    assert not found.says
    assert paths(found, "a") == ()


def side(*packages: str) -> tuple[tuple[str, Graph], ...]:
    return (("uv.lock", graph(uv(OWN, *packages))),)


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        ((package("a"),), (package("a", "b", version="2"), package("b", "c"), package("c")),
         "a went from 1 to 2"),
        ((package("z"),), (package("a", "b"), package("b", "c"), package("c")), "a is new"),
        ((package("a", "b"), package("b")),
         (package("a", "b"), package("b", "c", version="3"), package("c")), "b went from 1 to 3"),
        ((package("a", "b"), package("b")),
         (package("a", "b"), package("b", "c"), package("c")), "b needs it now"),
        ((package("a", "b"), package("b")),
         (package("a", '{ name = "b", version = "2" }'), package("b"),
          package("b", "c", version="2"), package("c")), "b 2 stands beside 1 now"),
    ],
)  # fmt: skip
def test_causes(before: tuple[str, ...], after: tuple[str, ...], cause: str) -> None:
    found = compare(side(*before), side(*after))
    (arrival,) = [a for a in found.arrivals if a.name == "c"]
    assert arrival.cause == cause
    assert arrival.route[0] == "a" and arrival.route[-1] == "c"
    line = uv(OWN, *after).decode().split("\n")[arrival.line - 1]
    assert line == 'name = "c"'


def test_what_moves_between_locks_is_no_difference() -> None:
    both = [package("a", "b"), package("b")]
    before = (("one/uv.lock", graph(uv(OWN, *both))), ("two/uv.lock", graph(uv(OWN))))
    after = (("one/uv.lock", graph(uv(OWN))), ("two/uv.lock", graph(uv(OWN, *both))))
    assert compare(before, after) == Closure()
    gone = compare(before, after[:1])
    assert (gone.added, gone.removed, gone.changed, gone.arrivals) == ((), ("a", "b"), (), ())


def test_links_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert graphs.LINK_LIMIT == 200_000
    monkeypatch.setattr(graphs, "LINK_LIMIT", 100)
    many = ", ".join(['{ name = "b" }'] * 101)
    with pytest.raises(DocumentError, match="between its packages"):
        read("uv-lock", uv(package("a", more=f"dependencies = [{many}]"), package("b")))


def test_many_packages_of_one_name_cost_little() -> None:
    wanted = ", ".join(['{ name = "b", version = "none" }'] * 2_000)
    same = [package("b", version=str(n)) for n in range(2_000)]
    data = uv(package("a", more=f"dependencies = [{wanted}]"), *same)
    start = time.process_time()
    read("uv-lock", data)
    assert time.process_time() - start < 3


def test_a_chain_without_end_is_not_followed_for_each_of_its_links() -> None:
    count = 6_000
    needs = [*(f"p{n}" for n in range(1, count)), ""]
    chain = [package(f"p{n}", *other.split()) for n, other in enumerate(needs)]
    before, after = (("uv.lock", graph(uv(OWN))),), side(package("a", "p0"), *chain)
    assert after[0][1].path("p3") == ("a", "p0", "p1", "p2", "p3")
    assert after[0][1].path(f"p{count - 1}") == ()
    start = time.process_time()
    assert len(compare(before, after).arrivals) == count
    assert time.process_time() - start < 3


Edges = dict[str, set[str]]


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.sampled_from("abcdefgh"))))
def test_ways_are_shortest(edges: Edges) -> None:
    names = sorted(edges.keys() | {n for to in edges.values() for n in to} | {"a"})
    found = graph(uv(OWN, *(package(n, *sorted(edges.get(n, ()))) for n in names)))
    far = distances(edges)
    for name in names:
        route = found.path(name)
        assert len(route) == far.get(name, 0)
        for one, other in itertools.pairwise(route):
            assert other in edges[one]


def distances(edges: Edges) -> dict[str, int]:
    far, waiting = {"a": 1}, deque("a")
    while waiting:
        name = waiting.popleft()
        for other in edges.get(name, ()):
            if other not in far:
                far[other] = far[name] + 1
                waiting.append(other)
    return far


@pytest.mark.skipif(not LOCKS.exists(), reason="the audit data is not at hand")
@pytest.mark.parametrize(("one", "other"), [("cf7119a7", "e12c4142")])
def test_real_locks_are_exact(one: str, other: str) -> None:
    texts = [gzip.decompress((LOCKS / f"uv.lock-{n}.gz").read_bytes()) for n in (one, other)]
    sides = [graph(text) for text in texts]
    oracles = [tomllib.loads(text.decode())["package"] for text in texts]
    found = compare((("uv.lock", sides[0]),), (("uv.lock", sides[1]),))
    old, new = map(versions, oracles)
    assert set(found.added) == new.keys() - old.keys()
    assert set(found.removed) == old.keys() - new.keys()
    assert set(found.changed) == {n for n in new.keys() & old.keys() if new[n] != old[n]}
    (root,) = [p for p in oracles[1] if p["name"] == "datatrove"]
    lists = [root["dependencies"], *root["optional-dependencies"].values()]
    direct = {d["name"] for wanted in lists for d in wanted}
    assert sides[1].direct == direct
    assert {a.name for a in found.arrivals} == set(found.added) - direct
    needs: Edges = {}
    for one_package in oracles[1]:
        lists = [one_package.get("dependencies", [])]
        lists += one_package.get("optional-dependencies", {}).values()
        to = needs.setdefault(one_package["name"], set())
        to.update(d["name"] for wanted in lists for d in wanted)
    for name in new:
        route = sides[1].path(name)
        assert route and route[0] in direct and route[-1] == name
        assert all(b in needs[a] for a, b in itertools.pairwise(route))
    rows = texts[1].decode().split("\n")
    assert all(rows[a.line - 1] == f'name = "{a.name}"' for a in found.arrivals)


def versions(packages: list[dict[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in packages:
        if "editable" not in one["source"]:
            found.setdefault(canonicalize_name(one["name"]), set()).add(one["version"])
    return found


@pytest.mark.skipif(not LOCKS.exists(), reason="the audit data is not at hand")
def test_the_ways_of_a_large_lock_take_no_time() -> None:
    lock = read("uv-lock", gzip.decompress((LOCKS / f"uv.lock-{NAMES[3]}.gz").read_bytes()))
    start = time.process_time()
    found = Graph(lock)
    assert sum(bool(found.path(r.name)) for r in lock.requirements) == 412
    assert time.process_time() - start < 0.1
    assert Link(lock.roots[0], 0) not in lock.links
