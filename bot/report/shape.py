"""Whether plain JSON values have the shape that a TypedDict states, nothing more and nothing less.

The first difference ends it. A validator that gathers every error lets 20 MB of `{}` grow into
gigabytes of errors, and what is read here is a stranger's.
"""

from __future__ import annotations

import sys
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin

from typing_extensions import get_type_hints, is_typeddict


class ShapeError(ValueError):
    """The value has another shape; the message says where, in names of the format only."""


def check(value: Any, shape: Any, most: int, place: str = "report") -> None:
    """Raise ShapeError unless the value is of the shape and its texts have `most` characters."""
    if shape is str:
        if type(value) is not str or len(value) > most or (not value.isascii() and _halved(value)):
            raise ShapeError(f"{place} is no text of at most {most:,} characters")
    elif is_typeddict(shape):
        _object(value, shape, most, place)
    elif get_origin(shape) is list:
        (item,) = get_args(shape)
        _list(value, place)
        for one in value:
            check(one, item, most, place)
    elif get_origin(shape) is tuple:
        _list(value, place)
        if len(value) != len(get_args(shape)):
            raise ShapeError(f"{place} has {len(value):,} parts")
        for one, item in zip(value, get_args(shape), strict=True):
            check(one, item, most, place)
    elif get_origin(shape) in (Union, UnionType):
        check(value, _chosen(value, shape, place), most, place)
    elif not _is(value, shape):
        raise ShapeError(f"{place} is none of what it may be")


def _is(value: Any, shape: Any) -> bool:
    if get_origin(shape) is Literal:
        return any(type(value) is type(one) and value == one for one in get_args(shape))
    if shape is float:
        return type(value) in (int, float) and abs(value) <= sys.float_info.max  # no nan either
    if isinstance(shape, type) and issubclass(shape, Enum):
        return type(value) is str and value in _members(shape)
    return type(value) is shape  # a bool is no int


def _halved(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _list(value: Any, place: str) -> None:
    if type(value) is not list:
        raise ShapeError(f"{place} is no list")


def _object(value: Any, shape: Any, most: int, place: str) -> None:
    if type(value) is not dict:
        raise ShapeError(f"{place} is no object")
    fields, optional = _fields(shape)
    for name, field in fields.items():
        if name in value:
            check(value[name], field, most, f"{place}.{name}")
        elif name not in optional:
            raise ShapeError(f"{place} has no {name}")
    if len(value) > len(fields) or value.keys() - fields.keys():
        raise ShapeError(f"{place} has keys that the format has not")


def _chosen(value: Any, shape: Any, place: str) -> Any:
    """Return the one member of a union that the value has to be: by null, or by its `kind`."""
    members = get_args(shape)
    if NoneType in members:
        return NoneType if value is None else next(m for m in members if m is not NoneType)
    kind = value.get("kind") if type(value) is dict else None
    for member in members:
        if type(kind) is str and kind in get_args(_fields(member)[0]["kind"]):
            return member
    raise ShapeError(f"{place} is of no known kind")


@cache
def _members(shape: type[Enum]) -> frozenset[str]:
    return frozenset(member.value for member in shape)


@cache
def _fields(shape: Any) -> tuple[dict[str, Any], frozenset[str]]:
    hints = get_type_hints(shape, include_extras=True)
    optional = frozenset(n for n, hint in hints.items() if _origin(hint) is NotRequired)
    return {n: get_args(h)[0] if n in optional else h for n, h in hints.items()}, optional


def _origin(hint: Any) -> Any:
    return get_origin(hint)
