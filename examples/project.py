"""A real project in a temporary folder: its repository, its pipeline and the people who commit."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot import process

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "examples" / "tiny-llm"
DAY_ONE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

EMPTY: Mapping[str, str] = {}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who commits."""

    name: str
    email: str

    @property
    def sign_off(self) -> str:
        """The trailer that certifies the origin of a contribution."""
        return f"Signed-off-by: {self.name} <{self.email}>"


ADA = Person("Ada Okafor", "ada@tiny-llm.example")
LIN = Person("Lin Moreau", "lin@tiny-llm.example")


class Stopped(Exception):
    """A command of the demo failed; holds what it said."""


def environment(scratch: Path) -> dict[str, str]:
    """Return an environment in which nobody's own settings matter and nothing is left behind."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "DVC_"))}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "DVC_NO_ANALYTICS": "1",
        "DVC_GLOBAL_CONFIG_DIR": str(scratch / "dvc-global"),
        "DVC_SYSTEM_CONFIG_DIR": str(scratch / "dvc-system"),
        "DVC_SITE_CACHE_DIR": str(scratch / "dvc-site"),
        "XDG_CACHE_HOME": str(scratch / "cache"),
        "XDG_STATE_HOME": str(scratch / "state"),
        "MODELWARDEN_ADVISORIES": str(scratch / "advisories.db"),
        "TMPDIR": str(scratch),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "2",
        "OMP_WAIT_POLICY": "PASSIVE",
    }


class Project:
    """One clone, for work on one branch. `say` receives a line for each step that takes a while."""

    def __init__(self, folder: Path, scratch: Path, say: Say, branch: str = "main") -> None:
        self.folder = folder
        self.branch = branch
        self.scratch = scratch
        self.say = say
        self.env = environment(scratch)
        self._commits = 0

    def call(
        self, *command: str, each: Say = lambda line: None, env: Mapping[str, str] = EMPTY
    ) -> tuple[int, str]:
        """Run a command in the folder; return its exit code and what it printed, line by line."""
        lines: list[str] = []
        with process.child(command, env={**self.env, **env}, cwd=self.folder) as child:
            for raw in child.stdout or ():
                lines.append(raw.decode("utf-8", "replace"))
                each(lines[-1])
            return child.wait(), "".join(lines)

    def run(
        self, *command: str, each: Say = lambda line: None, env: Mapping[str, str] = EMPTY
    ) -> str:
        """Run a command that must succeed and return what it printed. Raises Stopped."""
        code, said = self.call(*command, each=each, env=env)
        if code:
            raise Stopped(f"{' '.join(command)}\n{said}")
        return said

    def pipeline(self) -> None:
        """Run `dvc repro` and pass on what its stages say. Raises Stopped."""
        self.run("dvc", "repro", each=self._tell)

    def _tell(self, line: str) -> None:
        if line.startswith(("prepare:", "train:", "Running stage")):
            self.say(f"  {self.branch}: {line.strip()}")

    def write(self, path: str, text: str) -> None:
        """Write a text file of the project."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def edit(self, path: str, *changes: tuple[str, str]) -> None:
        """Replace text that occurs exactly once."""
        text = (self.folder / path).read_text(encoding="utf-8")
        for old, new in changes:
            if text.count(old) != 1:
                raise Stopped(f"{path} no longer holds exactly one {old!r}")
            text = text.replace(old, new)
        self.write(path, text)

    def commit(self, person: Person, message: str, *paths: str, sign_off: str = "") -> None:
        """Commit everything at these paths (all by default) on the next day of the story."""
        self.run("git", "add", "--all", "--", *(paths or (".",)))
        day = (DAY_ONE + timedelta(days=self._commits)).isoformat()
        self._commits += 1
        who = {"NAME": person.name, "EMAIL": person.email, "DATE": day}
        env = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()}
        text = f"{message}\n\n{sign_off}".strip()
        self.run("git", "commit", "--quiet", "--message", text, env=env)

    def clone(self, branch: str) -> Project:
        """Clone it beside this one, as a contributor does; both share one DVC cache."""
        folder = self.folder.parent / branch
        self.run("git", "clone", "--quiet", str(self.folder), str(folder))
        cache = self.folder / ".dvc" / "cache"
        (folder / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {cache}\n")
        other = Project(folder, self.scratch, self.say, branch)
        other._commits = self._commits
        return other

    def follow(self, other: Project) -> None:
        """Build upon what the other one's main is now; files of the folder stay as they are."""
        self.run("git", "fetch", "--quiet", "origin", "main")
        self.run("git", "reset", "--quiet", "origin/main")
        self._commits = other._commits


def pinned(*names: str) -> str:
    """Return requirement lines that pin these packages to the versions at hand."""
    versions = {name: importlib.metadata.version(name).partition("+")[0] for name in names}
    return "".join(f"{name}=={version}\n" for name, version in versions.items())


def clock() -> Say:
    """Return a function that prints a line with the seconds since now."""
    begun = time.monotonic()
    return lambda line: print(f"[{time.monotonic() - begun:5.1f} s] {line}", flush=True)


def start(folder: Path, scratch: Path, say: Say, policy: str, steps: int) -> Project:
    """Lay out the project and make its first commit; nothing is trained yet."""
    shutil.copytree(TEMPLATE, folder, ignore=IGNORED)
    scratch.mkdir()
    project = Project(folder, scratch, say)
    # One advisory is enough to show the check; a real project takes all of OSV's.
    known = ROOT / "examples" / "advisories" / "MAL-0000-1.json"
    project.run("modelwarden", "watch", "advisories", "--update", str(known))
    shutil.copyfile(ROOT / "dvc.yaml", folder / "dvc.yaml")
    shutil.copytree(ROOT / ".dvc", folder / ".dvc", ignore=OF_ONE_CLONE)
    (folder / "data" / "the-tempest.txt").unlink()  # a pull request will bring it
    project.write("params.yaml", (ROOT / "params.yaml").read_text(encoding="utf-8"))
    # One thread each: the demo trains two models at a time.
    project.edit(
        "params.yaml",
        ("root: examples/tiny-llm #", "root: . #"),
        ("threads: 2", "threads: 1"),
        ("steps: 400", f"steps: {steps}"),
    )
    project.edit("data/README.md", ("| `the-tempest.txt` | The Tempest, the first part |\n", ""),
                 ("Four plays", "Three plays"))  # fmt: skip
    project.write(
        "requirements.txt", pinned("numpy", "PyYAML", "tokenizers", "torch", "transformers")
    )
    project.write(".github/modelwarden.yml", policy)
    project.run("git", "init", "--quiet", "--initial-branch", "main")
    project.commit(ADA, "Add the project", sign_off=ADA.sign_off)
    return project


IGNORED = shutil.ignore_patterns(
    "prepared", "model", "plots", "eval", "training.json", "metrics.*", "measurements.json",
    "CARD.md", "release-plan.json", "mlflow.db", "mlartifacts", "__pycache__",
)  # fmt: skip
OF_ONE_CLONE = shutil.ignore_patterns("cache", "tmp", "config.local")
