"""Scans as these commands run and show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.errors import UsageError
from bot.progress import Bar
from bot.quoting import plain
from bot.wording import plural
from security.errors import Untrusted
from security.scan.engine import scan_file, scan_tree
from security.scan.rules import RULES
from security.scan.source import of_descriptor
from security.scan.values import Judgement, Scanned
from security.seal.reading import reading

SHOWN = 50  # threats on a terminal


def scan(root: Path, jobs: int = 0) -> tuple[Scanned, ...]:
    """Scan a file, or every file of a folder."""
    if not root.is_dir():
        with reading(root) as file:
            return (scan_file(of_descriptor(root.name, file.fd)),)
    with Bar("Scanning") as bar:
        done: list[Scanned] = []
        for scanned in scan_tree(root, jobs=jobs):
            done.append(scanned)
            bar(len(done), len(done))
    if not done:
        raise UsageError(f"{root}: no file in it to scan", "name the folder of a model")
    return tuple(done)


def refuse(root: Path, found: Iterable[Scanned]) -> None:
    """Raise Untrusted where a file is flagged or undecided, naming the first of them."""
    bad = [s for s in found if s.threats]
    if bad:
        first = bad[0].threats[0]
        more = f" (and {len(bad) - 1} more files)" if len(bad) > 1 else ""
        message = f"{root}: {plain(first.place)} {plain(first.what)}{more}"
        raise Untrusted(message, RULES[first.rule].remedy)


def outcome(found: Iterable[Scanned]) -> str:
    """Return "fail", "undecided" or "pass"."""
    judged = {s.judgement for s in found}
    if Judgement.FLAG in judged:
        return "fail"
    return "undecided" if Judgement.UNDECIDED in judged else "pass"


def predicate(found: tuple[Scanned, ...]) -> Mapping[str, Any]:
    """Return what an attestation says of a scan."""
    from modelwarden import __version__

    return {
        "scanner": {"name": "modelwarden", "version": __version__},
        "outcome": outcome(found),
        "files": len(found),
        "bytes": sum(s.size for s in found),
        "skipped": sum(s.judgement is Judgement.SKIP for s in found),
    }


def document(found: tuple[Scanned, ...]) -> Mapping[str, Any]:
    """Return a scan as JSON has it; files without findings are only counted."""
    threats = [
        {
            "rule": t.rule,
            "place": t.place,
            "offset": t.offset,
            "what": t.what,
            "certain": t.certain,
            "remedy": RULES[t.rule].remedy,
        }
        for s in found
        for t in s.threats
    ]
    return {**predicate(found), "threats": threats}


def lines(found: tuple[Scanned, ...]) -> Iterator[str]:
    """Say what a scan found, for people."""
    threats = [t for s in found for t in s.threats]
    for threat in threats[:SHOWN]:
        at = f" (byte {threat.offset:,})" if threat.offset >= 0 else ""
        word = "danger" if threat.certain else "undecided"
        yield f"{word}: {plain(threat.place)}{at}: {plain(threat.what)}"
        yield f"  {RULES[threat.rule].remedy}"
    if len(threats) > SHOWN:
        yield f"... and {len(threats) - SHOWN} more"
    total = sum(s.size for s in found)
    yield f"scan: {outcome(found)} ({plural(len(found), 'file')}, {total:,} bytes)"
