"""Coverage-guided fuzzing of one reader: `python tests/fuzz/readers.py gguf [folder of samples]`.

Needs the package atheris, which no test does. Only Malformed may come out of a reader.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[2]))
with atheris.instrument_imports(include=["security"]):
    from security.errors import Malformed
    from security.scan.source import of_bytes
    from tests.security.scan.recorder import Recorder

    NAME = sys.argv.pop(1)
    READ = import_module(f"security.scan.{NAME}").read
FILES = {"jsonfiles": "config.json", "jinja": "t.jinja"}


def one(data: bytes) -> None:
    """Give one input to the reader."""
    try:
        READ(of_bytes(FILES.get(NAME, NAME), data), Recorder())
    except Malformed:
        return


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
