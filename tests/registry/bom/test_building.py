"""The bill of a release: what is in it, what it is called, what is never in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.bom.building import build
from registry.bom.described import model_of
from registry.bom.values import Bom, Component, Edge
from registry.errors import ReleaseError
from registry.release.pages.about import About
from registry.release.values import Artifact, Licence, Pointed
from tests.registry.bom.given import ABOUT, COMMIT, RECORD, RELEASE, ROOT, licence, locks

BOM = build(RELEASE, locks(), licence, ABOUT)
APP, MODEL = f"urn:modelwarden:application:acme/small@{COMMIT}", f"urn:modelwarden:model:acme/small@{ROOT}"  # fmt: skip  # noqa: E501
DATA = "urn:modelwarden:data:data/train.txt@" + "5" * 32
SUITE = "urn:modelwarden:data:quiz@" + "9" * 64
BASE = "urn:modelwarden:model:acme/base"
CONFIG = "urn:modelwarden:file:config.json@" + "d" * 64
WEIGHTS = "urn:modelwarden:file:model.safetensors@" + "e" * 64


def parts(bom: Bom) -> dict[str, Component]:
    return {one.ref: one for one in bom.components}


def test_what_is_in_it() -> None:
    assert BOM.subject == APP
    assert list(parts(BOM)) == sorted(
        [APP, MODEL, DATA, SUITE, BASE, CONFIG, WEIGHTS,
         "pkg:pypi/torch@2.13.0", "pkg:pypi/numpy@2.4.6"]
    )  # fmt: skip
    assert set(BOM.edges) == {
        Edge(APP, "links", "pkg:pypi/torch@2.13.0"),
        Edge(APP, "links", "pkg:pypi/numpy@2.4.6"),
        Edge(APP, "embeds", MODEL),
        Edge(MODEL, "embeds", CONFIG),
        Edge(MODEL, "embeds", WEIGHTS),
        Edge(MODEL, "trains_on", DATA),
        Edge(MODEL, "finetunes", BASE),
        Edge(MODEL, "evaluates_on", SUITE),
    }
    found = model_of(BOM)
    assert found is not None and found.ref == MODEL
    assert (found.licence, found.found) == ("gemma", "model.dvc")
    assert dict(found.properties)["root"] == ROOT
    torch = parts(BOM)["pkg:pypi/torch@2.13.0"]
    assert (torch.licence, torch.found) == ("BSD-3-Clause", "requirements.txt")
    assert torch.hashes == (("sha256", "1" * 64), ("sha256", "2" * 64))
    assert parts(BOM)["pkg:pypi/numpy@2.4.6"].licence == ""


@pytest.mark.parametrize(
    ("relation", "tie"),
    [("adapter", "finetunes"), ("merge", "merges"), ("quantized", "quantises"), ("", "finetunes")],
)
def test_what_it_comes_from(relation: str, tie: str) -> None:
    about = replace(ABOUT, base_models=("a/one", "a/two", "a/one"), relation=relation)
    edges = build(RELEASE, (), licence, about).edges
    assert [e.to for e in edges if e.of == MODEL and e.tie == tie] == [
        "urn:modelwarden:model:a/one", "urn:modelwarden:model:a/two",
    ]  # fmt: skip


def test_outputs_do_not_count() -> None:
    other = replace(RELEASE, outputs=RELEASE.weights.files)
    assert build(other, locks(), licence, ABOUT) == BOM


def test_several_records_of_one_suite_are_one_set() -> None:
    twice = replace(RELEASE, measurements=(RECORD, replace(RECORD, device="cuda:0")))
    assert [c.ref for c in build(twice, locks(), licence, ABOUT).components].count(SUITE) == 1


def test_a_model_of_which_only_pointers_are_bound() -> None:
    weights = replace(RELEASE.weights, files=(), root="")
    found = model_of(build(replace(RELEASE, weights=weights), (), licence, About()))
    assert found is not None and found.ref.endswith("@" + "b" * 32)
    assert found.hashes == (("dvc-folder", "b" * 32),)


def test_data_in_several_files_is_bound_by_all_of_them() -> None:
    def ref(*digests: str) -> str:
        held = tuple(Pointed(f"d/{n}", "blob", d, 1, f"d/{n}") for n, d in enumerate(digests))
        bom = build(replace(RELEASE, data=(Artifact("d", "data", held),)), (), licence, ABOUT)
        (one,) = [c for c in bom.components if c.name == "d"]
        assert one.hashes == ()
        return one.ref

    assert len({ref("1" * 40, "2" * 40), ref("1" * 40, "3" * 40), ref("1" * 40, "")}) == 3


@pytest.mark.parametrize("stated", ["", "other", "do what you like", "x" * 9_000])
def test_a_licence_that_is_not_known_is_none(stated: str) -> None:
    other = replace(RELEASE, licences=(Licence("code", "", stated),))
    bom = build(other, locks(), lambda *_: stated, ABOUT)
    assert {one.licence for one in bom.components} == {""}


def test_what_a_stranger_wrote_is_bounded_and_prints() -> None:
    evil = "n\x1b[31m\n" + "x" * 5_000
    about = replace(ABOUT, architecture=evil, base_models=(evil,))
    data = (Artifact(evil, "data", (Pointed(evil, "dvc", "", -1, evil),)),)
    bom = build(replace(RELEASE, artifact=evil, data=data), (), licence, about)
    for one in bom.components:
        for text in (
            one.ref,
            one.name,
            one.version,
            one.source,
            one.found,
            *sum(one.properties, ()),
        ):
            assert text.isprintable()
            assert len(text) <= 1_000


def test_a_lock_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ReleaseError, match=r"env/uv\.lock:2: not TOML"):
        build(RELEASE, [("env/uv.lock", "uv-lock", b"\n[[package]]\nname=")], licence, ABOUT)


def test_what_the_files_of_a_commit_name() -> None:
    folder = Component("urn:modelwarden:model:model", "model", "model")
    base = Component(BASE, "model", "acme/base", licence="MIT", found="model/README.md:3")
    talk = Component("urn:modelwarden:data:acme/talk", "data", "acme/talk", licence="CC0-1.0")
    edges = (
        Edge("", "embeds", folder.ref),
        Edge(folder.ref, "finetunes", base.ref),
        Edge(folder.ref, "trains_on", talk.ref),
        Edge("", "evaluates_on", talk.ref),
    )
    released = replace(RELEASE, weights=replace(RELEASE.weights, path="model"))
    bom = build(released, locks(), licence, ABOUT, ((folder, base, talk), edges))
    found = parts(bom)
    assert folder.ref not in found  # the release's own model stands for its folder
    assert (found[BASE].licence, found[BASE].found) == ("MIT", "model/README.md:3")
    assert dict(found[BASE].properties)["role"] == "base"
    (app,) = (one.ref for one in bom.components if one.kind == "application")
    model = model_of(bom)
    assert model is not None
    assert set(bom.edges) >= {
        Edge(model.ref, "trains_on", talk.ref),
        Edge(model.ref, "finetunes", BASE),
        Edge(app, "embeds", model.ref),
        Edge(app, "evaluates_on", talk.ref),
    }
