"""Parts of sealed files: the bytes that were sealed, few more read, no damage overlooked."""

import os
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from security.errors import InvalidSafetensors, Malformed, NoMatch, Tampered, Unreadable
from security.seal import chunks, header, sealing
from security.seal.ranged import SealedFile
from tests.security.seal.sealing import ALICE, BOB, CHUNK

DATA = os.urandom(40 * CHUNK + 77)
EDGE = st.builds(lambda n, d: max(0, n * CHUNK + d), st.integers(0, 41), st.integers(-2, 2))
ANY = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranged")
    (folder / "w").write_bytes(DATA)
    sealing.seal(folder / "w", folder / "w.age", [ALICE.recipient])
    return folder / "w.age"


@ANY
@given(st.lists(st.tuples(EDGE, EDGE), min_size=1, max_size=5))
def test_any_range(sealed: Path, ranges: list[tuple[int, int]]) -> None:
    with SealedFile(sealed, [ALICE]) as file:
        assert file.size == len(DATA)
        for at, count in ranges:
            assert file.read(at, count) == DATA[at : at + count]


@ANY
@given(EDGE, EDGE, st.integers(1, 3))
def test_any_range_into_a_buffer(sealed: Path, at: int, count: int, jobs: int) -> None:
    at, count = min(at, len(DATA)), min(count, len(DATA) - min(at, len(DATA)))
    into = bytearray(count)
    with SealedFile(sealed, [ALICE]) as file:
        file.read_into(memoryview(into), at, jobs=jobs)
    assert into == DATA[at : at + count]


def test_outside_of_the_file(sealed: Path) -> None:
    with SealedFile(sealed, [ALICE]) as file:
        assert file.read(len(DATA), 10) == b""
        assert file.read(1 << 60, 1 << 60) == b""
        assert file.read(-1, 10) == b""
        assert file.read(5, -1) == b""
        for at in (-1, len(DATA) - 9, 1 << 60):
            with pytest.raises(Malformed, match="bytes"):
                file.read_into(memoryview(bytearray(10)), at)


def test_by_descriptor(sealed: Path) -> None:
    fd = os.open(sealed, os.O_RDONLY)
    try:
        with SealedFile(fd, [ALICE]) as file:
            assert file.read(100, 100) == DATA[100:200]
        os.fstat(fd)  # still the caller's
    finally:
        os.close(fd)


def test_another_key(sealed: Path) -> None:
    open_files = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(NoMatch):
        SealedFile(sealed, [BOB])
    with pytest.raises(Unreadable, match="absent"):
        SealedFile(sealed.with_name("absent"), [ALICE])
    assert len(list(Path("/proc/self/fd").iterdir())) == open_files


@pytest.fixture
def copy(sealed: Path, tmp_path: Path) -> Path:
    path = tmp_path / "copy.age"
    path.write_bytes(sealed.read_bytes())
    return path


@pytest.mark.parametrize("count", [1, CHUNK - 1, CHUNK, CHUNK + 92, 20 * CHUNK])
def test_a_cut_is_seen_at_once(copy: Path, count: int) -> None:
    os.truncate(copy, copy.stat().st_size - count)
    with pytest.raises(Tampered):
        SealedFile(copy, [ALICE])


def test_what_was_added_is_seen_at_once(copy: Path) -> None:
    with copy.open("ab") as file:
        file.write(bytes(CHUNK + 16))
    with pytest.raises(Tampered):
        SealedFile(copy, [ALICE])


@pytest.mark.parametrize("chunk", [3, 20])
@pytest.mark.parametrize("count", [10, 6 * CHUNK])
def test_damage_is_seen_by_whom_it_concerns(copy: Path, chunk: int, count: int) -> None:
    with copy.open("r+b") as file:
        file.seek(4096 + 16 + chunk * (CHUNK + 16) + 5)
        file.write(b"damage")
    with SealedFile(copy, [ALICE]) as sealed_file:
        with pytest.raises(Tampered, match=f"chunk {chunk} is not authentic"):
            sealed_file.read(chunk * CHUNK, count)
        into = bytearray(40 * CHUNK)
        with pytest.raises(Tampered, match=f"chunk {chunk} is not authentic"):
            sealed_file.read_into(memoryview(into), 0, jobs=2)
        assert sealed_file.read(30 * CHUNK, count) == DATA[30 * CHUNK : 30 * CHUNK + count]


def test_a_cut_after_opening(copy: Path) -> None:
    with SealedFile(copy, [ALICE]) as file:
        os.truncate(copy, 1_000_000)
        with pytest.raises(Unreadable, match="cut short"):
            file.read(30 * CHUNK, 10)


def test_tensors(tmp_path: Path) -> None:
    arrays: dict[str, np.ndarray[Any, Any]] = {
        "a": np.arange(100_000, dtype=np.float32),
        "b": np.ones((3, 5), np.int8),
    }
    (tmp_path / "m.safetensors").write_bytes(save(arrays))
    target = tmp_path / "m.safetensors.age"
    sealing.seal(tmp_path / "m.safetensors", target, [ALICE.recipient])
    with SealedFile(target, [ALICE]) as file:
        for name, array in arrays.items():
            assert file.tensor(name) == array.tobytes()
        with pytest.raises(Malformed, match="no tensor 'c'") as error:
            file.tensor("c")
        assert error.value.hint == "name one of its tensors, such as a, b"
        source = file.source()
    assert (source.name, source.base) == (str(tmp_path / "m.safetensors"), "m.safetensors")


def test_what_is_no_safetensors(sealed: Path) -> None:
    with SealedFile(sealed, [ALICE]) as file, pytest.raises(InvalidSafetensors):
        file.tensor("a")


def test_scanners_read_the_plaintext(sealed: Path) -> None:
    with SealedFile(sealed, [ALICE]) as file:
        source = file.source()
        assert source.size == len(DATA)
        assert source.part("x", CHUNK - 3, CHUNK + 3).read(0, 9) == DATA[CHUNK - 3 : CHUNK + 3]


def test_small_reads_open_a_chunk_once(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, real = [0], os.preadv

    def counted(fd: int, into: list[memoryview], at: int) -> int:
        read[0] += sum(map(len, into))
        return real(fd, into, at)

    with SealedFile(sealed, [ALICE]) as file:
        monkeypatch.setattr(os, "preadv", counted)
        for at in range(0, CHUNK, 64):
            file.read(at, 64)
        assert read[0] == CHUNK + 16


def test_several_threads(sealed: Path) -> None:
    places = [(n * 7919) % len(DATA) for n in range(2000)]
    with SealedFile(sealed, [ALICE]) as file, ThreadPoolExecutor(4) as pool:
        for at, data in zip(places, pool.map(lambda p: file.read(p, 100), places), strict=True):
            assert data == DATA[at : at + 100]


def test_one_tensor_of_four_gigabytes_reads_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sparse file with only the chunks that are asked for: nothing else can have been read."""
    tensor, size = 8 << 20, 4 << 30
    text = b'{"a":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]},' % (2 << 30, 2 << 30)
    text += b'"b":{"dtype":"U8","shape":[%d],"data_offsets":[%d,%d]},' % (
        (tensor, 2 << 30, (2 << 30) + tensor)
    )
    end = size - 8 - 1000
    text += b'"c":{"dtype":"U8","shape":[%d],"data_offsets":[%d,%d]}}' % (
        (end - (2 << 30) - tensor, (2 << 30) + tensor, end)
    )
    text = text.ljust(1000)
    nonce = bytes(16)
    head = header.build(bytes(16), [ALICE.recipient])
    box, total = chunks.cipher(bytes(16), nonce), chunks.count(size)
    start = (8 + 1000 + (2 << 30)) // CHUNK
    path = tmp_path / "m.safetensors.age"
    with path.open("wb") as file:
        file.write(head + nonce)
        for index in (0, total - 1, *range(start, start + tensor // CHUNK + 1)):
            first = (struct.pack("<Q", 1000) + text).ljust(CHUNK, b"\0")
            plain = first if index == 0 else bytes([index % 251]) * CHUNK
            file.seek(len(head) + 16 + index * (CHUNK + 16))
            file.write(box.encrypt(chunks.number(index, index == total - 1), plain, None))
    read, pread, preadv = [0], os.pread, os.preadv

    def one(fd: int, count: int, at: int) -> bytes:
        read[0] += count
        return pread(fd, count, at)

    def many(fd: int, into: list[memoryview], at: int) -> int:
        read[0] += sum(map(len, into))
        return preadv(fd, into, at)

    monkeypatch.setattr(os, "pread", one)
    monkeypatch.setattr(os, "preadv", many)
    with SealedFile(path, [ALICE]) as sealed_file:
        data = sealed_file.tensor("b")
    assert len(data) == tensor
    assert data[CHUNK * 2] == (start + 2) % 251
    assert read[0] <= 17 << 19  # 8.5 MiB
