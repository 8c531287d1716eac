"""The licences of installed packages, by us and by pip-licenses, in one run.

    python -m benchmarks.packagelicenses --peer PYTHON [--environment FOLDER] [--runs 5]

PYTHON is that of an environment with pip-licenses, FOLDER a virtual environment (default: this
one). Both walk the same site-packages; times are CPU seconds, medians of runs in turn. Ours also
compares each licence text with the metadata, which it remembers by content: the first walk of an
environment is timed too. Fails where the walk is not ten times faster or a disagreement is new.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from packaging.utils import canonicalize_name

from benchmarks.timing import cpu_seconds, interleaved
from registry.licenses.distinfo import Claim, headers
from registry.licenses.expressions import LicenseError, leaves, same
from registry.licenses.facts import Fact, Library
from registry.licenses.metadata import claim, fields_of, named, narrow
from registry.licenses.names import CLASSIFIERS

LIMIT = 10.0
_PEER = """
import json, piplicenses, sys, time
asked = ["--python", sys.argv[1], "--format", "json", "--from", "all", "--with-system"]
args = piplicenses.create_parser().parse_args(asked)
start = time.process_time()
found = list(piplicenses.get_packages(args))
print(json.dumps([time.process_time() - start, [
    [p["name"], p["license_expression"], list(p["license_classifier"]), p["license"]]
    for p in found]]))
"""
# Read by a person, text and metadata side by side: who is right where the two differ.
READ = {
    "chardet": "ours: the field says LGPL-2.1-or-later, and no classifier can name 2.1",
    "grandalf": "ours: the field is 'GPLv2 | EPLv1', no expression; the classifier leaves out EPL",
    "huey": "ours: the metadata are silent, the text it ships is MIT",
    "pygit2": "both: GPL-2.0 with an exception that has no SPDX id; only a person can state it",
    "pyrage": "ours: the metadata are silent, the text it ships is MIT",
    "python-dateutil": "ours: 'Dual License', BSD and Apache, and nothing says whether and or or",
    "sigstore-models": "ours: the metadata are silent, the text it ships is MIT",
    "skops": "ours: the metadata are silent, the text it ships is MIT",
    "word2number": "both: the field holds the text, which is MIT",
}


def peer_walk(peer: str, python: str) -> tuple[float, dict[str, tuple[str, list[str], str]]]:
    """Return the CPU seconds of the peer's walk alone, and its fields of each package."""
    done = subprocess.run([peer, "-c", _PEER, python], capture_output=True, text=True, check=True)
    seconds, rows = json.loads(done.stdout)
    return seconds, {name: (said, kinds, field) for name, said, kinds, field in rows}


def our_walk(
    folder: Path, memory: Callable[[str, Callable[[], Claim]], Claim]
) -> tuple[float, dict[str, Fact]]:
    """Return the CPU seconds of our walk, and what it says of each package."""
    start = time.process_time()
    library = Library({}, (folder,), memory=memory)
    found = {name: library.fact(name, "") for name in library.installed}
    return time.process_time() - start, found


def fields_alone(folder: Path) -> float:
    """Return the CPU seconds of reading what metadata alone state, nothing remembered."""
    start = time.process_time()
    for path in sorted(folder.glob("*.dist-info/METADATA")):
        claim(fields_of(headers(path.read_bytes())))
    return time.process_time() - start


def stated(fields: tuple[str, list[str], str]) -> tuple[str, ...]:
    """Return the licences that the peer read, as expressions; what is none is left as it is."""
    expression, kinds, field = fields
    said = [expression] if expression and expression != "UNKNOWN" else []
    said = said or [_classified(kind) for kind in kinds] or [field]
    return tuple(_expression(text) for text in said)


def _classified(kind: str) -> str:
    full = next((c for c in CLASSIFIERS if c.endswith(f":: {kind}")), kind)
    return CLASSIFIERS.get(full, kind)


def _expression(text: str) -> str:
    try:
        return named(text)
    except LicenseError:
        return text[:60].replace("\n", " ")


def agrees(fact: Fact, peer: tuple[str, ...]) -> bool:
    """Whether the peer names what we do, or a part or a family of it."""
    said = fact.license
    if not said:
        return False
    try:
        return any(
            same(fact.license, one)
            or bool(narrow(fact.license, one))
            or fact.license in leaves(one)
            for one in peer
        )
    except LicenseError:
        return False


def disagreements(ours: dict[str, Fact], peer: dict[str, tuple[str, ...]]) -> list[str]:
    """Print each package on which the two differ; return those nobody has read yet."""
    new = []
    for name, fact in ours.items():
        if name not in peer or agrees(fact, peer[name]):
            continue
        said = fact.license or f"unclear, {fact.reason}"
        print(f"  {name}: we say {said}; pip-licenses {' and '.join(peer[name])}")
        print(f"    {READ.get(name, 'NOBODY HAS READ THIS YET')}")
        new += [name] if name not in READ else []
    return new


def main() -> None:
    """Time both, print what they disagree on."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peer", required=True, help="Python with pip-licenses.")
    parser.add_argument("--environment", type=Path, default=Path(sys.prefix))
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    python = str(asked.environment / "bin" / "python")
    (folder,) = sorted(asked.environment.glob("lib/python3*/site-packages"))
    kept: dict[str, Claim] = {}

    def memory(key: str, make: Callable[[], Claim]) -> Claim:
        if key not in kept:
            kept[key] = make()
        return kept[key]

    first, ours = our_walk(folder, memory)
    theirs: dict[str, tuple[str, list[str], str]] = {}
    took: dict[str, list[float]] = {"peer": [], "again": [], "fields": []}
    for _ in range(asked.runs):
        seconds, theirs = peer_walk(asked.peer, python)
        took["peer"].append(seconds)
        took["again"].append(our_walk(folder, memory)[0])
        took["fields"].append(fields_alone(folder))
    peer, again, fields = (statistics.median(took[key]) for key in ("peer", "again", "fields"))
    print(f"{len(ours)} packages; walks, in CPU seconds without the start of a process")
    print(f"  pip-licenses                               {peer:6.3f}")
    print(f"  ours, metadata alone, nothing remembered   {fields:6.3f}  {peer / fields:5.1f} x")
    print(f"  ours, every text compared, the first time  {first:6.3f}  {peer / first:5.1f} x")
    print(f"  ours, every text compared, from then on    {again:6.3f}  {peer / again:5.1f} x")
    whole(asked.peer, python, asked.environment, asked.runs)
    peers = {str(canonicalize_name(name)): stated(said) for name, said in theirs.items()}
    clear = sum(bool(fact.license) for fact in ours.values())
    print(f"{clear} of {len(ours)} of clear licence; the two differ on:")
    new = disagreements(ours, peers)
    broken = [f"{peer / again:.1f} x, not {LIMIT:.0f}"] if peer / again < LIMIT else []
    broken += [f"unread: {', '.join(new)}"] if new else []
    broken += ["the two walked different packages"] if set(peers) != set(ours) else []
    sys.exit("; ".join(broken) or 0)


def whole(peer: str, python: str, environment: Path, runs: int) -> None:
    """Print what the whole commands take: of pip-licenses, and of `watch licenses --installed`."""
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        env = ["env", f"XDG_CACHE_HOME={folder}", f"VIRTUAL_ENV={environment}"]
        command = str(Path(sys.executable).parent / "modelwarden")
        own = [*env, command, "watch", "licenses", "--installed", "--format", "json"]
        first = cpu_seconds(own, at)[0]
        peers = [*env, peer, "-m", "piplicenses", "--python", python, "--format", "json"]
        found = interleaved(runs, {"ours": (own, at), "peer": (peers, at)})
    print("whole commands, in CPU seconds")
    print(f"  pip-licenses                               {found['peer']:6.3f}")
    for when, taken in (("the first time", first), ("from then on", found["ours"])):
        rate = found["peer"] / taken
        print(f"  watch licenses --installed, {when:<14} {taken:6.3f}  {rate:5.1f} x")


if __name__ == "__main__":
    main()
