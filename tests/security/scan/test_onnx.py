from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.errors import Malformed
from security.scan import onnx
from security.scan.paths import leaves
from security.scan.protobuf import Wire
from security.scan.source import of_bytes
from tests.security.scan.recorder import Recorder, scan, told

VECTORS = Path(__file__).parents[2] / "vectors" / "onnx"
CODE, OUTSIDE, BROKEN = ("onnx-code", True), ("outside", True), ("broken", False)
FOREIGN = ("onnx-code", False)


def number(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def put(field: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return number(field << 3) + number(value)
    data = value.encode() if isinstance(value, str) else value
    return number(field << 3 | 2) + number(len(data)) + data


def model(graph: bytes, rest: bytes = b"") -> bytes:
    return put(1, 8) + put(2, "tests") + put(7, graph) + rest


def node(kind: str, domain: str = "", attributes: bytes = b"") -> bytes:
    return put(1, put(4, kind) + (put(7, domain) if domain else b"") + attributes)


def attribute(field: int, value: bytes) -> bytes:
    return put(5, put(1, "a") + put(field, value))


def tensor(*parts: bytes, dims: tuple[int, ...] = (2,), kind: int = 1) -> bytes:
    return b"".join(put(1, d) for d in dims) + put(2, kind) + put(8, "w") + b"".join(parts)


def external(location: str, **more: str) -> bytes:
    entries = {"location": location, **more}
    return b"".join(put(13, put(1, k) + put(2, v)) for k, v in entries.items()) + put(14, 1)


RAW = put(9, bytes(8))
FUNCTION = put(25, put(1, "Gelu") + put(10, "pkg.own") + put(7, put(4, "Erf")))
HARMLESS = [
    model(node("Add") + node("Gelu", "com.microsoft") + node("Scaler", "ai.onnx.ml")),
    model(put(5, tensor(RAW))),
    model(put(5, tensor(put(1, b"\x02\x01"), RAW, dims=()))),
    model(put(5, tensor(external("w.data", offset="0", length="8")))),
    model(put(5, tensor(external("data/w.bin")))),
    model(node("If", attributes=attribute(6, node("Add"))) + node("Loop")),
    model(node("Gelu", "pkg.own"), FUNCTION),
    model(put(99, b"later") + put(98, 7) + node("Relu")),
    model(put(5, tensor(put(9, bytes(3)), dims=(5,), kind=21))),
]


@pytest.mark.parametrize("data", HARMLESS)
def test_plain_models_have_no_findings(data: bytes) -> None:
    assert scan(onnx.read, data) == []


@pytest.mark.parametrize("path", sorted(VECTORS.glob("good/*.onnx")), ids=lambda p: p.stem)
def test_files_of_the_formats_own_library_have_no_findings(path: Path) -> None:
    assert scan(onnx.read, path.read_bytes(), path.name) == []


HOSTILE = [
    ("absolute", model(put(5, tensor(external("/etc/passwd")))), OUTSIDE),
    ("parent", model(put(5, tensor(external("../secret")))), OUTSIDE),
    ("parent inside", model(put(5, tensor(external("a/../../b")))), OUTSIDE),
    ("backslash", model(put(5, tensor(external("..\\secret")))), OUTSIDE),
    ("drive", model(put(5, tensor(external("C:/x")))), OUTSIDE),
    ("address", model(put(5, tensor(external("http://x/y")))), OUTSIDE),
    ("home", model(put(5, tensor(external("~/.ssh/id")))), OUTSIDE),
    ("memory", model(put(5, tensor(external("*/_ORT_MEM_ADDR_/*", offset="1")))), OUTSIDE),
    ("empty", model(put(5, tensor(external("")))), OUTSIDE),
    ("in a node", model(node("C", attributes=attribute(5, tensor(external("/x"))))), OUTSIDE),
    ("in a list", model(node("C", attributes=attribute(10, tensor(external("/x"))))), OUTSIDE),
    ("in a branch", model(node("If", attributes=attribute(6, put(5, tensor(external("/x")))))),
     OUTSIDE),
    ("in branches", model(node("If", attributes=attribute(11, put(5, tensor(external("/x")))))),
     OUTSIDE),
    ("sparse", model(put(15, put(1, tensor(external("/x"))))), OUTSIDE),
    ("sparse indices", model(put(15, put(2, tensor(external("/x"))))), OUTSIDE),
    ("sparse attribute", model(node("C", attributes=attribute(22, put(1, tensor(external("/x")))))),
     OUTSIDE),
    ("training", put(20, put(2, put(5, tensor(external("/x"))))) + model(b""), OUTSIDE),
    ("function", model(b"", put(25, put(1, "F") + put(7, node("C")[2:] + attribute(5, tensor(
        external("/x")))))), OUTSIDE),
    ("second graph", model(b"") + put(7, put(5, tensor(external("/x")))), OUTSIDE),
    ("no location", model(put(5, tensor(put(14, 1)))), BROKEN),
    ("odd offset", model(put(5, tensor(external("w", offset="-1")))), BROKEN),
    ("long shape", model(put(5, tensor(RAW, dims=(3,)))), BROKEN),
    ("overflow", model(put(5, tensor(dims=(1 << 40, 1 << 40)))), BROKEN),
    ("negative", model(put(5, tensor(dims=((1 << 64) - 1, 2)))), BROKEN),
    ("unknown type", model(put(5, tensor(RAW, kind=77))), BROKEN),
    ("python", model(node("PyOp", "ai.onnx.contrib")), CODE),
    ("python training", model(node("PythonOp", "com.microsoft")), CODE),
    ("python in a branch", model(node("If", attributes=attribute(6, node("PyOp", "x")))), CODE),
    ("python in a function", model(b"", put(25, put(1, "F") + put(7, put(4, "PyFunc")))), CODE),
    ("library", model(node("Own", "evil.ops")), FOREIGN),
    ("domain twice", model(put(1, put(4, "Own") + put(7, "evil") + put(7, ""))), FOREIGN),
    ("other function", model(node("Tanh", "pkg.own"), FUNCTION), FOREIGN),
    ("vendor", model(node("EPContext", "com.microsoft")), FOREIGN),
    ("no graph", put(1, 8) + put(2, "tests"), BROKEN),
    ("empty", b"", BROKEN),
]  # fmt: skip


@pytest.mark.parametrize(("data", "rule"), [h[1:] for h in HOSTILE], ids=[h[0] for h in HOSTILE])
def test_hostile_models_are_found_for_their_reason(data: bytes, rule: tuple[str, bool]) -> None:
    assert told(scan(onnx.read, data)) == [rule]


def deep(count: int) -> bytes:
    graph = node("Add")
    for _ in range(count):
        graph = node("If", attributes=attribute(6, graph))
    return graph


MALFORMED = [
    ("field 0", b"\x00\x01", "field number 0"),
    ("huge field", b"\xf8\xff\xff\xff\xff\x01\x01", "field number"),
    ("group", b"\x0b\x0c", "wire type 3"),
    ("wire 7", b"\x0f", "wire type 7"),
    ("cut number", b"\x08\x80", "due at byte"),
    ("endless number", b"\x08" + b"\x80" * 30, "does not end"),
    ("beyond", b"\x3a\x05ab", "due at byte"),
    ("beyond by 2^60", b"\x3a" + number(1 << 60), "due at byte"),
    ("inner beyond", put(7, b"\x0a\x7f"), "due at byte"),
    ("deep", model(deep(60)), "nested deeper"),
    ("many dimensions", model(put(5, put(1, b"\1" * 100))), "more than 64 numbers"),
]


@pytest.mark.parametrize(
    ("data", "reason"), [m[1:] for m in MALFORMED], ids=[m[0] for m in MALFORMED]
)
def test_bad_encodings_are_refused_for_their_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        scan(onnx.read, data)
    assert reason in caught.value.message
    assert "file" in caught.value.message


def test_many_fields_are_too_much() -> None:
    wire = Wire(of_bytes("m.onnx", b"\x08\x01" * 100), left=50)
    with pytest.raises(Malformed, match=r"m\.onnx: more than"):
        list(wire.fields(0, 200))


def test_tensors_are_passed_over_not_read() -> None:
    data = model(put(5, tensor(put(9, bytes(1 << 20)), dims=(1 << 18,))))
    taken = 0
    source = of_bytes("m.onnx", data)

    def read(at: int, count: int) -> bytes:
        nonlocal taken
        taken += min(count, len(data) - at)
        return data[at : at + count]

    report = Recorder()
    onnx.read(replace(source, read=read), report)
    assert report.threats == []
    assert taken < 100_000


@pytest.mark.parametrize("path", ["w.bin", "a/b.data", "a..b", "weights file", "...", "é.bin"])
def test_plain_names_stay(path: str) -> None:
    assert leaves(path) == ""


@pytest.mark.parametrize(
    "path",
    ["", "/x", "\\x", "..", "../x", "a/..", "a\\..\\b", "a\\b", "c:x", "file:x", "s3://b/k", "~",
     "a\0b", "a\nb", "a\u202eb"],
)  # fmt: skip
def test_names_that_lead_away_are_told(path: str) -> None:
    assert leaves(path)


WHOLE = model(
    node("If", attributes=attribute(6, node("Add"))) + put(5, tensor(external("w.bin"))), FUNCTION
)


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=6))
def test_changed_files_are_read_or_refused(at: int, patch: bytes) -> None:
    try:
        scan(onnx.read, WHOLE[:at] + patch + WHOLE[at + len(patch) :])
    except Malformed:
        return


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        scan(onnx.read, model(data))
        scan(onnx.read, data)
    except Malformed:
        return
