"""Writes tests/vectors/pickle anew: `python -m tests.security.scan.make_vectors`."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from security.scan.dryrun import Booth
from security.scan.engine import scan_file
from security.scan.source import of_bytes
from tests.security.scan import harmless, hostile

FOLDER = Path(__file__).parents[2] / "vectors/pickle"
LIMIT = 4_000  # bytes of one vector


def told(name: str, data: bytes, booth: Booth) -> dict[str, object]:
    """Return a vector and what is found in it."""
    found = scan_file(of_bytes(name, data), booth=booth)
    threats = [[t.rule, t.place, t.offset, t.what, t.certain] for t in found.threats]
    coded = base64.b64encode(data).decode()
    return {"data": coded, "judgement": str(found.judgement), "threats": threats}


def main() -> None:
    """Write both files."""
    command = "touch canary"
    bad = hostile.streams(command) | hostile.containers(command) | hostile.escapes()
    with Booth() as booth:
        for name, files in (("bad", bad), ("good", harmless.corpus())):
            made = {k: told(k, v, booth) for k, v in files.items() if len(v) <= LIMIT}
            text = json.dumps(made, indent=1, sort_keys=True, ensure_ascii=True)
            (FOLDER / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
