from __future__ import annotations

from pathlib import Path

from registry.borrowed.packages import Shipped, document, shipped
from registry.licenses.facts import Library


def installed(folder: Path, name: str, version: str, metadata: str, **files: str) -> None:
    place = folder / f"{name}-{version}.dist-info"
    (place / "licenses").mkdir(parents=True)
    head = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n"
    (place / "METADATA").write_text(head + metadata)
    for file, text in files.items():
        (place / file.replace("__", "/")).write_text(text)


def test_texts_come_from_the_metadata(tmp_path: Path) -> None:
    installed(tmp_path, "Foo_Bar", "1.0", "License-Expression: MIT\nLicense-File: LICENSE\n",
              licenses__LICENSE="Mine\x1b[31m.\r\n", NOTICE="Note.\n")  # fmt: skip
    installed(tmp_path, "old", "2", "License: BSD-3-Clause\n", COPYING="Old.\n")
    installed(tmp_path, "bare", "3", "")
    found = shipped(
        [("old", "2"), ("foo-bar", "1.0"), ("gone", "9"), ("bare", "3"), ("old", "1")],
        Library({}, (tmp_path, tmp_path / "nowhere")),
    )
    assert [(p.name, p.license, p.reason, p.texts) for p in found] == [
        ("bare", "", "its metadata states no licence", ()),
        ("foo-bar", "MIT", "", ("Note.\n", "Mine [31m.\n")),
        ("gone", "", "not installed", ()),
        ("old", "", "not installed", ()),
        ("old", "BSD-3-Clause", "", ("Old.\n",)),
    ]
    made = document(found)
    assert "foo-bar 1.0\nLicence: MIT\n" in made and "    Mine [31m." in made
    assert "gone 9\nLicence: unknown: not installed" in made


def test_hostile_metadata_stays_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not for you")
    installed(
        tmp_path, "x", "1", "License: MIT\nLicense-File: ../../secret\nLicense-File: /etc/x\n"
    )
    (tmp_path / "x-1.dist-info" / "LICENSE").symlink_to(tmp_path / "secret")
    assert shipped([("x", "1")], Library({}, (tmp_path,))) == (Shipped("x", "1", "MIT"),)
