"""What was hashed once is not hashed again, and whatever changed is."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from registry import objects, proofs
from registry.errors import CorruptWeights
from registry.proofs import Proofs

GOOD, BAD = b"good" * 1000, b"baad" * 1000
MD5 = hashlib.md5(GOOD, usedforsecurity=False).hexdigest()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An object that nobody changed for a while, and a process that has read nothing."""
    monkeypatch.setattr(objects, "PROOFS", Proofs())
    found = tmp_path / "object"
    found.write_bytes(GOOD)
    time.sleep(0.07)
    return found


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every digest that is computed from here on."""
    found, real = list[str](), objects._hasher

    def hasher(digest: str) -> hashlib._Hash:
        found.append(digest)
        return real(digest)

    monkeypatch.setattr(objects, "_hasher", hasher)
    return found


def test_a_second_reading_is_spared(path: Path, hashed: list[str]) -> None:
    for _ in range(3):
        assert objects.prefix(path, MD5, 0) == (b"", len(GOOD))
        with objects.opened(path, MD5) as source:
            assert os.pread(source, 8, 0) == GOOD[:8]
    assert len(hashed) == 1


def test_a_link_is_the_same_file(path: Path, hashed: list[str]) -> None:
    link = path.with_name("link")
    link.hardlink_to(path)
    time.sleep(0.07)  # linking is a change
    objects.prefix(link, MD5, 0)
    objects.prefix(path, MD5, 0)
    assert len(hashed) == 1


def test_bytes_that_are_returned_are_hashed_every_time(path: Path, hashed: list[str]) -> None:
    for _ in range(2):
        assert objects.prefix(path, MD5, 4) == (b"good", len(GOOD))
    assert len(hashed) == 2


def test_another_digest_is_not_proven(path: Path) -> None:
    objects.prefix(path, MD5, 0)
    with pytest.raises(CorruptWeights):
        objects.prefix(path, "0" * 32, 0)


@pytest.mark.parametrize("change", ["in place", "with its old time", "replaced", "longer"])
def test_a_change_is_seen(path: Path, change: str) -> None:
    objects.prefix(path, MD5, 0)
    was = path.stat()
    if change == "replaced":
        other = path.with_name("other")
        other.write_bytes(BAD)
        os.utime(other, ns=(was.st_atime_ns, was.st_mtime_ns))
        other.replace(path)
    elif change == "longer":
        with path.open("ab") as file:
            file.write(b"x")
    else:
        with path.open("r+b") as file:
            file.write(BAD)
    if change == "with its old time":
        os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    with pytest.raises(CorruptWeights):
        objects.prefix(path, MD5, 0)


def test_what_is_wrong_is_not_remembered(path: Path, hashed: list[str]) -> None:
    path.write_bytes(BAD)
    time.sleep(0.07)
    for _ in range(2):
        with pytest.raises(CorruptWeights):
            objects.prefix(path, MD5, 0)
    assert len(hashed) == 2


def test_a_file_of_this_very_moment_is_hashed_again(path: Path, hashed: list[str]) -> None:
    # A change in the same tick of the clock could leave no trace.
    for _ in range(2):
        path.write_bytes(GOOD)
        objects.prefix(path, MD5, 0)
        objects.prefix(path, MD5, 0)
    assert len(hashed) == 4


@pytest.mark.parametrize(
    ("age", "kept"), [(10**10, True), (10**8, True), (10**7, False), (-1, False)]
)
def test_how_old_a_change_must_be(path: Path, age: int, kept: bool) -> None:
    held, found = Proofs(), path.stat()
    newest = max(found.st_mtime_ns, found.st_ctime_ns)
    held.keep(found, found, MD5, newest + age)
    assert held.has(found, MD5) is kept


def test_what_changed_while_it_was_read_is_not_remembered(path: Path) -> None:
    held, before = Proofs(), path.stat()
    path.chmod(0o600)
    held.keep(before, path.stat(), MD5, time.time_ns() + 10**10)
    assert not held.has(before, MD5) and not held.has(path.stat(), MD5)


def test_the_memory_is_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "MOST", 3)
    held, found = Proofs(), path.stat()
    for number in range(10):
        held.keep(found, found, f"{number:032}", time.time_ns() + 10**10)
    assert [n for n in range(10) if held.has(found, f"{n:032}")] == [7, 8, 9]
