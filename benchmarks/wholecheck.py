"""One lock and 50 files of a change, judged by every check: CPU seconds, memory, findings.

The lock is that of a real project before and after a commit (DATA/locks), the advisories are
DATA/advisories, imported in the run. Both versions are committed to a new repository; what is
counted is the whole command, without anything remembered and then again.

Run: python -m benchmarks.wholecheck DATA
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODELWARDEN = str(Path(sys.executable).with_name("modelwarden"))
MOST_SECONDS, MOST_MB = 3.0, 300.0
FILES = 50
SIGNED = "change\n\nSigned-off-by: Ada <ada@example.org>\n"


def repository(folder: Path, data: Path) -> None:
    """Make a repository of two commits: a real project's lock before and after, and 50 files."""
    locks = sorted((data / "locks" / "datatrove").glob("uv.lock*"), key=lambda p: p.stat().st_size)
    projects = sorted((data / "locks" / "datatrove").glob("pyproject*"))
    if len(locks) < 2 or not projects:
        raise SystemExit(f"{data} holds no locks/datatrove: name the folder of audit data")
    _git(folder, "init", "-q", "-b", "main")
    for number, lock in enumerate((locks[0], locks[-1])):
        (folder / "uv.lock").write_bytes(gzip.decompress(lock.read_bytes()))
        (folder / "pyproject.toml").write_bytes(projects[-1].read_bytes())
        for count in range(FILES * number):
            path = folder / f"package{count % 5}" / f"module{count}.py"
            path.parent.mkdir(exist_ok=True)
            lines = (f"def work_{line}(value):\n    return value + {line}\n" for line in range(50))
            path.write_text("import json\n\nimport numpy\n\n" + "\n".join(lines))
        _git(folder, "add", "-A")
        _git(folder, "commit", "-q", "-m", SIGNED)


def _git(folder: Path, *words: str) -> None:
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *person, *words], cwd=folder, check=True)


def judged(folder: Path) -> tuple[float, float, dict[str, str]]:
    """Judge the change; return CPU seconds, peak MB and the summary of each check."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [MODELWARDEN, "check", "--base", "HEAD~1", "--head", "HEAD", "--format", "json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1, 3):
        raise SystemExit(done.stderr)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = {v["check"]: v["reason"] for v in json.loads(done.stdout)["verdicts"]}
    return seconds, after.ru_maxrss / 1024, said


def main() -> None:
    """Print both runs; exit non-zero beyond a limit."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data.absolute()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        os.environ |= {
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_STATE_HOME": str(home / "state"),
            "MODELWARDEN_ADVISORIES": str(home / "advisories.db"),
        }
        start = time.monotonic()
        place = str(data / "advisories" / "osv-pypi.jsonl.gz")
        today = time.strftime("%Y-%m-%d")
        command = [MODELWARDEN, "watch", "advisories", "--update", place, "--as-of", today]
        subprocess.run(command, check=True, capture_output=True)
        print(f"advisories imported in {time.monotonic() - start:.1f} s")
        (home / "project").mkdir()
        repository(home / "project", data)
        first, memory, said = judged(home / "project")
        again, _, _ = judged(home / "project")
    for check, summary in said.items():
        print(f"  {check:13} {summary}")
    print(f"{first:.2f} CPU seconds ({MOST_SECONDS:.0f}), {memory:.0f} MB ({MOST_MB:.0f}), "
          f"again {again:.2f}")  # fmt: skip
    sys.exit(0 if first < MOST_SECONDS and memory < MOST_MB else "beyond the limit")


if __name__ == "__main__":
    main()
