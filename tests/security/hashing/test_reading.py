"""Files that change, or become something else, at every moment between being found and read."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from security.errors import Unreadable
from security.hashing import measure
from security.hashing.reading import PIECE, buffer, opened, pieces
from security.hashing.walk import Tree, walk

Make = Callable[[dict[str, bytes]], Path]
SIZE = 3 * PIECE


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(SIZE - 1)
        file.write(b"x")


def cut(path: Path) -> None:
    os.truncate(path, PIECE)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def back_dated(path: Path) -> None:
    before = path.stat()
    overwrite(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(bytes(SIZE))
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.rename(path)


def gone(path: Path) -> None:
    path.unlink()


def linked(path: Path) -> None:
    path.rename(path.parents[2] / "kept")
    path.symlink_to(path.parents[2] / "kept")


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder_linked(path: Path) -> None:
    path.parent.rename(path.parents[2] / "aside")
    path.parent.symlink_to(path.parents[2] / "aside")


WRITES = [append, overwrite, cut, empty, back_dated]
SWAPS = [replaced, gone, linked, piped, folder_linked]


@pytest.mark.parametrize("change", [*WRITES, *SWAPS])
def test_between_the_walk_and_the_opening(make: Make, change: Callable[[Path], None]) -> None:
    root = make({"sub/w": bytes(SIZE)})
    with Tree.of(root) as tree:
        (file,) = walk(tree, root, ())
        tree.folder(b"")
        change(root / "sub/w")
        with pytest.raises(Unreadable, match="sub/w"):
            opened(tree, file)


@pytest.mark.parametrize("change", WRITES)
@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_while_it_is_read(make: Make, change: Callable[[Path], None], after: int) -> None:
    root = make({"sub/w": bytes(SIZE)})
    with Tree.of(root) as tree:
        (file,) = walk(tree, root, ())
        fd = opened(tree, file)
        reading = pieces(fd, file, buffer())
        for _ in range(after):
            next(reading)
        change(root / "sub/w")
        with pytest.raises(Unreadable, match="sub/w changed while it was read"):
            list(reading)
        os.close(fd)


@pytest.mark.parametrize("change", [gone, linked, folder_linked])
def test_an_open_file_may_lose_its_name(make: Make, change: Callable[[Path], None]) -> None:
    root = make({"sub/w": bytes(SIZE)})
    with Tree.of(root) as tree:
        (file,) = walk(tree, root, ())
        fd = opened(tree, file)
        change(root / "sub/w")
        if change is folder_linked:  # nothing of the file itself changed
            assert sum(map(len, pieces(fd, file, buffer()))) == SIZE
        else:
            with pytest.raises(Unreadable):
                list(pieces(fd, file, buffer()))
        os.close(fd)


def test_no_pipe_is_waited_for_and_no_link_followed(make: Make) -> None:
    root = make({"w": b"1", "sub/w": b"2"})
    (root / "link").symlink_to("w")
    (root / "folder").symlink_to("sub")
    os.mkfifo(root / "pipe")
    with Tree.of(root) as tree:
        for where in (b"link", b"folder/w", b"folder/../w/x", b"sub/nowhere"):
            with pytest.raises(OSError, match=r"link|directory|file"):
                tree.open(where)
        os.close(tree.open(b"pipe"))  # at once
        os.close(tree.open(b"sub/w"))


def test_a_folder_that_cannot_be_opened_leads_nowhere_else(make: Make) -> None:
    root = make({"a/w": b"a", "b/w": b"b"})
    with Tree.of(root) as tree:
        for _ in range(2):
            fd = tree.open(b"a/w")
            assert os.read(fd, 9) == b"a"
            os.close(fd)
            with pytest.raises(FileNotFoundError):
                tree.open(b"b/nowhere/w")


def test_a_writer_that_never_rests(make: Make) -> None:
    root = make({str(n): bytes(SIZE) for n in range(6)})
    stop = threading.Event()

    def write() -> None:
        with (root / "3").open("r+b") as file:
            while not stop.is_set():
                file.seek(0)
                file.write(b"x")
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with pytest.raises(Unreadable, match="3 changed while it was read"):
            while True:  # until the writer had its turn at the wrong moment
                measure(root, jobs=2)
    finally:
        stop.set()
        writer.join()
