"""Names of objects are what hashlib says, of however many at once."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.tensorstore import naming

# Around a block of 64 bytes, and around 56 of it, where the length no longer fits behind.
EDGES = (0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 4_096, 100_001)


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


needs_native = pytest.mark.skipif(naming.NATIVE is None, reason="not built here")


@needs_native
def test_vectors_of_the_rfc() -> None:
    assert naming.NATIVE is not None
    given_data = [b"", b"a", b"abc", b"message digest", b"1234567890" * 8]
    assert naming.NATIVE(given_data) == [
        "d41d8cd98f00b204e9800998ecf8427e", "0cc175b9c0f1b6a831c399e269772661",
        "900150983cd24fb0d6963f7d28e17f72", "f96b697d7cb7938d525a2f31aaf161d0",
        "57edf4a22be3c955ac49da2e2107b67a",
    ]  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 16, 17, 40])
def test_any_number(count: int) -> None:
    found = [os.urandom(EDGES[number % len(EDGES)]) for number in range(count)]
    assert naming.names(found) == [md5(data) for data in found]


@pytest.mark.parametrize("size", [0, 63, 64, 65])
def test_all_as_long(size: int) -> None:
    assert naming.names([bytes(size)] * 20) == [md5(bytes(size))] * 20


@given(st.lists(st.one_of(st.sampled_from(EDGES), st.integers(0, 3_000)), max_size=30))
def test_of_any_sizes(sizes: list[int]) -> None:
    found = [bytes([number]) * size for number, size in enumerate(sizes)]
    assert naming.names(found) == [md5(data) for data in found]


@pytest.mark.parametrize("count", [1, 5])
def test_without_the_extension(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "registry.tensorstore._md5", None)
    monkeypatch.setattr(naming, "NATIVE", naming._native())
    assert naming.NATIVE is None
    found = [os.urandom(100)] * count
    assert naming.names(found) == [md5(data) for data in found]
    assert naming.together(found) == tuple((data,) for data in found)


@needs_native
def test_many_are_for_one_thread() -> None:
    assert [len(group) for group in naming.together([b"x"] * 8)] == [8]
    assert [len(group) for group in naming.together([b"x"] * 2)] == [1, 1]


@needs_native
@pytest.mark.parametrize("bad", [None, 7, [1], ["text"], [b"x", None], [memoryview(b"abcd")[::2]]])
def test_what_is_no_bytes(bad: object) -> None:
    assert naming.NATIVE is not None
    with pytest.raises((TypeError, BufferError)):
        naming.NATIVE(bad)  # type: ignore[arg-type]


@needs_native
def test_from_many_threads_at_once() -> None:
    found = [os.urandom(200_000 + 64 * number) for number in range(9)]
    expected, made = [md5(data) for data in found], list[list[str]]()
    threads = [threading.Thread(target=lambda: made.append(naming.names(found))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [expected] * 4


@needs_native
def test_lets_go_of_what_it_read() -> None:
    assert naming.NATIVE is not None
    data = bytearray(1_000)
    naming.NATIVE([data, data, data])
    with pytest.raises(TypeError):
        naming.NATIVE([data, 1])  # type: ignore[list-item]
    data.clear()  # BufferError if it were still held


SIDES = [naming.PLAIN] if naming.SIDE is naming.PLAIN else [naming.PLAIN, naming.SIDE]


@pytest.mark.parametrize("side", SIDES)
@given(
    st.lists(
        st.lists(
            st.one_of(st.sampled_from(EDGES[:-1]), st.integers(0, 600)),
            min_size=naming.LANES,
            max_size=naming.LANES,
        ),
        max_size=6,
    ),
    st.integers(1, naming.LANES),
)
def test_streams_of_any_lengths_cut_anywhere(
    side: naming.Side, rounds: list[list[int]], count: int
) -> None:
    streams = tuple(side.new() for _ in range(count))
    whole = [b""] * count
    for number, sizes in enumerate(rounds):
        pieces = tuple(bytes([lane, number]) * size for lane, size in enumerate(sizes[:count]))
        side.feed(streams, pieces)
        whole = [had + piece for had, piece in zip(whole, pieces, strict=True)]
        assert [stream.hexdigest() for stream in streams] == [md5(data) for data in whole]


@needs_native
def test_streams_may_change_their_neighbours() -> None:
    side, data = naming.SIDE, [os.urandom(1_000) for _ in range(9)]
    streams = [side.new() for _ in data]
    for first in range(0, 9, 2):
        side.feed(tuple(streams[first : first + 3]), tuple(data[first : first + 3]))
    side.feed((), ())
    twice = [one * (2 if number in (2, 4, 6, 8) else 1) for number, one in enumerate(data)]
    assert [stream.hexdigest() for stream in streams] == [md5(one) for one in twice]


@needs_native
def test_what_is_refused_changes_nothing() -> None:
    side = naming.SIDE
    one, other, held = side.new(), side.new(), bytearray(b"x" * 100)
    nine = tuple(side.new() for _ in range(naming.LANES + 1))
    refused: list[tuple[type[Exception], object, object]] = [
        (RuntimeError, (one, other, one), (held, held, held)),  # twice at once
        (ValueError, nine, (b"x",) * len(nine)),
        (ValueError, (one, other), (held,)),
        (ValueError, (one,), (held, held)),
        (TypeError, [one], [held]),
        (TypeError, (one, hashlib.md5()), (held, held)),
        (TypeError, (one, None), (held, held)),
        (TypeError, (one, other), (held, "text")),
        (BufferError, (one, other), (held, memoryview(b"abcd")[::2])),
    ]
    for error, streams, pieces in refused:
        with pytest.raises(error):
            side.feed(streams, pieces)  # type: ignore[arg-type]
    held.clear()  # BufferError if it were still held
    for stream in (one, other, *nine):
        assert stream.hexdigest() == md5(b"")
        side.feed((stream,), (b"abc",))  # nor is any in use
        assert stream.hexdigest() == md5(b"abc")
    with pytest.raises(TypeError):
        side.new(b"abc")  # type: ignore[call-arg]


@needs_native
def test_a_stream_takes_one_thing_at_a_time() -> None:
    side, data = naming.SIDE, bytes(64 << 20)
    stream, refused, done = side.new(), [0], threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                stream.hexdigest()
            except RuntimeError:
                refused[0] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    fed = 0
    while not refused[0] and fed < 20:
        side.feed((stream,), (data,))
        fed += 1
    done.set()
    thread.join()
    assert refused[0]
    assert stream.hexdigest() == md5(data * fed)


def test_streams_without_the_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    for found in (None, types.ModuleType("of an older build")):
        monkeypatch.setitem(sys.modules, "registry.tensorstore._md5", found)
        assert naming._side() is naming.PLAIN


@pytest.mark.parametrize("side", SIDES)
def test_a_stream_cut_within_a_block(side: naming.Side) -> None:
    data = os.urandom(200)
    for first in range(66):
        for second in (0, 1, 63 - first % 64, 64 - first % 64, 65 - first % 64, 64, 130):
            stream = side.new()
            for piece in (data[:first], data[first : first + second], b"end"):
                side.feed((stream,), (piece,))
            assert stream.hexdigest() == md5(data[: first + second] + b"end"), (first, second)
