"""A file opened so that the bytes that were checked are the bytes that are loaded."""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from security.errors import InvalidSafetensors, Malformed, Tampered, Unavailable
from security.hashing.comparing import HINT, differing
from security.hashing.digests import algorithm
from security.hashing.reading import changed, check
from security.hashing.sinks import MAX_TENSOR_HEADER
from security.hashing.walk import File, Tree, irregular, stamp, unreadable
from security.hashing.working import Plan, digest_open
from security.manifest import SHA256, Entry
from security.paths import WHOLE, canonical, shown
from security.safetensors import Header, header_length, read_header

SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL


class Held:
    """An open file of a model. `path` opens the very bytes `fd` has, whatever became of its name.

    A private one is a sealed copy in memory: nobody can change it, this process neither. Any other
    can be written to by others while it is loaded: ask `check` afterwards, or read `tensor`.
    """

    def __init__(self, fd: int, file: File, entry: Entry, *, private: bool) -> None:
        self.fd = fd
        self.entry = entry
        self.private = private
        self._file = file

    @property
    def path(self) -> str:
        """A path for any loader of this process and its children that inherit `fd`."""
        return f"/proc/self/fd/{self.fd}"

    @property
    def size(self) -> int:
        """Bytes."""
        return self._file.stamp.size

    def check(self) -> None:
        """Prove, by reading it all again, that the file still is what was signed.

        Raises Unreadable where it was touched since, Tampered. Of a private one there is no doubt.
        """
        if self.private:
            return
        check(self.fd, self._file)
        (found,) = digest_open(self.fd, self._file, Plan(algorithm(self.entry.algorithm)))
        _agree(self.fd, self._file, found, self.entry)

    def header(self) -> Header:
        """Return the header of a safetensors file. Raises InvalidSafetensors, Unreadable."""
        try:
            need = 8 + header_length(self._read(0, 8), self.size)
            if need > MAX_TENSOR_HEADER:
                raise InvalidSafetensors(f"header of {need:,} bytes", "save it with fewer tensors")
            return read_header(self._read(0, need), self.size)
        except InvalidSafetensors as error:
            raise InvalidSafetensors(f"{self._file.name}: {error.message}", error.hint) from error

    def tensor(self, name: str) -> bytes:
        """Read one tensor into memory of our own, and return it if it is as it was signed.

        Raises Malformed for a tensor without a signed digest, Tampered, Unreadable.
        """
        digests = {tensor.name: tensor.digest for tensor in self.entry.tensors}
        if name not in digests:
            raise Malformed(
                f"{self._file.name}: no tensor {shown(name)} was signed", "hold it whole"
            )
        header = self.header()
        at = self.size - (header.tensors[-1].end if header.tensors else 0)
        for tensor in header.tensors:
            if tensor.name == name:
                data = self._read(at + tensor.start, tensor.end - tensor.start)
                if hashlib.sha256(data).hexdigest() == digests[name]:
                    return data
        what = f"{self._file.name}: tensor {shown(name)} is not what was signed"
        raise Tampered(what, HINT)

    def _read(self, at: int, count: int) -> bytes:
        data = bytearray(max(0, min(count, self.size - at)))
        room = memoryview(data)
        while room:
            try:
                got = os.preadv(self.fd, [room], at)
            except OSError as error:
                raise unreadable(self._file.name, error) from error
            if not got:
                raise changed(self._file.name)
            at, room = at + got, room[got:]
        return bytes(data)


@contextmanager
def hold(root: Path, entry: Entry, *, private: bool = False, whole: bool = True) -> Iterator[Held]:
    """Open the file of a signed entry of the model at `root`, and check that it is the signed one.

    `private` gives a sealed copy in memory of the very bytes that were digested. `whole=False`
    reads nothing yet: then only what `tensor` returns, or `check` has proven, is what was signed.
    Raises Tampered naming the file and its tensors, Unreadable, Unavailable.
    """
    fd, file = _open(root, entry)
    try:
        if 0 <= entry.size != file.stamp.size:
            sizes = f"{file.stamp.size:,} bytes, signed were {entry.size:,}"
            raise Tampered(f"{file.name} has {sizes}", HINT)
        if private:
            fd = _sealed(fd, file, entry)
            file = replace(file, stamp=stamp(os.fstat(fd)))
        held = Held(fd, file, entry, private=private)
        if whole and not private:
            held.check()
        yield held
    finally:
        os.close(fd)


def _open(root: Path, entry: Entry) -> tuple[int, File]:
    path = entry.path
    single = path in (WHOLE, root.name) and not root.is_dir()
    where = os.fsencode(root.name) if single else canonical(path).encode()
    with Tree.of(root) as tree:
        try:
            fd = tree.open(where)
        except OSError as error:
            raise unreadable(where.decode("utf-8", "surrogateescape"), error) from error
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        os.close(fd)
        raise irregular(path, stat.S_IFMT(found.st_mode))
    return fd, File(path, where, stamp(found))


def _sealed(source: int, file: File, entry: Entry) -> int:
    """Return a sealed copy of an open file in place of it: `source` is closed if all is well."""
    try:
        fd = os.memfd_create("held", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError as error:
        raise _no_room(file, error) from error
    try:

        def keep(piece: memoryview) -> None:
            try:
                while piece:
                    piece = piece[os.write(fd, piece) :]
            except OSError as error:
                raise _no_room(file, error) from error

        plan = Plan(algorithm(entry.algorithm))
        (found,) = digest_open(source, file, plan, keep)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, SEALS)
        copy = replace(file, stamp=stamp(os.fstat(fd)))
        _agree(fd, copy, found, entry)
    except BaseException:
        os.close(fd)
        raise
    os.close(source)
    return fd


def _agree(fd: int, file: File, found: Entry, entry: Entry) -> None:
    """Raise Tampered unless what was read is what was signed, saying which tensors are not."""
    if found.digest == entry.digest:
        return
    what = f"{file.name} is not what was signed"
    if entry.tensors:
        (found,) = digest_open(fd, file, Plan(algorithm(SHA256), tensors=True))
        what += f": {differing(found, entry)}"
    raise Tampered(what, HINT)


def _no_room(file: File, error: OSError) -> Unavailable:
    return Unavailable(
        f"{file.name}: no memory for a private copy ({error.strerror})",
        "hold it without a private copy, or read tensor by tensor",
    )
