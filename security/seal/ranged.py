"""Parts of a sealed file, without opening the rest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from cryptography.exceptions import InvalidTag

from security import paths, safetensors
from security.errors import Malformed
from security.scan.source import Source
from security.seal import chunks, parallel
from security.seal.batch import BATCH
from security.seal.chunks import CHUNK, SEALED, TAG
from security.seal.header import Identity
from security.seal.reading import Opened, reading
from security.seal.stream import fill
from security.seal.unlocking import open_chunk, unlock

KEPT = 16  # chunks kept open for the next small read
SMALL = 4  # chunks: what a read may have to be kept


class SealedFile:
    """An age file that stays sealed on disk: what is read is authentic, and nothing else is read.

    Opening proves where it ends by its final chunk. Safe to use from several threads.
    """

    def __init__(self, file: Path | int, identities: Sequence[Identity]) -> None:
        """Open by path, or take a descriptor, which stays the caller's.

        Raises NoMatch, Malformed, Tampered, Unreadable.
        """
        path = Path(f"/proc/self/fd/{file}").readlink() if isinstance(file, int) else file
        at = Path(f"/proc/self/fd/{file}") if isinstance(file, int) else file
        with ExitStack() as stack:
            self._opened: Opened = stack.enter_context(reading(at, sealed=True))
            found = unlock(path, self._opened, identities)
            self._stack = stack.pop_all()
        self._box, self._start, self.size = found.box, found.start, found.size
        self.name = str(path)
        self._total = chunks.count(found.size)
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._lock = Lock()
        self._header: safetensors.Header | None = None
        self._data = 0

    def read(self, at: int, count: int) -> bytes:
        """Return the bytes from `at` on: fewer than `count` only at the end of `size`.

        Raises Tampered, Unreadable.
        """
        end = min(at + max(0, count), self.size)
        if not 0 <= at < end:
            return b""
        first, last = at // CHUNK, (end - 1) // CHUNK
        if last - first < SMALL:
            data = b"".join(self._chunk(index) for index in range(first, last + 1))
            return data[at - first * CHUNK : end - first * CHUNK]
        plain = bytearray(end - at)
        self.read_into(memoryview(plain), at)
        return bytes(plain)

    def read_into(self, into: memoryview, at: int, *, jobs: int = 1) -> None:
        """Fill a buffer of bytes from `at` on; after an error it holds nothing to be used.

        Raises Tampered, Unreadable, Malformed where the range is not in the file.
        """
        end = at + len(into)
        if at < 0 or end > self.size:
            raise Malformed(f"{self._opened.name} has {self.size:,} bytes, not {end:,}", "ask less")
        if not into:
            return
        first, stop = at // CHUNK, (end - 1) // CHUNK + 1

        def worker(_: parallel.Turns) -> parallel.Step:
            sealed = memoryview(bytearray(min(BATCH, stop - first) * SEALED))

            def step(batch: int) -> int:
                begin = first + batch * BATCH
                last = min(begin + BATCH, stop) - 1
                part = sealed[: self._sealed(last) + (last - begin) * SEALED]
                fill(self._opened.name, self._opened.fd, part, self._start + begin * SEALED)
                for index in range(begin, last + 1):
                    one = part[(index - begin) * SEALED : (index - begin + 1) * SEALED]
                    self._open_into(index, one, into, at)
                return len(part)

            return step

        parallel.run(-(-(stop - first) // BATCH), worker, jobs=jobs, size=len(into))

    def header(self) -> safetensors.Header:
        """Return the header of a sealed safetensors file. Raises InvalidSafetensors."""
        if self._header is None:
            length = safetensors.header_length(self.read(0, 8), self.size)
            self._header = safetensors.read_header(self.read(0, 8 + length), self.size)
            self._data = 8 + length
        return self._header

    def tensor(self, name: str) -> bytes:
        """Return one tensor's bytes. Raises InvalidSafetensors, Malformed for no such tensor."""
        for tensor in self.header().tensors:
            if tensor.name == name:
                return self.read(self._data + tensor.start, tensor.end - tensor.start)
        some = ", ".join(paths.shown(tensor.name) for tensor in self.header().tensors[:5])
        hint = f"name one of its tensors, such as {some}" if some else "it has no tensor at all"
        raise Malformed(f"{self._opened.name} has no tensor {name!r:.80}", hint)

    def source(self) -> Source:
        """Return the plaintext as a file that scanners read, under its name without ".age"."""
        return Source(self.name.removesuffix(".age"), self.size, self.read)

    def close(self) -> None:
        """Close the file, and forget what was kept of it."""
        self._stack.close()
        self._kept.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _chunk(self, index: int) -> bytes:
        with self._lock:
            if index in self._kept:
                self._kept.move_to_end(index)
                return self._kept[index]
        sealed = memoryview(bytearray(self._sealed(index)))
        fill(self._opened.name, self._opened.fd, sealed, self._start + index * SEALED)
        data = self._open(index, sealed)
        with self._lock:
            self._kept[index] = data
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return data

    def _sealed(self, index: int) -> int:
        """Return the sealed bytes of a chunk."""
        return min(CHUNK, self.size - index * CHUNK) + TAG

    def _open(self, index: int, sealed: memoryview) -> bytes:
        return open_chunk(self._opened.name, self._box, index, self._is_last(index), sealed)

    def _open_into(self, index: int, sealed: memoryview, into: memoryview, at: int) -> None:
        """Put a chunk where it belongs in a buffer that begins with byte `at`."""
        start, length = index * CHUNK, len(sealed) - TAG
        left, right = max(at, start), min(at + len(into), start + length)
        place = into[left - at : right - at]
        if len(place) < length:
            place[:] = self._open(index, sealed)[left - start : right - start]
            return
        try:
            self._box.decrypt_into(chunks.number(index, self._is_last(index)), sealed, None, place)
        except InvalidTag:
            last = self._is_last(index)
            raise chunks.damage(self._opened.name, self._box, index, last, sealed) from None

    def _is_last(self, index: int) -> bool:
        return index == self._total - 1
