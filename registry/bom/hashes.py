"""Hashes of components: which are ones, and Software Heritage ids for what git names."""

from __future__ import annotations

import re

DIGITS = {"md5": 32, "sha1": 40, "sha256": 64, "sha384": 96, "sha512": 128, "blake3": 64}
_HEX = re.compile(r"[0-9a-f]+")
_KINDS = {"git-commit": "rev", "git-blob": "cnt"}


def is_hash(algorithm: str, digest: str) -> bool:
    """Whether this is a digest of bytes under an algorithm that every format knows."""
    return DIGITS.get(algorithm) == len(digest) and _HEX.fullmatch(digest) is not None


def swhid(algorithm: str, digest: str) -> str:
    """Return the SWHID of a commit or blob; "" of anything else, and of SHA-256 repositories."""
    known = algorithm in _KINDS and len(digest) == 40 and _HEX.fullmatch(digest)
    return f"swh:1:{_KINDS[algorithm]}:{digest}" if known else ""
