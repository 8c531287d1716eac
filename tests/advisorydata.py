"""OSV documents made of literals, and small databases of them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from registry.advisories import building
from registry.advisories.sources import Document


def osv(
    id_: str,
    name: str = "hijacked",
    versions: tuple[str, ...] = (),
    events: tuple[tuple[str, str], ...] = (),
    **more: Any,
) -> dict[str, Any]:
    """One OSV document on one PyPI package."""
    affected: dict[str, Any] = {"package": {"ecosystem": "PyPI", "name": name}}
    if versions:
        affected["versions"] = list(versions)
    if events:
        affected["ranges"] = [{"type": "ECOSYSTEM", "events": [{k: v} for k, v in events]}]
    return {"id": id_, "modified": "2026-01-01T00:00:00Z", "affected": [affected], **more}


SMALL = (
    osv("MAL-2026-1", "hijacked", ("2.6.2", "2.6.3"), summary="Malicious code in hijacked"),
    osv("GHSA-aaaa-bbbb-cccc", "leaky", events=(("introduced", "0"), ("fixed", "1.5")),
        aliases=["CVE-2026-1"], database_specific={"severity": "HIGH"}),
    osv("PYSEC-2026-1", "leaky", events=(("introduced", "0"), ("fixed", "1.5")),
        aliases=["CVE-2026-1"]),
    osv("GHSA-dddd-eeee-ffff", "leaky", events=(("introduced", "1.2"), ("fixed", "1.6")),
        database_specific={"severity": "MODERATE"}),
)  # fmt: skip


def database(path: Path, documents: tuple[Any, ...] = SMALL, dated: date | None = None) -> Path:
    """Build a database of these documents, of today or of another day."""
    gathered = building.gather(
        Document(f"{number}.json", json.dumps(document).encode())
        for number, document in enumerate(documents)
    )
    assert not gathered.unreadable, gathered.troubles
    said = building.about(gathered, "literals", datetime.now(UTC), dated=dated)
    building.build(path, gathered, said)
    return path
