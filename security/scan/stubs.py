"""What the dry run gives for a name: inert things that note what is done to them.

Runs in the child. Never called by anything but CPython's unpickler.
"""

from __future__ import annotations

from typing import Any, cast

CALLED = ("__setstate__", "append", "extend", "add", "__class__")
DEPTH, ITEMS, TEXT = 2, 4, 60  # of a value that is shown


class Meta(type):
    """Makes what a pickle does to a name, rather than to what it made with it, be noted."""

    run: Any
    label: str
    pair: tuple[str, str]

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

    __slots__ = ("args", "element", "used")  # the latter two of NumPy's types
    args: Any
    run: Any = None
    kind = ""
    label = ""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Be called, or made by another opcode."""
        cls.run.called(cls, args, kwargs)
        if cls.kind == "instance" and args and type(args[0]) is Meta:
            made: Any = object.__new__(cast(type, args[0]))  # its class decides, not who made it
            args = ()
        else:
            made = object.__new__(cls)
        if isinstance(made, Stub):
            made.args = args
        return made

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Be called as what a call gave."""
        self.run.note(type(self), "calls the result of", args)
        return self

    def __setstate__(self, state: Any) -> None:
        self.run.built(self, state)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.run.filled(type(self))

    def append(self, value: Any) -> None:
        """Take an item."""
        self.run.filled(type(self))

    extend = add = append


class Harmless(metaclass=Meta):
    """Stands for what is harmless with any argument: nothing needs to be noted, and it is fast."""

    __slots__ = ()
    kind = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        # What an unpickler looks up on an instance, it calls, and no check sees with what.
        for part in state if type(state) is tuple else (state,):
            if type(part) is dict and any(type(part.get(key)) is Meta for key in CALLED):
                type(self).run.note(type(self), "gives methods to a result of")

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        """Take an item."""

    extend = add = append


class Plain(Harmless):
    """Stands for what is harmless to make, and has no items: CVE-2026-24747 put some there."""

    __slots__ = ()

    def __setitem__(self, key: Any, value: Any) -> None:
        type(self).run.note(type(self), "puts items into a result of")

    def append(self, value: Any) -> None:
        """Take an item, which this never does."""
        self[None] = value

    extend = add = append


class Inert:
    """Stands for what a persistent id or a buffer means."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        pass


INERT = Inert()


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
    if type(kind) is Meta:
        return f"<{kind.label}>"
    if kind in (tuple, list) and depth < DEPTH:
        inner = ", ".join(shown(item, depth + 1) for item in value[:ITEMS])
        return f"[{inner}]" if kind is list else f"({inner})"
    return f"<{kind.__name__}>"
