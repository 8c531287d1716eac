"""A ledger of a thousand releases: shown, listed, looked up, checked and added to."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.releasing.project import MODELWARDEN, environment, run
from bot.releasing.ledger.baseline import baseline
from bot.releasing.ledger.book import GitBook
from registry.release.ledger import New, Tag, document_path
from registry.release.values import Release, dump
from tests.registry.release.made import typical

COUNT, AT_ONCE = 1_000, 100
LIMIT, START = 1.0, 0.6  # CPU seconds
NAME, BRANCH = "acme/tiny", "modelwarden-releases"
POLICY = f"version: 1\nrelease:\n  artifact: {NAME}\n  mlflow: ''\n"


def main(place: Path, runs: int) -> bool:
    """Print seconds, the least of `runs`; return whether the limits hold."""
    os.environ |= environment(place)
    repo = _project(place)
    commits = run(repo, "git", "rev-list", "--reverse", "main").split()
    made = [_release(number, commit) for number, commit in enumerate(commits)]
    begun = time.perf_counter()
    previous = ""
    for at in range(0, COUNT, AT_ONCE):
        previous = _add(GitBook(repo, BRANCH, "origin"), made[at : at + AT_ONCE], previous)
    took = time.perf_counter() - begun
    log = run(repo, "git", "cat-file", "-s", f"{BRANCH}:log.jsonl").strip()
    print(
        f"{COUNT:,} releases written in {took:.1f} s, {AT_ONCE} a push; log of {int(log):,} bytes"
    )
    newest = made[COUNT - 1]
    if newest.version not in run(repo, MODELWARDEN, "release", "show"):
        raise SystemExit(f"{newest.version} is not what is shown")
    if run(repo, MODELWARDEN, "release", "list").count("\n") < COUNT:
        raise SystemExit("not every version is listed")
    book = GitBook(repo, BRANCH, "origin")
    middle = commits[COUNT // 2]

    def lookup() -> None:
        found = baseline(repo, GitBook(repo, BRANCH, "origin").ledger(fresh=False), NAME, middle)
        if found is None or found.commit != middle:
            raise SystemExit("the baseline is another release")

    work: dict[str, Callable[[], object]] = {
        "show, the command": lambda: run(repo, MODELWARDEN, "release", "show"),
        "list, the command": lambda: run(repo, MODELWARDEN, "release", "list"),
        "baseline lookup": lookup,
        "ledger read": lambda: GitBook(repo, BRANCH, "origin").ledger(fresh=False),
    }
    taken = {name: min(_timed(act) for _ in range(runs)) for name, act in work.items()}
    holds = max(cpu for cpu, _ in taken.values()) <= LIMIT
    taken["one more appended"] = _timed(lambda: _add(book, made[COUNT:], previous))
    taken["doctor of all of them"] = _timed(lambda: _doctor(repo))
    for name, (cpu, clock) in taken.items():
        print(f"{name:<22} {cpu:6.2f} CPU-s {clock:6.2f} s")
    print(f"show, list, lookup: at most {LIMIT:g} CPU-s: {'yes' if holds else 'NO'}")
    return holds


def start(place: Path, runs: int) -> bool:
    """Print what `release show` takes of one version, over what it cannot do without."""
    from benchmarks.timing import interleaved

    os.environ |= environment(place)
    repo = _project(place)
    commit = run(repo, "git", "rev-parse", "main~1000").strip()
    _add(GitBook(repo, BRANCH, "origin"), [_release(0, commit)], "")
    imports = "import pydantic, click, yaml"
    work = {
        "release show": ([MODELWARDEN, "release", "show"], repo),
        imports: ([sys.executable, "-c", imports], repo),
        "python alone": ([sys.executable, "-c", "pass"], repo),
    }
    taken = interleaved(max(5, runs), work)
    for name, seconds in taken.items():
        print(f"{name:<30} {seconds:6.3f} CPU-s")
    ours, theirs, _ = taken.values()
    print(f"release show over those imports: {ours / theirs:.2f}; {ours:.2f} s (limit {START})")
    return ours <= START


def _project(place: Path) -> Path:
    """Make a repository of a commit for each version, and one more, with a bare remote."""
    repo, bare = place / "thousand", place / "thousand.git"
    for folder in (repo, bare):
        shutil.rmtree(folder, ignore_errors=True)
    run(place, "git", "init", "-q", "--bare", "-b", "main", str(bare))
    run(place, "git", "init", "-q", "-b", "main", str(repo))
    stream = "".join(_commit(number) for number in range(COUNT + 1))
    subprocess.run(["git", "fast-import", "--quiet"], cwd=repo, input=stream.encode(), check=True)
    run(repo, "git", "reset", "-q", "--hard")
    run(repo, "git", "remote", "add", "origin", str(bare))
    run(repo, "git", "push", "-q", "origin", "main")
    return repo


def _commit(number: int) -> str:
    message = f"change {number}"
    at = 1_700_000_000 + number
    head = f"commit refs/heads/main\ncommitter Ada <ada@example.org> {at} +0000\n"
    files = {".github/modelwarden.yml": POLICY, "model.dvc": f"number: {number}\n"}
    body = "".join(f"M 100644 inline {path}\ndata {len(t)}\n{t}\n" for path, t in files.items())
    return f"{head}data {len(message)}\n{message}\n{body}"


def _release(number: int, commit: str) -> Release:
    version = f"1.{number // 10}.{number % 10}"
    return replace(
        typical(), artifact=NAME, version=version, commit=commit, tag=f"v{version}", previous=None
    )


def _add(book: GitBook, made: list[Release], previous: str) -> str:
    """Claim and release these versions in one push, point at the last and return it."""
    entries: list[New] = []
    files: dict[str, bytes] = {}
    for one in made:
        said = {"version": one.version, "commit": one.commit, "holder": "benchmark"}
        out = {**said, "tag": one.tag, "root": one.digest, "document": one.digest}
        entries += [New("ada", "claim", NAME, said), New("ada", "release", NAME, out)]
        files[document_path(NAME, one.version)] = dump(one)
    last = made[-1].version
    move = {"alias": "challenger", "version": last, "expect": previous}
    entries.append(New("ada", "promote", NAME, move))
    tags = [Tag(one.tag, one.commit, f"{NAME} {one.version}") for one in made]
    book.append(entries, dict(files), expect=book.ledger().head, tags=tags)
    return last


def _doctor(repo: Path) -> None:
    words = [MODELWARDEN, "release", "doctor"]
    done = subprocess.run(words, cwd=repo, capture_output=True, text=True)
    if f"{COUNT + 1:,} releases" not in done.stdout + done.stderr:  # 1: nobody has their objects
        raise SystemExit(f"doctor ended with {done.returncode}:\n{done.stderr[-2000:]}")


def _timed(act: Callable[[], object]) -> tuple[float, float]:
    """Return (CPU, clock) seconds of it, its children's included."""
    before, begun = _cpu(), time.perf_counter()
    act()
    return _cpu() - before, time.perf_counter() - begun


def _cpu() -> float:
    every = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in every)
