"""A release, its locks, and any bill at all: what the tests of bills are given."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from hypothesis import strategies as st

from lab.metrics.measure import Measurement
from lab.protocol import Usage
from lab.record import Record
from registry.bom.described import Described
from registry.bom.naming import purl, urn
from registry.bom.values import Bom, Component, Edge, Kind, Tie
from registry.release.pages.about import About
from registry.release.values import Artifact, Licence, Lock, Pipeline, Pointed, Release, Stage
from security.manifest import Entry

COMMIT, ROOT = "c" * 40, "a" * 64
LOCK = b"""\
torch==2.13.0 --hash=sha256:%s --hash=sha256:%s
numpy==2.4.6
""" % (b"1" * 64, b"2" * 64)
ENTRIES = (
    Entry("config.json", 700, "d" * 64),
    Entry("model.safetensors", 5_000, "e" * 64),
)
RECORD = Record(
    model="small",
    fingerprint="f" * 64,
    parameters=1_000,
    architecture="LlamaForCausalLM",
    task="quiz",
    kind="choice",
    items="9" * 64,
    data="8" * 64,
    harness="7" * 64,
    version="0.1.0",
    device="cpu",
    dtype="float32",
    seeds=(),
    versions=(),
    alpha=0.05,
    n=50,
    of=50,
    level="plain",
    gap=None,
    usage=Usage(joules=7_200.0, metered=True),
    measurements=(
        Measurement("quiz", "accuracy", 0.5, 0.4, 0.6, 50, 0.05, higher_is_better=True),
        Measurement("quiz", "accuracy", 0.25, None, None, 8, 0.05, "language=de"),
    ),
)
RELEASE = Release(
    artifact="acme/small",
    version="1.2.0",
    commit=COMMIT,
    tag="v1.2.0",
    date="2026-10-01T12:00:00Z",
    repository="https://git.example/acme/small",
    weights=Artifact(
        "model", "weights", (Pointed("model", "dvc-folder", "b" * 32, 5_700, "model.dvc"),),
        ENTRIES, ROOT,
    ),
    data=(Artifact("data/train.txt", "data", (
        Pointed("data/train.txt", "dvc", "5" * 32, 900, "data/train.txt.dvc"),
    )),),
    environment=(Lock("requirements.txt", "6" * 64, 2),),
    pipeline=Pipeline("dvc.lock", "3" * 64, (Stage("train", "python train.py", (), ()),)),
    fingerprint="f" * 64,
    measurements=(RECORD,),
    licences=(Licence("code", "LICENSE", "Apache-2.0"), Licence("weights", "", "gemma")),
)  # fmt: skip
ABOUT = About(
    summary="A small model.",
    uses="Tests.",
    limits="Knows little.",
    languages=("en",),
    task="text-generation",
    base_models=("acme/base",),
    relation="finetune",
    data="Texts of the public domain.",
    architecture="LlamaForCausalLM",
    parameters=1_000,
    training_joules=3_600_000.0,
)
DESCRIBED = Described(ABOUT, (RECORD,), (("model_type", "llama"), ("hidden_size", "64")))
LICENCES = {"torch": "BSD-3-Clause"}


def locks() -> tuple[tuple[str, str, bytes], ...]:
    """Return the release's one lock, as (path, kind, bytes)."""
    return (("requirements.txt", "requirements", LOCK),)


def licence(name: str, version: str) -> str:
    """Return what a package is under, as far as anyone knows."""
    return LICENCES.get(name, "")


_TEXT = st.text(max_size=30)
_PAIRS = st.lists(st.tuples(_TEXT, _TEXT), max_size=3).map(tuple)
_HEX = st.text("0123456789abcdefG", min_size=30, max_size=64)
_SIZES = st.sampled_from([32, 40, 64, 96, 128]).map(lambda size: "ab" * (size // 2))
_NAMES = ("md5", "sha1", "sha256", "sha512", "blake3", "git-commit", "git-blob", "dvc-folder", "x")
_HASHES = st.lists(st.tuples(st.sampled_from(_NAMES), _HEX | _SIZES), max_size=4).map(tuple)
_LICENCES = (
    "", "MIT", "gemma", "MIT OR Apache-2.0", "other", "rubbish here", "openrail++",
    "LicenseRef-Acme", "GPL-2.0-only WITH Classpath-exception-2.0", "bsd AND llama3.1",
)  # fmt: skip
_SOURCES = _TEXT | st.sampled_from(
    ["https://u:p@h.example/x y?t=1", "git+ssh://git@h/a@b", "http://[", "https://h/%zz"]
)
_DATES = st.datetimes(
    timezones=st.timezones(), allow_imaginary=False
).filter(lambda date: 1000 < date.year < 9999).map(lambda date: date.isoformat())  # fmt: skip


@st.composite
def boms(draw: st.DrawFn) -> Bom:
    """Draw any bill: edges may lead nowhere, and the subject need not be among the parts."""
    name = st.text(min_size=1, max_size=20)
    named = st.builds(urn, st.just("x"), name, name) | st.builds(purl, st.just("pypi"), name, name)
    refs = draw(st.lists(named, max_size=6, unique=True))
    one = st.builds(
        Component,
        ref=st.just(""),
        kind=st.sampled_from(get_args(Kind)),
        name=_TEXT,
        version=st.text(max_size=2_000),
        licence=st.sampled_from(_LICENCES) | _TEXT,
        hashes=_HASHES,
        source=_SOURCES,
        found=_TEXT,
        properties=_PAIRS,
    )
    parts = tuple(replace(draw(one), ref=ref) for ref in refs)
    ends = st.sampled_from([*refs, "nowhere"])
    edges = st.lists(st.builds(Edge, ends, st.sampled_from(get_args(Tie)), ends), max_size=8)
    return Bom(draw(ends), draw(_DATES), parts, tuple(draw(edges)))


@st.composite
def descriptions(draw: st.DrawFn) -> Described:
    """Draw anything that may be said of a model."""
    number = st.floats(allow_nan=True, allow_infinity=True)
    measured = st.builds(
        Measurement,
        task=_TEXT, metric=_TEXT, value=number, low=st.none() | number, high=st.none() | number,
        n=st.integers(0, 10**6), alpha=st.floats(0.001, 0.5), slice=_TEXT,
    )  # fmt: skip
    usage = Usage(joules=draw(number), metered=draw(st.booleans()))
    record = replace(RECORD, usage=usage, measurements=tuple(draw(st.lists(measured, max_size=2))))
    about = draw(
        st.builds(
            About,
            summary=_TEXT, uses=_TEXT, limits=_TEXT, task=_TEXT, data=_TEXT, architecture=_TEXT,
            languages=st.lists(_TEXT, max_size=2).map(tuple),
            training_joules=st.none() | number,
        )
    )  # fmt: skip
    return Described(about, (record,) if draw(st.booleans()) else (), draw(_PAIRS))
