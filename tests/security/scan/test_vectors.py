from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from security.scan.dryrun import Booth
from security.scan.engine import scan_file
from security.scan.source import of_bytes
from security.scan.values import Judgement

FOLDER = Path(__file__).parents[2] / "vectors/pickle"
BAD: dict[str, Any] = json.loads((FOLDER / "bad.json").read_text())
GOOD: dict[str, Any] = json.loads((FOLDER / "good.json").read_text())


@pytest.mark.parametrize("name", [*BAD, *GOOD])
def test_vectors(name: str, booth: Booth) -> None:
    vector = {**BAD, **GOOD}[name]
    found = scan_file(of_bytes(name, base64.b64decode(vector["data"])), booth=booth)
    threats = [[t.rule, t.place, t.offset, t.what, t.certain] for t in found.threats]
    # What a parser says of a break is its own, and its version's.
    assert [_stable(threat) for threat in threats] == [_stable(t) for t in vector["threats"]]
    assert str(found.judgement) == vector["judgement"]


def _stable(threat: list[Any]) -> list[Any]:
    return [*threat[:3], *("broken" if "broken" in threat[0] else threat[3]).split(": ")[:1]]


def test_most_must_not_pass() -> None:
    passed = {Judgement.CLEAN, Judgement.SKIP}
    assert not {name for name, vector in BAD.items() if vector["judgement"] in passed}
    assert all(vector["judgement"] in passed for vector in GOOD.values())
    assert len(BAD) > 2 * len(GOOD)
