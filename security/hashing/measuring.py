"""What a folder holds: every file found, read once and digested."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from security.errors import Malformed
from security.hashing.digests import Hash
from security.hashing.digests import algorithm as of_name
from security.hashing.known import Known
from security.hashing.walk import Tree, walk
from security.hashing.working import Plan, Progress, digest_all
from security.manifest import SHA256, Entry, Manifest
from security.paths import ATTESTATIONS, IGNORED, SIGNATURE, hidden

LEFT_OUT = (*IGNORED, SIGNATURE, ATTESTATIONS)


def measure(
    root: Path,
    *,
    ignored: tuple[str, ...] = LEFT_OUT,
    tensors: bool = True,
    algorithm: str = SHA256,
    shard: int = 0,
    known: Known | None = None,
    jobs: int = 0,
    progress: Progress | None = None,
    beside: Callable[[str], Hash | None] | None = None,
) -> Manifest:
    """Return the manifest of a folder, or of a single file as the one entry ".".

    `ignored` are paths left out with all below them; `tensors` adds the digest of each tensor of
    safetensors files; `shard` (bytes) and other algorithms serve to read others' signatures only;
    `known` spares files that an earlier run read; `jobs` are threads, 0 for every core at hand;
    `progress` is told bytes read, of all to read, in this thread;
    `beside` gives another digest to feed with the bytes of a path, asked for each file read.
    Raises Unreadable or Malformed naming the file, Unavailable for an algorithm.
    """
    ignored = hidden(ignored)
    plan = Plan(of_name(algorithm), shard, tensors and not shard, jobs, progress, beside)
    if algorithm != SHA256 or shard:
        known = None
    if known:
        known.begin(tensors=plan.tensors)
    with Tree.of(root) as tree:
        files = walk(tree, root, ignored)
        if not files:
            raise Malformed(f"{root}: no file in it to sign", "name the folder of a model")
        found: dict[str, tuple[Entry, ...]] = {}
        if known:
            had = [(file.path, known.entry(file)) for file in files]
            found = {path: (entry,) for path, entry in had if entry}
        found |= digest_all(tree, [f for f in files if f.path not in found], plan)
    if known:
        known.keep((file, found[file.path][0]) for file in files)
    entries = [entry for file in files for entry in found[file.path]]
    if shard:
        entries.sort(key=lambda entry: entry.path)
    return Manifest(tuple(entries), ignored)
