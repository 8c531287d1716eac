"""Make `texts.json` from the SPDX licence list (CC0-1.0).

Usage: python -m registry.licenses.build_texts LIST, where LIST is a JSON object, gzipped or
not, of id -> {"name": ..., "text": ...}.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from pathlib import Path
from typing import Any

from registry.licenses.texts import FINGERPRINTS, fingerprint, squeeze

# From these lines on a text tells how to apply it; many files leave that part out.
APPENDIX = re.compile(
    r"^\s*(?:how to apply these terms|appendix: how to apply|end of terms and conditions"
    r"|exhibit [ab]\b)",
    re.IGNORECASE | re.MULTILINE,
)
AFTER_TERMS = re.compile(r"(?<=END OF TERMS AND CONDITIONS)")
# The notice that the Apache licence asks for, which many files hold in its place.
NOTICE = re.compile(r"^\s*Licensed under the Apache License", re.MULTILINE)
OTHER_TITLES = (
    "The MIT License (MIT)",
    "MIT License (MIT)",
    "The MIT License",
    "MIT",
    "License",
    "Copyright and license",
    "The BSD License",
    "BSD License",
    "New BSD License",
    "BSD 2-Clause License",
    "BSD 3-Clause License",
    "The BSD 3-Clause License",
    "Revised BSD License",
    "Modified BSD License",
    "ISC License (ISC)",
    "The ISC License",
    "zlib License",
    "The Unlicense",
)


def build(licences: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the fingerprints of every text, each with the ids that share it, and the titles."""
    current = {id: entry for id, entry in licences.items() if not _superseded(id, licences)}
    names = {squeeze(entry["name"]) for entry in current.values()} | {
        squeeze(t) for t in OTHER_TITLES
    }
    titles = frozenset(names | {squeeze(id) for id in current})
    found: dict[str, list[str]] = {}
    for id, entry in sorted(current.items(), key=_plain_first):
        for text in _variants(id, entry["text"]):
            ids = found.setdefault(fingerprint(text, titles), [])
            if id not in ids:
                ids.append(id)
    return {"fingerprints": dict(sorted(found.items())), "titles": sorted(titles)}


def _superseded(id: str, licences: dict[str, dict[str, Any]]) -> bool:
    # GPL-3.0 and GPL-3.0+ are old spellings of GPL-3.0-only and GPL-3.0-or-later.
    return f"{id.removesuffix('+')}-only" in licences


def _plain_first(item: tuple[str, dict[str, Any]]) -> tuple[bool, int, str]:
    return not item[0].endswith("-only"), len(item[0]), item[0]


def _variants(id: str, text: str) -> list[str]:
    cuts = [m.start() for p in (APPENDIX, AFTER_TERMS) for m in p.finditer(text)]
    shorter = [text[:cut] for cut in cuts if cut > len(text) // 2]
    notices = NOTICE.finditer(text) if id == "Apache-2.0" else ()
    return [text, *shorter, *(text[m.start() :] for m in notices)]


def main(path: Path) -> None:
    """Write the fingerprints of this licence list beside this file."""
    data = path.read_bytes()
    licences = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    FINGERPRINTS.write_text(json.dumps(build(licences), indent=0) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
