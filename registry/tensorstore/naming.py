"""The names of objects in a DVC cache: their md5, of many at once where that costs less."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Bytes = bytes | bytearray | memoryview
FEW = 3  # from here on eight at once, idle lanes among them, cost less than one after the other

LANES = 8  # streams that go side by side


@dataclass(frozen=True, slots=True)
class Side:
    """How a name is begun, and how up to LANES of them go on, each by its own bytes."""

    new: Callable[[], Any]
    feed: Callable[[tuple[Any, ...], tuple[Bytes, ...]], object]


def name(data: Bytes) -> str:
    """Return the md5 of an object: DVC's name for it, not a defence."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _native() -> Callable[[Sequence[Bytes]], list[str]] | None:
    try:
        found: Callable[[Sequence[Bytes]], list[str]] = importlib.import_module(
            "registry.tensorstore._md5"
        ).digests
    except ImportError:  # not built, or not for this processor
        return None
    return found


NATIVE = _native()


def together(objects: Sequence[Bytes]) -> tuple[tuple[Bytes, ...], ...]:
    """Group objects: each group is best named by one thread."""
    if NATIVE is None or len(objects) < FEW:
        return tuple((one,) for one in objects)
    return (tuple(objects),)


def names(objects: Sequence[Bytes]) -> list[str]:
    """Return the name of each object."""
    if NATIVE is None or len(objects) < FEW:
        return [name(one) for one in objects]
    return NATIVE(objects)


def _in_turn(streams: tuple[Any, ...], pieces: tuple[Bytes, ...]) -> None:
    for stream, piece in zip(streams, pieces, strict=True):
        stream.update(piece)


PLAIN = Side(lambda: hashlib.md5(usedforsecurity=False), _in_turn)


def _side() -> Side:
    try:
        native: Any = importlib.import_module("registry.tensorstore._md5")
        return Side(native.md5, native.together)
    except (ImportError, AttributeError):  # as above, or built before it had these
        return PLAIN


SIDE = _side()
