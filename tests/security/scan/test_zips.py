from __future__ import annotations

import io
import pickle
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security.scan.dryrun import Booth
from security.scan.engine import scan_file
from security.scan.source import of_bytes
from security.scan.values import Judgement, Limits
from tests.security.scan.hostile import PROTO, array, name, patched, text, torch_file, zipped

EVIL = PROTO + name("os", "system") + text("id") + b"\x85R."
PLAIN = {"m/a.txt": b"hello", "m/data.pkl": pickle.dumps({"a": 1})}
GOOD = zipped(PLAIN)
DEFLATED = zipped(PLAIN, zipfile.ZIP_DEFLATED)
LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
SECOND = GOOD.index(LOCAL, 4)
LIST = GOOD.index(CENTRAL)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def shifted(data: bytes, by: int) -> bytes:
    """Say in the end record that the directory begins elsewhere."""
    at = data.index(END) + 16
    value = int.from_bytes(data[at : at + 4], "little") + by
    return data[:at] + value.to_bytes(4, "little") + data[at + 4 :]


WRONG = [
    ("local name", flipped(GOOD, 30), "another name"),
    ("local flags", patched(GOOD, LOCAL, 6, b"\x02\0"), "other flags"),
    ("local method", patched(GOOD, LOCAL, 8, b"\x08\0"), "other flags or another method"),
    ("local checksum", flipped(GOOD, 14), "another size or checksum"),
    ("local packed size", flipped(GOOD, 18), "another size or checksum"),
    ("local size", flipped(GOOD, 22), "another size or checksum"),
    ("checksum of the data", flipped(GOOD, 30 + 7), "wrong checksum"),
    ("checksum of deflated data", flipped(flipped(DEFLATED, 14), DEFLATED.index(CENTRAL) + 16),
     "another size or checksum than its record"),
    ("deflated data", flipped(DEFLATED, 30 + 7), ""),
    ("size stored", patched(GOOD, CENTRAL, 24, b"\x04\0\0\0"), "another size"),
    ("encrypted", patched(patched(GOOD, LOCAL, 6, b"\1\0"), CENTRAL, 8, b"\1\0"), "encrypted"),
    ("patched", patched(patched(GOOD, LOCAL, 6, b"\x20\0"), CENTRAL, 8, b"\x20\0"), "flags 0x0020"),
    ("method", patched(patched(GOOD, LOCAL, 8, b"\x0c\0"), CENTRAL, 10, b"\x0c\0"), "method 12"),
    ("no local record", patched(GOOD, CENTRAL, 42, b"\x07\0\0\0"), "no local record"),
    ("hole", GOOD[:SECOND] + b"x" * 9 + shifted(GOOD[SECOND:], 9), ""),
    ("hidden member", GOOD[:LIST] + zipped({"h": EVIL})[:40] + shifted(GOOD[LIST:], 40),
     "bytes of no member"),
    ("prefix", b"x" * 8 + GOOD, "begins after 8 bytes"),
    ("behind", GOOD + b"x", "goes on after its end"),
    ("two ends", zipped(PLAIN, comment=END + b"x" * 30), ""),
    ("more said", patched(GOOD, END, 8, b"\3\0\3\0"), "2 members where 3"),
    ("fewer said", patched(GOOD, END, 8, b"\1\0\1\0"), "where 1"),
    ("several disks", patched(GOOD, END, 4, b"\1\0"), "several files"),
    ("directory outside", shifted(GOOD, 10**6), "outside of it"),
    ("directory elsewhere", shifted(GOOD, -1), ""),
    ("twice", GOOD.replace(b"m/data.pkl", b"m/a.txt\0\0\0"), ""),
    ("nul", GOOD.replace(b"m/data.pkl", b"m/data\0pkl"), "readers differ on"),
    ("odd name", zipped({"caf\u00e9": b""}).replace(b"\0\x08", b"\0\0"), "readers differ on"),
    ("parent", zipped({"m/../../x": b""}), "leaves the folder"),
    ("backslash", GOOD.replace(b"m/a.txt", b"m\\a.txt"), "leaves the folder"),
    ("doubled slash", zipped({"m//x": b""}), "no plain name"),
    ("overlap", patched(GOOD, CENTRAL, 42, b"\0\0\0\0"), "overlaps"),
    ("second name", GOOD[:0] + zipped({"m/\u00e9": b""}), None),
]  # fmt: skip


@pytest.mark.parametrize(("label", "data", "said"), WRONG)
def test_records_that_differ(label: str, data: bytes, said: str | None, booth: Booth) -> None:
    found = scan_file(of_bytes("m.zip", data), booth=booth)
    if said is None:
        assert found.judgement is Judgement.CLEAN
        return
    assert found.judgement in (Judgement.FLAG, Judgement.UNDECIDED)
    assert any(said in threat.what for threat in found.threats), found.threats


def test_what_differs_is_judged_all_the_same(booth: Booth) -> None:
    for data in (
        flipped(zipped({"m/a.pkl": EVIL}), 14),
        patched(zipped({"m/a.pkl": EVIL}), LOCAL, 6, b"\1\0"),
        zipped({"m/a.pkl": EVIL}, zipfile.ZIP_DEFLATED)[:-1],
    ):
        found = scan_file(of_bytes("m.zip", data), booth=booth)
        assert any(t.rule == "pickle-code" or "end record" in t.what for t in found.threats)


def test_places_of_members_follow_their_archive(booth: Booth) -> None:
    inner = zipped({"b/c.pkl": EVIL})
    found = scan_file(of_bytes("a.zip", zipped({"x/in.zip": inner})), booth=booth)
    assert [threat.place for threat in found.threats] == ["a.zip!/x/in.zip!/b/c.pkl"]


def test_torch_reads_what_was_judged(booth: Booth) -> None:
    """Torch does not look at checksums, nor at names in local records: both are findings here."""
    made = torch_file({"a": 1})
    assert scan_file(of_bytes("m.pt", made), booth=booth).judgement is Judgement.CLEAN
    changed = flipped(made, made.index(b"data.pkl"))
    assert scan_file(of_bytes("m.pt", changed), booth=booth).judgement is Judgement.UNDECIDED


def test_a_bomb_is_not_unpacked(booth: Booth) -> None:
    bomb = zipped({"a": bytes(40 << 20)}, zipfile.ZIP_DEFLATED)
    found = scan_file(of_bytes("m.zip", bomb), booth=booth)
    assert [threat.rule for threat in found.threats] == ["limit"]
    found = scan_file(of_bytes("m.zip", bomb), Limits(ratio=10**6, unpacked=1 << 20), booth)
    assert [threat.rule for threat in found.threats] == ["limit"]


def test_depth_and_number_are_bounded(booth: Booth) -> None:
    data = EVIL
    for _ in range(6):
        data = zipped({"in": data})
    found = scan_file(of_bytes("m.zip", data), booth=booth)
    assert [threat.rule for threat in found.threats] == ["limit"]
    many = zipped({f"{n}": b"" for n in range(50)})
    found = scan_file(of_bytes("m.zip", many), Limits(members=40), booth)
    assert [threat.rule for threat in found.threats] == ["limit"]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_zipfile_finds_in_a_changed_archive_was_judged(data: st.DataObject) -> None:
    evil = {"m/a.txt": b"hello", "m/data.pkl": EVIL, "m/b.npy": array([1])}
    method = data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    made = bytearray(zipped(evil, method))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(made) - 1))
        made[at] = data.draw(st.integers(0, 255))
    found = scan_file(of_bytes("m.zip", bytes(made)), booth=SHARED)
    if found.judgement in (Judgement.CLEAN, Judgement.SKIP):
        assert EVIL not in _members(bytes(made))


def _members(data: bytes) -> list[bytes]:
    found = []
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                found.append(archive.read(info))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, OSError, EOFError,
            ValueError, OverflowError, UnicodeDecodeError):  # fmt: skip
        pass
    return found


SHARED = Booth()


@pytest.fixture(scope="module", autouse=True)
def close() -> object:
    yield
    SHARED.close()
