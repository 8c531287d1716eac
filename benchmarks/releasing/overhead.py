"""What a release costs on top of `dvc add`, `dvc push` and a plain registration in MLflow."""

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.releasing import project
from benchmarks.releasing.project import DVC, MODELWARDEN, run

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 0.25
VERSION = "1.0.0"
STEPS = ("fetch", "intake", "manifest", "evidence", "documents", "gate", "claim", "sign", "seal",
         "verify", "upload", "record", "announce")  # fmt: skip
Pair = tuple[float, float]  # CPU seconds, seconds of the clock
WAIVED = ("lineage/pipeline", "lineage/data", "lineage/licence of data")
_STEP = re.compile(rf"({'|'.join(STEPS)}): ")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Taken:
    """Seconds of one round: (CPU, clock) by what was done."""

    peers: dict[str, Pair] = field(default_factory=dict)
    whole: Pair = (0.0, 0.0)
    steps: dict[str, Pair] = field(default_factory=dict)


def main(place: Path, size: int, runs: int) -> bool:
    """Print the least of `runs` rounds; return whether the limit holds."""
    os.environ |= project.environment(place)
    os.environ["PYTHONPATH"] = str(ROOT)
    weights = place / "weights"
    project.write_weights(weights, size)
    taken = [round_of(place, weights) for _ in range(runs)]
    peers = {name: _least([one.peers[name] for one in taken]) for name in taken[0].peers}
    whole = _least([one.whole for one in taken])
    for name, pair in {**peers, "release run": whole}.items():
        print(_line(name, pair))
    for step in taken[0].steps:
        print(_line(f"  {step}", _least([one.steps[step] for one in taken])))
    # A release registers in MLflow itself, so that the plain registration is not done too.
    cpu, clock = (
        (whole[n] - peers["mlflow"][n]) / sum(pair[n] for pair in peers.values()) for n in (0, 1)
    )
    print(f"added over theirs: {clock:.2f} of the clock, {cpu:.2f} of CPU (limit {LIMIT})")
    return max(clock, cpu) <= LIMIT


def _least(pairs: list[Pair]) -> Pair:
    return min(cpu for cpu, _ in pairs), min(clock for _, clock in pairs)


def _line(name: str, pair: Pair) -> str:
    return f"{name:<12} {pair[0]:7.2f} CPU-s {pair[1]:7.2f} s"


def round_of(place: Path, weights: Path) -> Taken:
    """Do all of it once in a new project, and see that both sides have the same."""
    top = place / "round"
    shutil.rmtree(top, ignore_errors=True)
    repo, store, key = top / "large", top / "store", place / "release.key"
    project.write_project(repo, store)
    shutil.copytree(weights, repo / "model")
    if not key.exists():
        run(place, MODELWARDEN, "keys", "generate", str(key), "--no-passphrase")
    uri = f"sqlite:///{repo / 'mlflow.db'}"
    register = [sys.executable, "-m", "benchmarks.releasing.peer", uri, str(repo / "model")]
    run(repo, *register)  # the tables of a new database are nobody's cost
    taken = Taken()
    os.sync()
    taken.peers["dvc add"] = _timed(repo, [DVC, "add", "-q", "model"])
    project.commit(repo, "a model")
    os.sync()
    taken.peers["dvc push"] = _timed(repo, [DVC, "push", "-q"])
    os.sync()
    taken.peers["mlflow"] = _timed(repo, register)
    project.keep_scores(repo, repo / "model")
    os.sync()
    command = [MODELWARDEN, "release", "run", "--key", str(key), "--version", VERSION]
    for link in WAIVED:
        command += ["--waive", f"{link}=a benchmark"]
    taken.whole, taken.steps = _steps(repo, command)
    agree(repo, store, weights)
    return taken


def _timed(folder: Path, command: list[str]) -> Pair:
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    run(folder, *command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.perf_counter() - begun


def _steps(folder: Path, command: list[str]) -> tuple[Pair, dict[str, Pair]]:
    """Run a release; return what it takes, and each step by the line that it begins with."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    marks: list[tuple[str, float, float]] = [("start", 0.0, begun)]
    said: list[str] = []
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stderr is not None
        for line in child.stderr:
            said.append(line)
            if found := _STEP.match(line):
                marks.append((found[1], _cpu(child.pid), time.perf_counter()))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if child.returncode:
        raise SystemExit(f"release run ended with {child.returncode}:\n{''.join(said)}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    ends = [*((one, at) for _, one, at in marks[1:]), (cpu, time.perf_counter())]
    steps = {name: (end[0] - one, end[1] - at)
             for (name, one, at), end in zip(marks, ends, strict=True)}  # fmt: skip
    return (cpu, ends[-1][1] - begun), steps


def _cpu(process: int) -> float:
    """CPU seconds of a process and of its children that ended."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICK


def agree(repo: Path, store: Path, weights: Path) -> None:
    """Stop unless ledger, DVC's remote and MLflow have what the files are."""
    shown = run(repo, MODELWARDEN, "release", "show", VERSION, "--format", "json")
    signed = {
        one["path"]: one["digest"] for one in json.loads(shown)["release"]["weights"]["files"]
    }
    for path in sorted(weights.iterdir()):
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != signed.pop(path.name, ""):
                raise SystemExit(f"the release has another digest of {path.name}")
            file.seek(0)
            md5 = hashlib.file_digest(file, "md5").hexdigest()
        stored = store / "files" / "md5" / md5[:2] / md5[2:]
        if not stored.is_file() or stored.stat().st_size != path.stat().st_size:
            raise SystemExit(f"DVC's remote lacks {path.name}")
    if signed:
        raise SystemExit(f"the release has more files: {', '.join(signed)}")
    code = (
        "import sys; from mlflow import MlflowClient; "
        "print(*(v.tags['modelwarden.release'] for v in "
        "MlflowClient(sys.argv[1]).search_model_versions(\"name = 'acme--large'\")))"
    )
    uri = f"sqlite:///{repo / 'mlflow.db'}"
    found = run(repo, sys.executable, "-c", code, uri)
    if found.split() != [f"acme/large@{VERSION}"]:
        raise SystemExit(f"MLflow has {found.strip() or 'no version'}")
