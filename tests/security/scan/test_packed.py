from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security.scan.dryrun import Booth
from security.scan.engine import scan_file
from security.scan.packed import UNREADABLE
from security.scan.source import of_bytes
from security.scan.values import Judgement, Limits
from tests.security.scan.hostile import PROTO, name, text

EVIL = PROTO + name("os", "system") + text("id") + b"\x85R."
OK = pickle.dumps({"a": 1})


def alone(data: bytes) -> bytes:
    return lzma.compress(data, lzma.FORMAT_ALONE)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data),
    "bz2": lambda data: bz2.compress(data),
    "xz": lambda data: lzma.compress(data),
    "lzma": alone,
    "zlib": lambda data: zlib.compress(data),
}


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("label", ["x.pkl", "x.txt", "x"])
def test_what_is_packed_is_judged(kind: str, label: str, booth: Booth) -> None:
    evil = scan_file(of_bytes(label, PACKERS[kind](EVIL)), booth=booth)
    assert [threat.rule for threat in evil.threats] == ["pickle-code"]
    assert evil.threats[0].place == f"{label}!/{label}"
    assert scan_file(of_bytes(label, PACKERS[kind](OK)), booth=booth).threats == ()


@pytest.mark.parametrize("kind", PACKERS)
def test_what_was_read_before_the_end_is_judged(kind: str, booth: Booth) -> None:
    data = PACKERS[kind](EVIL + bytes(5000))
    found = scan_file(of_bytes("x.pkl", data[:-3]), booth=booth)
    assert {"broken", "pickle-code"} <= {threat.rule for threat in found.threats}


@pytest.mark.parametrize("kind", ["gz", "bz2", "xz"])
def test_every_stream_is_unpacked(kind: str, booth: Booth) -> None:
    pack = PACKERS[kind]
    found = scan_file(of_bytes("x.pkl", pack(OK) + pack(EVIL)), booth=booth)
    assert [(threat.rule, threat.offset) for threat in found.threats] == [
        ("pickle-code", len(OK) + EVIL.index(b"\x93"))
    ]
    assert scan_file(of_bytes("x.pkl", pack(OK) + b"x"), booth=booth).threats


@pytest.mark.parametrize(("magic", "how"), UNREADABLE)
def test_what_cannot_be_unpacked_is_undecided(magic: bytes, how: str, booth: Booth) -> None:
    found = scan_file(of_bytes("weights.txt", magic + bytes(100)), booth=booth)
    assert found.judgement is Judgement.UNDECIDED
    assert how in found.threats[0].what


@pytest.mark.parametrize("kind", PACKERS)
def test_bombs_are_bounded(kind: str, booth: Booth) -> None:
    bomb = PACKERS[kind](bytes(30 << 20))
    found = scan_file(of_bytes("x.bin", bomb), booth=booth)
    assert [threat.rule for threat in found.threats] == ["limit"]
    found = scan_file(of_bytes("x", bomb), Limits(ratio=10**9, unpacked=1 << 20), booth)
    assert [threat.rule for threat in found.threats] == ["limit"]


def test_streams_without_end_are_bounded(booth: Booth) -> None:
    found = scan_file(of_bytes("x", gzip.compress(b"") * 2_000), booth=booth)
    assert [threat.rule for threat in found.threats] == ["limit"]


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(PACKERS)), st.integers(0, 60), st.integers(0, 255))
def test_changed_bytes_never_raise(kind: str, at: int, value: int) -> None:
    data = bytearray(PACKERS[kind](EVIL))
    data[at % len(data)] = value
    with Booth() as booth:
        scan_file(of_bytes("x.pkl", bytes(data)), booth=booth)


def npy(header: str, body: bytes = b"", version: int = 1) -> bytes:
    text = header.encode("latin-1")
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + body


PLAIN = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}"
OBJECTS = "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"
ARRAYS = [
    ("numbers", npy(PLAIN, bytes(16)), None),
    ("version 3", npy(PLAIN, bytes(16), 3), None),
    ("fields", npy(PLAIN.replace("'<f8'", "[('a', '<f4'), ('b', '<f4')]"), bytes(16)), None),
    ("parts", npy(PLAIN.replace("'<f8'", "[('a', '<f4', (2,))]"), bytes(16)), None),
    ("short", npy(PLAIN, bytes(15)), "broken"),
    ("long", npy(PLAIN, bytes(17)), "trailing"),
    ("pickle behind", npy(PLAIN, bytes(16) + EVIL), "trailing"),
    ("objects", npy(OBJECTS, EVIL), "pickle-code"),
    ("objects in fields", npy(OBJECTS.replace("'|O'", "[('a', '|O')]"), EVIL), "pickle-code"),
    ("objects deep", npy(OBJECTS.replace("'|O'", "[('a', [('b', ('|O', 2))])]"), EVIL),
     "pickle-code"),
    ("escaped", npy(OBJECTS.replace("O", "\\x4f"), EVIL), "broken"),
    ("version 9", npy(PLAIN, bytes(16), 9), "broken"),
    ("huge header", npy(PLAIN + " " * 20_000, bytes(16)), "broken"),
    ("no header", npy("{}"), "broken"),
    ("more keys", npy(PLAIN[:-1] + ", 'x': 1}", bytes(16)), "broken"),
    ("call", npy("__import__('os')"), "broken"),
    ("deep", npy("(" * 5000 + ")" * 4000), "broken"),
    ("negative", npy(PLAIN.replace("2", "-2"), bytes(16)), "broken"),
    ("bool", npy(PLAIN.replace("2", "True"), bytes(16)), "broken"),
    ("huge", npy(PLAIN.replace("2", "9" * 300)), "broken"),
    ("unknown type", npy(PLAIN.replace("<f8", "<q8"), bytes(16)), "broken"),
    ("cut", npy(PLAIN)[:9], "broken"),
]  # fmt: skip


@pytest.mark.parametrize(("label", "data", "rule"), ARRAYS)
def test_arrays(label: str, data: bytes, rule: str | None, booth: Booth) -> None:
    rules = {threat.rule for threat in scan_file(of_bytes("x.npy", data), booth=booth).threats}
    assert rules == ({rule} if rule else set())


@pytest.mark.parametrize(
    "made", [np.float32(1), np.zeros((0, 3)), np.array(["ab", "c"]), np.array([b"x"]),
             np.zeros(2, "M8[ns]"), np.zeros(2, bool), np.zeros(2, "V3"), np.zeros(1, ">i2")],
    ids=str,
)  # fmt: skip
def test_arrays_as_numpy_writes_them(made: np.ndarray, booth: Booth) -> None:
    out = io.BytesIO()
    np.save(out, made)
    assert scan_file(of_bytes("x.npy", out.getvalue()), booth=booth).threats == ()
