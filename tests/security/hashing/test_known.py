"""Digests of an earlier run: believed for what did not change, for nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from security.errors import WriteFailed
from security.hashing import Known, measure
from security.hashing.known import COARSE, FINE
from security.hashing.reading import PIECE
from security.manifest import Manifest

Make = Callable[[dict[str, bytes]], Path]
Build = Callable[[dict[str, bytes]], bytes]
SIZE = 40_000


def settle() -> None:
    """Let files grow older than a tick of the clock."""
    time.sleep(0.06)


def bytes_read(root: Path, known: Known, **options: Any) -> tuple[Manifest, int]:
    def count() -> int:
        lines = Path("/proc/self/io").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("rchar")).split()[1])

    own = count()
    own = count() - own  # what counting reads itself
    before = count()
    found = measure(root, known=known, jobs=1, **options)
    return found, count() - before - own


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def signed(root: Path, state: Path, **options: Any) -> tuple[Manifest, int]:
    known = Known.load(state)
    found = bytes_read(root, known, **options)
    known.save()
    return found


def test_of_a_hundred_files_the_one_that_changed_is_read(make: Make, state: Path) -> None:
    root = make({f"d{n % 7}/f{n:02}": bytes([n]) * SIZE for n in range(100)})
    settle()
    first, read = signed(root, state)
    assert read == 100 * SIZE
    assert signed(root, state) == (first, 0)
    (root / "d0/f42").write_bytes(b"x" * SIZE)
    settle()
    second, read = signed(root, state)
    assert read == SIZE
    assert second == measure(root) != first
    (root / "d0/f42").rename(root / "moved")  # the same file: nothing of it is read again
    (root / "d0/f07").unlink()
    (root / "new").write_bytes(b"x")
    settle()
    third, read = signed(root, state)
    assert read <= 1 + SIZE  # a new name is a new time of change
    assert third == measure(root)


def in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"!")


def dated_back(path: Path) -> None:
    before = path.stat()
    in_place(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def swapped(path: Path) -> None:
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(b"!" * SIZE)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(path)


@pytest.mark.parametrize("change", [in_place, dated_back, swapped])
def test_no_change_of_content_is_missed(
    make: Make, state: Path, change: Callable[[Path], None]
) -> None:
    root = make({"a": b"1" * SIZE, "b": b"2" * SIZE})
    settle()
    first, _ = signed(root, state)
    change(root / "a")
    second, read = signed(root, state)
    assert read == SIZE
    assert second == measure(root) != first


def test_what_was_written_just_now_is_read_again(make: Make, state: Path) -> None:
    for n in range(20):  # each time it may change within the tick in which it was read
        root = make({"a": str(n).encode() * SIZE})
        signed(root, state)
        make({"a": str(n + 1).encode() * SIZE})
        found, _ = signed(root, state)
        assert found == measure(root)
    _, read = signed(root, state)
    assert read == len(str(20)) * SIZE


def test_times_of_whole_seconds_are_trusted_later() -> None:
    assert FINE < 10**9 < COARSE


def test_tensors_are_known_only_where_they_were_asked_for(
    make: Make, tensors: Build, state: Path
) -> None:
    root = make({"w": tensors({"a": b"1" * SIZE, "b\n": b"2"})})
    size = (root / "w").stat().st_size
    settle()
    for asked, expected in [(False, size), (False, 0), (True, size), (True, 0), (False, 0)]:
        found, read = signed(root, state, tensors=asked)
        assert read == expected
        assert found == measure(root, tensors=asked)
    assert signed(root, state, tensors=True)[1] == size  # the last run kept none


def test_other_algorithms_know_nothing(make: Make, state: Path) -> None:
    root = make({"w": b"1" * SIZE})
    settle()
    signed(root, state)
    known = Known.load(state)
    assert bytes_read(root, known, algorithm="blake2b")[0].entries[0].algorithm == "blake2b"
    assert bytes_read(root, known, shard=1000)[0].entries[0].path == "w:0:1000"
    assert bytes_read(root, known)[1] == 0


def test_the_state_is_for_its_owner_only(make: Make, state: Path) -> None:
    root = make({"w": b"1" * SIZE})
    settle()
    signed(root, state)
    assert state.stat().st_mode & 0o777 == 0o600
    for mode in (0o620, 0o602, 0o666):
        state.chmod(mode)
        assert signed(root, state)[1] == SIZE
    assert signed(root, state)[1] == 0
    real = state.rename(state.with_name("real"))
    state.symlink_to(real)
    assert bytes_read(root, Known.load(state))[1] == SIZE
    state.unlink()
    os.mkfifo(state)
    assert bytes_read(root, Known.load(state))[1] == SIZE
    state.unlink()
    state.mkdir()
    assert bytes_read(root, Known.load(state))[1] == SIZE


def row(**change: Any) -> dict[str, Any]:
    digest = hashlib.sha256().hexdigest()
    state = {"version": 1, "tensors": True, "files": [[1, 2, 3, 4, 5, digest, []]]}
    return {**state, **change}


CORRUPT: list[object] = [
    None, [], {}, 1, "x", row(version=2), row(version="1"), row(tensors=1), row(tensors=None),
    row(more=1), row(files=1), row(files=[1]), row(files=[[]]), row(files={"a": 1}),
    row(files=[[1, 2, 3, 4, "0" * 64, []]]), row(files=[[1, 2, 3, 4, 5, 6, "0" * 64, []]]),
    row(files=[[1, 2, 3, 4, True, "0" * 64, []]]), row(files=[[1, 2, 3, 4, 5.0, "0" * 64, []]]),
    row(files=[[1, 2, 3, 4, 5, "0" * 63, []]]), row(files=[[1, 2, 3, 4, 5, "A" * 64, []]]),
    row(files=[[1, 2, 3, 4, 5, 0, []]]), row(files=[[1, 2, 3, 4, 5, "0" * 64, [["a"]]]]),
    row(files=[[1, 2, 3, 4, 5, "0" * 64, [["a", "b"]]]]), row(files=[[1, 2, 3, 4, 5, "0" * 64, 1]]),
    row(files=[[1, 2, 3, 4, 5, "0" * 64, [[1, "0" * 64]]]]),
]  # fmt: skip


@pytest.mark.parametrize("content", CORRUPT)
def test_a_state_that_is_not_one_knows_nothing(make: Make, state: Path, content: object) -> None:
    state.write_text(json.dumps(content))
    root = make({"w": b"1"})
    known = Known.load(state)
    assert known._after == {}
    assert measure(root, known=known) == measure(root)


def test_the_rows_above_are_wrong_for_one_reason_each(state: Path) -> None:
    state.write_text(json.dumps(row()))
    assert len(Known.load(state)._after) == 1


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 400), byte=st.integers(0, 255), cut=st.booleans())
def test_any_damage_is_survived(make: Make, state: Path, at: int, byte: int, cut: bool) -> None:
    root = make({"w": b"1"})
    data = bytearray(json.dumps(row()).encode())
    at %= len(data)
    data[at] = byte
    state.write_bytes(data[:at] if cut else data)
    assert measure(root, known=Known.load(state)) == measure(root)


def test_a_state_that_cannot_be_written_says_so(make: Make, tmp_path: Path) -> None:
    known = Known(tmp_path / "nowhere/state")
    measure(make({"w": bytes(PIECE)}), known=known)
    with pytest.raises(WriteFailed, match="nowhere/state"):
        known.save()
