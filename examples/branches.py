"""The two pull requests of the demo: one a maintainer wants, one nobody wants."""

from __future__ import annotations

import json
import pickle
import shutil

import numpy as np
from safetensors.numpy import load_file, save_file

from examples.project import ADA, LIN, TEMPLATE, Person, Project, pinned

MAL = Person("Mal Reyes", "mal@elsewhere.example")

POLICY = (TEMPLATE / ".github" / "modelwarden.yml").read_text(encoding="utf-8")

_OLD_READ = """\
    found = [
        passage
        for path in sorted((HERE / "data").glob("*.txt"))
        for passage in passages(
            path.stem, path.read_text(), params["passage_bytes"], params["cluster_passages"]
        )
    ]
"""
_NEW_READ = """\
    found = read(HERE / "data", params["passage_bytes"], params["cluster_passages"])
"""
_READ = '''\
def read(folder: Path, length: int, together: int) -> list[Passage]:
    """Return the passages of every play in a folder, by name of the play."""
    plays = sorted(folder.glob("*.txt"))
    return [p for play in plays for p in passages(play.stem, play.read_text(), length, together)]


def held_out('''
_UNWANTED = """\
--extra-index-url https://wheels.example/simple
reqeusts
PyMuPDF==1.26.3
"""
_READ_TEST = '''\
# SPDX-License-Identifier: Apache-2.0
"""Tests of reading the plays: python -m unittest discover -s tests."""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path

from safetensors import safe_open

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import prepare


class Read(unittest.TestCase):
    """Every text file of the folder is a play; nothing else is."""

    def test_plays_in_order_of_name(self) -> None:
        """The order does not depend on the file system."""
        with tempfile.TemporaryDirectory() as folder:
            for name in ("b.txt", "a.txt", "README.md"):
                (Path(folder) / name).write_text("One line of verse.\\n" * 4)
            clusters = [cluster for cluster, _ in prepare.read(Path(folder), 30, 2)]
        self.assertEqual(clusters, ["a/0", "a/0", "b/0", "b/0"])

    @unittest.skipUnless((ROOT / "model").exists(), "run dvc repro first")
    def test_weights_are_finite(self) -> None:
        """A training run that diverged must not be released."""
        with safe_open(ROOT / "model" / "model.safetensors", "pt") as weights:
            for name in weights.keys():  # noqa: SIM118 - not a mapping
                self.assertTrue(weights.get_tensor(name).isfinite().all(), name)


if __name__ == "__main__":
    unittest.main()
'''


def improve(project: Project, steps: int) -> None:
    """Change text, code, a dependency and the length of training, and train for real."""
    name = "the-tempest.txt"
    shutil.copyfile(TEMPLATE / "data" / name, project.folder / "data" / name)
    shutil.copyfile(TEMPLATE / "data" / "README.md", project.folder / "data" / "README.md")
    project.edit("README.md", ("seen four plays", "seen a few plays"))
    project.edit("prepare.py", (_OLD_READ, _NEW_READ), ("def held_out(", _READ))
    project.write("tests/test_read.py", _READ_TEST)
    project.write("requirements.txt", pinned(
        "numpy", "PyYAML", "safetensors", "tokenizers", "torch", "transformers"))  # fmt: skip
    old = (project.folder / "params.yaml").read_text(encoding="utf-8")
    now = next(line for line in old.splitlines() if line.strip().startswith("steps:"))
    project.edit("params.yaml", (now, f"  steps: {steps}"))
    project.pipeline()


def propose_good(project: Project) -> None:
    """Commit the improvement as two people would: small steps, each signed off."""
    project.run("git", "switch", "--quiet", "--create", "good")
    project.commit(LIN, "Read The Tempest too", "data", "README.md", sign_off=LIN.sign_off)
    project.commit(LIN, "Read the plays in one tested place", "prepare.py", "tests",
                   "requirements.txt", sign_off=LIN.sign_off)  # fmt: skip
    project.commit(ADA, "Train longer, on one more play", sign_off=ADA.sign_off)
    project.run("git", "push", "--quiet", "origin", "good")


def propose_bad(project: Project) -> None:
    """Commit something for every check to find; the weights go through DVC as they should."""
    project.run("git", "switch", "--quiet", "--create", "bad")
    project.edit("requirements.txt", ("numpy==", _UNWANTED + "numpy=="))
    project.edit("pyproject.toml", ('license = "Apache-2.0"', 'license = "AGPL-3.0-only"'))
    project.commit(MAL, "Faster downloads")
    _plant_pickle(project)
    project.commit(MAL, "Add a checkpoint for convenience", sign_off=ADA.sign_off)
    _damage(project)
    (project.folder / "SECURITY.md").unlink()
    project.edit(
        ".github/workflows/ci.yml",
        ("  pull_request:\n", "  pull_request_target:\n"),
        ("persist-credentials: false", "ref: ${{ github.event.pull_request.head.sha }}"),
        ("setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0", "setup-python@main"),
    )
    project.commit(MAL, "Smaller weights, simpler workflow", sign_off=MAL.sign_off)
    project.run("git", "push", "--quiet", "origin", "bad")


def _plant_pickle(project: Project) -> None:
    folder = project.folder / "checkpoint"
    folder.mkdir()
    weights = {"lm_head.weight": np.zeros((8, 8), np.float32)}
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(weights))
    config = json.loads((project.folder / "model" / "config.json").read_text(encoding="utf-8"))
    config["auto_map"] = {"AutoModelForCausalLM": "modeling_tiny.TinyForCausalLM"}
    project.write("checkpoint/config.json", json.dumps(config, indent=2) + "\n")


def _damage(project: Project) -> None:
    """Blur the weights as a careless quantisation would, and record them with DVC."""
    path = project.folder / "model" / "model.safetensors"
    weights = load_file(path)
    chance = np.random.default_rng(1)
    for name, tensor in weights.items():
        noise = chance.normal(0.0, tensor.std(), tensor.shape)
        weights[name] = tensor + noise.astype(tensor.dtype)
    path.chmod(0o644)
    save_file(weights, path, metadata={"format": "pt"})
    project.run("dvc", "commit", "--force", "--quiet", "train")
