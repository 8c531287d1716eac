"""Files laid out are read once: for the manifest, for DVC's md5, and for whoever comes after."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from registry import objects
from registry.errors import CorruptWeights
from registry.proofs import PROOFS
from registry.release import staging
from registry.release.staging import Placed, measure
from security.hashing import reading, working

DATA = {"model.safetensors": b"\x10" + b"w" * 300_000, "a/config.json": b"{}", "README.md": b"#"}


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@pytest.fixture
def laid(tmp_path: Path) -> tuple[Path, tuple[Placed, ...]]:
    """A folder of links made just now, to files of a cache that are older."""
    cache, target = tmp_path / "cache", tmp_path / "target"
    cache.mkdir()
    for data in DATA.values():
        (cache / md5(data)).write_bytes(data)
    time.sleep(0.07)
    for name, data in DATA.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).hardlink_to(cache / md5(data))
    return target, tuple(Placed(name, md5(data)) for name, data in DATA.items())


def test_digests_of_what_was_linked_just_now_are_kept(
    laid: tuple[Path, tuple[Placed, ...]], tmp_path: Path
) -> None:
    target, placed = laid
    found = measure(target, placed, tmp_path / "known.json")
    assert {e.path: e.digest for e in found.entries} == {
        name: hashlib.sha256(data).hexdigest() for name, data in DATA.items()
    }
    assert len(json.loads((tmp_path / "known.json").read_bytes())["files"]) == len(DATA)
    for one in placed:  # the checks read the cache
        assert PROOFS.has((tmp_path / "cache" / one.digest).stat(), one.digest)


def test_each_byte_is_read_once(
    laid: tuple[Path, tuple[Placed, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, placed = laid
    count, real = [0], reading.pieces

    def pieces(*given: object) -> object:
        for piece in real(*given):  # type: ignore[arg-type]
            count[0] += len(piece)
            yield piece

    monkeypatch.setattr(working, "pieces", pieces)
    monkeypatch.setattr(staging, "_md5", lambda path: pytest.fail(f"{path} is read again"))
    measure(target, placed, tmp_path / "known.json")
    for one in placed:
        objects.prefix(tmp_path / "cache" / one.digest, one.digest, 0)
    assert count[0] == sum(map(len, DATA.values()))


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("again", [False, True])
def test_other_bytes_than_the_pointers(
    laid: tuple[Path, tuple[Placed, ...]], tmp_path: Path, name: str, again: bool
) -> None:
    target, placed = laid
    if again:  # SHA-256 is known from before: the md5 is computed all the same
        measure(target, placed, tmp_path / "known.json")
    wrong = tuple(Placed(one.path, "0" * 32 if one.path == name else one.digest) for one in placed)
    with pytest.raises(CorruptWeights, match=f"{name}: its bytes .md5 {md5(DATA[name])}"):
        measure(target, wrong, tmp_path / "known.json")


def test_a_flipped_bit_is_found(laid: tuple[Path, tuple[Placed, ...]], tmp_path: Path) -> None:
    target, placed = laid
    path = target / "model.safetensors"
    times = path.stat()
    with path.open("r+b") as file:
        file.seek(1000)
        file.write(b"W")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(CorruptWeights, match=r"model\.safetensors: its bytes"):
        measure(target, placed, tmp_path / "known.json")


def test_blobs_of_git_have_no_md5(laid: tuple[Path, tuple[Placed, ...]], tmp_path: Path) -> None:
    target, placed = laid
    measure(target, tuple(Placed(one.path, "") for one in placed), tmp_path / "known.json")
