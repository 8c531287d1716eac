import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import PointerError
from registry.pointers import (
    UNKNOWN_SIZE,
    Member,
    Pointer,
    PointerKind,
    is_safe,
    read_dir,
    read_dvc,
    read_lfs,
    read_lock,
    read_wdirs,
    resolve,
)
from security.sniff import is_lfs

SHA, MD5 = "ab" * 32, "cd" * 16
LFS = f"version https://git-lfs.github.com/spec/v1\noid sha256:{SHA}\nsize 12\n"


def test_reads_lfs() -> None:
    assert read_lfs(LFS.encode(), "a.bin") == Pointer("a.bin", PointerKind.LFS, SHA, 12)
    assert is_lfs(LFS.encode())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (LFS + "x" * 1024, "more than 1,024"),
        ("version 1\n", "not an LFS pointer"),
        (LFS[:-1], "the lines version, oid, size"),
        (LFS + "ext-0-foo sha256:00\n", "the lines version, oid, size"),
        (LFS.replace("spec/v1", "spec/v12"), "the lines version, oid, size"),
        (LFS.replace("size", "oid"), "the lines version, oid, size"),
        (LFS.replace("\n", "\r\n"), "the lines version, oid, size"),
        (LFS.replace("sha256:", "sha1:"), "oid"),
        (LFS.replace("ab", "AB"), "oid"),
        (LFS.replace("12", "-1"), "size"),
        (LFS.replace("12", "١٢"), "not ASCII"),
        (LFS.replace("12", "9" * 20), "size"),
        (LFS.replace("12", "9" * 19), "size"),
    ],
)
def test_refuses_malformed_lfs(text: str, reason: str) -> None:
    with pytest.raises(PointerError) as caught:
        read_lfs(text.encode(), "a.bin")
    assert caught.value.message.startswith("a.bin: ")
    assert reason in caught.value.message


def dvc(**out: object) -> bytes:
    return json.dumps({"outs": [{"md5": MD5, "path": "m.bin", "hash": "md5", **out}]}).encode()


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        (dvc(size=3), Pointer("models/m.bin", PointerKind.DVC, MD5, 3)),
        (dvc(), Pointer("models/m.bin", PointerKind.DVC, MD5, UNKNOWN_SIZE)),
        (dvc(path="../x/./y"), Pointer("x/y", PointerKind.DVC, MD5, UNKNOWN_SIZE)),
        (
            dvc(md5=MD5 + ".dir", path="tiny", nfiles=2),
            Pointer("models/tiny", PointerKind.DVC_FOLDER, MD5, UNKNOWN_SIZE, count=2),
        ),
        (dvc(nfiles=-2), Pointer("models/m.bin", PointerKind.DVC, MD5, UNKNOWN_SIZE)),
        (dvc(nfiles="2"), Pointer("models/m.bin", PointerKind.DVC, MD5, UNKNOWN_SIZE)),
        (dvc(nfiles=True), Pointer("models/m.bin", PointerKind.DVC, MD5, UNKNOWN_SIZE)),
        (
            f"wdir: sub\nouts:\n- path: a\n  md5: {MD5}\n".encode(),
            Pointer("models/sub/a", PointerKind.DVC, MD5, UNKNOWN_SIZE, legacy=True),
        ),
        (b"outs: [{path: a}]", Pointer("models/a", PointerKind.DVC, "", UNKNOWN_SIZE)),
    ],
)
def test_reads_dvc(data: bytes, pointer: Pointer) -> None:
    assert read_dvc(data, "models/m.bin.dvc") == (pointer,)


def test_outputs_outside_the_repository_are_none_of_its_files() -> None:
    assert read_dvc(dvc(path="s3://bucket/x"), "a.dvc") == ()
    assert read_dvc(b"deps: []", "a.dvc") == ()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"[1]", "not a mapping"),
        (b"outs: {}", "outs is not a list"),
        (b"outs: [3]", "an output has no path"),
        (b"wdir: [1]\nouts: []", "wdir is not a path"),
        (b"outs: [{path: a, md5: &x b}, {path: c, md5: *x}]", "aliases"),
        (b"outs:\n- path: a\n  path: b\n", "duplicate key 'path' (line 3)"),
        (dvc(path="../../m"), "not a path below"),
        (dvc(path="/etc/passwd"), "not a path below"),
        (dvc(path=".."), "not a path below"),
        (dvc(path="a\\b"), "not a path below"),
        (dvc(path="a\nb"), "not a path below"),
        (dvc(md5="../" * 10), "md5 that is none"),
        (dvc(md5=MD5.upper()), "md5 that is none"),
        (dvc(md5=5), "md5 that is none"),
        (dvc(size="9"), "no sensible size"),
        (dvc(size=True), "no sensible size"),
        (dvc(size=-7), "no sensible size"),
        (dvc(size=2**70), "no sensible size"),
    ],
)
def test_refuses_malformed_dvc(data: bytes, reason: str) -> None:
    with pytest.raises(PointerError) as caught:
        read_dvc(data, "models/m.dvc")
    assert reason in caught.value.message


LOCK = f"""
schema: '2.0'
stages:
  train@0:
    cmd: python train.py
    outs:
    - path: tiny
      hash: md5
      md5: {MD5}.dir
      size: 9
  measure:
    cmd: x
"""
PIPELINE = """
stages:
  train:
    foreach: [1]
    do: {cmd: x, wdir: models}
  measure: {cmd: x, wdir: '${where}'}
"""


def test_reads_lock_files_with_the_working_folders_of_their_stages() -> None:
    wdirs = read_wdirs(PIPELINE.encode(), "dvc.yaml")
    assert wdirs == {"train": "models"}
    found = read_lock(LOCK.encode(), "sub/dvc.lock", wdirs)
    assert found == (Pointer("sub/models/tiny", PointerKind.DVC_FOLDER, MD5, 9),)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "schema: '1.0'",
        "stages: {}",
        "schema: '2.0'\nstages: []",
        "schema: '2.0'\nstages: {a: 1}",
    ],
)
def test_refuses_malformed_lock_files(text: str) -> None:
    with pytest.raises(PointerError):
        read_lock(text.encode(), "dvc.lock", {})


def test_reads_folder_lists() -> None:
    data = json.dumps([{"md5": MD5, "relpath": "a/b.bin"}]).encode()
    assert read_dir(data, "tiny") == (Member("a/b.bin", MD5),)


@pytest.mark.parametrize(
    "found",
    [
        {},
        [3],
        [{"md5": MD5, "relpath": "../x"}],
        [{"md5": MD5, "relpath": "/x"}],
        [{"md5": MD5, "relpath": "a//b"}],
        [{"md5": MD5, "relpath": "a\\..\\b"}],
        [{"md5": MD5, "relpath": "a\u202eb"}],
        [{"md5": MD5, "relpath": "x" * 300}],
        [{"md5": MD5, "relpath": ""}],
        [{"md5": MD5 + ".dir", "relpath": "a"}],
        [{"md5": "", "relpath": "a"}],
        [{"md5": MD5, "relpath": "a"}] * 2,
    ],
)
def test_refuses_malformed_folder_lists(found: object) -> None:
    with pytest.raises(PointerError):
        read_dir(json.dumps(found).encode(), "tiny")


@given(st.text(max_size=40))
def test_safe_names_stay_in_their_folder(path: str) -> None:
    if is_safe(path):
        assert resolve("a/b", path) == f"a/b/{path}"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in (read_lfs, read_dvc, read_dir):
        try:
            read(data, "p")
        except PointerError as error:
            assert "\n" not in error.message
