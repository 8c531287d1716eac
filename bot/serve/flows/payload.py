"""Jobs carry JSON: values of the contract, packed and read back strictly."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

from bot.serve.contract import Plain

T = TypeVar("T")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def pack(value: Any) -> dict[str, Plain]:
    """Return a dataclass of the contract as JSON."""
    return cast(
        dict[str, Plain], _adapter(cast(Hashable, type(value))).dump_python(value, mode="json")
    )


def unpack(kind: type[T], data: Plain | Mapping[str, Plain]) -> T:
    """Return what `pack` packed. Raises ValueError for anything else."""
    return cast(T, _adapter(cast(Hashable, kind)).validate_json(json.dumps(data)))
