from __future__ import annotations

import hashlib
import importlib
import random
import sys
import threading
from typing import Any

import blake3
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from security.errors import Malformed, Unavailable
from security.hashing.digests import FAST, PURE, Algorithm, Hash, algorithm

CUTS = st.lists(st.integers(0, 300), max_size=6)
NATIVE = pytest.mark.skipif(not FAST.paired, reason="the extension is not built here")
ALGORITHMS = [PURE, pytest.param(FAST, marks=NATIVE)]


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("made", ALGORITHMS)
def test_every_size_around_a_block(made: Algorithm) -> None:
    for size in [*range(260), 2047, 2048, 2049, 4096, 100_000]:
        data = noise(size)
        digest = made.new()
        digest.update(memoryview(data))
        assert digest.hexdigest() == sha(data), size
        assert digest.hexdigest() == sha(data), size  # asking changes nothing


@pytest.mark.parametrize("made", ALGORITHMS)
@given(one=CUTS, other=CUTS)
@example(one=[1], other=[64, 64])
@example(one=[63, 65], other=[1, 127, 64])
@example(one=[5000, 1], other=[3, 9000])
def test_two_at_once_are_each_as_alone(made: Algorithm, one: list[int], other: list[int]) -> None:
    first, second = made.new(), made.new()
    taken, also = b"", b""
    for n in range(max(len(one), len(other))):
        data = noise(one[n]) if n < len(one) else b""
        more = noise(other[n] + 1) if n < len(other) else b""
        made.both(first, memoryview(data), second, memoryview(more))
        taken, also = taken + data, also + more
        assert first.hexdigest() == sha(taken)
        assert second.hexdigest() == sha(also)


@NATIVE
def test_a_length_beyond_32_bits_of_bits() -> None:
    digest, piece = FAST.new(), memoryview(bytes(1 << 24))
    known = hashlib.sha256()
    for _ in range(33):  # 528 MiB
        digest.update(piece)
        known.update(piece)
    assert digest.hexdigest() == known.hexdigest()


@NATIVE
def test_the_extension_refuses_what_is_not_two_digests_and_bytes() -> None:
    one, other, data = FAST.new(), FAST.new(), memoryview(b"abc")
    both: Any = FAST.both
    kind: Any = type(one)
    with pytest.raises(RuntimeError):
        both(one, data, one, data)
    for bad in [(one, data), (one, "abc", other, data), (hashlib.sha256(), data, one, data)]:
        with pytest.raises(TypeError):
            both(*bad)
    with pytest.raises(TypeError):
        kind(b"abc")
    with pytest.raises(BufferError):
        one.update(memoryview(b"abcdef")[::2])
    assert one.hexdigest() == sha(b"")


@NATIVE
def test_a_digest_shared_by_threads_refuses_rather_than_mixes() -> None:
    digest, data = FAST.new(), memoryview(bytes(8 << 20))
    outcomes: list[bool] = []

    def work() -> None:
        for _ in range(20):
            try:
                digest.update(data)
                outcomes.append(True)
            except RuntimeError:
                outcomes.append(False)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    known = hashlib.sha256()
    for _ in range(outcomes.count(True)):
        known.update(data)
    assert digest.hexdigest() == known.hexdigest()


def test_without_the_extension_hashlib_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "security.hashing._sha256", None)
    digests: Any = importlib.import_module("security.hashing.digests")
    found: Algorithm = digests._sha256()
    assert not found.paired
    assert found.new is hashlib.sha256


def test_other_algorithms_are_there_to_read_others() -> None:
    data = memoryview(b"weights")
    expected = {
        "sha256": sha(b"weights"),
        "blake2b": hashlib.blake2b(b"weights").hexdigest(),
        "blake3": blake3.blake3(b"weights").hexdigest(),
    }
    for name, digest in expected.items():
        found: Hash = algorithm(name).new()
        found.update(data)
        assert found.hexdigest() == digest
        assert algorithm(name).name == name


@pytest.mark.parametrize("name", ["", "md5", "SHA256", "sha-256", "sha256-sharded-8", "x" * 1000])
def test_unknown_algorithms_are_refused(name: str) -> None:
    with pytest.raises(Malformed, match="no known digest") as caught:
        algorithm(name)
    assert len(caught.value.message) < 100


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "blake3", None)
    with pytest.raises(Unavailable, match="blake3") as caught:
        algorithm("blake3")
    assert "pip install" in caught.value.hint
