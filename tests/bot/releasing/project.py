"""A small real project to release: random weights kept by DVC, a suite, a pipeline, two remotes.

A place holds the bare git remote `origin.git`, the DVC remote `store` and clones, each named by
whose it is; all of them name each other by relative paths, so that a place can be copied.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from safetensors.numpy import save

from security.sign.keys import generate, load_signer
from tests.bot.releasing.clones import git
from tests.gitrepo import Repo
from tests.lab.models import TEXT, VOCABULARY

A = "acme/tiny"
ROOT = Path(__file__).parents[3]
PEOPLE = ("alice", "bob", "mallory")
WORDS = sorted(set("".join(TEXT).lower().replace(".", "").split()))
SIGNED = "\n\nSigned-off-by: Ada <ada@example.org>"
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-6,
    "bos_token_id": None,
    "eos_token_id": None,
    "tie_word_embeddings": False,
}
PIPELINE = {"stages": {"train": {"cmd": "python train.py", "deps": ["train.py", "data/text.txt"],
                                 "outs": ["model"]}}}  # fmt: skip
RELEASE: dict[str, Any] = {"artifact": A, "mlflow": "", "licence": "Apache-2.0"}
POLICY: dict[str, Any] = {
    "version": 1,
    "regression": {
        "model": "model",
        "suite": [{"name": "quiz", "path": "eval/quiz.jsonl"}],
        "require": [],
        "device": "cpu",
        "memory_gb": 4,
    },
}


def policy(**release: Any) -> str:
    """Return the text of a policy; `release` goes over what it says of releases."""
    return yaml.safe_dump(POLICY | {"release": RELEASE | release}, sort_keys=False)


def weights(seed: int = 1, **changed: float) -> bytes:
    """Return the safetensors of a random Llama; `changed` scales single tensors, by their end."""
    made = np.random.default_rng(seed)
    wide, inner, held = 32, 64, VOCABULARY
    shapes = {"model.embed_tokens": (held, wide), "lm_head": (held, wide)}
    for layer in range(2):
        names = {f"self_attn.{x}_proj": (wide, wide) for x in "qkvo"}
        names |= {"mlp.gate_proj": (inner, wide), "mlp.up_proj": (inner, wide)}
        names |= {"mlp.down_proj": (wide, inner)}
        shapes |= {f"model.layers.{layer}.{name}": shape for name, shape in names.items()}
    found = {
        f"{name}.weight": made.normal(0, 0.2, shape).astype(np.float32)
        for name, shape in shapes.items()
    }
    norms = [f"layers.{n}.{x}_layernorm" for n in range(2) for x in ("input", "post_attention")]
    found |= {f"model.{n}.weight": np.ones(wide, np.float32) for n in (*norms, "norm")}
    for end, factor in changed.items():
        for name in found:
            if name.removesuffix(".weight").endswith(end):
                found[name] = (found[name] * np.float32(factor)).astype(np.float32)
    return save(found, {"format": "pt"})


def tokenizer(words: int = VOCABULARY) -> bytes:
    """Return tokenizer.json of a byte-level BPE."""
    from tokenizers import ByteLevelBPETokenizer

    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(
        TEXT, words, special_tokens=["<s>", "</s>"], show_progress=False, min_frequency=1
    )
    return str(trained._tokenizer.to_str()).encode()


def model(seed: int = 1, words: int = VOCABULARY, **changed: float) -> dict[str, bytes]:
    """Return the files of a model."""
    said = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"}
    return {
        "config.json": json.dumps(CONFIG, indent=1).encode(),
        "model.safetensors": weights(seed, **changed),
        "tokenizer.json": tokenizer(words),
        "tokenizer_config.json": json.dumps(said).encode(),
    }


def quiz(count: int = 200) -> str:
    """Return a suite of so many items: which word comes next."""
    chance = random.Random(5)
    lines = []
    for number in range(count):
        asked, right, wrong = (chance.choice(WORDS) for _ in range(3))
        if wrong == right:
            wrong += "s"
        lines.append({"id": f"q{number}", "prompt": f"The {asked}",
                      "choices": [f" {right}", f" {wrong}"], "answer": 0})  # fmt: skip
    return "".join(json.dumps(line) + "\n" for line in lines)


@dataclass
class Project:
    """A clone of the project at a place."""

    place: Path
    name: str = "alice"

    @property
    def path(self) -> Path:
        return self.place / self.name

    @property
    def repo(self) -> Repo:
        return Repo.__new__(Repo) if False else _opened(self.path)

    @property
    def origin(self) -> Path:
        return self.place / "origin.git"

    @property
    def store(self) -> Path:
        return self.place / "store" / "files" / "md5"

    @property
    def cache(self) -> Path:
        return self.path / ".dvc" / "cache" / "files" / "md5"

    @property
    def staging(self) -> Path:
        return self.path / ".git" / "modelwarden" / "releases" / A

    def key(self, name: str = "") -> Path:
        return self.place / "keys" / f"{name or self.name}.key"

    def head(self) -> str:
        return git(self.path, "rev-parse", "HEAD")

    def commit(self, files: Mapping[str, str | bytes], message: str = "change") -> str:
        """Commit files, push them to the remote's main, return the commit."""
        made = self.repo.commit(files, message + SIGNED)
        git(self.path, "push", "-q", "origin", "HEAD:main")
        return made

    def weigh(self, files: Mapping[str, bytes], message: str = "train") -> str:
        """Commit another model: pointers in git, objects in the cache."""
        return self.commit(self.tracked(files), message)

    def tracked(self, files: Mapping[str, bytes]) -> dict[str, str]:
        """Put a model into the cache; return what git keeps of it: dvc.yaml and dvc.lock."""
        listing = [
            {"md5": self.keep(data), "relpath": path} for path, data in sorted(files.items())
        ]
        whole = self.keep(json.dumps(listing).encode(), ".dir")
        held = [
            {"path": name, "hash": "md5", "md5": md5(self.path / name),
             "size": (self.path / name).stat().st_size}
            for name in PIPELINE["stages"]["train"]["deps"]
        ]  # fmt: skip
        out = {"path": "model", "hash": "md5", "md5": whole,
               "size": sum(map(len, files.values())), "nfiles": len(files)}  # fmt: skip
        lock = {"schema": "2.0", "stages": {"train": {"cmd": "python train.py", "deps": held,
                                                      "outs": [out]}}}  # fmt: skip
        return {"dvc.yaml": yaml.safe_dump(PIPELINE), "dvc.lock": yaml.safe_dump(lock)}

    def keep(self, data: bytes, end: str = "") -> str:
        digest = hashlib.md5(data, usedforsecurity=False).hexdigest() + end
        path = self.cache / digest[:2] / digest[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_bytes(data)
        return digest

    def clone(self, name: str, *words: str) -> Project:
        """Return a fresh clone of somebody's; its DVC cache is empty."""
        git(self.place, "clone", "-q", *words, "origin.git", name)
        found = Project(self.place, name)
        found.adopt()
        return found

    def adopt(self) -> None:
        """Make the clone its owner's, wherever the place lies."""
        git(self.path, "remote", "set-url", "origin", "../origin.git")
        git(self.path, "config", "user.name", self.name.title())
        git(self.path, "config", "user.email", f"{self.name}@example.org")

    def refs(self) -> dict[str, str]:
        lines = git(self.origin, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return {line.split(" ")[0]: line.split(" ")[1] for line in lines}

    def log(self) -> list[dict[str, Any]]:
        """Return the ledger as the remote has it, line by line."""
        if "refs/heads/modelwarden-releases" not in self.refs():
            return []
        text = git(self.origin, "show", "modelwarden-releases:log.jsonl")
        return [json.loads(line) for line in text.splitlines()]

    def actions(self) -> list[str]:
        """Return what the entries of the ledger did, but for its beginning."""
        return [line["action"] for line in self.log()][1:]


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def _opened(path: Path) -> Repo:
    found = object.__new__(Repo)
    found.path = path
    return found


def make(place: Path) -> Project:
    """Make the project at a new place: one commit, pushed, with a model that nobody released."""
    place.mkdir(parents=True)
    git(place, "init", "-q", "--bare", "-b", "main", "origin.git")
    git(place, "init", "-q", "-b", "main", "alice")
    git(place / "alice", "remote", "add", "origin", "../origin.git")
    found = Project(place)
    found.adopt()
    (place / "store").mkdir()
    (place / "keys").mkdir()
    for name in PEOPLE:
        pem = generate()
        found.key(name).write_bytes(pem)
        found.key(name).chmod(0o600)
        found.key(name).with_suffix(".key.pub").write_text(load_signer(pem).public.pem)
    text = "\n".join(TEXT) * 4
    found.repo.write(
        {
            "LICENSE": (ROOT / "LICENSE").read_bytes(),
            "README.md": "# Tiny\n\nA model of nothing.\n",
            "CONTRIBUTING.md": "# Contributing\n\nSign your commits off: `git commit -s`.\n",
            "CODE_OF_CONDUCT.md": "# Conduct\n\nBe kind. Write to conduct@example.org.\n",
            "SECURITY.md": "# Security\n\nWrite to security@example.org.\n",
            "train.py": '"""Nothing is trained."""\n',
            "requirements.txt": "numpy==2.4.6\n",
            "data/text.txt": text,
            "data/README.md": "---\nlicense: cc0-1.0\n---\n# Text\n",
            "eval/quiz.jsonl": quiz(),
            ".gitignore": "/model\nmlflow.db\nmlartifacts/\n",
            ".dvc/config": "[core]\nremote = store\n['remote \"store\"']\nurl = ../../store\n",
            ".dvc/.gitignore": "/cache\n/tmp\n/config.local\n",
            ".github/modelwarden.yml": policy(),
        }
    )
    found.weigh(model(), "Begin")
    return found


def public(place: Project, name: str) -> str:
    return place.key(name).with_suffix(".key.pub").read_text()


def trust(
    at: Project, *, threshold: int = 1, expires: str = "2036-01-01", revoked: str = "",
    members: tuple[str, ...] = ("alice", "bob"), version: int = 1,
) -> str:  # fmt: skip
    """Return a trust file of alice and bob; `revoked` names whose key counts for nothing."""
    lines = ["format = 1", f'project = "{A}"', f"version = {version}", f"expires = {expires}"]
    for name in ("alice", "bob"):
        lines += [f"[people.{name}]", f'account = "{name.title()}-GH"']
        lines += [f"[keys.{name}-1]", f'owner = "{name}"', f'public = """\n{public(at, name)}"""']
        lines += ['revoked = 2026-01-01\nreason = "it leaked"'] if revoked == name else []
    names = ", ".join(f'"{name}"' for name in members)
    for role, actions, count in (
        ("release", '"release"', threshold),
        ("attest", '"attest"', 1),
        ("admin", '"rotate", "waive", "open", "audit"', threshold),
    ):
        lines += [f"[roles.{role}]", f"actions = [{actions}]", f"members = [{names}]"]
        lines += [f"threshold = {count}", f'artifacts = ["{A}"]']
    return "\n".join(lines) + "\n"


def copied(source: Path, target: Path) -> Project:
    """Copy a place."""
    shutil.copytree(source, target, symlinks=True)
    return Project(target)
