"""The dry run of pickles: a program of its own that imports nothing a pickle names.

It is started with a clean environment and forks once per stream. CPython's own unpickler parses,
so that it sees what a victim's would see; what it asks for is a stub that notes what is done to it.
Speaks on descriptor 0: messages of JSON behind their length in 4 little-endian bytes; bytes of the
stream are asked for as they are needed. Imports the standard library alone, and little of it.
"""

import _pickle
import copyreg
import fcntl
import io
import itertools
import json
import os
import resource
import signal
import socket
import struct
import sys
from typing import Any

CHUNK = 1 << 20
MAX_FOUND = 64  # names in one report; a stream with more is not read further
MAX_CALLS = 3  # calls shown of each
MAX_NAMES = 4096  # different names at all
MAX_NESTED = 8  # pickles inside the arrays of a joblib file
MAGIC = 0x1950A86A20F9469CFC6C  # first pickle of torch's format before 1.6
DEPTH, ITEMS, TEXT = 2, 4, 60  # of a value that is shown


class Enough(Exception):
    """So much was found that no more need be read."""


class Meta(type):
    """Makes what a pickle does to a name, rather than to what it made with it, be noted."""

    run: Any
    label: str

    def __setattr__(cls, name: str, value: Any) -> None:
        cls.run.note(cls, f"sets {shown(name)} of")

    def __setitem__(cls, key: Any, value: Any) -> None:
        cls.run.note(cls, "puts an item into")

    def _changes(cls) -> Any:
        return lambda *_: cls.run.note(cls, "changes")

    # A property of the metaclass comes before the methods of the class.
    __setstate__ = append = extend = add = property(_changes)


class Stub(metaclass=Meta):
    """Stands for whatever a name means: may be called, made, filled and hashed; does nothing."""

    __slots__ = ("args",)
    args: Any
    run: Any = None
    kind = ""
    label = ""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Be called, or made by another opcode."""
        cls.run.called(cls, args, kwargs)
        made = object.__new__(cls)
        made.args = args
        return made

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Be called as what a call gave."""
        self.run.note(type(self), "calls the result of", args)
        return self

    def __setstate__(self, state: Any) -> None:
        self.run.built(self, state)

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        """Take an item."""

    extend = add = append


class Harmless(Stub):
    """Stands for what is harmless with any argument: nothing needs to be noted, and it is fast."""

    __slots__ = ()
    __new__ = object.__new__

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


class Inert:
    """Stands for what a persistent id or a buffer means."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        pass


INERT = Inert()


class Run:
    """One reading of a stream. `exact` reads no byte ahead, as joblib's arrays ask for."""

    def __init__(self, allowed: dict[str, str], file: Any, exact: bool) -> None:
        self.allowed = allowed
        self.file = file
        self.exact = exact
        self.stubs: dict[tuple[str, str], Any] = {}
        self.found: dict[tuple[str, str], dict[str, Any]] = {}
        self.start = self.imports = self.nested = self.whole = 0
        self.arrays = self.magic = False
        self.error = ""

    def stub(self, module: str, name: str) -> Any:
        """Return what stands for a name, and note one that is not allowed."""
        self.imports += 1
        made = self.stubs.get((module, name))
        if made is None:
            if len(self.stubs) >= MAX_NAMES:
                raise Enough
            kind = self.allowed.get(f"{module}\n{name}", "")
            base = Harmless if kind == "any" else Stub
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
            made.args = (*made.args[:1], state)
        elif not made.kind:
            self.note(type(made), "sets the state of")

    def skip(self, state: Any) -> None:
        """Go to where joblib goes on: joblib/numpy_pickle.py, NumpyArrayWrapper.read_array."""
        code, flags = dtype(state["dtype"])
        count = 1
        for size in state["shape"]:
            count *= size
        if code[0] == "O" or flags & 1:
            self.nested += 1
            if code[0] != "O" or self.nested > MAX_NESTED:
                raise ValueError("arrays of objects in a joblib file")
            self.load()
            return
        if state.get("numpy_array_alignment_bytes") is not None:
            self.file.seek(self.file.read(1)[0], 1)
        width = int(code[1:] or 1) * (4 if code[0] == "U" else 1)
        if count < 0:
            raise ValueError("an array of negative size")
        self.file.seek(count * width, 1)

    def load(self) -> Any:
        """Read one pickle."""
        file = Exact(self.file) if self.exact else self.file
        return Unpickler(self, file).load()

    def stream(self, size: int) -> None:
        """Read pickles until one breaks or the bytes end."""
        try:
            while self.start < size or not self.whole:
                self.imports = 0
                made = self.load()
                if not self.whole:
                    self.magic = type(made) is int and made == MAGIC
                del made
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


class Unpickler(_pickle.Unpickler):
    """CPython's parser, which gets stubs."""

    def __init__(self, run: Run, file: Any) -> None:
        super().__init__(file, encoding="latin1", buffers=itertools.repeat(b""))
        self.run = run

    def find_class(self, module: str, name: str) -> Any:
        """Return a stub; nothing is ever imported."""
        return self.run.stub(module, name)

    def persistent_load(self, pid: Any) -> Any:
        """Return something inert: what an id means, the loader decides."""
        return INERT


class Exact:
    """A file without `peek`, so that the parser reads no more than it uses."""

    def __init__(self, file: Any) -> None:
        self.read, self.readline, self.readinto = file.read, file.readline, file.readinto


class Feed(io.RawIOBase):
    """The stream, as the process that asked gives it piece by piece."""

    def __init__(self, wire: socket.socket, size: int) -> None:
        self.wire, self.size, self.at = wire, size, 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be sought in."""
        return True

    def tell(self) -> int:
        """Return the offset."""
        return self.at

    def seek(self, at: int, whence: int = 0) -> int:
        """Go to an offset. Raises ValueError outside of the stream."""
        at += (0, self.at, self.size)[whence]
        if not 0 <= at <= self.size:
            raise ValueError("the stream ends before")
        self.at = at
        return at

    def readinto(self, buffer: Any) -> int:
        """Fill as much of a buffer as one piece may hold."""
        view = memoryview(buffer)[: max(0, min(CHUNK, self.size - self.at))]
        if view:
            send(self.wire, {"at": self.at, "count": len(view)})
            fill(self.wire, view)
            self.at += len(view)
        return len(view)


def shown(value: Any, depth: int = 0) -> str:
    """Return a short text of a value; nothing of it is called."""
    kind = type(value)
    if kind in (str, bytes, bytearray):
        return ascii(value[:TEXT]) + ("..." if len(value) > TEXT else "")
    if kind is int:
        return str(value) if value.bit_length() < 128 else f"<{value.bit_length()} bits>"
    if kind in (float, bool) or value is None:
        return repr(value)
    if kind is Meta:
        return str(value.label)
    if isinstance(value, Stub):
        return f"<{value.label}>"
    if kind in (tuple, list) and depth < DEPTH:
        inner = ", ".join(shown(item, depth + 1) for item in value[:ITEMS])
        return f"[{inner}]" if kind is list else f"({inner})"
    return f"<{kind.__name__}>"


def dtype(made: Any) -> tuple[str, int]:
    """Return the code of a NumPy type ("f8") and its flags."""
    code = made.args[0].lstrip("<>|=") if made.kind == "dtype" else ""
    if code[:1] not in tuple("biufcmMOSUV") or not (code[1:] or "0").isdigit() or len(code) > 12:
        raise ValueError("an array of an unknown type")
    state: tuple[Any, ...] = made.args[1] if len(made.args) > 1 else ()
    flags = state[7:8] or (0,)
    return code, flags[0]


def _is_plain(args: tuple[Any, ...]) -> bool:
    return all(type(arg) in (int, float, bool, str, bytes) or arg is None for arg in args)


def _is_bytes(args: tuple[Any, ...]) -> bool:
    if not args or len(args) > 2 or not _is_plain(args[1:]):
        return not args
    kind = type(args[0])
    return (kind in (bytes, bytearray) and len(args) == 1) or (
        kind is str and len(args) == 2 and args[1] in ("latin-1", "latin1", "utf-8")
    )


def _is_small(args: tuple[Any, ...]) -> bool:
    return len(args) <= 1 and _is_plain(args)


# What may be called with which arguments: security/scan/allowed.py says why.
CHECKS: dict[str, Any] = {
    "array": lambda args: True,
    "dtype": lambda args: True,
    "bytes": _is_bytes,
    "small": _is_small,
    "empty": lambda args: not args,
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
    ),
    "scalar": lambda args: len(args) == 2 and type(args[1]) in (bytes, str),
}


def try_one(wire: socket.socket, allowed: dict[str, str], order: dict[str, Any]) -> None:
    """Read one stream and say what was found."""
    signal.setitimer(signal.ITIMER_PROF, order["seconds"])  # what it does then, is end us
    for what, limit in (
        (resource.RLIMIT_AS, order["memory"]),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    size = order["size"]
    run = Run(allowed, io.BufferedReader(Feed(wire, size), CHUNK), exact=False)
    run.stream(size)
    found = list(run.found.values())
    if run.arrays:
        run = Run(allowed, io.BufferedReader(Feed(wire, size), 4096), exact=True)
        run.stream(size)
        found += run.found.values()
    send(
        wire,
        {
            "found": found,
            "whole": run.whole,
            "end": run.start,
            "error": run.error,
            "magic": run.magic,
            "met": run.imports,
        },
    )


def send(wire: socket.socket, message: Any) -> None:
    """Send one message."""
    data = json.dumps(message).encode()
    wire.sendall(struct.pack("<I", len(data)) + data)


def fill(wire: socket.socket, view: memoryview) -> None:
    """Fill a buffer from the wire; end with the other side."""
    while view:
        got = wire.recv_into(view)
        if not got:
            os._exit(0)
        view = view[got:]


def receive(wire: socket.socket) -> Any:
    """Receive one message."""
    head = bytearray(4)
    fill(wire, memoryview(head))
    data = bytearray(struct.unpack("<I", head)[0])
    fill(wire, memoryview(data))
    return json.loads(data)


def main(lifeline: int) -> None:
    """Serve streams until the other side is gone."""
    # When the process that started us ends, however it ends, the kernel ends our whole group.
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    for what in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        resource.setrlimit(what, (0, 0))
    for table in ("_extension_registry", "_inverted_registry", "_extension_cache"):
        getattr(copyreg, table).clear()
    wire = socket.socket(fileno=0)
    allowed = receive(wire)
    while True:
        order = receive(wire)
        child = os.fork()
        if not child:
            status = 1
            try:
                try_one(wire, allowed, order)
                status = 0
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        if status:  # it may have left half a message: this wire is of no more use
            os._exit(100 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else 99)


if __name__ == "__main__":
    main(int(sys.argv[1]))
