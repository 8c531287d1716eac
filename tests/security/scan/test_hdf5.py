import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security.errors import Malformed
from security.scan import hdf5
from security.scan.source import of_bytes
from tests.security.scan.recorder import Recorder, scan, told

VECTORS = Path(__file__).parents[2] / "vectors" / "hdf5"
CODE, OUTSIDE, UNREAD, BROKEN = (
    ("keras-code", True), ("outside", True), ("unread", False), ("broken", False),
)  # fmt: skip
LAYERS = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": {}}]}}
LAMBDA = {"class_name": "Lambda", "config": {"function": ["4wEA"], "function_type": "lambda"}}
Fill = Callable[[Any], None]
# Each writes other superblocks, headers, groups and heaps.
KINDS: dict[str, dict[str, Any]] = {
    "oldest": {},
    "1.8": {"libver": ("v108", "v108")},
    "latest": {"libver": "latest"},
    "ordered": {"track_order": True},
    "block before": {"userblock_size": 1024},
}


def build(fill: Fill, **how: Any) -> bytes:
    data = io.BytesIO()
    with h5py.File(data, "w", **how) as file:
        fill(file)
    return data.getvalue()


def weights(file: Any) -> None:
    for index in range(40):
        group = file.create_group(f"layer_{index}/dense")
        group.create_dataset("kernel:0", data=np.ones((4, 8), "f4"), compression="gzip")
        group.create_dataset("bias:0", data=np.zeros(8, "f4"), chunks=(4,), shuffle=True)
        group.attrs["weight_names"] = [b"kernel:0", b"bias:0"]
    file.create_dataset("text", data=["a", "b"], dtype=h5py.string_dtype())
    file.attrs["model_config"] = json.dumps(LAYERS)
    file.attrs["keras_version"] = np.bytes_(b"2.4.0")
    file.attrs["numbers"] = np.arange(5)
    file.attrs["nothing"] = h5py.Empty("f4")


def many(last: Fill) -> Fill:
    def fill(file: Any) -> None:
        for index in range(300):
            file.create_group(f"group_{index}")
        for index in range(60):
            file.attrs[f"attribute_{index}"] = f"value {index}"
        last(file)

    return fill


def config(value: Any, name: str = "model_config", fixed: bool = False) -> Fill:
    def fill(file: Any) -> None:
        text = json.dumps(value)
        file.attrs[name] = np.bytes_(text) if fixed else text

    return fill


def link(value: Any) -> Fill:
    def fill(file: Any) -> None:
        file["x"] = value

    return fill


def elsewhere(file: Any) -> None:
    file.create_dataset("d", (4,), "f4", external=[("/etc/passwd", 0, 16)])


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "d", (4,))
    file.create_virtual_dataset("v", layout)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fill", [weights, many(weights), lambda file: None])
def test_weights_have_no_findings(kind: str, fill: Fill) -> None:
    assert scan(hdf5.read, build(fill, **KINDS[kind])) == []


HOSTILE: list[tuple[str, Fill, tuple[str, bool]]] = [
    ("lambda", config(LAMBDA), CODE),
    ("lambda in fixed text", config(LAMBDA, fixed=True), CODE),
    ("lambda of training", config({"loss": LAMBDA}, "training_config"), CODE),
    ("lambda under another name", config(LAMBDA, "notes"), CODE),
    ("module", config({"class_name": "f", "config": {}, "module": "os"}), CODE),
    ("auto_map", config({"auto_map": "m.M"}, "hf"), ("config-code", True)),
    ("vocabulary", config({"class_name": "StringLookup", "config": {"vocabulary": "/x"}}), OUTSIDE),
    ("external link", link(h5py.ExternalLink("/etc/passwd", "/a")), OUTSIDE),
    ("external link beside", link(h5py.ExternalLink("other.h5", "/a")), OUTSIDE),
    ("external storage", elsewhere, OUTSIDE),
    ("soft link", link(h5py.SoftLink("/group_1")), UNREAD),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("fill", "rule"), [h[1:] for h in HOSTILE], ids=[h[0] for h in HOSTILE])
def test_hostile_files_are_found_for_their_reason(
    kind: str, fill: Fill, rule: tuple[str, bool]
) -> None:
    assert told(scan(hdf5.read, build(fill, **KINDS[kind]))) == [rule]
    assert told(scan(hdf5.read, build(many(fill), **KINDS[kind]))) == [rule]


@pytest.mark.parametrize("kind", ["oldest", "latest"])
def test_virtual_datasets_are_found(kind: str) -> None:
    assert told(scan(hdf5.read, build(virtual, **KINDS[kind]))) == [OUTSIDE]


def test_what_lies_deep_is_found() -> None:
    def fill(file: Any) -> None:
        file["a/b/c/d"] = h5py.ExternalLink("/x", "/")
        file["a/loop"] = file["a"]  # a circle of hard links

    assert told(scan(hdf5.read, build(fill))) == [OUTSIDE]


def test_pickles_in_attributes_are_handed_over() -> None:
    def fill(file: Any) -> None:
        file.attrs["title"] = np.bytes_(pickle.dumps(print, 0))

    report = Recorder()
    hdf5.read(of_bytes("m.h5", build(fill)), report)
    assert [source.name for source in report.streams] == ["title"]


def test_rows_that_are_unpickled_are_a_doubt() -> None:
    def fill(file: Any) -> None:
        file.create_dataset("rows", data=np.zeros(2)).attrs["PSEUDOATOM"] = np.bytes_(b"object")

    assert told(scan(hdf5.read, build(fill))) == [UNREAD]


def test_a_configuration_that_is_no_json_is_a_doubt() -> None:
    def fill(file: Any) -> None:
        file.attrs["model_config"] = "{"

    assert told(scan(hdf5.read, build(fill))) == [BROKEN]


def test_bytes_after_the_end_are_a_doubt() -> None:
    assert told(scan(hdf5.read, build(weights) + b"PK")) == [BROKEN]


@pytest.mark.parametrize("path", sorted(VECTORS.glob("bad/*.h5")), ids=lambda p: p.stem)
def test_hostile_bytes_are_never_clean(path: Path) -> None:
    rule = path.stem.partition("_")[0]
    try:
        assert rule in {threat.rule for threat in scan(hdf5.read, path.read_bytes())}
    except Malformed as error:
        assert rule == "malformed", error.message


def patched(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


OLD = build(weights)
NEW = build(weights, libver="latest")
SMALL = build(config(LAYERS), libver="latest")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x89HDF\r\n\x1a\n", "due at byte"),
        (b"\x89HDF" + bytes(5000), "no HDF5 file"),
        (b"", "no HDF5 file"),
        (patched(OLD, 8, b"\x09"), "unknown version 9"),
        (patched(OLD, 13, b"\x03"), "unknown width"),
        (OLD[: len(OLD) // 2], "before its end"),
        (patched(NEW, 36, b"\xff" * 8), "no root group"),
        (patched(NEW, 36, b"\0\0\0\0\0\1\0\0"), "beyond the file"),
        (patched(NEW, 36, b"\x08\0\0\0\0\0\0\0"), "no object header"),
        (patched(OLD, 64, b"\xff" * 8), "no root group"),
    ],
)
def test_broken_structure_is_refused_for_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        scan(hdf5.read, data, "m.h5")
    assert reason in caught.value.message
    assert "m.h5" in caught.value.message


@settings(max_examples=150)
@given(st.sampled_from([OLD, NEW, SMALL]), st.integers(0, 4000), st.binary(min_size=1, max_size=8))
def test_changed_files_are_read_or_refused(data: bytes, at: int, patch: bytes) -> None:
    try:
        scan(hdf5.read, patched(data, at % len(data), patch))
    except Malformed:
        return


@given(st.binary(max_size=400).map(lambda b: b"\x89HDF\r\n\x1a\n" + b))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        scan(hdf5.read, data)
    except Malformed:
        return
