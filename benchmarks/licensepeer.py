"""Licence texts: the same files through ours and through scancode-toolkit, one after the other."""

from __future__ import annotations

import json
import random
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

from registry.licenses.matching import match

Change = Callable[[str, random.Random], str]
Labelled = tuple[str, str]  # text, id it should have
BAR = 20  # times
_SECONDS = 3_000
# Runs in the other environment: reads a list of texts, writes seconds and what was found.
_PEER = """
import json, sys, time
texts = json.load(open(sys.argv[1]))
a = time.process_time()
from licensedcode.cache import get_index
index = get_index()
index.match(query_string="MIT License")
load, found = time.process_time() - a, []
for text in texts:
    a = time.process_time()
    matches = index.match(query_string=text)
    said = [m.rule.license_expression for m in matches]
    found.append((time.process_time() - a, said))
from licensedcode.cache import get_licenses_db
spdx = {k: v.spdx_license_key or k for k, v in get_licenses_db().items()}
json.dump({"load": load, "found": found, "spdx": spdx}, open(sys.argv[2], "w"))
"""


def compare(python: Path, texts: Iterable[Labelled], load: float) -> bool:
    """Print both times a file, and how often each names the id; return whether the bar holds.

    `python` has scancode-toolkit; `load` are CPU seconds until our index is ready.
    """
    labelled = list(texts)
    ours = []
    for text, _ in labelled:
        started = time.process_time()
        ids = {id for one in match(text) for id in one.ids}
        ours.append((time.process_time() - started, ids))
    with tempfile.TemporaryDirectory() as folder:
        given, told = Path(folder, "texts.json"), Path(folder, "found.json")
        given.write_text(json.dumps([text for text, _ in labelled]))
        subprocess.run([python, "-c", _PEER, given, told], check=True, timeout=_SECONDS)
        answer = json.loads(told.read_text())
    spdx = answer["spdx"]
    theirs = [
        (seconds, {spdx.get(key, key) for one in said for key in _keys(one)})
        for seconds, said in answer["found"]
    ]
    print(f"\n{len(labelled)} files          ready, s   ms a file: mean   p50    p95   right id %")
    for name, ready, got in (("ours", load, ours), ("scancode", answer["load"], theirs)):
        times = sorted(1000 * seconds for seconds, _ in got)
        mean, count = sum(times) / len(times), len(times)
        right = [id in ids for (_, id), (_, ids) in zip(labelled, got, strict=True) if id]
        share = 100 * sum(right) / len(right)
        p50, p95 = times[count // 2], times[int(count * 0.95)]
        print(f"  {name:16} {ready:14.2f} {mean:17.1f} {p50:6.1f} {p95:6.1f} {share:11.1f}")
    agree = sum(bool(a & b) or a == b for (_, a), (_, b) in zip(ours, theirs, strict=True))
    each = sorted(t / o for (t, _), (o, _) in zip(theirs, ours, strict=True))
    whole: float = sum(s for s, _ in theirs) / sum(s for s, _ in ours)
    print(f"  both name a common id, or none: {100 * agree / len(labelled):.1f} % of the files")
    for name, ratio in (("of the means", whole), ("of a file, median", each[len(each) // 2])):
        verdict = "holds" if ratio >= BAR else "FAILS"
        print(f"{verdict:6} {name}, scancode / ours >= {BAR}: {ratio:.1f}")
    return whole >= BAR


def _keys(expression: str) -> list[str]:
    words = expression.replace("(", " ").replace(")", " ").split()
    return [word for word in words if word not in ("AND", "OR", "WITH")]


def changed(texts: Iterable[Labelled], changes: dict[str, Change]) -> list[Labelled]:
    """Return each text in one of the changes, in turn."""
    names = list(changes)
    return [
        (changes[names[i % len(names)]](text, random.Random(zlib.crc32(text.encode()))), id)
        for i, (text, id) in enumerate(texts)
    ]
