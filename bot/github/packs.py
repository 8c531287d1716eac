"""A mirror's folder on disk: its packs, its size, and its end."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

from bot import git

MAX_PACKS = 60  # small packs: each fetch makes one, and reading asks them all
SMALL = 16 << 20  # bytes


def packs(place: Path) -> set[Path]:
    """Return the files of all packs, half ones too."""
    return set((place / "objects" / "pack").glob("*"))


def join(place: Path) -> None:
    """Make one pack of many small ones. Readers that miss the old ones find it by themselves."""
    small = [p for p in packs(place) if p.suffix == ".pack" and p.stat().st_size < SMALL]
    if len(small) <= MAX_PACKS:
        return
    asked = "".join(f"{path.name}\n" for path in small).encode()
    words = ("pack-objects", "--quiet", "--stdin-packs", "objects/pack/tmp_join")
    status, output, _ = git.run(place, *words, asked=asked)
    made = place / "objects" / "pack" / f"tmp_join-{output.decode('ascii', 'replace').strip()}.pack"
    if status or not made.is_file():
        return  # it stays slow
    target = made.with_name(made.name.replace("tmp_join-", "pack-"))
    if target in small:
        return
    target.with_suffix(".promisor").touch()  # what its objects name may be absent
    made.rename(target)
    made.with_suffix(".idx").rename(target.with_suffix(".idx"))  # by it a pack is found
    for path in small:
        for suffix in (".idx", ".rev", ".promisor", ".pack"):
            path.with_suffix(suffix).unlink(missing_ok=True)


def discard(place: Path) -> None:
    """Remove a folder; under another name first, so that no half of it is ever taken for one."""
    if not place.exists():
        return
    trash = place.with_name(f".{place.name}.{os.getpid()}.{time.monotonic_ns()}")
    place.rename(trash)
    shutil.rmtree(trash, ignore_errors=True)


def size_of(place: Path) -> int:
    """Return the bytes that a folder takes on disk; what vanishes meanwhile counts nothing."""
    total = 0
    for folder, _, files in os.walk(place):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512  # noqa: PTH118
    return total
