"""Scanning pickles, and how long it takes before anything begins."""

from __future__ import annotations

import json
import pickle
import sys

from benchmarks.protecting.setting import OURS, Command, Setting, medians, pinned, ratio, run

ITEMS = 700_000
IMPORT = (
    "import time; start = time.perf_counter(); import security.verify, security.sign.keys, "
    "security.seal.sealing; print(time.perf_counter() - start)"
)


def opcodes(setting: Setting) -> list[str]:
    """A harmless pickle of 26 MB that is opcodes for the most part."""
    folder = setting.top / "pickles"
    folder.mkdir()
    path = folder / "state.pkl"
    path.write_bytes(pickle.dumps([{"a": n, "b": (n, str(n))} for n in range(ITEMS)], protocol=2))
    ours: Command = [OURS, "verify", folder, "--scan-only", "--format", "json"]
    theirs: Command = [setting.peers / "bin/picklescan", "--path", folder]
    said = json.loads(run(ours))
    if said["outcome"] != "pass" or "Infected files: 0" not in run(theirs):
        raise SystemExit("the harmless pickle is flagged")
    took = medians(setting.runs, {"ours": pinned(ours), "picklescan": pinned(theirs)})
    size = path.stat().st_size / 1e6
    for name, seconds in took.items():
        print(f"  {name}: {seconds:.2f} CPU-s, {size / seconds:.1f} MB/CPU-s")
    return ratio(f"scan of {size:.0f} MB", took["ours"], took["picklescan"], 15.0)


def start(setting: Setting) -> list[str]:
    """Seconds to import what signs, verifies and seals."""
    taken = sorted(float(run([sys.executable, "-c", IMPORT])) for _ in range(max(5, setting.runs)))
    middle = taken[len(taken) // 2]
    print(f"  import: {middle:.3f} s (limit 0.15)")
    return [] if middle <= 0.15 else [f"import takes {middle:.3f} s"]
