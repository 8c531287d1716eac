"""The bytes that were checked are the bytes that are loaded, whoever writes meanwhile."""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from security.errors import Malformed, SecurityError, Tampered, Unavailable, Unreadable
from security.hashing import Held, hold, measure
from security.hashing.reading import PIECE
from security.hashing.walk import Stamp, stamp
from security.manifest import Entry

Make = Callable[[dict[str, bytes]], Path]
Build = Callable[[dict[str, bytes]], bytes]
GOOD, EVIL = b"good" * PIECE, b"evil" * PIECE


def entry(root: Path, path: str = "w") -> Entry:
    return next(each for each in measure(root).entries if each.path == path)


def load(held: Held) -> bytes:
    """What a loader does that is given a path."""
    return Path(held.path).read_bytes()


@pytest.mark.usefixtures("road")
@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("data", [b"", b"x", GOOD, bytes(PIECE)])
@pytest.mark.parametrize("size", [True, False])
def test_what_is_held_is_what_was_signed(
    make: Make, private: bool, data: bytes, size: bool
) -> None:
    root = make({"sub/w": data})
    signed = entry(root, "sub/w")
    with hold(root, signed if size else replace(signed, size=-1), private=private) as held:
        assert load(held) == data == os.pread(held.fd, len(data) + 1, 0)
        assert held.size == len(data)
        held.check()


@pytest.mark.parametrize("private", [True, False])
def test_a_single_file_is_held_too(make: Make, private: bool) -> None:
    path = make({"w.gguf": GOOD}) / "w.gguf"
    signed = entry(path, ".")
    for name in (".", "w.gguf"):
        with hold(path, replace(signed, path=name), private=private) as held:
            assert load(held) == GOOD
    path.write_bytes(EVIL)
    with (
        pytest.raises(Tampered, match=r"^w\.gguf is not what was signed"),
        hold(path, signed, private=private),
    ):
        pytest.fail("it was handed out")


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("data", [EVIL, b"", GOOD + b"x", GOOD[:-1] + b"?"])
@pytest.mark.parametrize("size", [True, False])
def test_anything_else_is_refused(make: Make, private: bool, data: bytes, size: bool) -> None:
    root = make({"w": GOOD})
    signed = entry(root)
    make({"w": data})
    told = "signed were" if size and len(data) != len(GOOD) else "not what was signed"
    with (
        pytest.raises(Tampered, match=f"w .*{told}"),
        hold(root, signed if size else replace(signed, size=-1), private=private),
    ):
        pytest.fail("it was handed out")


@pytest.mark.parametrize("private", [True, False])
def test_what_cannot_be_opened_is_named(make: Make, tmp_path: Path, private: bool) -> None:
    root = make({"w": GOOD, "sub/w": GOOD})
    signed = entry(root)
    (root / "link").symlink_to("w")
    (root / "aside").symlink_to("sub")
    os.mkfifo(root / "pipe")
    cases: list[tuple[str, type[SecurityError]]] = [
        ("link", Unreadable), ("aside/w", Unreadable), ("pipe", Unreadable), ("sub", Unreadable),
        ("nowhere", Unreadable), ("../w", Malformed), ("/etc/passwd", Malformed), ("", Malformed),
        ("a\0b", Malformed),
    ]  # fmt: skip
    for path, kind in cases:
        with pytest.raises(kind), hold(root, replace(signed, path=path), private=private):
            pytest.fail("it was handed out")


def test_a_name_that_is_not_utf_8_can_be_said(make: Make) -> None:
    path = make({}) / os.fsdecode(b"w\xff")
    with pytest.raises(Unreadable, match="udcff"), hold(path, Entry(path.name, -1, "0" * 64)):
        pytest.fail("it was handed out")


def test_a_private_copy_cannot_be_changed_by_anybody(make: Make) -> None:
    root = make({"w": GOOD})
    with hold(root, entry(root), private=True) as held:
        writable = os.open(held.path, os.O_RDWR)
        attempts: list[Callable[[], object]] = [
            lambda: os.pwrite(held.fd, b"evil", 0),
            lambda: os.pwrite(writable, b"evil", 0),
            lambda: os.ftruncate(held.fd, 0),
            lambda: os.ftruncate(writable, len(GOOD) + 1),
            lambda: mmap.mmap(writable, len(GOOD)).close(),
            lambda: fcntl.fcntl(held.fd, fcntl.F_ADD_SEALS, 0),
        ]
        for attempt in attempts:
            with pytest.raises(PermissionError):
                attempt()
        os.close(writable)
        (root / "w").write_bytes(EVIL)
        assert load(held) == GOOD
        held.check()


def in_place(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"evil")


def cut(path: Path) -> None:
    os.truncate(path, 5)


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"evil")


def renamed(path: Path) -> None:
    other = path.with_name("evil")
    other.write_bytes(EVIL)
    other.rename(path)


def linked(path: Path) -> None:
    path.with_name("evil").write_bytes(EVIL)
    path.unlink()
    path.symlink_to("evil")


CHANGES = [in_place, cut, grown, renamed, linked]


@pytest.mark.parametrize("change", CHANGES)
def test_an_open_file_says_afterwards_that_it_changed(
    make: Make, change: Callable[[Path], None]
) -> None:
    root = make({"w": GOOD})
    with hold(root, entry(root)) as held:
        change(root / "w")
        if change in (renamed, linked):
            assert load(held) == GOOD  # the name leads elsewhere, the descriptor does not
        with pytest.raises((Unreadable, Tampered), match="w "):
            held.check()


def test_a_change_that_hides_its_time_is_found_by_reading(make: Make) -> None:
    root = make({"w": GOOD})
    with hold(root, entry(root), whole=False) as held:
        in_place(root / "w")
        held._file = replace(held._file, stamp=_now(held.fd))  # as if no time told of it
        with pytest.raises(Tampered, match="w is not what was signed"):
            held.check()


def _now(fd: int) -> Stamp:
    return stamp(os.fstat(fd))


@contextmanager
def attacked(path: Path, change: Callable[[Path], None]) -> Iterator[None]:
    """Change a file and put it back, as fast as it goes, in another thread."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            change(path)
            fresh = path.with_name("fresh")
            fresh.write_bytes(GOOD)
            fresh.rename(path)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("private", [True, False])
def test_under_attack_no_other_byte_is_handed_out(
    make: Make, change: Callable[[Path], None], private: bool
) -> None:
    root = make({"w": GOOD})
    signed = entry(root)
    outcomes: set[str] = set()
    with attacked(root / "w", change):
        for _ in range(25):
            try:
                with hold(root, signed, private=private) as held:
                    loaded = load(held)
                    held.check()
                    assert loaded == GOOD
                    outcomes.add("held")
            except (Tampered, Unreadable) as error:
                assert "w" in error.message
                outcomes.add("refused")
    assert outcomes
    with hold(root, signed, private=private) as held:
        assert load(held) == GOOD


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_a_tensor_is_read_alone(make: Make, tensors: Build, private: bool, whole: bool) -> None:
    parts = {"a": b"1" * 100, "big": GOOD, "none": b"", "last": b"x"}
    root = make({"w": tensors(parts)})
    with hold(root, entry(root), private=private, whole=whole) as held:
        for name, data in parts.items():
            assert held.tensor(name) == data
        with pytest.raises(Malformed, match=r"no tensor other\\n was signed"):
            held.tensor("other\n")


@pytest.mark.parametrize(
    "change",
    [{"a": b"2" * 100}, {"a": b"1" * 99}, {"more": b"1"}, {"b": b"9"}],
)
def test_only_the_tensor_that_changed_is_refused(
    make: Make, tensors: Build, change: dict[str, bytes]
) -> None:
    parts = {"a": b"1" * 100, "b": b"2", "c": b"3"}
    root = make({"w": tensors(parts)})
    signed = replace(entry(root), size=-1)
    make({"w": tensors(parts | change)})
    with hold(root, signed, whole=False) as held:
        for name, data in parts.items():
            if name in change:
                with pytest.raises(Tampered, match=f"tensor {name} is not what was signed"):
                    held.tensor(name)
            else:
                assert held.tensor(name) == data
        with pytest.raises(Tampered):
            held.check()


def test_a_tensor_that_is_gone_or_cut_short(make: Make, tensors: Build) -> None:
    root = make({"w": tensors({"a": b"1" * 100, "b": b"2" * 100})})
    signed = replace(entry(root), size=-1)
    with hold(root, signed, whole=False) as held:
        os.truncate(root / "w", held.size - 50)
        assert held.tensor("a") == b"1" * 100
        with pytest.raises(Unreadable, match="changed"):
            held.tensor("b")
    make({"w": tensors({"a": b"1" * 100})})
    with hold(root, signed, whole=False) as held, pytest.raises(Tampered, match="tensor b"):
        held.tensor("b")
    make({"w": (1 << 60).to_bytes(8, "little") + b"{}"})
    with hold(root, signed, whole=False) as held, pytest.raises(Malformed, match=r"^w: header"):
        held.tensor("b")


def test_the_tensors_of_a_tampered_file_are_named(make: Make, tensors: Build) -> None:
    root = make({"w": tensors({"a": b"1", "b": b"2"})})
    signed = entry(root)
    make({"w": tensors({"a": b"1", "b": b"3"})})
    for private in (True, False):
        with pytest.raises(Tampered, match="tensor b"), hold(root, signed, private=private):
            pytest.fail("it was handed out")


def test_no_memory_for_a_copy_is_said(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make({"w": GOOD})
    signed = entry(root)
    room = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr(os, "memfd_create", lambda name, flags: room)
    with (
        pytest.raises(Unavailable, match="no memory for a private copy"),
        hold(root, signed, private=True),
    ):
        pytest.fail("it was handed out")


def test_another_algorithm_is_held_by_its_own_digest(make: Make) -> None:
    root = make({"w": GOOD})
    digest = hashlib.blake2b(GOOD).hexdigest()
    for private in (True, False):
        with hold(root, Entry("w", -1, digest, "blake2b"), private=private) as held:
            assert load(held) == GOOD
