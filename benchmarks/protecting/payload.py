"""Seal or open a file into nowhere, for the cost without the kernel's new pages."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from security.seal import identities
from security.seal.reading import reading
from security.seal.sealing import open_opened, seal_opened


def main(word: str, source: Path, key: str) -> None:
    """Print CPU seconds. `key`: a recipient to seal to, or the file of an identity to open with."""
    target, start = os.open("/dev/null", os.O_WRONLY), time.process_time()
    with reading(source) as opened:
        if word == "seal":
            seal_opened(opened, target, [identities.recipient(key)])
        else:
            open_opened(source, opened, target, identities.read_identities(Path(key)))
    print(time.process_time() - start)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
