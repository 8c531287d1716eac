"""Files of which a loader runs what another reading does not show. Each has run its payload."""

from __future__ import annotations

import io
import math
import operator
import pickle
import struct

import joblib  # type: ignore[import-untyped]
import numpy as np
import pytest

from security.scan.dryrun import Booth
from security.scan.engine import scan_file
from security.scan.source import of_bytes
from security.scan.values import Judgement
from tests.security.scan.hostile import PROTO, name, text

CALL = b"cos\nsystem\n(S'true'\ntR"
PASSED = (Judgement.CLEAN, Judgement.SKIP)
NAMES = [(m.__name__, n) for m in (math, operator) for n in dir(m) if not n.startswith("_")]
IMPORTS = b"".join(f"c{module}\n{attribute}\n0".encode() for module, attribute in NAMES)
SLOW = b"}N" + b"2\x86" * 26 + b"Ns0"  # a tuple of tuples: its hash takes longer than a dry run may


OLD = b"cbuiltins\nobject\nNtR"


def hiding(count: int) -> bytes:
    """An opcode that takes `count` bytes behind it for a text."""
    return b"B" + struct.pack("<I", count)


def misaligned(code: str, *, made: bytes = b")\x81") -> bytes:
    """A joblib file whose array is four times as long as a reader of `code` may think.

    `made` makes the wrapper of its class.
    """
    state = {b"shape": b"K\x64\x85", b"order": text("C"), b"allow_mmap": b"\x89"}
    state[b"dtype"] = name("numpy", "dtype") + text(code) + b"\x85R"
    state[b"subclass"] = name("numpy", "ndarray")
    state[b"numpy_array_alignment_bytes"] = b"N"
    pairs = b"".join(text(key.decode()) + value for key, value in state.items())
    before = b"ccopyreg\n_reconstructor\n(" if made == OLD else b""
    head = (
        PROTO
        + before
        + name("joblib.numpy_pickle", "NumpyArrayWrapper")
        + made
        + b"}("
        + pairs
        + b"ub"
    )
    data = bytearray(b" " * 400) + b"0" + CALL + b"0N."
    for at in (0, 100):
        data[at : at + 5] = hiding(len(data) - at - 7)
    return head + bytes(data)


def signed_tar() -> bytes:
    """A pickle of one text, which torch.load takes for a tar: its sum is that of signed bytes."""
    rest = 4096
    block = bytearray(512)
    block[:11] = b"\x80\x02" + hiding(512 + rest - 7) + b"name"
    block[124:136] = b"00000000000\0"
    block[156:157] = b"0"
    block[148:156] = b" " * 8
    total = sum(byte if byte < 128 else byte - 256 for byte in block)
    block[148:156] = b"%06o\0 " % total
    return bytes(block) + bytes(rest) + b"."


def headed() -> bytes:
    """A safetensors file, of which the length is a text to an unpickler, and the tensor a call."""
    tensor = bytearray(b" " * 512)
    length = 0x58 | 0x7E << 8
    entry = b'{"t":{"dtype":"U8","shape":[512],"data_offsets":[0,512]},"__metadata__":{"a":"'
    header = bytearray(entry.ljust(length))
    header[-3:] = b'"}}'
    at = 5 + 0x7E - 8  # in the header, where the first text of the pickle ends
    while at < length:  # others follow, of which the last ends in the tensor
        step = 0x7E if not 128 < length - at < 140 else 0x30
        header[at : at + 2] = b"U" + bytes([step])
        at += 2 + step
    payload = SLOW + CALL + b"."
    tensor[at - length : at - length + len(payload)] = payload
    return struct.pack("<Q", length) + bytes(header) + bytes(tensor)


HIDDEN = {
    "f.joblib": misaligned("f"),
    "i.joblib": misaligned("i"),
    "M.joblib": misaligned("M"),
    "old.joblib": misaligned("f4", made=OLD),
    "signed.pt": signed_tar(),
    "imports.dat": IMPORTS + CALL + b".",
    "imports.npy": IMPORTS + CALL + b".",
    "line.pkl": b"S'" + b"a" * 70_000 + b"'\n0" + CALL + b".",
    "saved_model.pb": b"\x08\x01\x12\x05\x0a\x03abc\xff",
    "letters.joblib": b"x^b" + b"`" * 200,  # deflated zeros: joblib unpacks what begins with "x"
    "headed.joblib": headed(),
    "headed.pkl": headed(),
}


@pytest.mark.parametrize("label", HIDDEN)
def test_what_a_loader_would_run_does_not_pass(label: str, booth: Booth) -> None:
    assert scan_file(of_bytes(label, HIDDEN[label]), booth=booth).judgement not in PASSED


def dtype(code: str, *state: bytes, copy: bytes = b"\x88") -> bytes:
    made = name("numpy", "dtype") + text(code) + b"\x89" + copy + b"\x87R"
    return made + b"".join(b"(" + one + b"tb" for one in state)


def stated(
    width: int, *, base: bytes = b"N", names: bytes = b"N", fields: bytes = b"N", flags: int = 0
) -> bytes:
    numbers = b"".join(b"J" + struct.pack("<i", number) for number in (width, 1, flags))
    return b"K\x03" + text("|") + base + names + fields + numbers


def field(made: bytes, at: int) -> bytes:
    return text("a") + made + b"J" + struct.pack("<i", at) + b"\x86"


def structure(*fields: bytes, width: int = 8, flags: int = 0) -> bytes:
    return stated(width, names=text("a") + b"\x85", fields=b"}(" + b"".join(fields) + b"u",
                  flags=flags)  # fmt: skip


def holding(made: bytes) -> bytes:
    """An array of one element of a type."""
    return (
        name("numpy.core.multiarray", "scalar") + made + b"q\x01C\x08" + b"A" * 8 + b"\x86R0h\x01"
    )


LIES = {
    "objects without flags": dtype("O8", stated(-1)),
    "objects in a field": dtype("V8", structure(field(dtype("O8"), 0))),
    "objects in a repeated type": dtype(
        "V8", stated(8, base=dtype("O8") + b"K\x01\x85\x86")
    ),
    "a field far away": dtype("V8", structure(field(dtype("f8"), 100_000))),
    "a field before": dtype("V8", structure(field(dtype("f8"), -8))),
    "a field too wide": dtype("V8", structure(field(dtype("f8"), 4))),
    "a repeated type too wide": dtype("V8", stated(8, base=dtype("f8") + b"M\xe8\x03\x86")),
    "another size": dtype("V8", stated(1000)),
    "another size of text": dtype("S8", stated(1000)),
    "parts of a number": dtype("f8", stated(-1, base=dtype("f8") + b"K\x01\x86")),
    "set twice": dtype("V8", stated(8), stated(8)),
    "set after it was used": holding(dtype("V8")) + b"(" + stated(8) + b"tb",
    "shared by everybody": dtype("f8", stated(-1), copy=b"\x89"),
    "made of another type": name("numpy", "dtype") + dtype("f8") + b"\x85R",
    "without digits": dtype("f", stated(-1)),
    "a method by its state": name("types", "SimpleNamespace") + b")R}" + text("__setstate__")
    + name("builtins", "bytearray") + b"sbJ\xff\xff\xff\x7fb",
    "a method by a slot": name("collections", "deque") + b")RN}" + text("append")
    + name("numpy", "ndarray") + b"s\x86b",
    "items in a tensor": name("torch", "Tensor") + b")RK\x01K\x02s",
    "items in an array": name("numpy", "ndarray") + b")R(K\x01K\x02u",
}  # fmt: skip


@pytest.mark.parametrize("kind", LIES)
def test_types_that_lie_are_a_doubt(kind: str, booth: Booth) -> None:
    found = scan_file(of_bytes("x.pkl", PROTO + LIES[kind] + b"."), booth=booth).threats
    assert [threat.rule for threat in found] == ["pickle-argument"]


TYPES = [
    "f8", ">f4", "b1", "i1", "c16", "f2", "O", "S5", "U5", "S0", "V8", "M8[ns]", "m8[25s]", "i8",
    [("a", "O"), ("b", "f4", (2, 3))], ("f4", (2,)),
    [("a", "U3"), ("b", [("c", "O"), ("d", "i2")])],
    [(("title", "n"), "f4")], {"names": ["a", "b"], "formats": ["i4", "i4"], "offsets": [0, 0]},
    {"names": ["a"], "formats": ["i4"], "offsets": [4], "itemsize": 16}, [("", "f4"), ("", "f4")],
]  # fmt: skip


@pytest.mark.parametrize("kind", TYPES, ids=str)
@pytest.mark.parametrize("protocol", range(6))
def test_types_as_numpy_writes_them_pass(kind: object, protocol: int, booth: Booth) -> None:
    whole = np.zeros(3, dtype=kind)  # type: ignore[call-overload]
    values = (whole, whole.dtype, whole[:0], {"a": [whole, whole.T]})
    data = pickle.dumps(values, protocol)
    assert scan_file(of_bytes("x.pkl", data), booth=booth).threats == ()
    if whole.dtype.hasobject:  # joblib packs those as a pickle of their own
        return
    out = io.BytesIO()
    joblib.dump({"a": whole, "b": [whole, whole]}, out, protocol=protocol)
    assert scan_file(of_bytes("x.joblib", out.getvalue()), booth=booth).threats == ()
