"""Releases as literals, and the same releases with whatever text a stranger may choose."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from lab.metrics.measure import Measurement
from lab.protocol import Usage
from lab.record import Record
from registry.release.pages.about import About
from registry.release.values import (
    Against,
    Approval,
    Artifact,
    Gated,
    Licence,
    Lock,
    Person,
    Pipeline,
    Pointed,
    Previous,
    Release,
    Stage,
)
from security.manifest import Entry, Manifest

MODEL, DATA = "examples/tiny-llm/model", "examples/tiny-llm/data"
PRINT = "f" * 64
# What has broken pages before: structure of YAML, of Markdown, of tables, of HTML, of XML.
HOSTILE = (
    "---", "\n---\n", "a\n---\nlicense: mit", "...", "# head", "## Uses", "a|b|c", "`",
    "```\ncode\n```", "<script>alert(1)</script>", "</svg>", "</text>", "<!-- x -->", "<!--",
    "]]>", "<![CDATA[", "&amp;", "[a](https://evil.example)", "![x](https://evil.example/p.png)",
    "<https://evil.example>", "https://evil.example", "www.evil.example", "a@evil.example",
    "@everyone", "#1", "gh-1", "- item", "1. one", "+ x", "=====", "> quote", "    code",
    "\tcode", "$x$", "$$y$$", "\\(z\\)", "\\", "\\|", "a\\|b", "*b*", "_i_", "__b__", "~~s~~",
    "{{ x }}", "{% y %}", "[^1]: note", "[a]: https://evil.example", "no", "null", "~", "1e3",
    "0o7", "!!python/object:os.system", "&anchor", "*alias", "key: value", "\x00", "\x1b[31m",
    "\x85", "\u2028", "\ufeff", "\u202egnp.exe", "\u200b", "漢字" * 9, "😀" * 9, "x" * 3000, " ",
    "", "'", '"', "'''", "| --- |", "|", "a\r\nb", "%", "- - -", "***", ": x",
)  # fmt: skip


def texts() -> st.SearchStrategy[str]:
    """Any text, and above all what means something to some reader of ours."""
    return st.one_of(
        st.sampled_from(HOSTILE),
        st.text(max_size=20),
        st.lists(st.sampled_from(HOSTILE), max_size=3).map("".join),
    )


def hashed(letter: str, length: int = 64) -> str:
    """A digest of one letter."""
    return letter * length


def record(task: str, value: float = 0.907, **changes: object) -> Record:
    """A measurement of a tiny model: two metrics, one of them also for a slice."""
    made = Record(
        model="model",
        fingerprint=PRINT,
        parameters=440_000,
        architecture="LlamaForCausalLM",
        task=task,
        kind="choices",
        items=hashed("9"),
        data=hashed("8"),
        harness=hashed("7"),
        version="0.1",
        device="cpu",
        dtype="float32",
        seeds=(("scoring", 0),),
        versions=(("torch", "2.13.0"), ("transformers", "4.57.1")),
        alpha=0.05,
        n=107,
        of=107,
        level="plain",
        gap=None,
        usage=Usage(cpu=2.5, clock=2.0, tokens=1000, joules=36.0),
        measurements=(
            Measurement(task, "accuracy", value, value - 0.05, value + 0.05, 107, 0.05, "", True),
            Measurement(task, "bits_per_byte", 2.63, 2.57, 2.69, 107, 0.05),
            Measurement(task, "accuracy", 0.7, None, None, 12, 0.05, "act: 5", True),
        ),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def pipeline() -> Pipeline:
    """Prepare, train, measure: as examples/tiny-llm has it."""
    prepared, held = "examples/tiny-llm/prepared", "examples/tiny-llm/eval/held-out.jsonl"
    md5 = hashed("3", 32) + ".dir"
    weights = hashed("a", 32) + ".dir"
    return Pipeline(
        "dvc.lock",
        hashed("c"),
        (
            Stage(
                "prepare",
                "python examples/tiny-llm/prepare.py",
                (
                    ("examples/tiny-llm/prepare.py", hashed("1", 32)),
                    (DATA, hashed("2", 32) + ".dir"),
                ),
                ((prepared, md5), (held, hashed("4", 32))),
            ),
            Stage("train", "python train.py", ((prepared, md5),), ((MODEL, weights),)),
            Stage(
                "measure",
                "modelwarden measure",
                ((MODEL, weights), (held, hashed("4", 32))),
                (("examples/tiny-llm/metrics.json", hashed("6", 32)),),
            ),
        ),
    )


def typical(data: int = 4) -> Release:
    """A release with every link there."""
    files = (
        Entry("LICENSE", 11_000, hashed("2")),
        Entry("config.json", 600, hashed("1")),
        Entry("model.safetensors", 880_000, hashed("3")),
        Entry("tokenizer.json", 60_000, hashed("4")),
    )
    pointer = Pointed(MODEL, "dvc-folder", hashed("a", 32), 951_600, "dvc.lock")
    paths = [f"{DATA}/{number:02}.txt" for number in range(data)]
    sets = tuple(
        Artifact(path, "data", (Pointed(path, "blob", hashed("b", 40), 130_000, path),))
        for path in paths
    )
    return Release(
        artifact="acme/tiny",
        version="1.2.0",
        commit=hashed("c", 40),
        tag="v1.2.0",
        date="2026-11-22T10:00:00Z",
        repository="https://github.com/acme/tiny",
        weights=Artifact(MODEL, "weights", (pointer,), files, Manifest(files).root),
        data=sets,
        environment=(Lock("constraints.txt", hashed("d"), 265),),
        pipeline=pipeline(),
        fingerprint=PRINT,
        measurements=(record("held-out"), record("next-line")),
        against=(
            Against("1.1.0", hashed("e"), "equivalent", "held-out: -0.001 bits", hashed("5")),
        ),
        licences=(
            Licence("code", "LICENSE", "Apache-2.0"),
            Licence("weights", "the repository's", "Apache-2.0"),
            *(Licence("data", path, "CC0-1.0") for path in paths),
        ),
        contributors=(Person("Ada Lovelace", "ada", 12), Person("Bob", "", 3)),
        approvals=(Approval("carol", "review", "2026-11-21T09:00:00Z"),),
        checks=(
            Gated("weights", "pass", "nothing odd"),
            Gated("licenses", "fail", "one unknown", ("old package, replaced in 1.3",)),
        ),
        previous=Previous("1.1.0", hashed("e"), hashed("d", 40)),
        outputs=(
            Entry("README.md", 4_000, hashed("6")),
            Entry("release/bom.cdx.json", 40_000, hashed("7")),
            Entry("release/bom.spdx.json", 50_000, hashed("8")),
        ),
    )


def minimal() -> Release:
    """A release of which next to nothing is known."""
    nothing = Artifact("model", "weights", ())
    date = "2026-11-22T10:00:00Z"
    return Release("acme/tiny", "0.1.0", hashed("c", 40), "v0.1.0", date, "", nothing)


def told() -> About:
    """What people say of the tiny model."""
    return About(
        title="Tiny LLM",
        summary="A small model.\n\nIt is real in every part.",
        uses="To show how a project is reviewed.",
        limits="It writes verse that means nothing.",
        languages=("en", "pt-BR"),
        tags=("tiny", "shakespeare"),
        task="text-generation",
    )


@st.composite
def releases(draw: st.DrawFn) -> Release:
    """A release whose every text of a stranger may be anything."""
    text = texts()
    base = typical(2)
    one = record(draw(text), draw(st.floats()), notes=(draw(text),), device=draw(text))
    odd = Measurement(
        draw(text), draw(text), draw(st.floats()), draw(st.floats()), None, 3, 0.05, draw(text)
    )
    one = replace(
        one, measurements=(*one.measurements, odd), architecture=draw(text), kind=draw(text)
    )
    path = draw(text)
    held = Artifact(path, "data", (Pointed(path, draw(text), draw(text), -1, draw(text)),))
    stage = Stage(
        draw(text), draw(text), ((path, draw(text)), (draw(text), "")), ((MODEL, draw(text)),)
    )
    return replace(
        base,
        artifact=draw(text),
        version=draw(text),
        commit=draw(text),
        tag=draw(text),
        date=draw(text),
        repository=draw(text),
        data=(*base.data, held),
        environment=(Lock(draw(text), draw(text), 1),),
        pipeline=Pipeline(draw(text), draw(text), (stage, *pipeline().stages)),
        fingerprint=draw(text),
        measurements=(one, record("held-out")),
        against=(Against(draw(text), draw(text), draw(text), draw(text), draw(text)),),
        licences=(Licence(draw(text), draw(text), draw(text)), Licence("weights", "", draw(text))),
        contributors=(Person(draw(text), draw(text), 1), Person(draw(text), "", 2)),
        approvals=(Approval(draw(text), "review", draw(text)),),
        checks=(Gated(draw(text), draw(text), draw(text), (draw(text),)),),
        previous=Previous(draw(text), draw(text), draw(text)),
        outputs=(Entry(draw(text), 1, draw(text)),),
    )


@st.composite
def abouts(draw: st.DrawFn) -> About:
    """What anybody may write about a model."""
    text = texts()
    several = st.lists(text, max_size=3).map(tuple)
    return About(
        title=draw(text),
        summary=draw(text),
        uses=draw(text),
        limits=draw(text),
        languages=draw(several),
        tags=draw(several),
        task=draw(text),
        library=draw(text),
        base_models=draw(several),
        relation=draw(text),
        datasets=draw(several),
        data=draw(text),
        architecture=draw(text),
    )
