"""Lineage: every link is in the graph, and each that is missing is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.release.lineage import as_json, lineage
from registry.release.links import touching
from registry.release.tree import as_tree
from registry.release.values import (
    Against,
    Artifact,
    Licence,
    Lock,
    Pipeline,
    Pointed,
    Previous,
    Release,
    Stage,
)
from security.manifest import Entry, Manifest
from tests.registry.release.made import (
    DATA,
    MODEL,
    hashed,
    minimal,
    pipeline,
    record,
    releases,
    typical,
)

ROOT = hashed("e")


def names(release: Release, root: str = "", present: tuple[str, ...] | None = None) -> list[str]:
    return [one.what for one in lineage(release, root, present).missing]


def staged(**changes: Any) -> Pipeline:
    """The usual pipeline, with other deps or outs of its train stage."""
    whole = pipeline()
    stages = tuple(replace(s, **changes) if s.name == "train" else s for s in whole.stages)
    return replace(whole, stages=stages)


def weighed(*pointers: Pointed, files: tuple[Entry, ...] | None = None) -> Artifact:
    held = typical().weights.files if files is None else files
    return Artifact(MODEL, "weights", pointers, held, Manifest(held).root)


def test_a_whole_release_misses_nothing() -> None:
    found = lineage(typical(), ROOT, tuple(entry.path for entry in typical().outputs))
    assert found.missing == ()
    assert found.whole


@pytest.mark.parametrize(
    ("of", "to", "how"),
    [
        ("person:Ada Lovelace:ada", "code", "wrote"),
        ("code", "stage:train", "runs in"),
        ("code", "release", "is of"),
        ("pipeline", "stage:prepare", "names"),
        (f"data:{DATA}/00.txt", "stage:prepare", "read by"),
        ("stage:prepare", "stage:train", "feeds"),
        ("stage:prepare", "stage:measure", "feeds"),
        ("stage:train", "weights", "writes"),
        ("weights", "stage:measure", "read by"),
        ("stage:measure", "release", "is listed in"),
        ("weights", "fingerprint", "is named by"),
        ("weights", "release", "is in"),
        ("fingerprint", f"measurement:held-out:{record('held-out').digest}", "measured as"),
        (f"measurement:held-out:{record('held-out').digest}", "comparison:1.1.0", "is in"),
        ("previous:1.1.0", "comparison:1.1.0", "is in"),
        ("previous:1.1.0", "release", "comes before"),
        ("comparison:1.1.0", "release", "judges"),
        ("check:licenses", "release", "judges"),
        ("approval:carol", "release", "agrees to"),
        ("licence:Apache-2.0", "release", "covers"),
        ("lock:constraints.txt", "release", "pins"),
        ("bill:release/bom.cdx.json", "release", "lists parts of"),
        ("release", "signature", "is"),
    ],
)
def test_links(of: str, to: str, how: str) -> None:
    assert (of, to, how) in {(e.of, e.to, e.how) for e in lineage(typical(), ROOT).edges}


def test_digests_are_those_of_the_release() -> None:
    release = typical()
    digests = {node.id: node.digest for node in lineage(release, ROOT).nodes}
    assert digests["code"] == release.commit
    assert digests["weights"] == release.weights.root
    assert digests["fingerprint"] == release.fingerprint
    assert digests["pipeline"] == hashed("c")
    assert digests["lock:constraints.txt"] == hashed("d")
    assert digests["comparison:1.1.0"] == hashed("5")
    assert digests["signature"] == ROOT


Change = Callable[[Release], Release]
DVC = Pointed(MODEL, "dvc-folder", hashed("a", 32), 951_600, "dvc.lock")


def no_licence(of: str) -> Change:
    return lambda r: replace(r, licences=tuple(one for one in r.licences if one.of != of))


MISSING: list[tuple[str, Change, list[str]]] = [
    ("no commit", lambda r: replace(r, commit="main"), ["code"]),
    ("no data", lambda r: replace(r, data=()), ["data"]),
    ("no lock", lambda r: replace(r, environment=()), ["environment"]),
    ("no pipeline", lambda r: replace(r, pipeline=None), ["pipeline"]),
    ("no fingerprint", lambda r: replace(r, fingerprint="", measurements=()),
     ["fingerprint", "measurements"]),
    ("not measured", lambda r: replace(r, measurements=()), ["measurements"]),
    ("other weights measured",
     lambda r: replace(r, measurements=(record("held-out", fingerprint=hashed("0")),)),
     ["measurement held-out"]),
    ("no people", lambda r: replace(r, contributors=()), ["contributors"]),
    ("no checks", lambda r: replace(r, checks=()), ["checks"]),
    ("not compared", lambda r: replace(r, against=()), ["comparison with 1.1.0"]),
    ("compared with other bytes",
     lambda r: replace(r, against=(Against("1.1.0", hashed("0"), "pass", "", ""),)),
     ["comparison with 1.1.0"]),
    ("a release before without a root",
     lambda r: replace(r, previous=Previous("1.1.0", "", ""),
                       against=(replace(r.against[0], root=""),)),
     ["previous release"]),
    ("no licence of code", no_licence("code"), ["licence of code"]),
    ("no licence of weights", no_licence("weights"), ["licence of weights"]),
    ("no licence of data", no_licence("data"), [f"licence of {DATA}/{i:02}.txt" for i in range(4)]),
    ("a licence that says nothing",
     lambda r: replace(r, licences=(*r.licences[2:], Licence("code", "", "NOASSERTION"),
                                    Licence("weights", "", "other"))),
     ["licence of code", "licence of weights"]),
    ("packages without a licence",
     lambda r: replace(r, licences=(*r.licences, Licence("package", "b", ""),
                                    Licence("package", "a", "MIT"))),
     ["licences of packages"]),
    ("no bill of materials", lambda r: replace(r, outputs=r.outputs[:2]),
     ["bill of materials bom.spdx.json"]),
    ("no pointer", lambda r: replace(r, weights=weighed()), ["weights"]),
    ("never read", lambda r: replace(r, weights=replace(r.weights, files=(), root="")),
     ["bytes of weights"]),
    ("another root", lambda r: replace(r, weights=replace(r.weights, root=hashed("0"))),
     ["root of weights"]),
    ("other data read",
     lambda r: replace(r, data=(replace(r.data[0], files=r.weights.files, root="x"), *r.data[1:])),
     [f"root of data {DATA}/00.txt"]),
    ("no stage writes them", lambda r: replace(r, pipeline=staged(outs=())), ["stage of weights"]),
    ("a stage wrote other bytes",
     lambda r: replace(r, pipeline=staged(outs=((MODEL, hashed("0", 32) + ".dir"),))),
     [f"md5 of {MODEL}"]),
    ("dvc add after dvc repro",
     lambda r: replace(r, weights=weighed(replace(DVC, digest=hashed("0", 32), source="m.dvc"))),
     [f"md5 of {MODEL}"]),
    ("LFS names other bytes",
     lambda r: replace(r, weights=weighed(
         Pointed(f"{MODEL}/model.safetensors", "lfs", hashed("0"), 880_000, "x"))),
     [f"bytes of {MODEL}/model.safetensors"]),
    ("LFS names a file that was not read",
     lambda r: replace(r, weights=weighed(Pointed(f"{MODEL}/b", "lfs", hashed("3"), 8, "x"))),
     [f"bytes of {MODEL}/b"]),
    ("one file of several that no stage writes",
     lambda r: replace(r, pipeline=staged(outs=((f"{MODEL}/a", hashed("a", 32)),)), weights=weighed(
         Pointed(f"{MODEL}/a", "dvc", hashed("a", 32), 1, "dvc.lock"),
         Pointed(f"{MODEL}/b", "dvc", hashed("b", 32), 1, "b.dvc"))),
     [f"stage of {MODEL}/b"]),
    ("data that no stage reads",
     lambda r: replace(r, data=(*r.data, Artifact("z", "data", (replace(DVC, path="z"),))),
                       licences=(*r.licences, Licence("data", "z", "MIT"))),
     ["use of z"]),
    ("data that is read and not bound",
     lambda r: replace(r, pipeline=staged(deps=(*pipeline().stages[1].deps, ("more.jsonl", "1")))),
     ["data more.jsonl"]),
    ("data that changed after dvc repro",
     lambda r: replace(
         r,
         data=(*r.data, Artifact("z.csv", "data", (Pointed("z.csv", "dvc", "b" * 32, 1, "z"),))),
         licences=(*r.licences, Licence("data", "z.csv", "MIT")),
         pipeline=staged(deps=(*pipeline().stages[1].deps, ("z.csv", "a" * 32)))),
     ["md5 of z.csv"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "what"), [row[1:] for row in MISSING], ids=[r[0] for r in MISSING]
)
def test_what_is_missing_is_named(change: Change, what: list[str]) -> None:
    found = lineage(change(typical()), ROOT)
    assert [one.what for one in found.missing] == what
    assert not found.whole
    assert all(one.why and one.remedy for one in found.missing)
    assert all(f"✗ {name}: " in as_tree(found) for name in what)


def test_a_minimal_release_misses_most() -> None:
    assert names(minimal()) == [
        "data", "weights", "bytes of weights", "pipeline", "environment", "fingerprint",
        "measurements", "licence of code", "licence of weights", "contributors", "checks",
    ]  # fmt: skip


def test_files_that_are_not_there() -> None:
    assert names(typical(), ROOT, ("README.md", "release/bom.cdx.json")) == [
        "file release/bom.spdx.json"
    ]
    assert names(typical(), ROOT, None) == []


def test_a_root_that_is_none() -> None:
    assert names(typical(), "abc") == ["signature"]


def test_before_outputs_are_written_no_bill_is_missed() -> None:
    assert names(replace(typical(), outputs=())) == []


@pytest.mark.parametrize(
    "dep",
    [
        "train.py",
        "params.yaml",
        "src",
        "constraints.txt",
        f"{DATA}/00.txt",
        "examples/tiny-llm/prepared/x.bin",
    ],
)
def test_what_the_commit_or_the_release_binds_is_not_missed(dep: str) -> None:
    deps = (*pipeline().stages[1].deps, (dep, hashed("1", 32)))
    assert names(replace(typical(), pipeline=staged(deps=deps))) == []


def test_a_lock_that_is_read_is_bound() -> None:
    release = replace(typical(), environment=(Lock("lock.bin", hashed("d"), 1),))
    deps = (*pipeline().stages[1].deps, ("lock.bin", hashed("1", 32)))
    assert names(replace(release, pipeline=staged(deps=deps))) == []


def test_a_licence_of_a_folder_covers_what_is_in_it() -> None:
    release = no_licence("data")(typical())
    assert names(replace(release, licences=(*release.licences, Licence("data", DATA, "MIT")))) == []
    assert names(replace(release, licences=(*release.licences, Licence("data", "", "MIT")))) == []


def test_what_is_read_by_md5_alone_is_in_the_graph() -> None:
    deps = (*pipeline().stages[1].deps, ("corpus", hashed("1", 32) + ".dir"))
    found = lineage(replace(typical(), pipeline=staged(deps=deps)))
    assert next(n for n in found.nodes if n.kind == "input").label == "corpus"


def test_a_model_in_the_root() -> None:
    files = (Entry("config.json", 600, hashed("1")),)
    pointers = (Pointed("config.json", "dvc", hashed("a", 32), 600, "dvc.lock"),)
    weights = Artifact("", "weights", pointers, files, Manifest(files).root)
    stage = Stage("train", "x", ((DATA, ""),), (("config.json", hashed("a", 32)),))
    release = replace(
        typical(), weights=weights, pipeline=Pipeline("dvc.lock", hashed("c"), (stage,))
    )
    found = lineage(release)
    assert found.missing == ()
    assert any((edge.of, edge.to) == ("stage:train", "weights") for edge in found.edges)


def test_measurements_of_other_weights_are_not_linked_to_these() -> None:
    other = record("held-out", fingerprint=hashed("0"))
    found = lineage(replace(typical(), measurements=(other,)))
    name = f"measurement:held-out:{other.digest}"
    assert [edge.of for edge in found.edges if edge.to == name] == []


def test_json_holds_all() -> None:
    found = lineage(typical(), ROOT)
    held = json.loads(as_json(found))
    assert [node["id"] for node in held["nodes"]] == [node.id for node in found.nodes]
    assert held["missing"] == []
    assert {"of", "to", "how"} == set(held["edges"][0])


def test_the_tree() -> None:
    lines = as_tree(lineage(typical(1), ROOT)).splitlines()
    assert lines[:4] == [
        "release acme/tiny 1.2.0 (2026-11-22T10:00:00Z)",
        "  signature signed root eeeeeeeeeeee",
        "├── code commit cccccccccccc (https://github.com/acme/tiny tag v1.2.0) [is of]",
        "│   ├── person Ada Lovelace (ada) (12 commits) [wrote]",
    ]
    assert "│   └── stage train (python train.py) [writes]" in lines
    assert lines[-1] == "every link is there"
    assert "not linked" not in as_tree(lineage(typical(), ROOT))


def test_what_is_not_linked_is_shown_all_the_same() -> None:
    release = replace(typical(), pipeline=staged(outs=()))
    text = as_tree(lineage(release))
    assert "stage train" in text


PATHS = st.lists(st.sampled_from(["a", "b", "-", "0", "a0", "a-"]), min_size=1, max_size=4).map(
    "/".join
)


@given(st.lists(PATHS, max_size=12), PATHS)
def test_paths_that_touch(paths: list[str], path: str) -> None:
    slow = {
        one
        for one in paths
        if one == path or one.startswith(path + "/") or path.startswith(one + "/")
    }
    found = touching(paths)(path)
    assert sorted(found) == sorted(slow)


def chain(count: int) -> Release:
    stages = tuple(
        Stage(f"s{i}", "run", ((f"p{i}", ""),), ((f"p{i + 1}", ""),)) for i in range(count - 1)
    )
    last = Stage("last", "run", ((f"p{count - 1}", ""), (DATA, "")), ((MODEL, hashed("a", 32)),))
    return replace(typical(), pipeline=Pipeline("dvc.lock", hashed("c"), (*stages, last)))


def test_a_pipeline_of_thousands_is_bounded() -> None:
    found = lineage(chain(3_000))
    assert found.missing == ()
    assert len(as_tree(found).splitlines()) < 10_000


def test_stages_in_a_circle() -> None:
    stages = (
        Stage("a", "run", (("y", ""), (DATA, "")), (("x", ""), (MODEL, hashed("a", 32)))),
        Stage("b", "run", (("x", ""),), (("y", ""),)),
        Stage("c", "run", (("z", ""),), (("z", ""),)),
    )
    release = replace(typical(), pipeline=Pipeline("dvc.lock", hashed("c"), stages))
    assert "(above)" in as_tree(lineage(release))


@settings(max_examples=100, deadline=None)
@given(releases())
def test_any_release_has_a_lineage(release: Release) -> None:
    found = lineage(release, release.commit)
    ids = [node.id for node in found.nodes]
    assert len(ids) == len(set(ids))
    assert all(edge.of in ids and edge.to in ids for edge in found.edges)
    text = as_tree(found)
    assert all(line.isprintable() for line in text.splitlines())
    assert as_json(found) == as_json(lineage(release, release.commit))
    as_json(found).encode()
