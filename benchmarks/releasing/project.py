"""A project with large weights in git and DVC, as one that is released looks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

SHARDS, SIDE = 8, 2048  # files; a matrix has SIDE x SIDE numbers of two bytes
ITEMS = 200
SUITE = "eval/held-out.jsonl"
HERE = Path(sys.executable).parent
MODELWARDEN, DVC = str(HERE / "modelwarden"), str(HERE / "dvc")

POLICY = f"""version: 1
regression:
  model: model
  suite:
    - name: held-out
      path: {SUITE}
release:
  artifact: acme/large
  licence: Apache-2.0
  github: false
  mlflow: sqlite:///mlflow.db
"""


def write_weights(folder: Path, size: int) -> None:
    """Write a model of about `size` bytes in SHARDS files: random numbers, a real configuration."""
    import numpy as np
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    count = max(1, size // SHARDS // (SIDE * SIDE * 2))
    where: dict[str, str] = {}
    for shard in range(SHARDS):
        name = f"model-{shard + 1:05}-of-{SHARDS:05}.safetensors"
        found: dict[str, Any] = {}
        for number in range(count):
            layer = f"model.layers.{shard * count + number}"
            matrix = random.integers(0, 1 << 16, (SIDE, SIDE), np.uint16)
            found[f"{layer}.mlp.up_proj.weight"] = matrix
            for norm in ("input_layernorm", "post_attention_layernorm"):
                found[f"{layer}.{norm}.weight"] = random.integers(0, 1 << 16, SIDE, np.uint16)
        save_file(found, folder / name)
        where |= dict.fromkeys(found, name)
    index = {"metadata": {"total_size": size}, "weight_map": where}
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": SIDE}
    tokenizer = {"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}
    for file, value in (
        ("model.safetensors.index.json", index),
        ("config.json", config),
        ("tokenizer.json", tokenizer),
        ("tokenizer_config.json", {}),
    ):
        (folder / file).write_text(json.dumps(value))


def write_project(folder: Path, store: Path) -> None:
    """Make a repository with DVC, an empty remote at `store`, a suite and a policy; no model."""
    folder.mkdir(parents=True)
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, DVC, "init", "-q")
    run(folder, DVC, "remote", "add", "-q", "-d", "store", str(store))
    run(folder, DVC, "config", "core.analytics", "false")
    items = ({"prompt": f"{n} and one are", "choices": [" two", " ten"], "answer": n % 2}
             for n in range(ITEMS))  # fmt: skip
    files = {
        SUITE: "".join(json.dumps(item) + "\n" for item in items),
        ".github/modelwarden.yml": POLICY,
        "requirements.txt": f"pydantic=={version('pydantic')}\n",  # at hand: its licence is known
        "README.md": "# Large\n",
        ".gitignore": "/mlflow.db\n/mlruns\n/mlartifacts\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    shutil.copyfile(Path(__file__).parents[2] / "LICENSE", folder / "LICENSE")
    commit(folder, "a project")


def commit(folder: Path, message: str) -> None:
    """Commit everything that git does not ignore."""
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-q", "-s", "-m", message)


def keep_scores(repo: Path, model: Path) -> None:
    """Put scores of the model where this machine keeps them: measuring is not what is timed."""
    from bot.cache import Cache, default_path
    from bot.checks.regression.settings import SuiteFile
    from bot.checks.regression.suites import read_suites
    from bot.kept import Kept
    from bot.repository import GitWorld
    from lab.model.folder import inspect
    from lab.protocol import ItemScore, ModelScores, TaskScores

    with GitWorld(repo, Cache(default_path())) as world:
        head = world.revisions.resolve("HEAD")
        tasks = read_suites(world, head, (SuiteFile(name="held-out", path=SUITE),), ITEMS).tasks
        made = tuple(
            TaskScores(
                task.name,
                tuple(ItemScore(item.id, 1.0 + n % 7, 1, 4, n % 5 > 0, nats=(1.0, 2.0))
                      for n, item in enumerate(task.items)),
            )
            for task in tasks
        )  # fmt: skip
        about = ("head", inspect(model).fingerprint, 10**9, "LlamaForCausalLM", "cpu", "bfloat16")
        Kept(world.store, "auto").keep(ModelScores(*about, made), tasks)


def environment(place: Path) -> dict[str, str]:
    """Return an environment that keeps caches, state and git's settings in `place`."""
    folders = {name: str(place / name) for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME")}
    who = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER")
           for part, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))}  # fmt: skip
    quiet = {"DVC_NO_ANALYTICS": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "MLFLOW_TRACKING_URI": ""}
    kept = {name: value for name, value in os.environ.items() if name != "GITHUB_TOKEN"}
    return kept | folders | who | quiet


def run(folder: Path, *command: str) -> str:
    """Run a command and return what it prints; stop with what it says where it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout
