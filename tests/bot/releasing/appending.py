"""A process that writes versions to the ledger of a clone, each until it is there.

appending.py FOLDER HOLDER COMMIT VERSION...
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from registry.errors import Lost
from tests.bot.releasing.clones import book, claim, release


def main(folder: str, holder: str, commit: str, *versions: str) -> None:
    at = book(Path(folder))
    (Path(folder) / "pid").write_text(str(os.getpid()))
    for version in versions:
        while all(one.version != version for one in at.ledger().issued):
            mine = [one for one in at.ledger().claims if one.version == version]
            try:
                if not mine:
                    claim(at, version, commit, holder)
                release(at, version, commit, holder)
            except Lost as error:
                print(f"lost: {error.message}", flush=True)
        print(f"done: {version}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
