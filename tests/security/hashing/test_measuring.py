from __future__ import annotations

import hashlib
import os
import random
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import blake3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from security.errors import Malformed, SecurityError, TooLarge, Unreadable
from security.hashing import LEFT_OUT, measure, walk
from security.hashing.reading import PIECE
from security.manifest import Entry

Make = Callable[[dict[str, bytes]], Path]
Build = Callable[[dict[str, bytes]], bytes]
ODD = ["a\nb", "a b", "ü", "a\\b", "\u202egpj", "-", "~", "a:0:8", "\U0001f600", "\x01"]
SIZES = [0, 1, 63, 64, 4095, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 17]


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def refused(root: Path, kind: type[SecurityError], *names: str) -> None:
    with pytest.raises(kind) as caught:
        measure(root)
    for name in names:
        assert name in caught.value.message
    assert caught.value.message.isprintable()
    assert caught.value.hint


@pytest.mark.usefixtures("road")
@pytest.mark.parametrize("jobs", [0, 1, 2, 7])
def test_every_file_has_its_digest(make: Make, jobs: int) -> None:
    files = {f"d{n % 3}/f{n}": random.Random(n).randbytes(size) for n, size in enumerate(SIZES)}
    found = measure(make(files), jobs=jobs)
    assert found.entries == tuple(
        Entry(name, len(data), sha(data)) for name, data in sorted(files.items())
    )
    assert found.ignored == LEFT_OUT


@pytest.mark.usefixtures("road")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.sets(st.sampled_from([*ODD, "A", "a", "b/c", "b-c", "b/é"]), min_size=1),
    jobs=st.integers(1, 3),
)
def test_any_names_come_in_code_point_order(make: Make, names: set[str], jobs: int) -> None:
    root = make({})
    for path in sorted(root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    entries = measure(make({name: name.encode() for name in names}), jobs=jobs).entries
    assert [entry.path for entry in entries] == sorted(names)
    assert all(entry.digest == sha(entry.path.encode()) for entry in entries)


def test_a_dash_comes_before_a_slash(make: Make) -> None:
    found = measure(make({"a/z": b"", "a-b": b""}))
    assert [entry.path for entry in found.entries] == ["a-b", "a/z"]


def test_what_is_left_out_is_so_at_the_top_only(make: Make) -> None:
    root = make(
        {".git/config": b"", ".gitignore": b"", ".github/a/b": b"", ".gitattributes": b"",
         "model.sig": b"", "model.intoto.jsonl": b"", "sub/.git/config": b"", "sub/model.sig": b"",
         ".gitmodules": b"", "w": b""}
    )  # fmt: skip
    paths = [entry.path for entry in measure(root).entries]
    assert paths == [".gitmodules", "sub/.git/config", "sub/model.sig", "w"]
    paths = [entry.path for entry in measure(root, ignored=("sub", ".git/config")).entries]
    assert "model.sig" in paths and "sub/model.sig" not in paths and ".git/config" not in paths


def test_what_is_left_out_may_be_anything(make: Make) -> None:
    root = make({"w": b""})
    (root / ".git").symlink_to("/nowhere")
    assert [entry.path for entry in measure(root).entries] == ["w"]


@pytest.mark.parametrize("ignored", ["*", "/w", "", "../x", "a//b", "w?"])
def test_odd_names_to_leave_out_are_refused(make: Make, ignored: str) -> None:
    with pytest.raises(Malformed):
        measure(make({"w": b""}), ignored=(ignored,))


def test_a_single_file_is_a_model_too(make: Make) -> None:
    path = make({"w.gguf": b"weights"}) / "w.gguf"
    assert measure(path).entries == (Entry(".", 7, sha(b"weights")),)


def test_a_model_without_a_file_is_refused(make: Make) -> None:
    root = make({".git/config": b"", "model.sig": b""})
    (root / "empty").mkdir()
    refused(root, Malformed, "model")
    refused(root / "nowhere", Unreadable, "nowhere")


@pytest.mark.parametrize("place", ["", "sub"])
@pytest.mark.parametrize("target", ["/etc/passwd", "w", ".", "..", "nowhere", "odd"])
def test_a_link_is_named_wherever_it_leads(make: Make, place: str, target: str) -> None:
    root = make({"w": b"", "sub/w": b""})
    (root / place / "odd").symlink_to(target)
    refused(root, Unreadable, f"{place}/odd".lstrip("/"), "symbolic link")


def test_a_link_is_no_root(make: Make, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(make({"w": b""}))
    refused(tmp_path / "link", Unreadable, "link")
    (tmp_path / "file").symlink_to(tmp_path / "model/w")
    assert measure(tmp_path / "link/w").entries[0].path == "."  # what leads there is the caller's
    refused(tmp_path / "file", Unreadable, "link")


def test_what_is_no_regular_file_is_named(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make({"w": b""})
    os.mkfifo(root / "pipe")
    refused(root, Unreadable, "pipe", "named pipe")
    refused(root / "pipe", Unreadable, "pipe")
    (root / "pipe").unlink()
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("sock")
        refused(root, Unreadable, "sock", "a socket")
    refused(Path("/dev/null"), Unreadable, "/dev/null", "a device")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make a device")
def test_a_device_is_named(make: Make) -> None:
    root = make({"w": b""})
    os.mknod(root / "null", 0o600 | 0o020000, os.makedev(1, 3))
    refused(root, Unreadable, "null", "a device")


def test_a_name_that_is_not_utf_8_is_named(make: Make) -> None:
    root = make({"w": b""})
    os.close(os.open(os.fsencode(root) + b"/sub\xff", os.O_CREAT | os.O_WRONLY))
    refused(root, Malformed, "sub\\udcff", "UTF-8")


def test_a_file_nobody_may_read_is_named(make: Make) -> None:
    root = make({"a": b"1", "secret\nfile": b"2"})
    (root / "secret\nfile").chmod(0)
    if os.access(root / "secret\nfile", os.R_OK):
        pytest.skip("this user may read everything")
    refused(root, Unreadable, "secret\\nfile")


def test_folders_nest_only_so_deep(make: Make) -> None:
    deep = "/".join("d" * 127)
    assert len(measure(make({f"{deep}/w": b""})).entries) == 1
    refused(make({f"{deep}/d/w": b""}), Malformed, "128 parts")


def test_a_model_has_only_so_many_files(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MAX_FILES", 20)
    root = make({f"{n}/w": b"" for n in range(10)})
    assert len(measure(root).entries) == 10
    refused(make({"one-more": b""}), TooLarge, "20 files")


def test_ten_thousand_files_and_a_sparse_one(make: Make) -> None:
    root = make({})
    for n in range(100):
        (root / f"{n:03}").mkdir()
        for m in range(100):
            (root / f"{n:03}/{m:03}").touch()
    with (root / "sparse").open("wb") as file:
        file.truncate(200 << 20)
    found = measure(root)
    assert len(found.entries) == 10_001
    assert found.entries[-1].digest == sha(bytes(200 << 20))


@pytest.mark.usefixtures("road")
def test_tensors_of_safetensors_files_have_digests(make: Make, tensors: Build) -> None:
    rand = random.Random(1).randbytes
    parts = {"z": rand(3), "empty": b"", "big": rand(2 * PIECE + 5), "a": rand(100), "last": b""}
    data = tensors(parts)
    found = measure(make({"w.safetensors": data, "plain": b"{}"})).entries[1]
    assert found.digest == sha(data)
    digests = {tensor.name: tensor.digest for tensor in found.tensors}
    assert digests == {name: sha(part) for name, part in parts.items()}
    assert [tensor.name for tensor in found.tensors] == sorted(parts)
    plain = measure(make({}), tensors=False).entries[1]
    assert (plain.digest, plain.tensors) == (sha(data), ())


@pytest.mark.usefixtures("road")
def test_a_header_larger_than_a_piece(make: Make, tensors: Build) -> None:
    parts = {f"{n:0200}": bytes([n % 256]) for n in range(4000)}
    data = tensors(parts)
    assert len(data) > PIECE
    (found,) = measure(make({"w": data})).entries
    assert found.digest == sha(data)
    assert {t.name: t.digest for t in found.tensors} == {n: sha(d) for n, d in parts.items()}


HEADERS = [
    b"{}", b'{"a":1}', b"{" * 70, b'{"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}',
    b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
    b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
]  # fmt: skip


@pytest.mark.usefixtures("road")
@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("claim", [None, 1, 2**63, 2**64 - 1])
def test_what_only_looks_like_safetensors_has_no_tensors(
    make: Make, header: bytes, claim: int | None
) -> None:
    length = len(header) if claim is None else claim
    data = length.to_bytes(8, "little") + header + b"xy"
    (found,) = measure(make({"w.safetensors": data})).entries
    assert (found.digest, found.tensors) == (sha(data), ())


@pytest.mark.parametrize("size", [1, 3, 8, 16, 1000])
@pytest.mark.parametrize("name", ["sha256", "blake3"])
def test_shards_are_those_of_the_reference(make: Make, size: int, name: str) -> None:
    made = hashlib.sha256 if name == "sha256" else blake3.blake3
    data = b"This is a simple"
    found = measure(make({"a:b": data, "empty": b""}), shard=size, algorithm=name).entries
    cuts = [(at, min(at + size, 16)) for at in range(0, 16, size)]
    expected = [
        Entry(f"a:b:{at}:{end}", end - at, made(data[at:end]).hexdigest(), name) for at, end in cuts
    ]
    assert list(found) == sorted(expected, key=lambda entry: entry.path)


def test_progress_ends_at_all_and_never_goes_back(make: Make) -> None:
    told: list[tuple[int, int, int]] = []

    def progress(done: int, total: int) -> None:
        told.append((done, total, threading.get_ident()))

    measure(make({str(n): bytes(PIECE) for n in range(9)}), jobs=2, progress=progress)
    assert [total for _, total, _ in told] == [9 * PIECE] * len(told)
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert told[-1][0] == 9 * PIECE
    assert {thread for _, _, thread in told} == {threading.get_ident()}


def test_what_progress_raises_ends_the_work(make: Make) -> None:
    def progress(done: int, total: int) -> None:
        raise KeyboardInterrupt

    root = make({})
    for n in range(3):
        with (root / str(n)).open("wb") as file:
            file.truncate(1 << 40)  # hours of work
    with pytest.raises(KeyboardInterrupt):
        measure(root, jobs=2, progress=progress)


def test_the_example_of_the_document(make: Make) -> None:
    text = (Path(__file__).parents[3] / "docs/formats/manifest.md").read_text()
    (listed,) = re.findall(r"```\n(config\.json .*?)```", text, re.DOTALL)
    expected = dict(line.split() for line in listed.splitlines())
    header = re.search(r"`(\{\"a\".*)`, bytes", text)
    assert header
    head = header[1].encode()
    files = {"w.safetensors": len(head).to_bytes(8, "little") + head + b"\1\2\3"}
    files |= {"config.json": b"{}", "w-2.txt": b"", ".gitignore": b""}
    found = measure(make(files))
    have = {entry.path: entry.digest for entry in found.entries}
    have |= {tensor.name: tensor.digest for entry in found.entries for tensor in entry.tensors}
    assert have | {"root": found.root} == expected
