"""Folders, file by file: all or what was there before."""

import os
from pathlib import Path

import pytest

from security.errors import Malformed, NoMatch, Refused, Tampered, Unreadable, WriteFailed
from security.seal import folders
from tests.security.seal.sealing import ALICE, BOB, everything, names

FILES = {"a": 0, "b.bin": 70_000, "sub/c": 10, "sub/deep/d\ne": 1, ".git/x": 3, "big": 2_000_000}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    for name, size in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(os.urandom(size))
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("large", [1_000_000, 1 << 40])
def test_there_and_back(model: Path, large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "LARGE", large)
    told: list[tuple[int, int]] = []
    sealed, back = model.with_name("sealed"), model.with_name("new") / "back"
    made = folders.seal_folder(
        model, sealed, [ALICE.recipient], progress=lambda *now: told.append(now)
    )
    assert sorted(made) == sorted(f"{name}.age" for name in FILES) == sorted(files(sealed))
    assert told[-1] == (sum(FILES.values()), sum(FILES.values()))
    (sealed / "README").write_text("not sealed")
    assert sorted(folders.open_folder(sealed, back, [ALICE])) == sorted(FILES)
    assert files(back) == files(model)
    assert back.stat().st_mode & 0o777 == 0o700
    assert (back / "sub").stat().st_mode & 0o777 == 0o700


def test_ignored(model: Path) -> None:
    made = folders.seal_folder(
        model, model.with_name("s"), [ALICE.recipient], ignored=(".git", "sub/c")
    )
    assert sorted(made) == ["a.age", "b.bin.age", "big.age", "sub/deep/d\ne.age"]


def test_nothing_is_replaced_unasked(model: Path) -> None:
    sealed = model.with_name("sealed")
    sealed.mkdir()
    (sealed / "b.bin.age").write_bytes(b"old")
    with pytest.raises(Refused, match=r"b\.bin\.age is there already"):
        folders.seal_folder(model, sealed, [ALICE.recipient])
    assert names(sealed) == ["b.bin.age"]
    folders.seal_folder(model, sealed, [ALICE.recipient], overwrite=True)
    assert len(files(sealed)) == len(FILES)


@pytest.mark.parametrize("name", ["a", "b.bin", "big", "sub/c"])
def test_one_damaged_file_and_nothing_is_opened(model: Path, name: str) -> None:
    sealed, back = model.with_name("sealed"), model.with_name("back")
    folders.seal_folder(model, sealed, [ALICE.recipient])
    bad = sealed / f"{name}.age"
    data = bytearray(bad.read_bytes())
    data[-1] ^= 1
    bad.write_bytes(data)
    with pytest.raises(Tampered, match=name):
        folders.open_folder(sealed, back, [ALICE])
    assert not back.exists()
    back.mkdir()
    (back / "kept").write_bytes(b"mine")
    with pytest.raises(NoMatch):
        folders.open_folder(sealed, back, [BOB])
    assert everything(back) == b"mine"


@pytest.mark.parametrize("kind", ["link", "folder link", "loop", "fifo"])
def test_what_is_no_file_is_named(model: Path, kind: str) -> None:
    odd = model / "sub" / "odd"
    if kind == "fifo":
        os.mkfifo(odd)
    else:
        odd.symlink_to({"link": "c", "folder link": "deep", "loop": "odd"}[kind])
    with pytest.raises(Unreadable, match="sub/odd is a"):
        folders.seal_folder(model, model.with_name("s"), [ALICE.recipient])
    assert not model.with_name("s").exists()


def test_places_that_do_not_go(model: Path) -> None:
    to = [ALICE.recipient]
    for target in (model, model / "sealed"):
        with pytest.raises(Refused, match="lies in the folder"):
            folders.seal_folder(model, target, to)
    with pytest.raises(Unreadable, match="absent"):
        folders.seal_folder(model.with_name("absent"), model.with_name("s"), to)
    with pytest.raises(Refused, match=r"holds no \.age file"):
        folders.open_folder(model, model.with_name("s"), [ALICE])
    model.with_name("file").write_bytes(b"")
    with pytest.raises(WriteFailed, match="file"):
        folders.seal_folder(model, model.with_name("file") / "s", to)
    (model / os.fsdecode(b"\xff")).write_bytes(b"")
    with pytest.raises(Malformed, match="UTF-8"):
        folders.seal_folder(model, model.with_name("s"), to)


def test_a_folder_that_turns_into_a_link(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "LARGE", 0)  # one after the other
    outside = model.with_name("outside")
    outside.mkdir()
    (outside / "c").write_bytes(b"0123456789")

    def swap(_: int, __: int) -> None:
        if not (model / "sub").is_symlink():
            (model / "sub").rename(model.with_name("moved"))
            (model / "sub").symlink_to(outside)

    with pytest.raises(Unreadable):
        folders.seal_folder(model, model.with_name("s"), [ALICE.recipient], jobs=1, progress=swap)
    assert not model.with_name("s").exists()
