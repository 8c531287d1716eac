"""A test's own thread and the server's threads take turns on the fake's state."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar


class Holder(Protocol):
    """Whatever has a lock: the hub itself, or a part of it."""

    @property
    def lock(self) -> threading.RLock: ...


P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound=Holder)


def locked(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """The method, run while nobody else reads or changes the fake."""

    @functools.wraps(method)
    def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.lock:
            return method(self, *args, **kwargs)

    return run
