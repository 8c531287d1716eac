"""Real advisories: the same findings as a naive matcher over the raw documents."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from benchmarks.advisories import grouped, naive, ours
from registry.advisories import building
from registry.advisories.database import Database
from registry.advisories.matching import admits, specifiers
from registry.advisories.sources import Document, documents

DATA = Path(__file__).parents[4] / "shared/data/audit/advisories"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the audit data are not here")


def test_a_sample_agrees_with_the_schemas_own_evaluation(tmp_path: Path) -> None:
    lines = gzip.decompress((DATA / "osv-pypi.jsonl.gz").read_bytes()).splitlines()[::15]
    raw: list[Any] = [json.loads(line) for line in lines]
    gathered = building.gather(Document("x", line) for line in lines)
    assert not gathered.unreadable
    building.build(tmp_path / "a.db", gathered, building.about(gathered, "x", datetime.now(UTC)))
    pairs = set()
    for advisory in raw:
        for affected in advisory["affected"]:
            name = canonicalize_name(affected["package"]["name"])
            events = [t for r in affected.get("ranges", []) for e in r["events"]
                      for t in e.values() if r["type"] == "ECOSYSTEM"]  # fmt: skip
            pairs |= {(name, text) for text in (*events, *affected.get("versions", [])[:3])}
    found = grouped(tmp_path / "a.db", ours(tmp_path / "a.db", pairs))
    assert found == grouped(tmp_path / "a.db", naive(raw, pairs))
    assert len(found) > 500


def test_the_hijacked_release_of_lightning(tmp_path: Path) -> None:
    gathered = building.gather(documents(DATA / "MAL-2026-3201.json"))
    building.build(tmp_path / "a.db", gathered, building.about(gathered, "x", datetime.now(UTC)))
    pinned = {("lightning", f"2.6.{n}") for n in range(5)}
    assert {version for _, version, _ in ours(tmp_path / "a.db", pinned)} == {"2.6.2", "2.6.3"}
    with Database(tmp_path / "a.db") as opened:
        known = opened.entries("lightning")
    for text, expected in {">=2.6": 1, "": 1, "<2.6": 0, ">=2.6,!=2.6.2,!=2.6.3": 0}.items():
        range_ = specifiers(text)
        assert range_ is not None
        assert len(admits(range_, known)) == expected
        assert all(entry.malware for entry in known)


def test_an_old_copy_is_dated_by_its_last_change(tmp_path: Path) -> None:
    gathered = building.gather(documents(DATA / "old-copy.jsonl.gz"))
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert building.about(gathered, "x", now).date == "2024-10-10"
