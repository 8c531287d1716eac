"""Which digests there are, and two at once where the processor can."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from security.errors import Malformed, Unavailable
from security.manifest import BLAKE3, SHA256

BLAKE2B = "blake2b"  # of others' signatures only, as is BLAKE3


class Hash(Protocol):
    """A digest in the making."""

    def update(self, data: memoryview, /) -> object:
        """Take in more bytes."""

    def hexdigest(self) -> str:
        """Return the digest of all bytes so far, in lower-case hex."""


def _in_turn(one: Hash, data: memoryview, other: Hash, more: memoryview) -> None:
    one.update(data)
    other.update(more)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """How a digest is begun, and how two of them go on; `paired` if two at once cost less."""

    name: str
    new: Callable[[], Hash]
    both: Callable[[Hash, memoryview, Hash, memoryview], object] = _in_turn
    paired: bool = False


PURE = Algorithm(SHA256, hashlib.sha256)


def _sha256() -> Algorithm:
    try:
        native: Any = importlib.import_module("security.hashing._sha256")
    except ImportError:  # not built, or not for this processor
        return PURE
    return Algorithm(SHA256, native.sha256, native.both, paired=True)


FAST = _sha256()


def algorithm(name: str) -> Algorithm:
    """Return a digest by its name in OMS. Raises Malformed, Unavailable for a missing package."""
    if name == SHA256:
        return FAST
    if name == BLAKE2B:
        return Algorithm(name, hashlib.blake2b)
    if name == BLAKE3:
        try:
            blake3: Any = importlib.import_module("blake3")
        except ImportError:
            raise Unavailable(
                "this signature uses BLAKE3, and the package blake3 is not installed",
                "pip install 'modelwarden[blake3]'",
            ) from None
        return Algorithm(name, blake3.blake3)
    raise Malformed(f"{name!r:.40} is no known digest", "ask the signer to use sha256")
