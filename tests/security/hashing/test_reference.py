"""The digests of our manifests are those of the reference implementation."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from security.hashing import measure

hashing = pytest.importorskip("model_signing.hashing")
Make = Callable[[dict[str, bytes]], Path]
NAMES = ["w", "a/z", "a-b", "sub/.git/x", "ü", "a\nb", "a b", "empty", "deep/er/and/deeper", ".x"]


def reference(root: Path, algorithm: str, shard: int) -> dict[str, str]:
    config = hashing.Config().set_ignored_paths(paths=[], ignore_git_paths=True)
    if shard:
        config.use_shard_serialization(hashing_algorithm=algorithm, shard_size=shard)
    else:
        config.use_file_serialization(hashing_algorithm=algorithm)
    found = config.hash(root).resource_descriptors()
    return {each.identifier: each.digest.digest_hex for each in found}


@pytest.mark.usefixtures("road")
@pytest.mark.parametrize(
    ("algorithm", "shard"),
    [("sha256", 0), ("sha256", 8), ("sha256", 1000), ("blake2", 0), ("blake2", 77), ("blake3", 0)],
)
def test_digests_agree(make: Make, algorithm: str, shard: int) -> None:
    files = {name: random.Random(n).randbytes(n * 777) for n, name in enumerate(NAMES)}
    root = make({**files, "empty": b"", ".git/config": b"x"})
    ours = "blake2b" if algorithm == "blake2" else algorithm
    found = measure(root, algorithm=ours, shard=shard)
    assert {e.path: e.digest for e in found.entries} == reference(root, algorithm, shard)
