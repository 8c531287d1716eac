"""Building the database of advisories and matching a lock against it, with a naive matcher beside.

    python -m benchmarks.advisories DATA [--runs 5]

DATA is a folder with advisories/*.jsonl.gz, advisories/*.json and locks/**/uv.lock*. Times are CPU
seconds of this process, medians. The oracle reads the raw JSON and does what the OSV schema says,
with `packaging` alone; both must name the same (package, version, advisory).
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from registry.advisories import building, matching, sources
from registry.advisories.database import Database
from registry.manifests import Manifest, read

T = TypeVar("T")
Pair = tuple[str, str]  # package, version
Found = set[tuple[str, str, str]]  # package, version, id of an advisory


def timed(runs: int, work: Callable[[], T]) -> tuple[float, T]:
    """Return the median CPU seconds, and the last result."""
    taken = []
    for _ in range(runs):
        start = time.process_time()
        result = work()
        taken.append(time.process_time() - start)
    return statistics.median(taken), result


def parsed(text: str) -> Version | None:
    """Return the version or None."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def naive(advisories: Iterable[Any], pairs: Iterable[Pair]) -> Found:
    """Return what the OSV schema's own evaluation says, from raw documents."""
    by_name: dict[str, list[tuple[str, Any]]] = {}
    for advisory in advisories:
        if advisory.get("withdrawn") is None:
            for affected in advisory["affected"]:
                name = canonicalize_name(affected["package"]["name"])
                by_name.setdefault(name, []).append((advisory["id"], affected))
    return {
        (name, text, id_)
        for name, text in pairs
        for id_, affected in by_name.get(name, [])
        if _hit(affected, text)
    }


def _hit(affected: Any, text: str) -> bool:
    version = parsed(text)
    tried = [version] if version is not None else []
    if version is not None and version.local:
        tried.append(Version(version.public))
    for listed in affected.get("versions", []):
        if listed == text or parsed(listed) in tried:
            return True
    if version is None:  # it has no place in an order, but may be among all there are
        return any(r["events"] == [{"introduced": "0"}] and r["type"] == "ECOSYSTEM"
                   for r in affected.get("ranges", []))  # fmt: skip
    return any(_inside(r, v) for r in affected.get("ranges", []) for v in tried)


def _inside(range_: Any, version: Version) -> bool:
    if range_["type"] != "ECOSYSTEM":
        return False
    events = [(kind, text) for event in range_["events"] for kind, text in event.items()]
    known = [(kind, Version("0.dev0") if t == "0" else parsed(t)) for kind, t in events]
    if any(v is None for _, v in known):
        return False  # no order: neither is such a range counted by ours
    inside = False
    for kind, at in sorted(known, key=lambda pair: pair[1] or Version("0")):
        assert at is not None
        if kind == "introduced" and version >= at:
            inside = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            inside = False
    return inside


def ours(path: Path, pairs: Iterable[Pair]) -> Found:
    """Return what the database says, with each advisory's own id."""
    found: Found = set()
    with Database(path) as database:
        for name, version in pairs:
            for entry in database.entries(name):
                if matching.affects(entry, version):
                    found |= {(name, version, id_) for id_ in entry.ids}
    return found


def grouped(path: Path, found: Found) -> Found:
    """Return findings by the group of each id: one name of a group stands for all."""
    with Database(path) as database:
        return {
            (name, version, entry.group)
            for name, version, id_ in found
            for entry in database.entries(name)
            if id_ in entry.ids
        }


def locks(data: Path) -> list[tuple[str, bytes]]:
    """Return every uv.lock below a folder."""
    paths = sorted(p for p in (data / "locks").rglob("uv.lock*") if p.is_file())
    return [(str(p.relative_to(data)), gzip.decompress(p.read_bytes())
             if p.suffix == ".gz" else p.read_bytes()) for p in paths]  # fmt: skip


def raw(data: Path) -> list[Any]:
    """Return every advisory as parsed JSON."""
    found = []
    for path in sorted((data / "advisories").glob("*.jsonl.gz")):
        found += [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    return found + [json.loads(p.read_bytes()) for p in (data / "advisories").glob("*.json")]


def _gather(data: Path) -> building.Gathered:
    places = sorted((data / "advisories").glob("*.json*"))
    return building.gather(d for place in places for d in sources.documents(place))


def _pairs(manifest: Manifest) -> set[Pair]:
    return {(r.name, r.version) for r in manifest.requirements if r.version}


def main() -> None:
    """Build, match, compare, print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("data", type=Path)
    asked.add_argument("--runs", type=int, default=5)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "advisories.db"
        start = time.process_time()
        gathered = _gather(options.data)
        packages = building.build(path, gathered, building.about(gathered, "x", datetime.now(UTC)))
        print(f"build: {gathered.documents:,} documents, {len(gathered.advisories):,} kept on "
              f"{packages:,} packages, {time.process_time() - start:.2f} s, "
              f"{path.stat().st_size:,} bytes")  # fmt: skip
        opened, _ = timed(options.runs, lambda: Database(path).__exit__())
        print(f"open and verify: {opened:.4f} s")
        _locks(path, options)
        _agreement(path, options)


def _locks(path: Path, options: Any) -> None:
    for name, data in locks(options.data):
        parse, manifest = timed(options.runs, lambda data=data: read("uv-lock", data))  # type: ignore[misc]
        pairs = _pairs(manifest)
        match, found = timed(options.runs, lambda pairs=pairs: ours(path, pairs))  # type: ignore[misc]
        hits = len(grouped(path, found))
        print(f"{name}: {len(manifest.requirements)} packages, {hits} findings, "
              f"match (open included) {match:.4f} s, parse {parse:.3f} s")  # fmt: skip


def _agreement(path: Path, options: Any) -> None:
    everything = raw(options.data)
    pairs = {p for _, data in locks(options.data) for p in _pairs(read("uv-lock", data))}
    for advisory in everything:  # versions that are written of, and those beside them
        for affected in advisory["affected"]:
            name = canonicalize_name(affected["package"]["name"])
            texts = [t for r in affected.get("ranges", []) for e in r["events"] for t in e.values()
                     if r["type"] == "ECOSYSTEM"]  # fmt: skip
            pairs |= {(name, t) for t in (*texts, *affected.get("versions", [])[:5])}
            pairs |= {(name, f"{t}.0.1") for t in texts if parsed(t)}
    theirs, mine = naive(everything, pairs), ours(path, pairs)
    one, other = grouped(path, theirs), grouped(path, mine)
    print(f"agreement on {len(pairs):,} versions: {len(one & other):,} findings of both, "
          f"{len(one - other)} only naive, {len(other - one)} only ours")  # fmt: skip
    for line in sorted(one ^ other)[:10]:
        print("  ", *line)


if __name__ == "__main__":
    main()
