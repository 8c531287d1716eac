from __future__ import annotations

import os
import pickle
import socket
import sys
from pathlib import Path

import pytest

from security.errors import Unreadable
from security.scan import readers
from security.scan.dryrun import Booth
from security.scan.engine import scan_file, scan_tree
from security.scan.findings import MAX_THREATS
from security.scan.readings import readings
from security.scan.rules import RULES
from security.scan.source import Source, of_bytes
from security.scan.values import Judgement, Limits, Scanned
from security.sniff import Format
from tests.security.scan import hostile
from tests.security.scan.hostile import PROTO, name, tarred, text, zipped

EVIL = PROTO + name("os", "system") + text("id") + b"\x85R."
OK = pickle.dumps({})


def test_every_finding_has_its_rule(booth: Booth) -> None:
    for label, data in hostile.corpus("id").items():
        for threat in scan_file(of_bytes(label, data), booth=booth).threats:
            assert threat.rule in RULES, threat


@pytest.mark.parametrize(
    ("label", "data", "found"),
    [
        ("x.pkl", EVIL, (Format.PICKLE,)),
        ("x.zip", zipped({"a": b""}), (Format.ZIP,)),
        ("x.pkl", EVIL + zipped({"a": b""}), (Format.PICKLE, Format.ZIP)),
        ("x.tar", tarred({"a": zipped({"b": b""})}), (Format.TAR,)),
        ("x.npy", b"\x93NUMPY\x09", (Format.NUMPY,)),
        ("x", bytes(512) + b"\x89HDF\r\n\x1a\n" + bytes(9), (Format.HDF5,)),
        ("x", bytes(1 << 20) + b"\x89HDF\r\n\x1a\n", (Format.UNKNOWN, Format.HDF5)),
        ("x.h5", tarred({"a": b"\x89HDF\r\n\x1a\n" + bytes(99)}), (Format.TAR,)),
        ("x.onnx", b"\xff\xff", (Format.ONNX,)),
        ("x.onnx", b"words", (Format.TEXT, Format.ONNX)),
        ("x.json", b"\xff\xff", (Format.UNKNOWN, Format.TEXT)),
        ("x.txt", b"cat\nsat\n", (Format.TEXT, Format.PICKLE)),
        ("x", b"", (Format.EMPTY,)),
    ],
    ids=map(str, range(13)),  # archives have the time in their bytes: no names for tests
)
def test_every_reading_is_found(label: str, data: bytes, found: tuple[Format, ...]) -> None:
    assert readings(of_bytes(label, data)) == found


@pytest.mark.parametrize(
    ("label", "data", "judgement"),
    [
        ("a.png", b"\x89PNG" + bytes(9), Judgement.SKIP),
        ("a.bin", b"\x89PNG" + bytes(9), Judgement.UNDECIDED),
        ("a.so", b"\x7fELF" + bytes(9), Judgement.FLAG),
        ("a", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", Judgement.SKIP),
        ("a.bin", b"", Judgement.SKIP),
        ("a.pkl", OK, Judgement.CLEAN),
    ],
)
def test_judgements(label: str, data: bytes, judgement: Judgement, booth: Booth) -> None:
    found = scan_file(of_bytes(label, data), booth=booth)
    assert found.judgement is judgement
    assert bool(found.reason) is (judgement is Judgement.SKIP)


def test_a_reader_that_fails_is_a_doubt(monkeypatch: pytest.MonkeyPatch, booth: Booth) -> None:
    monkeypatch.setitem(readers.MODULES, Format.ZIP, "security.scan.no_such_reader")
    found = scan_file(of_bytes("x.zip", zipped({"a": b""})), booth=booth)
    assert found.judgement is Judgement.UNDECIDED


def test_a_file_that_shrinks_is_a_doubt(booth: Booth) -> None:
    def read(at: int, count: int) -> bytes:
        if at:
            raise Unreadable("x was cut short", "try again")
        return b"PK\x03\x04" + bytes(99)

    found = scan_file(Source("x.zip", 10**6, read), booth=booth)
    assert [threat.rule for threat in found.threats] == ["unreadable"]


def test_findings_are_bounded_and_none_hides_another(booth: Booth) -> None:
    doubts = {f"{n}.bin": b"\x89unknown%d" % n for n in range(MAX_THREATS + 50)}
    found = scan_file(of_bytes("x.zip", zipped(doubts | {"last.pkl": EVIL})), booth=booth)
    assert len(found.threats) == MAX_THREATS
    assert found.judgement is Judgement.FLAG


def tree(root: Path) -> Path:
    (root / "sub/deep").mkdir(parents=True)
    (root / "a.pkl").write_bytes(OK)
    (root / "sub/b\nnew.pkl").write_bytes(EVIL)
    (root / "sub/deep/c.txt").write_text("hello")
    (root / "in").symlink_to("sub/deep/c.txt")
    (root / "out").symlink_to("../../etc/passwd")
    (root / "sub/up").symlink_to("../a.pkl")
    (root / "sub/loop").symlink_to(".")
    (root / "absolute").symlink_to("/etc/passwd")
    os.mkfifo(root / "pipe")
    return root


def test_a_folder_is_judged_file_by_file(tmp_path: Path) -> None:
    heard: list[Scanned] = []
    found = {s.path: s for s in scan_tree(tree(tmp_path), jobs=2, progress=heard.append)}
    judged = {path: str(scanned.judgement) for path, scanned in found.items()}
    assert judged == {
        "a.pkl": "clean", "absolute": "flag", "in": "skip", "out": "flag", "pipe": "undecided",
        "sub/b\nnew.pkl": "flag", "sub/deep/c.txt": judged["sub/deep/c.txt"], "sub/loop": "skip",
        "sub/up": "skip",
    }  # fmt: skip
    assert judged["sub/deep/c.txt"] in ("clean", "skip")
    assert heard == list(found.values())
    assert [s.path for s in heard] == [s.path for s in scan_tree(tmp_path, jobs=1)]


def test_a_folder_that_is_none_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path)
    for wrong in ("missing", "file"):
        with pytest.raises(Unreadable, match=wrong):
            list(scan_tree(tmp_path / wrong))


def test_what_cannot_be_opened_is_a_doubt(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "s"))
        (scanned,) = scan_tree(tmp_path)
    assert scanned.judgement is Judgement.UNDECIDED


def test_depth_of_folders_is_bounded(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 70)
    deep.mkdir(parents=True)
    (deep / "x.pkl").write_bytes(EVIL)
    (scanned,) = scan_tree(tmp_path)
    assert [threat.rule for threat in scanned.threats] == ["limit"]


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_many_files_leave_no_descriptor_open(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.pkl").write_bytes(OK)
    before = descriptors()
    assert sum(s.judgement is Judgement.CLEAN for s in scan_tree(tmp_path, jobs=3)) == 300
    assert descriptors() == before
    for _ in scan_tree(tmp_path, jobs=3):
        break  # given up: what was opened ahead is closed
    assert descriptors() == before


def test_no_verdict_depends_on_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "anything.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    data = PROTO + name("anything", "Net") + b")R."
    found = scan_file(of_bytes("x.pkl", data), Limits())
    assert found.judgement is Judgement.UNDECIDED
    assert "anything" not in set(sys.modules) - before


def test_the_document_names_every_rule() -> None:
    text = (Path(__file__).parents[3] / "docs/formats/scan.md").read_text()
    for rule in RULES.values():
        assert f"| `{rule.name}` | {rule.meaning} | {rule.remedy} |" in text, rule.name
        assert "\n" not in rule.meaning + rule.remedy
