"""One read gives what three tools give, and a judge can keep the sealed copy from appearing."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from security import onepass
from security.errors import Malformed, Refused, Unreadable
from security.hashing.measuring import measure
from security.scan.source import Source
from security.seal import sealing
from tests.security.seal.sealing import ALICE, CHUNK, names


@pytest.mark.parametrize("size", [0, 1, CHUNK, 16 * CHUNK, 40 * CHUNK + 5])
@pytest.mark.parametrize("jobs", [1, 3])
def test_the_entry_is_that_of_the_plaintext(tmp_path: Path, size: int, jobs: int) -> None:
    data, seen = os.urandom(size), hashlib.blake2b()
    (tmp_path / "w.bin").write_bytes(data)
    entry = onepass.seal_measured(
        tmp_path / "w.bin", tmp_path / "s", [ALICE.recipient], jobs=jobs, taps=[seen.update]
    )
    assert (entry.path, entry.size) == ("w.bin", size)
    assert entry.digest == hashlib.sha256(data).hexdigest()
    assert seen.digest() == hashlib.blake2b(data).digest()
    sealing.open_sealed(tmp_path / "s", tmp_path / "out", [ALICE])
    assert (tmp_path / "out").read_bytes() == data


def test_tensors_are_those_of_a_measurement(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    source = tmp_path / "m" / "w.safetensors"
    tensors = {f"t{n}": np.full(200_000, n, np.float32) for n in range(5)}
    source.write_bytes(save(tensors))
    entry = onepass.seal_measured(source, tmp_path / "s", [ALICE.recipient], path="w.safetensors")
    assert len(entry.tensors) == 5
    assert (entry,) == measure(tmp_path / "m").entries


def test_each_byte_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "w").write_bytes(os.urandom(3_000_000))
    read, real = [0], os.preadv

    def counted(fd: int, into: list[memoryview], at: int) -> int:
        got = real(fd, into, at)
        read[0] += got
        return got

    monkeypatch.setattr(os, "preadv", counted)
    onepass.seal_measured(tmp_path / "w", tmp_path / "s", [ALICE.recipient])
    assert read[0] == 3_000_000


def test_a_judge_reads_the_same_file(tmp_path: Path) -> None:
    data, seen = os.urandom(100_000), list[bytes]()
    (tmp_path / "w").write_bytes(data)

    def judge(source: Source) -> None:
        assert not (tmp_path / "s").exists()
        (tmp_path / "w").rename(tmp_path / "moved")  # the descriptor stays
        seen.append(source.read(0, source.size))
        (tmp_path / "moved").rename(tmp_path / "w")

    with pytest.raises(Unreadable, match="changed"):  # as a rename is a change, too
        onepass.seal_measured(tmp_path / "w", tmp_path / "s", [ALICE.recipient], judge=judge)
    assert seen == [data]


def test_what_a_judge_refuses_is_not_sealed(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"evil")

    def judge(source: Source) -> None:
        raise Refused(f"{source.name} is not clean", "do not publish it")

    with pytest.raises(Refused, match="w is not clean"):
        onepass.seal_measured(tmp_path / "w", tmp_path / "s", [ALICE.recipient], judge=judge)
    assert names(tmp_path) == ["w"]


def test_an_entry_has_a_canonical_path(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"x")
    with pytest.raises(Malformed):
        onepass.seal_measured(tmp_path / "w", tmp_path / "s", [ALICE.recipient], path="../w")
    assert names(tmp_path) == ["w"]


def test_a_file_that_changes_is_not_sealed(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"x" * 100)

    def tap(_: memoryview) -> None:
        (tmp_path / "w").write_bytes(b"y" * 101)

    with pytest.raises(Unreadable, match="changed while it was read"):
        onepass.seal_measured(tmp_path / "w", tmp_path / "s", [ALICE.recipient], taps=[tap])
    assert names(tmp_path) == ["w"]
