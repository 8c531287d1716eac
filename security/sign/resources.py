"""The OMS predicate: a manifest as resources, and how it was made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from security.errors import Malformed, Refused
from security.manifest import BLAKE3, SHA256, Entry, Manifest, TensorDigest, is_digest
from security.paths import (
    ATTESTATIONS,
    IGNORED,
    SIGNATURE,
    WHOLE,
    canonical,
    hidden,
    is_ignored,
    shown,
)
from security.sign.bundle import fields
from security.sign.dsse import HINT

MAX_FILES = 1_000_000
MAX_IGNORED = 10_000
MAX_SHARD = 1 << 62
_SHARD = re.compile(r"(.+):(0|[1-9][0-9]{0,18}):([1-9][0-9]{0,18})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Serialization:
    """How the digests were made: of whole files, or (`shard` > 0) of ranges of that many bytes."""

    algorithm: str = SHA256
    shard: int = 0


def write(manifest: Manifest) -> dict[str, Any]:
    """Return the predicate of a manifest (OMS 5.2). Raises Refused."""
    entries = manifest.entries
    if not entries:
        raise Refused("there is no file to sign", "name a folder that holds the model")
    if any(a.path >= b.path for a, b in pairwise(entries)):
        raise Refused("files of the manifest are out of order, or twice there", "measure again")
    algorithm = entries[0].algorithm
    if any(entry.algorithm != algorithm for entry in entries):
        raise Refused("files of the manifest have digests of two kinds", "measure again")
    ignored = frozenset((*IGNORED, SIGNATURE, ATTESTATIONS, *hidden(manifest.ignored)))
    for entry in entries:
        if is_ignored(entry.path, ignored):
            raise Refused(f"{shown(entry.path)} would be signed and ignored", "rename it")
    return {
        "resources": [_resource(entry) for entry in entries],
        "serialization": {
            "method": "files",
            "hash_type": algorithm,
            "allow_symlinks": False,
            "ignore_paths": sorted(ignored),
        },
    }


def read(found: Any) -> tuple[Manifest, Serialization]:
    """Read a predicate, its files in the listed order. Raises Malformed."""
    predicate = fields(found, "the predicate", ("resources", "serialization"))
    made, ignored = _serialization(predicate["serialization"])
    listed = predicate["resources"]
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_FILES:
        raise Malformed(f"resources must be a list of 1 to {MAX_FILES:,} files", HINT)
    entries = tuple(_entry(each, made) for each in listed)
    seen: set[str] = set()
    apart = frozenset(ignored)
    for entry in entries:
        if entry.path in seen:
            raise Malformed(f"{shown(entry.path)} is listed twice", HINT)
        seen.add(entry.path)
        if is_ignored(entry.path, apart):
            raise Malformed(f"{shown(entry.path)} is both listed and ignored", HINT)
    return Manifest(entries, ignored), made


def _resource(entry: Entry) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "name": entry.path,
        "algorithm": entry.algorithm,
        "digest": entry.digest,
    }
    if entry.tensors:
        resource["annotations"] = {"tensors": {each.name: each.digest for each in entry.tensors}}
    return resource


def _entry(found: Any, made: Serialization) -> Entry:
    if not isinstance(found, dict):
        raise Malformed("a resource is not a JSON object", HINT)
    name, digest = found.get("name"), found.get("digest")
    if not isinstance(name, str):
        raise Malformed("a resource has no name", HINT)
    if name != WHOLE or made.shard:  # "." is a single file, as the reference writes it
        _check_name(name, made.shard)
    if not is_digest(digest):
        raise Malformed(f"digest of {shown(name)} is not 64 digits of lower-case hex", HINT)
    # The reference writes the second spelling of a shard's algorithm.
    spelled = (made.algorithm, f"{made.algorithm}-sharded-{made.shard}" if made.shard else "")
    if found.get("algorithm") not in spelled:
        raise Malformed(f"algorithm of {shown(name)} is not its serialization's", HINT)
    return Entry(name, -1, digest, made.algorithm, _tensors(name, found.get("annotations")))


def _check_name(name: str, shard: int) -> None:
    if not shard:
        canonical(name)
        return
    parts = _SHARD.fullmatch(name)  # greedy: split at the last two colons
    if not parts:
        raise Malformed(f"{shown(name)} is no range of a file", HINT)
    if parts[1] != WHOLE:
        canonical(parts[1])
    start, end = int(parts[2]), int(parts[3])
    if start % shard or not start < end <= start + shard:
        raise Malformed(f"{shown(name)} is no range of {shard:,} bytes", HINT)


def _tensors(name: str, annotations: Any) -> tuple[TensorDigest, ...]:
    found = annotations.get("tensors") if isinstance(annotations, dict) else None
    if found is None:
        return ()
    if not isinstance(found, dict):
        raise Malformed(f"tensors of {shown(name)} are not a JSON object", HINT)
    for value in found.values():
        if not is_digest(value):
            raise Malformed(f"a tensor of {shown(name)} has no SHA-256 in lower-case hex", HINT)
    return tuple(TensorDigest(key, value) for key, value in found.items())


def _serialization(found: Any) -> tuple[Serialization, tuple[str, ...]]:
    what = "serialization"
    wanted = ("method", "hash_type", "allow_symlinks")
    made = fields(found, what, wanted, ("shard_size", "ignore_paths"))
    if made["hash_type"] not in (SHA256, BLAKE3):
        why = f"hash_type {made['hash_type']!r:.40} of {what} is not read here"
        raise Malformed(why, "ask for a signature with sha256 or blake3")
    # True is no harm: a link among the files is an error here in any case.
    if type(made["allow_symlinks"]) is not bool:
        raise Malformed(f"allow_symlinks of {what} is neither true nor false", HINT)
    if made["method"] not in ("files", "shards"):
        raise Malformed(f"method {made['method']!r:.40} of {what} is unknown", HINT)
    if (made["method"] == "shards") != ("shard_size" in made):
        raise Malformed(f"shard_size of {what} does not fit its method", HINT)
    shard = made.get("shard_size", 1)
    # The reference writes 8.0 for 8.
    number = type(shard) in (int, float) and 0 < shard <= MAX_SHARD
    if not number or shard != int(shard):
        raise Malformed(f"shard_size of {what} is no number of bytes", HINT)
    ignored = made.get("ignore_paths", [])
    if not isinstance(ignored, list) or len(ignored) > MAX_IGNORED:
        raise Malformed(f"ignore_paths of {what} is not a list of at most {MAX_IGNORED:,}", HINT)
    size = int(shard) if "shard_size" in made else 0
    if not all(isinstance(path, str) for path in ignored):
        raise Malformed(f"ignore_paths of {what} has what is no path", HINT)
    return Serialization(made["hash_type"], size), hidden(ignored)
