"""Large files of a size are hashed side by side, and are what they were when it began."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from registry.errors import CorruptWeights
from registry.release import lockstep
from registry.release.staging import Placed, measure
from registry.tensorstore import naming
from security import hashing
from security.errors import Unreadable
from security.hashing import reading, working
from security.hashing.walk import File

pytestmark = pytest.mark.skipif(naming.SIDE is naming.PLAIN, reason="not built here")


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockstep, "LARGE", 1_000)
    monkeypatch.setattr(lockstep, "PIECE", 1_024)


def write(root: Path, *sizes: int) -> dict[str, bytes]:
    """Write files of these sizes in two folders; return what they are."""
    found: dict[str, bytes] = {}
    for number, size in enumerate(sizes):
        name = f"{'a' if number % 2 else 'b'}/{number}.bin"
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        found[name] = os.urandom(size)
        (root / name).write_bytes(found[name])
    return found


def hashed(root: Path, data: dict[str, bytes], jobs: int = 0) -> dict[str, str]:
    with lockstep.running(root, lockstep.worth(root, data), jobs=jobs) as found:
        return found()


@pytest.mark.parametrize(
    "sizes",
    [
        (5_000, 5_000, 5_000),
        (4_096, 4_097, 4_095, 5_121, 6_143),
        tuple(3_000 + 17 * number for number in range(8)),
        tuple(3_000 + 63 * number for number in range(9)),
        tuple(2_000 + 40 * number for number in range(41)),
    ],
)
@pytest.mark.parametrize("jobs", [0, 1, 16])
def test_any_number_of_files(tmp_path: Path, sizes: tuple[int, ...], jobs: int) -> None:
    data = write(tmp_path, *sizes)
    assert hashed(tmp_path, data, jobs) == {name: md5(one) for name, one in data.items()}


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [
        ((), 0),
        ((5_000, 5_000), 0),  # too few
        ((999, 999, 999, 999), 0),  # too small
        ((9_000, 9_000, 4_499), 0),
        ((9_000, 9_000, 4_500), 3),
        ((9_000, 9_000, 9_000, 1_000, 0), 3),
    ],
)
def test_which_are_worth_it(tmp_path: Path, sizes: tuple[int, ...], chosen: int) -> None:
    assert len(lockstep.worth(tmp_path, write(tmp_path, *sizes))) == chosen


def test_what_memory_does_not_hold_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write(tmp_path, 5_000, 5_000, 5_000)
    memory = {"SC_PAGE_SIZE": 100, "SC_PHYS_PAGES": 300}
    monkeypatch.setattr(os, "sysconf", memory.__getitem__)
    assert len(lockstep.worth(tmp_path, data)) == 3
    memory["SC_PHYS_PAGES"] = 299
    assert lockstep.worth(tmp_path, data) == {}


def test_without_the_extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write(tmp_path, 5_000, 5_000, 5_000)
    monkeypatch.setattr(naming, "SIDE", naming.PLAIN)
    assert lockstep.worth(tmp_path, data) == {}


def test_a_file_that_changes_before_or_after(tmp_path: Path) -> None:
    data = write(tmp_path, 5_000, 5_000, 5_000)
    chosen = lockstep.worth(tmp_path, data)
    lockstep.still(tmp_path, chosen.values())
    (tmp_path / "a/1.bin").write_bytes(os.urandom(5_001))
    with pytest.raises(Unreadable, match=r"a/1\.bin changed"):
        lockstep.still(tmp_path, chosen.values())
    with lockstep.running(tmp_path, chosen) as found, pytest.raises(Unreadable, match=r"a/1\.bin"):
        found()


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    data = write(tmp_path, 5_000, 5_000, 5_000)
    chosen = lockstep.worth(tmp_path, data)
    (tmp_path / "a/1.bin").unlink()
    with pytest.raises(Unreadable, match=r"a/1\.bin"):
        lockstep.still(tmp_path, chosen.values())
    with lockstep.running(tmp_path, chosen) as found, pytest.raises(Unreadable, match=r"a/1\.bin"):
        found()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    data = write(tmp_path, 5_000, 5_000, 5_000)
    chosen = lockstep.worth(tmp_path, data)
    (tmp_path / "a/1.bin").rename(tmp_path / "other")
    (tmp_path / "a/1.bin").symlink_to(tmp_path / "other")
    with lockstep.running(tmp_path, chosen) as found, pytest.raises(Unreadable, match=r"a/1\.bin"):
        found()


def test_leaving_early_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write(tmp_path, 5_000, 5_000, 5_000)
    read = [0]

    def endless(*given: object) -> Iterator[memoryview]:
        while read[0] < 10_000_000:
            read[0] += 1
            yield memoryview(b"x")

    monkeypatch.setattr(lockstep, "pieces", endless)
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    with (
        pytest.raises(KeyError),
        lockstep.running(tmp_path, lockstep.worth(tmp_path, data)),
    ):
        raise KeyError
    assert read[0] < 10_000_000
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before


def test_a_manifest_of_large_files(tmp_path: Path) -> None:
    root, known = tmp_path / "model", tmp_path / "known.json"
    data = write(root, 5_000, 5_000, 5_000, 100)
    placed = tuple(Placed(name, md5(one)) for name, one in data.items())
    for _ in range(2):  # the second time SHA-256 is known
        found = measure(root, placed, known)
        assert {entry.path: entry.digest for entry in found.entries} == {
            name: hashlib.sha256(one).hexdigest() for name, one in data.items()
        }
    wrong = (*placed[:2], Placed(placed[2].path, "0" * 32), placed[3])
    with pytest.raises(CorruptWeights, match=placed[2].path):
        measure(root, wrong, known)


def test_other_bytes_for_either_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever shows the true bytes to md5 and others to SHA-256 is found by the file's times."""
    root = tmp_path / "model"
    data = write(root, 5_000, 5_000, 5_000)
    placed = tuple(Placed(name, md5(one)) for name, one in data.items())
    real = hashing.measure

    def later(*given: Any, **more: Any) -> object:
        found = real(*given, **more)
        path = root / "a/1.bin"
        times = path.stat()
        path.write_bytes(data["a/1.bin"])
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        return found

    monkeypatch.setattr(hashing, "measure", later)
    with pytest.raises(Unreadable, match=r"a/1\.bin changed"):
        measure(root, placed, tmp_path / "known.json")


def test_small_files_are_still_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "model"
    data = write(root, 5_000, 5_000, 5_000, 700, 600)
    placed = tuple(Placed(name, md5(one)) for name, one in data.items())
    read: dict[str, int] = {}
    real = reading.pieces

    def pieces(fd: int, file: File, room: memoryview) -> Iterator[memoryview]:
        read[file.path] = read.get(file.path, 0) + 1
        return real(fd, file, room)

    monkeypatch.setattr(working, "pieces", pieces)
    monkeypatch.setattr(lockstep, "pieces", pieces)
    measure(root, placed, tmp_path / "known.json")
    assert sorted(read.values()) == [1, 1, 2, 2, 2]
