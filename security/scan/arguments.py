"""With which arguments a name that is allowed may be called; security/scan/allowed.py says why."""

from __future__ import annotations

from typing import Any

from security.scan import dtypes
from security.scan.stubs import Meta


def _is_plain(args: tuple[Any, ...]) -> bool:
    return all(type(arg) in (int, float, bool, str, bytes) or arg is None for arg in args)


def _used(value: Any) -> bool:
    """Whether it is a type of NumPy, which from now on may not change."""
    dtypes.use((value,))
    return getattr(value, "kind", "") == "dtype"


def _is_data(value: Any) -> bool:
    """Whether it is bytes, or what makes them in the protocols that have none."""
    return type(value) in (bytes, bytearray) or getattr(value, "kind", "") in ("bytes", "latin1")


def _is_bytes(args: tuple[Any, ...]) -> bool:
    if len(args) == 2:
        return type(args[0]) is str and args[1] in ("latin-1", "latin1", "utf-8")
    return not args or (len(args) == 1 and _is_data(args[0]))


def _is_small(args: tuple[Any, ...]) -> bool:
    return len(args) <= 1 and _is_plain(args)


CHECKS: dict[str, Any] = {
    "array": lambda args: True,
    "dtype": _is_plain,
    "buffer": lambda args: len(args) > 1 and _used(args[1]),
    "bytes": _is_bytes,
    "small": _is_small,
    "empty": lambda args: not args,
    "blank": lambda args: not args,
    "latin1": lambda args: len(args) == 2 and type(args[0]) is str and args[1] == "latin1",
    "instance": lambda args: (
        len(args) == 3
        and type(args[0]) is Meta
        and args[2] is None
        and getattr(args[1], "pair", ("", ""))[1] == "object"
    ),
    "reconstruct": lambda args: (
        len(args) == 3
        and getattr(args[0], "pair", None) == ("numpy", "ndarray")
        and args[1] == (0,)
        and (_is_plain(args[2:]) or _is_data(args[2]) or _used(args[2]))
    ),
    "scalar": lambda args: (
        len(args) == 2 and _used(args[0]) and (_is_data(args[1]) or type(args[1]) is str)
    ),
}
