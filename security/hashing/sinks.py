"""What a file's bytes are fed to: its digest, those of its tensors, or those of its shards."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from security.errors import InvalidSafetensors
from security.hashing.digests import Algorithm, Hash
from security.hashing.walk import File
from security.manifest import Entry, TensorDigest
from security.safetensors import header_length, read_header

MAX_TENSOR_HEADER = 32_000_000  # bytes; of more than that no tensors are named


class Sink(Protocol):
    """Takes a file's bytes in order, then tells what they were."""

    def feed(self, data: memoryview) -> None:
        """Take the next bytes."""

    def entries(self) -> tuple[Entry, ...]:
        """Return the file's entries, when all bytes were fed."""


class Plain:
    """One digest of the whole file."""

    __slots__ = ("algorithm", "file", "hash")

    def __init__(self, file: File, algorithm: Algorithm) -> None:
        self.file = file
        self.algorithm = algorithm
        self.hash = algorithm.new()

    def feed(self, data: memoryview) -> None:
        """Take the next bytes."""
        self.hash.update(data)

    def entries(self) -> tuple[Entry, ...]:
        """Return the one entry."""
        file = self.file
        return (Entry(file.path, file.stamp.size, self.hash.hexdigest(), self.algorithm.name),)


class Tensors:
    """The digest of a safetensors file and those of its tensors, out of the same bytes."""

    def __init__(self, file: File, algorithm: Algorithm, tensor: Algorithm) -> None:
        """`tensor` is the algorithm of the tensors' digests; it is SHA-256."""
        self._file = file
        self._whole = algorithm.new()
        self._name = algorithm.name
        self._tensor = tensor
        self._both = tensor.both if tensor.name == algorithm.name else None
        self._head: bytearray | None = bytearray()
        self._need = 8
        self._waiting: deque[tuple[str, int]] = deque()
        self._now: Hash | None = None
        self._left = 0
        self._found: list[TensorDigest] = []

    def feed(self, data: memoryview) -> None:
        """Take the next bytes."""
        while self._head is not None and data:
            part = data[: self._need - len(self._head)]
            self._head += part
            self._whole.update(part)
            data = data[len(part) :]
            if len(self._head) == self._need:
                self._read_head(bytes(self._head))
        while data and self._now is not None:
            part = data[: self._left]
            if self._both:
                self._both(self._whole, part, self._now, part)
            else:
                self._whole.update(part)
                self._now.update(part)
            data = data[len(part) :]
            self._left -= len(part)
            self._advance()
        if data:
            self._whole.update(data)

    def entries(self) -> tuple[Entry, ...]:
        """Return the one entry."""
        size, tensors = self._file.stamp.size, tuple(sorted(self._found, key=lambda t: t.name))
        return (Entry(self._file.path, size, self._whole.hexdigest(), self._name, tensors),)

    def _read_head(self, head: bytes) -> None:
        size = self._file.stamp.size
        try:
            if len(head) == 8:
                self._need += header_length(head, size)
                if self._need > MAX_TENSOR_HEADER:
                    self._head = None
                return
            self._head = None
            tensors = read_header(head, size).tensors
        except InvalidSafetensors:  # then it is a file like any other
            self._head = None
            return
        self._waiting.extend((tensor.name, tensor.end - tensor.start) for tensor in tensors)
        if tensors:
            self._now, self._left = self._tensor.new(), self._waiting[0][1]
            self._advance()

    def _advance(self) -> None:
        """Go on to the next tensor that has bytes."""
        while self._now is not None and not self._left:
            name, _ = self._waiting.popleft()
            self._found.append(TensorDigest(name, self._now.hexdigest()))
            self._now = None
            if self._waiting:
                self._now, self._left = self._tensor.new(), self._waiting[0][1]


class Beside:
    """Another digest out of the same bytes, which are read once for both."""

    def __init__(self, sink: Sink, other: Hash) -> None:
        self._sink = sink
        self._other = other

    def feed(self, data: memoryview) -> None:
        """Take the next bytes."""
        self._sink.feed(data)
        self._other.update(data)

    def entries(self) -> tuple[Entry, ...]:
        """Return the entries of the first; whoever gave the other has it."""
        return self._sink.entries()


class Shards:
    """Digests of ranges of one size (OMS v1.0, 6.3.2): only ever compared with others'."""

    def __init__(self, file: File, algorithm: Algorithm, size: int) -> None:
        self._file = file
        self._algorithm = algorithm
        self._size = size
        self._at = 0
        self._hash = algorithm.new()
        self._found: list[Entry] = []

    def feed(self, data: memoryview) -> None:
        """Take the next bytes."""
        while data:
            part = data[: self._size - self._at % self._size]
            self._hash.update(part)
            self._at += len(part)
            data = data[len(part) :]
            if self._at % self._size == 0:
                self._cut(self._at - self._size)

    def entries(self) -> tuple[Entry, ...]:
        """Return an entry for each shard; an empty file has none."""
        if self._at % self._size:
            self._cut(self._at - self._at % self._size)
        return tuple(self._found)

    def _cut(self, start: int) -> None:
        name = shard_name(self._file.path, start, self._at)
        digest = self._hash.hexdigest()
        self._found.append(Entry(name, self._at - start, digest, self._algorithm.name))
        self._hash = self._algorithm.new()


def shard_name(path: str, start: int, end: int) -> str:
    """Return the name of the bytes `start` to `end` of a file."""
    return f"{path}:{start}:{end}"


def is_safetensors(first: memoryview, size: int) -> bool:
    """Say whether a file that begins so is worth reading as safetensors."""
    if len(first) < 10 or first[8] != 0x7B:
        return False
    return int.from_bytes(first[:8], "little") <= size - 8
