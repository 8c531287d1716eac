"""What the tests of sealed files share: keys, files of many sizes, and children that are killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from security.seal import x25519

ROOT = Path(__file__).parents[3]
ALICE, BOB, EVE = (x25519.generate() for _ in range(3))
CHUNK = 65_536


def everything(folder: Path) -> bytes:
    """Return the bytes of all files below a folder, temporary ones included."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def child(code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, which may be killed."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def marked(size: int, mark: bytes = b"the plaintext 0123456789 ") -> bytes:
    """Return bytes that show wherever a part of them is left behind."""
    return (mark * (size // len(mark) + 1))[:size]
