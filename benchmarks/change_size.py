"""Cost follows the change: the same 5-file change in repositories of 200 and 20,000 files.

Run: python -m benchmarks.change_size
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.timing import cpu_seconds, interleaved

SIZES = (200, 20_000)
MODELWARDEN = str(Path(sys.executable).with_name("modelwarden"))
LIMIT = 1.5
SIGNED = "\n\nSigned-off-by: Ada <ada@example.org>\n"
CHANGE = {
    "requirements.txt": "numpy==2.0.0\ntorch==2.6.0\nrequests>=2\n",
    "src/new.py": "print('new')\n",
    ".github/workflows/ci.yml": "name: ci\non: push\njobs: {}\n",
    "model/config.json": '{"auto_map": {"AutoModel": "x.Y"}}\n',
    "README.md": "# Tiny\n",
}


def build(folder: Path, count: int) -> None:
    """Make a repository of `count` files in 100 folders, and one change on top."""
    folder.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "main", "."], cwd=folder, check=True)
    base = {f"data/{n % 100:02}/file{n}.txt": f"content {n}\n" for n in range(count)}
    stream = "".join(_commit(n, files) for n, files in enumerate((base, CHANGE)))
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=stream.encode(), check=True)
    subprocess.run(["git", "repack", "-adq"], cwd=folder, check=True)


def _commit(number: int, files: dict[str, str]) -> str:
    message = f"change {number}{SIGNED}"
    head = (
        f"commit refs/heads/main\ncommitter Ada <ada@example.org> {1_700_000_000 + number} +0000\n"
        f"data {len(message.encode())}\n{message}\n"
    )
    body = "".join(
        f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n"
        for path, text in files.items()
    )
    return head + body


def main() -> None:
    """Print the medians and the ratio, once with a cold and once with a warm cache."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        command = [MODELWARDEN, "check", "--base", "main~1",
                   "--head", "main", "--format", "json", "--skip", "regression"]  # fmt: skip
        for size in SIZES:
            build(top / str(size), size)
        agree = {
            json.dumps(_without_ids(cpu_seconds(command, top / str(size), (1, 3))[1]))
            for size in SIZES
        }
        if len(agree) != 1:
            raise SystemExit("the two reports differ")
        failed = False
        for label, extra in (("no cache", ["--no-cache"]), ("warm cache", [])):
            work = {f"{size:,} files": (command + extra, top / str(size)) for size in SIZES}
            medians = interleaved(10, work, (1, 3))
            small, large = medians.values()
            print(f"{label}: " + ", ".join(f"{n} {s:.3f} CPU-s" for n, s in medians.items()))
            print(f"  ratio {large / small:.2f} (limit {LIMIT}); the same findings")
            failed |= large / small > LIMIT
    raise SystemExit(failed)


def _without_ids(report: str) -> object:
    """Everything both repositories must agree on: the findings of each check."""
    verdicts = json.loads(report)["verdicts"]
    return [(v["check"], v["outcome"], [f["rule"] for f in v["findings"]]) for v in verdicts]


if __name__ == "__main__":
    main()
