"""Names that look like others: how many bad ones are found, how many honest ones are called bad.

Run: python -m benchmarks.names FOLDER (the folder that holds names/, locks/ and histories/)

- Known bad: names of packages that were malicious, those left out that are well known themselves.
- Honest: the well-known names of rank 5,001 to 15,000, each as if it were not on the list.
- Locks and histories: every name they ask for, as the check sees them.
- Commits: what the check would say of each commit's names with nothing at hand (nothing
  installed, no index asked), knowing only the manifests that the commit changes: at most this.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from bot.checks.dependencies import packagenames
from bot.finding import Level
from registry.documents import DocumentError
from registry.manifests import Manifest, command_kind, kind_of, read
from registry.manifests.difference import difference
from registry.manifests.lookalike import Likeness, likenesses, resembled
from registry.manifests.popular import is_popular, ranks

AFFIXED = 1000  # rank of the names that affixes are tried on
PREFIXES = ("python-", "python3-", "py-", "py", "lib", "new-", "async-", "aio", "my-", "the-")
SUFFIXES = (
    *("-python", "-py", "py", "-sdk", "sdk", "-dev", "dev", "-lib", "lib", "-api", "api"),
    *("-client", "-utils", "-tools", "-core", "2", "3", "-new", "-latest", "-official", "-test"),
)
HONEST = 5000  # rank from which well-known names stand for honest names


def listed(path: Path) -> list[str]:
    """Return the names of a list, canonical, each once."""
    names = gzip.decompress(path.read_bytes()).decode().split()
    return list(dict.fromkeys(canonicalize_name(name) for name in names))


def alarm(name: str) -> Likeness | None:
    """Return what would be said of a name if it were not on the list itself."""
    rank = ranks()
    return min(likenesses(name), key=lambda f: (not f.sure, rank[f.other]), default=None)


def asked(files: Iterable[tuple[str, bytes]]) -> set[str]:
    """Return the names that manifests ask for; what cannot be read asks for none."""
    found = set[str]()
    for path, data in files:
        kind = kind_of(path) or command_kind(path)
        try:
            found |= {r.name for r in read(kind, data).requirements if r.name} if kind else set()
        except DocumentError:
            continue
    return found


def locks(folder: Path) -> dict[str, set[str]]:
    """Return the names by project."""
    found: dict[str, set[str]] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "index.json"):
        data = path.read_bytes()
        name = path.name.removesuffix(".gz")
        if path.suffix == ".gz":
            data = gzip.decompress(data)
        for stem in ("uv.lock", "pyproject.toml", "setup.py"):
            name = stem if name.startswith(stem) else name
        name = "requirements.txt" if kind_of(name) is None and "requirements" in name else name
        project = path.relative_to(folder).parts[0]
        found.setdefault(project, set()).update(asked([(name, data)]))
    return found


def history(path: Path) -> set[str]:
    """Return every name that any version of any file asks for."""
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    sides = ((row["path"], row[side]) for row in rows for side in ("before", "after"))
    return asked((path, text.encode()) for path, text in sides if text)


def affixed(names: Iterable[str]) -> int:
    """Return how many names are a well-known one with something before or behind it.

    The check does not look for this: it is measured to show why.
    """
    rank, found = ranks(), 0
    for name in names:
        cores = [name.removeprefix(p) for p in PREFIXES] + [name.removesuffix(s) for s in SUFFIXES]
        found += any(c != name and rank.get(c, AFFIXED) < AFFIXED for c in cores)
    return found


def warned(path: Path) -> str:
    """Say how many commits of a history would get a warning or a failure on a name."""
    commits: dict[str, list[dict[str, Any]]] = {}
    for line in gzip.decompress(path.read_bytes()).splitlines():
        row = json.loads(line)
        commits.setdefault(row["commit"], []).append(row)
    told, rules = 0, Counter[str]()
    for rows in commits.values():
        before, after = (list(_read(rows, side)) for side in ("before", "after"))
        known = frozenset(r.name for _, m in before for r in m.requirements)
        found = list(packagenames.judge(difference(before, after), packagenames.Names(known)))
        loud = [f for f in found if f.severity is not Level.NOTE]
        told += bool(loud)
        rules.update(f"{f.rule.partition('/')[2]} {f.severity}" for f in loud)
    each = ", ".join(f"{count} {rule}" for rule, count in rules.most_common())
    return f"{told} of {len(commits)} commits with a warning on a name{': ' + each if each else ''}"


def _read(rows: list[dict[str, Any]], side: str) -> Iterator[tuple[str, Manifest]]:
    for row in rows:
        kind = kind_of(row["path"]) or command_kind(row["path"])
        try:
            if kind and row[side]:
                yield row["path"], read(kind, row[side].encode())
        except DocumentError:
            continue


def share(found: list[Likeness | None]) -> str:
    """Say how many of these are called look-alikes, and how many of them fail the check."""
    said = [f for f in found if f is not None]
    sure = sum(f.sure for f in said)
    total = len(found) or 1
    return (
        f"{len(said):,} of {len(found):,} ({100 * len(said) / total:.2f} %), "
        f"{sure:,} of them failures ({100 * sure / total:.2f} %)"
    )


def main(folder: Path) -> None:
    """Print the shares, the slips behind them, and the time of a name."""
    started = time.process_time()
    is_popular("")
    listing = time.process_time() - started
    resembled("some-name")
    index = time.process_time() - started - listing
    popular = listed(folder / "names/popular-pypi.txt.gz")
    bad = [n for n in listed(folder / "names/malicious-half.txt.gz") if not is_popular(n)]
    started = time.process_time()
    caught = [resembled(name) for name in bad]
    each = (time.process_time() - started) / len(bad)
    print(f"known bad names: {share(caught)}")
    honest = [alarm(name) for name in popular[HONEST:]]
    print(f"honest names: {share(honest)}")
    for slip, count in Counter(c.slip for c in caught if c).most_common():
        print(f"  {slip}: {count} bad, {sum(h.slip == slip for h in honest if h)} honest")
    print(f"affixes alone: {affixed(bad)} bad, {affixed(popular[HONEST:])} honest")
    sets = {f"lock {name}": names for name, names in locks(folder / "locks").items()}
    for path in sorted((folder / "histories").glob("*.jsonl.gz")):
        sets[f"history {path.name.partition('.')[0]}"] = history(path)
        print(f"history {path.name.partition('.')[0]}: {warned(path)}")
    for name, names in sets.items():
        said = [f"{n} like {found.other}" for n in sorted(names) if (found := resembled(n))]
        unknown = sum(not is_popular(n) for n in names)
        print(
            f"{name}: {len(said)} of {len(names)} names look like others"
            f"{': ' + ', '.join(said) if said else ''}; {unknown} are not well known"
        )
    print(
        f"{1000 * each:.3f} CPU ms a name; list {1000 * listing:.1f} ms, index {1000 * index:.1f}"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
