"""What is fed in pairs has the digest that it has alone; memory is handed on."""

from __future__ import annotations

import hashlib
import os
import threading

import pytest

from registry.tensorstore import pairing
from registry.tensorstore.pairing import Pairs, Rooms
from security.hashing.digests import PURE


@pytest.mark.parametrize("pure", [False, True])
@pytest.mark.parametrize("jobs", [1, 2, 8])
def test_many_files(jobs: int, pure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if pure:
        monkeypatch.setattr(pairing, "FAST", PURE)
    files = [[os.urandom(size + 7 * n) for size in (1, 70_000, 64, 5_000)] for n in range(7)]
    found = dict[int, str]()
    with Pairs(jobs) as pairs:

        def one(number: int) -> None:
            digest = pairs.new()
            for data in files[number]:
                pairs.feed(digest, memoryview(data)).result()
            found[number] = digest.hexdigest()

        threads = [threading.Thread(target=one, args=(number,)) for number in range(len(files))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {
        n: hashlib.sha256(b"".join(parts)).hexdigest() for n, parts in enumerate(files)
    }


class Failing:
    def update(self, data: memoryview, /) -> None:
        raise RuntimeError("in use")

    def hexdigest(self) -> str:
        return ""


def test_a_failure_is_told() -> None:
    with Pairs(1) as pairs, pytest.raises(RuntimeError, match="in use"):
        pairs.feed(Failing(), memoryview(b"x")).result()


def test_rooms_are_handed_on() -> None:
    rooms = Rooms()
    with rooms.one(10) as first, rooms.one(10) as second:
        assert (len(first), len(second)) == (10, 10)
        assert first.obj is not second.obj
    with rooms.one(4) as third:
        assert len(third) == 4
        assert third.obj in (first.obj, second.obj)
    with rooms.one(20) as fourth:
        assert len(fourth) == 20


def test_the_room_of_what_failed_is_not() -> None:
    # Another thread may still write to it.
    rooms = Rooms()
    with pytest.raises(OSError), rooms.one(10) as first:
        raise OSError
    with rooms.one(10) as second:
        assert second.obj is not first.obj
