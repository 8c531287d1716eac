"""What a pickle of torch says of its tensors' bytes: storages by number, tensors as views of them.

Runs in the child. Torch before 2.10 believes both (CVE-2026-24747). Source: `persistent_load` and
`load_tensor` of torch/serialization.py, `_rebuild_tensor` of torch/_utils.py.
"""

from __future__ import annotations

import math
from typing import Any

from security.scan.stubs import Inert, Meta, Plain, shown

MAX_CLAIMS = 100_000  # storages of one stream; an archive has no more members
MAX_ODD = 8  # things said about tensors in one report
_END = 1 << 63  # of sizes and offsets, which are signed
_KEY = 40  # characters; what torch writes is a small number
_DIMENSIONS = 64
_WIDTHS = {
    1: "Untyped Char Byte Bool QInt8 QUInt8 QUInt4x2 QUInt2x4",
    2: "Half BFloat16 Short",
    4: "Float Int QInt32",
    8: "Double Long ComplexFloat",
    16: "ComplexDouble",
}
WIDTH = {f"{kind}Storage": width for width, kinds in _WIDTHS.items() for kind in kinds.split()}
_SHARED = {"QUInt4x2Storage": 2, "QUInt2x4Storage": 4}  # elements of a tensor in one byte
_WORDS = ("storage", b"storage")
_HOMES = ("torch", "torch.cuda", "torch.storage")


class Storage(Inert):
    """Stands for the bytes of tensors: `count` elements of `width` bytes, of tensors `per` each."""

    __slots__ = ("claims", "count", "per", "width")

    def __init__(self, claims: Claims, count: int, width: int, per: int) -> None:
        self.claims, self.count, self.width, self.per = claims, count, width, per

    def __setstate__(self, state: Any) -> None:
        self.claims.note("sets the state of a storage")


class Claims:
    """What one stream said: sizes of its storages, and what is wrong with them."""

    def __init__(self) -> None:
        self.sizes: dict[tuple[str, int, int], None] = {}  # key, bytes, bytes of one element
        self.odd: dict[str, None] = {}
        self.full = False
        self._known: dict[str, tuple[Storage, str]] = {}

    def pickle(self) -> None:
        """Begin a pickle: it knows nothing of the storages of the one before."""
        self._known = {}

    def note(self, what: str) -> None:
        """Note what no writer of tensors does."""
        if len(self.odd) < MAX_ODD:
            self.odd[what] = None

    def storage(self, pid: Any) -> Storage | None:
        """Return what stands for a storage; None where the id names none that torch would take."""
        kind, key, _, count = pid[1:5]
        pair = kind.pair if type(kind) is Meta else ("", "")
        width = WIDTH.get(pair[1], 0) if pair[0] in _HOMES else 0
        name = str(key) if type(key) is int and 0 <= key < _END else key
        if type(name) is not str or not name.isascii() or not 0 < len(name) <= _KEY:
            self.note(f"names a storage by {shown(key)}")
        elif not width or not _is_size(count) or count * width >= _END:
            self.note(f"storage {name} is {shown(count)} elements of {shown(kind)}")
        else:
            return self._view(self._first(name, pair[1], count), pid[5:])
        return None

    def _first(self, key: str, kind: str, count: int) -> Storage:
        """Return what a key was first: a loader looks at no size of a second time."""
        width = WIDTH[kind]
        known = self._known.get(key)
        if known is None:
            if len(self.sizes) >= MAX_CLAIMS:
                self.full = True
            else:
                self.sizes[key, count * width, width] = None
            known = self._known[key] = (Storage(self, count, width, _SHARED.get(kind, 1)), kind)
        elif known[0].count != count or (known[1] != kind and count):
            first = f"{known[0].count} elements of {known[1]}"
            self.note(f"storage {key} is {first}, then {count} of {kind}")
        return known[0]

    def _view(self, whole: Storage, view: tuple[Any, ...]) -> Storage:
        """Return the part that a view names, in torch's format before 1.6."""
        if not view or view[0] is None:
            return whole
        parts: Any = view[0]
        sizes: tuple[Any, ...] = parts[1:] if type(parts) is tuple and len(parts) == 3 else (-1,)
        if all(map(_is_size, sizes)) and sum(sizes) <= whole.count:
            return Storage(self, sizes[1], whole.width, whole.per)
        self.note(f"a storage of {whole.count} elements has the view {shown(parts)}")
        return whole


class Whole(Plain):
    """Stands for what gives a tensor: its state, in the oldest files, is a view of a storage."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        if not fits(state):
            type(self).run.note(type(self), "sets the state of", (state,))


class Tensor(Whole):
    """Stands for what rebuilds a tensor: the storage it is given must hold every element."""

    __slots__ = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Be called."""
        if kwargs or not fits(args[:4]):
            cls.run.note(cls, "calls", args)
        return object.__new__(cls)


def fits(view: Any) -> bool:
    """Whether it is a storage, an offset, a size and a stride; where they do not fit, is noted."""
    if type(view) is not tuple or len(view) != 4 or type(view[0]) is not Storage:
        return False
    storage: Storage = view[0]
    if not _within(storage, *view[1:]):
        offset, size, stride = map(shown, view[1:])
        what = f"a tensor of size {size}, stride {stride} and offset {offset}"
        storage.claims.note(f"{what} reaches beyond its storage of {storage.count} elements")
    return True


def is_storage(pid: Any) -> bool:
    """Whether torch may take a persistent id for that of a storage; a call may give its word."""
    if type(pid) is not tuple or len(pid) not in (5, 6):
        return False
    word = pid[0]
    return type(type(word)) is Meta or (type(word) in (str, bytes) and word in _WORDS)


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value < _END


def _within(storage: Storage, offset: Any, size: Any, stride: Any) -> bool:
    """Whether a tensor lies inside its storage, and torch can count its bytes."""
    if type(size) not in (tuple, list) or type(stride) not in (tuple, list):
        return False
    if len(size) != len(stride) or len(size) > _DIMENSIONS:
        return False
    if not (_is_size(offset) and all(map(_is_size, size)) and all(map(_is_size, stride))):
        return False
    if math.prod(length or 1 for length in size) * storage.width >= _END:
        return False
    if 0 in size:  # a slice of nothing may begin anywhere
        return bool(offset * storage.width < _END)
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    return bool(last < storage.count * storage.per)
