from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from security.errors import Malformed, SecurityError, Tampered, Unreadable
from security.hashing import compare, measure
from security.hashing.reading import PIECE
from security.manifest import Entry, Manifest

Make = Callable[[dict[str, bytes]], Path]
Build = Callable[[dict[str, bytes]], bytes]
OMS = Path(__file__).parents[4] / "shared/data/oms/reference"
FILES = {"a": b"1", "b/c": b"22", "b-d": b"", "big": bytes(2 * PIECE)}


def refused(
    root: Path, expected: Manifest, *names: str, kind: type[SecurityError] = Tampered
) -> None:
    with pytest.raises(kind) as caught:
        compare(root, expected)
    for name in names:
        assert name in caught.value.message
    assert caught.value.hint


def sizeless(found: Manifest) -> Manifest:
    return Manifest(tuple(replace(entry, size=-1) for entry in found.entries), found.ignored)


@pytest.mark.usefixtures("road")
@pytest.mark.parametrize("jobs", [0, 1, 3])
def test_what_was_measured_compares(make: Make, jobs: int) -> None:
    root = make(FILES)
    found = measure(root)
    assert compare(root, found, jobs=jobs) == found
    assert compare(root, sizeless(found), jobs=jobs) == found


def test_the_listed_order_is_kept(make: Make) -> None:
    root = make(FILES)
    found = measure(root)
    turned = Manifest(found.entries[::-1], found.ignored)
    assert compare(root, sizeless(turned)) == turned
    assert turned.root != found.root


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["a", "b/c", "big"]), at=st.integers(0, 2 * PIECE), bit=st.integers(0, 7)
)
def test_any_bit_that_changed_is_found(make: Make, name: str, at: int, bit: int) -> None:
    root = make(FILES)
    found = sizeless(measure(root))
    data = bytearray(FILES[name])
    data[at % len(data)] ^= 1 << bit
    (root / name).write_bytes(data)
    refused(root, found, f"{name} is not what was signed")


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("data", [b"", b"2", b"222", b"23"])
def test_another_content_or_size_names_the_file(make: Make, known: bool, data: bytes) -> None:
    root = make(FILES)
    found = measure(root)
    (root / "b/c").write_bytes(data)
    refused(root, found if known else sizeless(found), "b/c")
    if known and len(data) != 2:  # and nothing is read for that
        refused(root, found, f"b/c has {len(data)} bytes, signed were 2")


def test_files_too_many_and_too_few_are_named(make: Make) -> None:
    root = make(FILES)
    found = measure(root)
    (root / "b/new\n").touch()
    refused(root, found, "b/new\\n", "not signed")
    (root / "b/new\n").unlink()
    (root / "b-d").unlink()
    refused(root, found, "b-d", "not there")
    (root / "b-d").mkdir()
    refused(root, found, "b-d", "not there")
    (root / "b-d").rmdir()
    (root / "b-d").symlink_to("/dev/null")
    refused(root, found, "b-d", kind=Unreadable)


def test_swapped_files_are_named(make: Make) -> None:
    root = make({"a": b"1", "b": b"2"})
    found = measure(root)
    make({"a": b"2", "b": b"1"})
    refused(root, found, "is not what was signed")


@pytest.mark.parametrize("name", ["model.sig", "model.intoto.jsonl", "sub/.git/x", ".gitmodules"])
def test_only_what_was_said_and_the_usual_is_left_out(make: Make, name: str) -> None:
    root = make({"w": b""})
    found = Manifest(measure(root).entries)  # it leaves out nothing itself
    make({".git/x": b"", ".gitignore": b"", name: b""})
    refused(root, found, name, "not signed")
    assert compare(root, found, ignored=(name,)).entries == found.entries
    assert compare(root, replace(found, ignored=(name,))).entries == found.entries


def test_what_is_listed_is_read_whatever_its_name(make: Make) -> None:
    root = make({"w": b"", ".gitignore": b"1"})
    found = measure(root, ignored=())
    assert compare(root, found) == found
    (root / ".gitignore").write_bytes(b"2")
    refused(root, found, ".gitignore")
    refused(root, replace(found, ignored=(".gitignore",)), "left out at once", kind=Malformed)


DIGEST = "0" * 64
MALFORMED = [
    (), (Entry("w", -1, DIGEST), Entry("w", -1, DIGEST)), (Entry("../w", -1, DIGEST),),
    (Entry("/w", -1, DIGEST),), (Entry("./w", -1, DIGEST),), (Entry("", -1, DIGEST),),
    (Entry("a//w", -1, DIGEST),), (Entry("w/", -1, DIGEST),), (Entry("w\0", -1, DIGEST),),
]  # fmt: skip


@pytest.mark.parametrize("entries", MALFORMED)
def test_a_list_that_cannot_be_compared_is_refused(make: Make, entries: tuple[Entry, ...]) -> None:
    refused(make({"w": b""}), Manifest(entries), kind=Malformed)


def test_a_single_file_by_either_name(make: Make) -> None:
    path = make({"w.gguf": b"weights"}) / "w.gguf"
    found = measure(path)
    assert compare(path, found) == found
    named = Manifest((replace(found.entries[0], path="w.gguf", size=-1),))
    assert compare(path, named).entries == (replace(named.entries[0], size=7),)
    refused(path, Manifest((replace(found.entries[0], path="other"),)), "not signed")
    refused(path.parent, found, "w.gguf", "not signed")
    both = Manifest((found.entries[0], named.entries[0]))
    refused(path, both, "twice", kind=Malformed)
    path.write_bytes(b"weightz")
    refused(path, found, "w.gguf is not what was signed")
    path.write_bytes(b"weights!")
    refused(path, found, "w.gguf has 8 bytes")


@pytest.mark.usefixtures("road")
def test_the_tensors_that_differ_are_named(make: Make, tensors: Build) -> None:
    parts = {"up": b"123", "down": b"456", "norm": b""}
    root = make({"w.safetensors": tensors(parts)})
    found = measure(root)
    for change, named in [
        ({"down": b"457"}, "tensor down"),
        ({"up": b"1!3", "down": b"!56"}, "tensors down, up"),
        ({"norm": b"1"}, "tensor norm"),
        ({"new\n": b""}, "tensor new\\n"),
    ]:
        make({"w.safetensors": tensors(parts | change)})
        with pytest.raises(Tampered) as caught:
            compare(root, sizeless(found))
        assert caught.value.message == f"w.safetensors is not what was signed: {named}"
    turned = tensors(dict(reversed(parts.items())))
    make({"w.safetensors": turned})
    refused(root, sizeless(found), "its header differs, its tensors do not")
    make({"w.safetensors": b"?" + turned[1:]})
    refused(root, found, "its header cannot be read")


def test_at_most_ten_tensors_are_listed(make: Make, tensors: Build) -> None:
    root = make({"w": tensors({f"t{n:02}": b"1" for n in range(40)})})
    found = measure(root)
    make({"w": tensors({f"t{n:02}": b"2" for n in range(40)})})
    refused(root, found, "t00", "t09 and 30 more")


def test_the_rest_is_not_read_after_a_difference(make: Make) -> None:
    root = make({"big": bytes(20 * PIECE)} | {f"w{n}": bytes(9 * PIECE) for n in range(9)})
    found = measure(root)
    with (root / "big").open("r+b") as file:
        file.write(b"x")
    before = _read_bytes()
    with pytest.raises(Tampered, match="big"):
        compare(root, found, jobs=1)
    assert _read_bytes() - before < 60 * PIECE  # of 101


def _read_bytes() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("rchar")).split()[1])


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_shards_compare(make: Make, size: int) -> None:
    root = make({"a:b": b"1234567", "c": b"", "d/e": b"1"})
    found = sizeless(measure(root, shard=size))
    assert compare(root, found, shard=size).size == 8
    for path, data in [("a:b", b"1234568"), ("c", b"1"), ("d/e", b""), ("d/e", b"11")]:
        before = (root / path).read_bytes()
        (root / path).write_bytes(data)
        with pytest.raises(Tampered, match=path):
            compare(root, found, shard=size)
        if len(data) == len(before):
            with pytest.raises(Tampered, match=f"{path} is not what was signed, in bytes .* to 7"):
                compare(root, found, shard=size)
        (root / path).write_bytes(before)
    swapped = Manifest(tuple(replace(e, digest=found.entries[0].digest) for e in found.entries))
    with pytest.raises(Tampered):
        compare(root, swapped, shard=size)


def test_a_shard_of_one_byte_does_not_list_a_large_file(make: Make) -> None:
    root = make({})
    with (root / "w").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(Tampered, match="more shards"):
        compare(root, Manifest((Entry("w:0:1", -1, DIGEST),)), shard=1)


SAMPLES = {
    "sample_model_folder": {f"f{i}": f"This is file f{i} in root.".encode() for i in range(4)}
    | {
        f"d{i}/f{i}{j}": f"This is file f{i}{j} in d{i}.".encode() for i in (0, 1) for j in range(3)
    },
    "deep_model_folder": {f"d0/d1/d2/d3/d4/f{i}": f"This is file f{i}.".encode() for i in range(4)},
    "model_folder_with_empty_file": {"empty_file": b""},
}


@pytest.mark.skipif(not OMS.exists(), reason="shared/data/oms is not at hand")
@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(("suffix", "shard"), [("", 0), ("_shard", 10**9), ("_small_shards", 8)])
def test_models_of_the_reference_compare(make: Make, name: str, suffix: str, shard: int) -> None:
    (payload,) = (OMS / "payloads").glob(f"{name}{suffix}.json")
    statement = json.loads(payload.read_text())
    listed = statement["predicate"]["resources"]
    expected = Manifest(tuple(Entry(each["name"], -1, each["digest"]) for each in listed))
    root = make(SAMPLES[name])
    if listed:
        found = compare(root, expected, shard=shard)
        assert found.root == statement["subject"][0]["digest"]["sha256"]
    if not shard:
        assert {e.digest for e in measure(root).entries} == {e.digest for e in expected.entries}
