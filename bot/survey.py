"""What a repository holds, as far as `init` needs it to write a fitting policy."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from bot.change import Commit, TreeEntry
from bot.wording import plural

MODEL_FILES = (".safetensors", ".safetensors.dvc")
LOOKED_AT = 50  # commits whose habits are counted


@dataclass(frozen=True, slots=True)
class Survey:
    """Folders and files found, and how the people work."""

    models: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    dvc: bool = False
    signed_off: int = 0
    commits: int = 0

    def lines(self) -> tuple[str, ...]:
        """Say what was found, one line each."""
        found = [
            ("models", self.models),
            ("evaluation suites", self.suites),
            ("lock files", self.locks),
        ]
        said = [f"found {name}: {', '.join(paths[:5])}" for name, paths in found if paths]
        if self.commits:
            recent = plural(self.commits, "recent commit")
            said.append(f"found {self.signed_off} of {recent} signed off")
        return tuple(said) or ("found an empty repository",)


def survey(entries: Sequence[TreeEntry], commits: Sequence[Commit]) -> Survey:
    """Sort the files of a tree into what matters here."""
    paths = [entry.path for entry in entries if entry.is_file]
    names = {path: posixpath.basename(path) for path in paths}
    return Survey(
        models=_models(paths),
        suites=tuple(p for p in paths if p.endswith(".jsonl") and _evaluates(p)),
        locks=tuple(p for p in paths if _is_lock(names[p])),
        dvc=any(name == "dvc.yaml" or name.endswith(".dvc") for name in names.values()),
        signed_off=sum("\nSigned-off-by: " in commit.message for commit in commits),
        commits=len(commits),
    )


def _models(paths: Sequence[str]) -> tuple[str, ...]:
    weights = {posixpath.dirname(p) for p in paths if p.endswith(MODEL_FILES)}
    configured = {posixpath.dirname(p) for p in paths if posixpath.basename(p) == "config.json"}
    return tuple(sorted(weights & configured or weights))


def _evaluates(path: str) -> bool:
    return any(part.startswith(("eval", "heldout", "test")) for part in path.lower().split("/"))


def _is_lock(name: str) -> bool:
    return name in ("uv.lock", "poetry.lock", "Pipfile.lock", "pylock.toml") or (
        name.startswith("constraints") and name.endswith(".txt")
    )
