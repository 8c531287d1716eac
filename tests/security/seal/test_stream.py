"""Payloads: the same bytes by every way, and no byte of a damaged one is given out."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security.errors import Tampered, Unreadable
from security.seal import chunks, parallel, stream
from security.seal.chunks import CHUNK, NONCE, SEALED, TAG

KEY, OTHER = bytes(range(16)), bytes(range(16, 32))
EDGES = [0, 1, TAG, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 16 * CHUNK - 1, 16 * CHUNK]
EDGES += [16 * CHUNK + 1, 17 * CHUNK, 33 * CHUNK + 5]
SIZES = st.one_of(
    st.sampled_from(EDGES),
    st.builds(lambda n, d: max(0, n * CHUNK + d), st.integers(0, 20), st.integers(-TAG, TAG)),
)
DATA = os.urandom(34 * CHUNK)


@contextmanager
def memory(data: bytes = b"") -> Iterator[int]:
    fd = os.memfd_create("payload")
    try:
        os.pwrite(fd, data, 0)
        yield fd
    finally:
        os.close(fd)


def content(fd: int) -> bytes:
    return os.pread(fd, os.fstat(fd).st_size, 0)


def sealed_by_files(data: bytes, nonce: bytes, jobs: int = 1) -> bytes:
    with memory(data) as source, memory(nonce) as target:
        ends = stream.Ends("plain", source, target, target_at=NONCE)
        stream.encrypt(chunks.cipher(KEY, nonce), ends, len(data), jobs=jobs)
        return content(target)


def opened_by_files(payload: bytes, jobs: int = 1) -> bytes:
    size = chunks.plain_size("sealed", len(payload))
    with memory(payload) as source, memory() as target:
        ends = stream.Ends("sealed", source, target, source_at=NONCE)
        box = chunks.cipher(KEY, payload[:NONCE])
        stream.decrypt(box, ends, size, jobs=jobs)
        return content(target)


@settings(deadline=None, max_examples=40)
@given(SIZES, st.integers(1, 3))
def test_files_and_memory_give_the_same(size: int, jobs: int) -> None:
    data, nonce = DATA[:size], os.urandom(NONCE)
    payload = chunks.seal_bytes(KEY, data, nonce)
    assert len(payload) == chunks.sealed_size(size)
    assert chunks.plain_size("x", len(payload)) == size
    assert sealed_by_files(data, nonce, jobs) == payload
    assert opened_by_files(payload, jobs) == data
    assert chunks.open_bytes("x", KEY, payload) == data


@pytest.mark.parametrize("size", EDGES)
def test_the_shape_of_the_end(size: int) -> None:
    payload = chunks.seal_bytes(KEY, DATA[:size])
    last = (len(payload) - NONCE) % SEALED or SEALED
    assert last > TAG or size == 0
    assert last == (size % CHUNK or (CHUNK if size else 0)) + TAG


def refused(payload: bytes) -> None:
    """Every way of opening refuses, and the file gets at most batches that are authentic."""
    with pytest.raises(Tampered):
        chunks.open_bytes("x", KEY, payload)
    with memory(payload) as source, memory() as target:
        with pytest.raises(Tampered) as caught:
            size = chunks.plain_size("sealed", len(payload))
            box = chunks.cipher(KEY, payload[:NONCE])
            stream.decrypt(box, stream.Ends("sealed", source, target, NONCE), size, jobs=1)
        assert "sealed" in caught.value.message
        written = content(target)
    assert DATA.startswith(written)
    assert len(written) % (16 * CHUNK) == 0


@settings(deadline=None, max_examples=40)
@given(SIZES, st.data())
def test_one_bit_anywhere(size: int, draw: st.DataObject) -> None:
    payload = bytearray(chunks.seal_bytes(KEY, DATA[:size]))
    bit = draw.draw(st.integers(0, 8 * len(payload) - 1))
    payload[bit // 8] ^= 1 << bit % 8
    refused(bytes(payload))


@settings(deadline=None, max_examples=40)
@given(SIZES, st.data())
def test_any_cut(size: int, draw: st.DataObject) -> None:
    payload = chunks.seal_bytes(KEY, DATA[:size])
    cut = draw.draw(
        st.one_of(
            st.integers(NONCE, len(payload) - 1),
            st.integers(0, size // CHUNK).map(lambda n: NONCE + n * SEALED),
            st.integers(0, size // CHUNK).map(lambda n: NONCE + n * SEALED + TAG),
        ).filter(lambda n: n < len(payload))
    )
    refused(payload[:cut])


def joined(payload: bytes, order: Callable[[list[bytes]], list[bytes]]) -> bytes:
    parts = [payload[at : at + SEALED] for at in range(NONCE, len(payload), SEALED)]
    return payload[:NONCE] + b"".join(order(parts))


def final(index: int, data: bytes, last: bool = True) -> bytes:
    return chunks.cipher(KEY, bytes(NONCE)).encrypt(chunks.number(index, last), data, None)


FULL = DATA[:CHUNK]
HOSTILE: dict[str, bytes] = {
    "two chunks swapped": joined(
        chunks.seal_bytes(KEY, DATA[: 3 * CHUNK]), lambda p: [p[1], p[0], p[2]]
    ),
    "a chunk twice": joined(chunks.seal_bytes(KEY, DATA[: 3 * CHUNK]), lambda p: [p[0], *p]),
    "the last twice": joined(chunks.seal_bytes(KEY, DATA[: 3 * CHUNK]), lambda p: [*p, p[-1]]),
    "a chunk dropped": joined(chunks.seal_bytes(KEY, DATA[: 3 * CHUNK]), lambda p: p[1:]),
    "the last dropped": joined(chunks.seal_bytes(KEY, DATA[: 3 * CHUNK]), lambda p: p[:-1]),
    "a batch's last dropped": joined(chunks.seal_bytes(KEY, DATA[: 17 * CHUNK]), lambda p: p[:16]),
    "one byte more": chunks.seal_bytes(KEY, DATA[:CHUNK]) + b"\0",
    "a tag more": chunks.seal_bytes(KEY, DATA[:CHUNK]) + bytes(TAG),
    "a chunk more": chunks.seal_bytes(KEY, DATA[:CHUNK]) + bytes(SEALED),
    "a payload more": chunks.seal_bytes(KEY, DATA[:CHUNK]) * 2,
    "an empty final chunk": bytes(NONCE) + final(0, FULL, False) + final(1, b""),
    "a short chunk inside": bytes(NONCE) + final(0, b"abc", False) + final(1, b"def"),
    "no final chunk": bytes(NONCE) + final(0, FULL, False) + final(1, FULL, False),
    "final too early": bytes(NONCE) + final(0, FULL) + final(1, b"x"),
    "two final ones": bytes(NONCE) + final(0, b"a") + final(0, b"a"),
    "the counter starts at 1": bytes(NONCE) + final(1, b"a"),
    "another key": chunks.seal_bytes(OTHER, DATA[:CHUNK]),
    "no chunk": bytes(NONCE),
    "half a tag": bytes(NONCE) + bytes(8),
    "only a tag, wrong": bytes(NONCE) + bytes(TAG),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile(case: str) -> None:
    refused(HOSTILE[case])


@pytest.mark.parametrize(
    ("case", "why"),
    [
        ("no final chunk", "cut short after chunk 1"),
        ("the last dropped", "cut short after chunk 1"),
        ("a payload more", "goes on after its final chunk"),
        ("final too early", "goes on after its final chunk 0"),
        ("two chunks swapped", "chunk 0 is not authentic"),
        ("half a tag", "cut short"),
    ],
)
def test_the_reason_is_named(case: str, why: str) -> None:
    payload = HOSTILE[case]
    with pytest.raises(Tampered, match=why):
        opened_by_files(payload)


def test_short_nonces_and_keys() -> None:
    with pytest.raises(Tampered, match="ends before its payload"):
        chunks.open_bytes("x", KEY, bytes(NONCE - 1))
    for key, nonce in ((KEY[:15], bytes(16)), (KEY, bytes(15))):
        with pytest.raises(ValueError, match="16 bytes"):
            chunks.cipher(key, nonce)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_source_cut_short_while_read(jobs: int) -> None:
    with memory(DATA[: 20 * CHUNK]) as source, memory() as target:
        box, ends = chunks.cipher(KEY, bytes(NONCE)), stream.Ends("the source", source, target)
        with pytest.raises(Unreadable, match="the source was cut short"):
            stream.encrypt(box, ends, 33 * CHUNK, jobs=jobs)


def test_the_tap_sees_all_in_order_and_only_once() -> None:
    seen: list[bytes] = []
    with memory(DATA) as source, memory() as target:
        box = chunks.cipher(KEY, bytes(NONCE))
        ends = stream.Ends("x", source, target)
        stream.encrypt(box, ends, len(DATA), jobs=4, tap=lambda view: seen.append(bytes(view)))
    assert b"".join(seen) == DATA


def test_progress_counts_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    with memory(DATA) as source, memory() as target:
        box = chunks.cipher(KEY, bytes(NONCE))
        ends = stream.Ends("x", source, target)
        stream.encrypt(box, ends, len(DATA), jobs=3, progress=lambda *now: told.append(now))
    assert told == sorted(told)
    assert told[-1] == (len(DATA), len(DATA))


def test_the_first_error_ends_all_threads() -> None:
    def tap(_: memoryview) -> None:
        raise OSError(28, "no space")

    with memory(DATA) as source, memory() as target:
        box, ends = chunks.cipher(KEY, bytes(NONCE)), stream.Ends("x", source, target)
        with pytest.raises(OSError, match="no space"):
            stream.encrypt(box, ends, len(DATA), jobs=3, tap=tap)
    assert not [t for t in threading.enumerate() if t.name.startswith("seal")]


def test_a_payload_sealed_again_under_another_key() -> None:
    nonce = os.urandom(NONCE)
    payload = chunks.seal_bytes(KEY, DATA)
    boxes = (chunks.cipher(KEY, payload[:NONCE]), chunks.cipher(OTHER, nonce))
    with memory(payload) as source, memory(nonce) as target:
        ends = stream.Ends("x", source, target, NONCE, NONCE)
        stream.reencrypt(boxes, ends, len(DATA), jobs=2)
        assert content(target) == chunks.seal_bytes(OTHER, DATA, nonce)


def test_memory_does_not_grow_with_the_file() -> None:
    code = (
        "import os, resource, sys\n"
        "from security.seal import chunks, stream\n"
        "source, target = os.memfd_create('a'), os.open('/dev/null', os.O_WRONLY)\n"
        "os.ftruncate(source, 256 << 20)\n"
        "box = chunks.cipher(bytes(16), bytes(16))\n"
        "ends = stream.Ends('x', source, target)\n"
        "stream.encrypt(box, ends, 1 << 20, jobs=2)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "stream.encrypt(box, ends, 256 << 20, jobs=2)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    root = Path(__file__).parents[3]
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert int(told.stdout) < 16_000  # kB


def test_usable_jobs() -> None:
    cores = len(os.sched_getaffinity(0))
    assert [parallel.usable(n) for n in (0, 1, 3, 10_000)] == [min(cores, 64), 1, 3, 64]


def test_an_interrupted_start_leaves_no_thread_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    # A pool does not wait for such a thread, which then wrote to descriptors of other files.
    start = threading.Thread.start

    def interrupted(self: threading.Thread) -> None:
        start(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    over, late = threading.Event(), []

    def worker(_: parallel.Turns) -> parallel.Step:
        def step(number: int) -> int:
            time.sleep(0.05)
            late.append(over.is_set())
            return 1

        return step

    with pytest.raises(KeyboardInterrupt):
        parallel.run(100, worker, jobs=2, size=100)
    over.set()
    time.sleep(0.2)
    assert True not in late
