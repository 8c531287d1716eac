import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.errors import Malformed
from security.scan import gguf
from tests.security.scan.recorder import scan, told

VECTORS = Path(__file__).parents[2] / "vectors" / "gguf"
U32, BOOL, STRING, ARRAY = 4, 7, 8, 9
F32, Q4_0 = 0, 2


def text(value: str | bytes) -> bytes:
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(data)) + data


def pair(key: str | bytes, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def array(kind: int, count: int, values: bytes = b"") -> bytes:
    return struct.pack("<IQ", kind, count) + values


def info(name: str, shape: tuple[int, ...] = (8,), kind: int = F32, offset: int = 0) -> bytes:
    dims = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return text(name) + dims + struct.pack("<IQ", kind, offset)


def build(
    pairs: tuple[bytes, ...] = (),
    tensors: tuple[bytes, ...] = (),
    data: bytes = b"",
    *,
    version: int = 3,
    counts: tuple[int, int] | None = None,
) -> bytes:
    count = counts or (len(tensors), len(pairs))
    head = b"GGUF" + struct.pack("<IQQ", version, *count) + b"".join(pairs) + b"".join(tensors)
    return head + (b"\0" * (-len(head) % 32) + data if tensors else b"")


CHAT = "tokenizer.chat_template"
GOOD = "{% for m in messages %}{{ m.content }}{% endfor %}"
BAD = "{{ x.__class__ }}"
HARMLESS = [
    build(),
    build((pair("general.name", STRING, text("tiny")), pair(CHAT, STRING, text(GOOD)))),
    build((), (info("a"),), b"\0" * 32),
    build((), (info("a"), info("b", offset=32)), b"\0" * 64, version=2),
    build((), (info("q", (64, 2), Q4_0), info("b", (3,), offset=96)), b"\0" * (96 + 12)),
    build((pair("general.alignment", U32, struct.pack("<I", 64)),)),
    build((pair("tokenizer.ggml.tokens", ARRAY, array(STRING, 2, text("a") + text("\u200b"))),)),
    build((pair("x", ARRAY, array(ARRAY, 1, array(U32, 1, b"\0" * 4))),)),
    build((pair("x", BOOL, b"\1"), pair("y", 12, b"\0" * 8))),
]


@pytest.mark.parametrize("data", HARMLESS)
def test_whole_files_have_no_findings(data: bytes) -> None:
    assert scan(gguf.read, data) == []


@pytest.mark.parametrize("path", sorted(VECTORS.glob("good/*.gguf")), ids=lambda p: p.stem)
def test_files_of_the_formats_own_library_have_no_findings(path: Path) -> None:
    assert scan(gguf.read, path.read_bytes(), path.name) == []


def test_big_endian_is_read() -> None:
    data = b"GGUF" + struct.pack(">IQQ", 3, 0, 1) + struct.pack(">Q", 1) + b"k"
    data += struct.pack(">I", STRING) + struct.pack(">Q", 3) + b"abc"
    assert scan(gguf.read, data) == []


def test_version_one_has_short_lengths() -> None:
    key, value = struct.pack("<I", len(CHAT)) + CHAT.encode(), struct.pack("<I", len(BAD))
    data = b"GGUF" + struct.pack("<III", 1, 0, 1) + key + struct.pack("<I", STRING) + value
    assert told(scan(gguf.read, data + BAD.encode())) == [("template", True)]


@pytest.mark.parametrize(
    ("pairs", "rules"),
    [
        ((pair(CHAT, STRING, text(BAD)),), [("template", True)]),
        ((pair(CHAT + ".tool_use", STRING, text(BAD)),), [("template", True)]),
        ((pair("other.chat_template", STRING, text(BAD)),), [("template", True)]),
        ((pair(CHAT, ARRAY, array(STRING, 1, text(BAD))),), [("template", True)]),
        ((pair(CHAT, STRING, text("{% for")),), [("broken", False)]),
        ((pair(CHAT, STRING, text(b"\xff")),), [("broken", False)]),
        ((pair(CHAT, U32, b"\0" * 4),), [("broken", False)]),
        ((pair(CHAT, STRING, text("a\u202eb")),), [("hidden-text", True)]),
        ((pair("general.description", STRING, text("a\U000e0041b")),), [("hidden-text", True)]),
    ],
)
def test_templates_are_judged(pairs: tuple[bytes, ...], rules: list[tuple[str, bool]]) -> None:
    found = scan(gguf.read, build(pairs))
    assert told(found) == rules
    assert all(threat.offset > 20 for threat in found)


BROKEN = [
    ("other magic", b"GGML" + bytes(20), "no GGUF"),
    ("short", b"GGUF\3\0", "due at byte"),
    ("version 0", build(version=0), "not known"),
    ("version 4", build(version=4), "not known"),
    ("big-endian 2", b"GGUF" + struct.pack(">IQQ", 2, 0, 0), "not known"),
    ("2^63 pairs", build(counts=(0, 1 << 63)), "pairs of metadata"),
    ("2^63 tensors", build(counts=(1 << 63, 0)), "pairs of metadata"),
    ("pairs beyond", build(counts=(0, 9)), "pairs in 24 bytes"),
    ("tensors beyond", build(counts=(9, 0)), "tensors and 0 pairs"),
    ("key of 2^62", build((struct.pack("<Q", 1 << 62) + bytes(40),)), "a metadata key of"),
    ("empty key", build((pair("", U32, bytes(4)),)), "malformed metadata key"),
    ("key beyond ASCII", build((pair("\u00e9", U32, bytes(4)),)), "malformed metadata key"),
    ("key twice", build((pair("k", U32, bytes(4)), pair("k", U32, bytes(4)))), "duplicate meta"),
    ("unknown type", build((pair("k", 13, bytes(9)),)), "unknown type 13"),
    ("truth of 2", build((pair("k", BOOL, b"\2"),)), "truth value"),
    ("string beyond", build((pair("k", STRING, struct.pack("<Q", 99) + bytes(9)),)), "due at"),
    ("string of 2^60", build((pair("k", STRING, struct.pack("<Q", 1 << 60)),)), "a text k of"),
    ("array beyond", build((pair("k", ARRAY, array(U32, 1 << 60)),)), "beyond the file"),
    ("array of 2^61", build((pair("k", ARRAY, array(12, 1 << 61)),)), "beyond the file"),
    ("strings beyond", build((pair("k", ARRAY, array(STRING, 1 << 59)),)), "beyond the file"),
    ("array of unknown", build((pair("k", ARRAY, array(99, 1, bytes(9))),)), "unknown type 99"),
    ("deep arrays", build((pair("k", ARRAY, array(ARRAY, 1) * 9 + bytes(99)),)), "unknown type"),
    ("alignment 0", build((pair("general.alignment", U32, bytes(4)),)), "alignment"),
    ("alignment 12", build((pair("general.alignment", U32, b"\x0c\0\0\0"),)), "alignment"),
    ("alignment text", build((pair("general.alignment", 5, b"\x20\0\0\0"),)), "alignment"),
    ("name twice", build((), (info("a"), info("a", offset=32)), bytes(64)), "duplicate or empty"),
    ("no name", build((), (info(""),), bytes(32)), "duplicate or empty"),
    ("long name", build((), (info("a" * 65),), bytes(32)), "a tensor name of"),
    ("5 dimensions", build((), (info("a", (1, 1, 1, 1, 8)),), bytes(32)), "5 dimensions"),
    ("2^31 dimensions", build((), (text("a") + b"\0\0\0\x80" + bytes(40),)), "dimensions"),
    ("unknown tensor", build((), (info("a", kind=99),), bytes(32)), "unknown type 99"),
    ("removed tensor", build((), (info("a", kind=31),), bytes(32)), "unknown type 31"),
    ("overflow", build((), (info("a", (1 << 32, 1 << 32)),), bytes(32)), "overflows"),
    ("half a block", build((), (info("a", (33,), Q4_0),), bytes(64)), "whole blocks"),
    ("odd offset", build((), (info("a", offset=4),), bytes(64)), "not aligned"),
    ("beyond", build((), (info("a", offset=32),), bytes(32)), "beyond the file"),
    ("offset 2^63", build((), (info("a", offset=1 << 63),), bytes(32)), "beyond the file"),
    ("overlap", build((), (info("a", (16,)), info("b", offset=32)), bytes(64)), "overlaps"),
    ("same bytes", build((), (info("a"), info("b")), bytes(32)), "overlaps"),
    ("no data", build((), (info("a"),)), "beyond the file"),
]


@pytest.mark.parametrize(("data", "reason"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_hostile_structure_is_refused_for_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(Malformed) as caught:
        scan(gguf.read, data)
    assert reason in caught.value.message
    assert "file" in caught.value.message or "bytes" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "data",
    [
        build((), (info("a"),), bytes(64)),
        build((), (info("a", offset=64),), bytes(96)),
        build() + bytes(99),
    ],
    ids=["tail", "hole", "no tensor"],
)
def test_bytes_of_no_tensor_are_a_doubt(data: bytes) -> None:
    assert told(scan(gguf.read, data)) == [("broken", False)]


WHOLE = build(
    (pair(CHAT, STRING, text(GOOD)), pair("t", ARRAY, array(STRING, 2, text("a") + text("b")))),
    (info("a"), info("b", (4, 2), offset=32)),
    bytes(64),
)


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=9))
def test_changed_files_are_read_or_refused(at: int, patch: bytes) -> None:
    try:
        scan(gguf.read, WHOLE[:at] + patch + WHOLE[at + len(patch) :])
    except Malformed:
        return


@given(st.integers(0, len(WHOLE) - 1))
def test_every_cut_is_noticed(end: int) -> None:
    try:
        assert scan(gguf.read, WHOLE[:end])
    except Malformed:
        return


@given(st.binary(max_size=300).map(lambda b: b"GGUF\3\0\0\0" + b))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        scan(gguf.read, data)
    except Malformed:
        return
