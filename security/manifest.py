"""What a folder holds: its files in one order with their digests, under one root digest."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TypeGuard

SHA256, BLAKE3 = "sha256", "blake3"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def is_digest(value: object) -> TypeGuard[str]:
    """Whether this is a SHA-256 digest, or one of its length, as documents write it."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


@dataclass(frozen=True, slots=True)
class TensorDigest:
    """SHA-256 (hex) of one tensor's bytes as they lie in its safetensors file."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One regular file: canonical path, size in bytes, digest (lower-case hex) of all of it."""

    path: str
    size: int
    digest: str
    algorithm: str = SHA256
    tensors: tuple[TensorDigest, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """Files in code-point order of their paths, and the top-level paths that were left out."""

    entries: tuple[Entry, ...]
    ignored: tuple[str, ...] = ()

    @cached_property
    def root(self) -> str:
        """Root digest (OMS v1.0, 6.5.1): SHA-256 of the raw digests joined in order."""
        return hashlib.sha256(b"".join(bytes.fromhex(e.digest) for e in self.entries)).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.entries)
