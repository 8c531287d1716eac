"""One reading of a stream of pickles, by CPython's own parsers, with stubs for every name.

Runs in the child. It sees what a victim's parser would see.
"""

from __future__ import annotations

import _pickle
import itertools
import pickle
from typing import Any

from security.scan import dtypes
from security.scan.arguments import CHECKS
from security.scan.storages import Claims, Tensor, Whole, fits, is_storage
from security.scan.stubs import INERT, ITEMS, Harmless, Meta, Plain, Stub, shown

MAX_FOUND = 64  # names in one report; a stream with more is not read further
MAX_CALLS = 3  # calls shown of each
MAX_NAMES = 4096  # different names at all
MAX_NESTED = 8  # pickles inside the arrays of a joblib file
MAGIC = 0x1950A86A20F9469CFC6C  # first pickle of torch's format before 1.6


BUFFERS = itertools.repeat(b"")
BASES: dict[str, type] = {"any": Harmless, "plain": Plain, "whole": Whole, "tensor": Tensor}


class Enough(Exception):
    """So much was found that no more need be read."""


class Run:
    """One reading of a stream. `exact` reads no byte ahead, as joblib's arrays ask for; `slow`
    takes the parser in Python."""

    def __init__(
        self, allowed: dict[str, str], file: Any, *, exact: bool = False, slow: bool = False
    ) -> None:
        self.slow = slow
        self.allowed = allowed
        self.file = file
        self.exact = exact
        self.stubs: dict[tuple[str, str], Any] = {}
        self.found: dict[tuple[str, str], dict[str, Any]] = {}
        self.start = self.imports = self.nested = self.whole = 0
        self.arrays = self.magic = False
        self.error = ""
        self.made: Any = None
        self.claims = Claims()

    def stub(self, module: str, name: str) -> Any:
        """Return what stands for a name, and note one that is not allowed."""
        self.imports += 1
        made = self.stubs.get((module, name))
        if made is None:
            if len(self.stubs) >= MAX_NAMES:
                raise Enough
            kind = self.allowed.get(f"{module}\n{name}", "")
            base = BASES.get(kind, Stub)
            label = f"{module[:100]}.{name[:100]}"
            at = (self.start, self.imports)
            space = {"__slots__": (), "run": self, "kind": kind, "label": label, "at": at}
            made = self.stubs[module, name] = Meta(
                "stub", (base,), {**space, "pair": (module, name)}
            )
            if not kind:
                self.note(made, "")
        return made

    def note(self, cls: Any, verb: str, args: tuple[Any, ...] | None = None) -> None:
        """Note what was done with a name."""
        entry = self.found.get(cls.pair)
        if entry is None:
            if len(self.found) >= MAX_FOUND:
                raise Enough
            pickle, nth = cls.at
            module, name = (part[:200] for part in cls.pair)
            entry = {"pickle": pickle, "nth": nth, "module": module, "name": name, "calls": []}
            self.found[cls.pair] = {**entry, "known": bool(cls.kind)}
            entry = self.found[cls.pair]
        if verb and len(entry["calls"]) < MAX_CALLS:
            text = "" if args is None else "(" + ", ".join(map(shown, args[:ITEMS])) + ")"
            entry["calls"].append(f"{verb} {cls.label}{text}")

    def called(self, cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Note a call unless its arguments are among the harmless ones of that name."""
        check = CHECKS.get(cls.kind)
        if check is None or kwargs or not check(args):
            self.note(cls, "calls", args)

    def built(self, made: Any, state: Any) -> None:
        """Note a state; behind that of a joblib array lie its bytes."""
        if made.kind == "array":
            self.arrays = True
            if self.exact:
                self.skip(state)
        elif made.kind == "dtype":
            if not dtypes.set_state(made, state):
                self.note(type(made), "sets the state of", (state,))
        elif not made.kind:
            self.note(type(made), "sets the state of")
        elif made.kind == "blank" and not fits(state):
            self.note(type(made), "sets the state of", (state,))
        else:
            dtypes.use(state)

    def filled(self, cls: Any) -> None:
        """Note items that are put into what is no container."""
        if cls.pair[0] not in ("builtins", "__builtin__"):
            self.note(cls, "puts items into a result of")

    def skip(self, state: Any) -> None:
        """Go to where joblib goes on: joblib/numpy_pickle.py, NumpyArrayWrapper.read_array."""
        found = dtypes.element(state["dtype"])
        count = 1
        for size in state["shape"]:
            if type(size) is not int or size < 0:
                raise ValueError("an array of a shape that is none")
            count *= size
        if found.objects:
            self.nested += 1
            if self.nested > MAX_NESTED:
                raise ValueError("too many arrays of objects in a joblib file")
            self.load()
            return
        if state.get("numpy_array_alignment_bytes") is not None:
            self.file.seek(self.file.read(1)[0], 1)
        self.file.seek(count * found.size, 1)

    def load(self) -> Any:
        """Read one pickle."""
        file = Exact(self.file) if self.exact else self.file
        made = (Slow if self.slow else Fast)(file, encoding="latin1", buffers=BUFFERS)
        made.run = self
        return made.load()

    def stream(self, size: int) -> None:
        """Read pickles until one breaks or the bytes end."""
        try:
            while self.start < size or not self.whole:
                self.imports = 0
                self.claims.pickle()
                # Kept until the next: to take it apart would cost as much as to make it.
                self.made = self.load()
                if not self.whole:
                    self.magic = type(self.made) is int and self.made == MAGIC
                self.whole += 1
                self.start = self.file.tell()
        except MemoryError:
            self.error = "limit"
        except Enough:
            self.error = "enough"
        except RecursionError:
            self.error = "nested too deeply"
        except Exception as error:  # noqa: BLE001 - whatever the parser says of hostile bytes
            self.error = f"{type(error).__name__}: {str(error)[:150]}"


class Names:
    """What both parsers ask for."""

    run: Run

    def find_class(self, module: str, name: str) -> Any:
        """Return a stub; nothing is ever imported."""
        return self.run.stub(module, name)

    def persistent_load(self, pid: Any) -> Any:
        """Return something inert: what an id means, the loader decides. Torch's are storages."""
        if not is_storage(pid):
            return INERT
        claims = self.run.claims
        storage = claims.storage(pid)
        if claims.full:
            raise Enough
        return INERT if storage is None else storage


class Fast(Names, _pickle.Unpickler):
    """The parser in C."""


class Slow(Names, pickle._Unpickler):
    """The parser in Python, of joblib and dill: it goes on where that in C finds a frame cut."""


class Exact:
    """A file without `peek`, so that the parser reads no more than it uses."""

    def __init__(self, file: Any) -> None:
        self.read, self.readline, self.readinto = file.read, file.readline, file.readinto
