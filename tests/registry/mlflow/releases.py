"""A release with two measurements, and its published folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lab.metrics.measure import Measurement
from lab.protocol import Usage
from lab.record import Record
from registry.release.values import Against, Artifact, Licence, Lock, Pointed, Release

ROOT = "ab" * 32
MD5 = "0123456789abcdef0123456789abcdef"


def measurement(task: str, metric: str, value: float, part: str = "") -> Measurement:
    return Measurement(task, metric, value, value - 0.02, value + 0.02, 200, 0.05, part, True)


def record(task: str, value: float) -> Record:
    found = [measurement(task, "acc", value), measurement(task, "acc", value - 0.1, "language=de")]
    found.append(replace(measurement(task, "ppl", 12.5), low=None, high=None))
    return Record(
        model="models/small", fingerprint="fe" * 32, parameters=134_515_008,
        architecture="LlamaForCausalLM", task=task, kind="choice", items="1f" * 32, data="",
        harness="modelwarden", version="0.1.0", device="cpu", dtype="float32",
        seeds=(("scoring", 0), ("bootstrap", 77)), versions=(("torch", "2.13.0"),), alpha=0.05,
        n=200, of=250, level="plain", gap=None, usage=Usage(cpu=12.0, clock=6.5, tokens=40_000),
        measurements=tuple(found), notes=("ended early: 200 of 250 items scored",),
    )  # fmt: skip


def release(version: str = "1.2.0", artifact: str = "acme/small") -> Release:
    path = "models/small"
    weights = Pointed(f"{path}/model.safetensors", "dvc", MD5, 2_081_000_000, f"{path}.dvc")
    tokens = Pointed(
        f"{path}/tokenizer.json", "blob", "c" * 40, 2_100_000, f"{path}/tokenizer.json"
    )
    corpus = Pointed("data/corpus.jsonl", "dvc-folder", MD5[::-1], 50_000_000, "data/corpus.dvc")
    return Release(
        artifact=artifact, version=version, commit="5e" * 20, tag=f"v{version}",
        date="2026-05-01T09:30:00Z", repository="github.com/acme/small",
        weights=Artifact(path, "weights", (weights, tokens)),
        data=(Artifact("data", "data", (corpus,)),),
        environment=(Lock("uv.lock", "9" * 64, 120),), fingerprint="fe" * 32,
        measurements=(record("arc easy", 0.71), record("news/qa", 0.64)),
        against=(Against("1.1.0", "cd" * 32, "pass", "2 of 2 tasks as good or better", "77" * 32),),
        licences=(Licence("weights", "small", "Apache-2.0"),),
    )  # fmt: skip


def stage(folder: Path) -> Path:
    (folder / "release").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"\0" * 4096)
    (folder / "README.md").write_text("# small\n\nA card.\n")
    (folder / "model.sig").write_text("{}\n")
    for name in ("release.json", "bom.cdx.json", "verdict.json", "notes.md"):
        (folder / "release" / name).write_text("{}\n")
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="120">'
    svg = f'{head}<circle cx="150" cy="60" r="50" fill="teal"/></svg>\n'
    (folder / "release/lineage.svg").write_text(svg)
    return folder
