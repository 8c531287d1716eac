"""Folders, zips and files of OSV documents, and what hostile ones cost."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from pathlib import Path

import pytest

from registry.advisories import building, osv, sources
from registry.advisories.errors import SourceError
from tests.advisorydata import SMALL

TEXTS = [json.dumps(document).encode() for document in SMALL]


def names(place: Path) -> list[str]:
    return [d.name + (f": {d.trouble}" if d.trouble else "") for d in sources.documents(place)]


def test_every_kind_of_place_gives_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "pypi/sub").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / ".git/x.json").write_bytes(b"not read")
    (folder / "README.md").write_bytes(b"not read")
    for number, text in enumerate(TEXTS):
        (folder / f"pypi/sub/{number}.json").write_bytes(text)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number, text in enumerate(TEXTS):
            archive.writestr(f"vulns/{number}.json", text)
        archive.writestr("README.md", "not read")
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(TEXTS) + b"\n\n")
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b"\n".join(TEXTS)))
    expected = building.gather(sources.documents(folder)).advisories
    assert len(expected) == 4
    for name in ("a.zip", "a.jsonl", "a.jsonl.gz"):
        assert building.gather(sources.documents(tmp_path / name)).advisories == expected
    single = building.gather(sources.documents(folder / "pypi/sub/0.json"))
    assert single.advisories == expected[:1]


def test_yaml_of_the_python_database(tmp_path: Path) -> None:
    (tmp_path / "PYSEC-1.yaml").write_text(
        "id: PYSEC-1\naffected:\n- package: {name: x, ecosystem: PyPI}\n  versions: ['1']\n"
    )
    assert building.gather(sources.documents(tmp_path)).advisories[0].id == "PYSEC-1"


def test_links_lead_nowhere(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "loop").symlink_to(folder)
    (folder / "secret.json").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.json")
    assert names(folder) == [
        "loop: a symbolic link", "pipe.json: not a regular file", "secret.json: a symbolic link",
    ]  # fmt: skip


def test_folders_have_an_end(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*"abcdefghijklmn")
    deep.mkdir(parents=True)
    with pytest.raises(SourceError):
        names(tmp_path)


def test_a_zip_bomb_is_read_to_its_bound_only(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.json", b" " * (osv.LIMIT + 10))
        archive.writestr("link.json", "x")
        archive.writestr("../../good.json", TEXTS[0])
    # A link, as a zip of Unix says it; and a size that is a lie.
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo("symlink.json")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert names(path) == [
        f"bomb.json: more than {osv.LIMIT:,} bytes", "link.json", "../../good.json",
        "symlink.json: a symbolic link",
    ]  # fmt: skip
    assert not (tmp_path.parent / "good.json").exists()


def test_an_entry_whose_size_is_a_lie(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", b" " * 100_000)
    data = path.read_bytes().replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(data)
    assert names(path) == ["a.json: cannot be unpacked (BadZipFile)"]


def test_all_of_it_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        (tmp_path / f"{number}.json").write_bytes(TEXTS[0])
    monkeypatch.setattr(sources, "MAX_DOCUMENTS", 3)
    with pytest.raises(SourceError, match="more than 3 documents"):
        names(tmp_path)
    monkeypatch.setattr(sources, "MAX_DOCUMENTS", 10)
    monkeypatch.setattr(sources, "MAX_BYTES", 100)
    with pytest.raises(SourceError):
        names(tmp_path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", b"PK\3\4nonsense"), ("a.zip", b""), ("a.jsonl.gz", b"\x1f\x8bnonsense"),
        ("a.jsonl.gz", gzip.compress(TEXTS[0] * 100, mtime=0)[:-20]), ("a.tar", b"x"), ("a", b"x"),
        ("a.jsonl", b"x" * (osv.LIMIT + 1)),
    ],
)  # fmt: skip
def test_what_cannot_be_imported(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SourceError) as raised:
        names(tmp_path / name)
    assert raised.value.exit_code == 2
    assert raised.value.hint


def test_no_such_place(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        names(tmp_path / "none")
