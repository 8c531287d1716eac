"""Deployment pointers: a small file for each alias, for whoever deploys."""

from __future__ import annotations

import json
from collections.abc import Mapping

from registry.release.ledger import ALIASES, Issued, Ledger

LIMIT = 10_000  # bytes


def path(artifact: str, alias: str) -> str:
    """Return where a pointer lies beside the log."""
    return f"deploy/{artifact}/{alias}.json"


def pointers(before: Ledger, after: Ledger) -> Mapping[str, bytes | None]:
    """Return the pointers that moved between two states, None for one that points at nothing."""
    old, new = _places(before), _places(after)
    moved = {key for key in old.keys() | new.keys() if old.get(key, "") != new.get(key, "")}
    issued = {(one.artifact, one.version): one for one in after.issued}
    files: dict[str, bytes | None] = {}
    for artifact, alias in sorted(moved):
        version = new.get((artifact, alias), "")
        files[path(artifact, alias)] = dump(issued[artifact, version], alias) if version else None
    return files


def _places(ledger: Ledger) -> dict[tuple[str, str], str]:
    return {(one.artifact, one.alias): one.version for one in ledger.aliases}


def dump(issued: Issued, alias: str) -> bytes:
    """Return a pointer: which version, and everything about it by digest."""
    assert alias in ALIASES
    said = {
        "format": 1, "artifact": issued.artifact, "alias": alias, "version": issued.version,
        "root": issued.root, "commit": issued.commit, "tag": issued.tag,
        "document": issued.document,
    }  # fmt: skip
    return json.dumps(said, indent=1, sort_keys=True).encode() + b"\n"
