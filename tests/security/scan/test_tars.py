from __future__ import annotations

import io
import pickle
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security.scan.dryrun import Booth
from security.scan.engine import scan_file
from security.scan.source import of_bytes
from security.scan.values import Judgement, Limits
from tests.security.scan.hostile import PROTO, name, tarred, text

EVIL = PROTO + name("os", "system") + text("id") + b"\x85R."
OK = pickle.dumps({})
FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def summed(block: bytes) -> bytes:
    total = sum(block[:148]) + sum(block[156:512]) + 8 * 32
    return block[:148] + b"%06o\0 " % total + block[156:]


def changed(data: bytes, at: int, value: bytes) -> bytes:
    """Change the first header, and make its checksum hold."""
    return summed(data[:at] + value + data[at + len(value) : 512]) + data[512:]


def pax(key: str, value: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a")
        info.size, info.pax_headers = len(OK), {key: value}
        archive.addfile(info, io.BytesIO(OK))
    return out.getvalue()


GOOD = tarred({"a": OK})
WRONG = [
    ("parent", tarred({"a/../../b": OK}), "leaves the folder"),
    ("absolute", tarred({"/b": OK}), "leaves the folder"),
    ("twice", tarred({"a": OK, "./a": OK}), "twice"),
    ("case", tarred({"a": OK, "A": OK}), "twice"),
    ("symbolic", changed(GOOD, 156, b"2"), "is a link"),
    ("hard", changed(GOOD, 156, b"1"), "is a link"),
    ("device", changed(GOOD, 156, b"4"), "device"),
    ("pipe", changed(GOOD, 156, b"6"), "device or a pipe"),
    ("sparse", changed(GOOD, 156, b"S"), "of kind S"),
    ("unknown kind", changed(GOOD, 156, b"Z"), "of kind Z"),
    ("multi volume", changed(GOOD, 156, b"M"), "of kind M"),
    ("too long", changed(GOOD, 124, b"00000777777\0"), "goes on after the end"),
    ("huge", changed(GOOD, 124, b"\x80" + b"\xff" * 11), "goes on after the end"),
    ("negative", changed(GOOD, 124, b"\xff" * 12), "number that is none"),
    ("no number", changed(GOOD, 124, b"0000000z000\0"), "number that is none"),
    ("folder with content", changed(changed(GOOD, 156, b"5"), 124, b"00000000010\0"), "a folder"),
    ("prefix of GNU", changed(tarred({"a": OK}, tarfile.GNU_FORMAT), 345, b"b"), "prefix"),
    ("tail", GOOD + b"x", "after its end"),
    ("second archive", GOOD + tarred({"b": EVIL}), "after its end"),
    ("no end", GOOD[:1024], "has no end"),
    ("cut", GOOD[:515], "goes on after the end"),
    ("wrong second header", GOOD[:1024] + b"x" * 512, "number that is none"),
    ("sparse by extension", pax("GNU.sparse.major", "1"), "GNU.sparse.major"),
    ("size by extension", pax("size", "0"), "size"),
    ("type by extension", pax("SCHILY.filetype", "x"), "SCHILY"),
    ("broken extension", pax("comment", "x").replace(b"comment=x", b"commentxx"), "breaks"),
]  # fmt: skip


@pytest.mark.parametrize(("label", "data", "said"), WRONG)
def test_archives_that_differ(label: str, data: bytes, said: str, booth: Booth) -> None:
    found = scan_file(of_bytes("m.tar", data), booth=booth)
    assert found.judgement in (Judgement.FLAG, Judgement.UNDECIDED)
    assert any(said in threat.what for threat in found.threats), found.threats


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("label", ["a.pkl", "b" * 90 + "/" + "c" * 60, "d\u00e9"])
def test_members_are_judged_under_their_names(form: int, label: str, booth: Booth) -> None:
    found = scan_file(of_bytes("m.tar", tarred({"ok": OK, label: EVIL}, form)), booth=booth)
    assert [threat.place for threat in found.threats] == [f"m.tar!/{label}"]


def test_an_old_archive_without_magic_is_one(booth: Booth) -> None:
    old = changed(tarred({"a.pkl": EVIL}), 257, bytes(8))
    assert scan_file(of_bytes("m.bin", old), booth=booth).format == "tar"
    assert scan_file(of_bytes("m.bin", old), booth=booth).judgement is Judgement.FLAG


def test_their_number_is_bounded(booth: Booth) -> None:
    many = tarred({f"{n}": b"" for n in range(50)})
    found = scan_file(of_bytes("m.tar", many), Limits(members=40), booth)
    assert [threat.rule for threat in found.threats] == ["limit"]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_tarfile_finds_in_a_changed_archive_was_judged(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(FORMATS))
    made = bytearray(tarred({"ok": OK, "x" * 60 + "/" + "x" * 60: EVIL}, form))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, 3000))
        made[at] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        made[:512] = summed(bytes(made[:512]))
    found = scan_file(of_bytes("m.tar", bytes(made)), booth=SHARED)
    if found.judgement in (Judgement.CLEAN, Judgement.SKIP):
        assert EVIL not in _members(bytes(made))


def _members(data: bytes) -> list[bytes]:
    found = []
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for info in archive:
                if file := archive.extractfile(info):
                    found.append(file.read())
    except (tarfile.TarError, ValueError, OSError, KeyError, AssertionError, OverflowError):
        pass
    return found


SHARED = Booth()


@pytest.fixture(scope="module", autouse=True)
def close() -> object:
    yield
    SHARED.close()
