from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from registry.licenses import cache
from registry.licenses.cache import Entry
from registry.licenses.facts import Fact, Library
from registry.licenses.metadata import Claim
from tests.registry.licenses.wheels import make_wheel

APACHE = (Path(__file__).parents[3] / "LICENSE").read_text()


def install(folder: Path, name: str, version: str, fields: str) -> Path:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n{fields}\n\n")
    return info


def test_sources_are_asked_in_order(tmp_path: Path) -> None:
    for name in ("a", "b"):
        install(tmp_path / "env", name, "1.0", "License-Expression: ISC")
    for name in ("a", "b", "c"):
        make_wheel(tmp_path / "wheels", name, "1.0", "License-Expression: 0BSD")
    path = tmp_path / "cache.json"
    cache.merge(path, [Entry(n, "1.0", "Zlib", "", "2026-11-01") for n in "abcd"])
    library = Library({"a": "MIT"}, (tmp_path / "env",), (tmp_path / "wheels",), path)
    assert [library.fact(name, "") for name in "abcde"] == [
        Fact("MIT", "policy"),
        Fact("ISC", "installed", "1.0"),
        Fact("0BSD", "wheel", "1.0"),
        Fact("Zlib", "cache of 2026-11-01", "1.0", fetched="2026-11-01"),
        Fact(reason="no metadata at hand"),
    ]


@pytest.mark.parametrize(
    ("specifier", "version"),
    [
        ("", "2.0"),
        ("==1.0", "1.0"),
        ("==2", "2.0"),
        (">=1,<2", "1.5+cpu"),
        ("==1.5", "1.5+cpu"),
        ("==3.0", ""),
        ("<1", ""),
        ("===1.0", "1.0"),
        ("=1.0", "1.0"),  # conda: not PEP 440, only the same text is the same version
        ("nonsense", ""),
    ],
)
def test_only_admitted_versions_count(tmp_path: Path, specifier: str, version: str) -> None:
    for found in ("1.0", "1.5+cpu", "2.0"):
        install(tmp_path, "a", found, "License-Expression: MIT")
    fact = Library({}, (tmp_path,)).fact("a", specifier)
    assert fact.version == version
    assert bool(fact.license) == bool(version)
    if not version:
        assert "does not admit" in fact.reason


def test_a_clear_source_outweighs_a_vague_one(tmp_path: Path) -> None:
    install(tmp_path / "env", "a", "1.0", "License: Dual License")
    make_wheel(tmp_path / "wheels", "a", "1.0", "License-Expression: MIT")
    assert Library({}, (tmp_path / "env",), (tmp_path / "wheels",)).fact("a", "").license == "MIT"
    vague = Library({}, (tmp_path / "env",)).fact("a", "")
    assert (vague.license, vague.source) == ("", "installed")
    assert "Dual License" in vague.reason


def test_shipped_texts_are_read_from_both(tmp_path: Path) -> None:
    fields = "License-File: LICENSE"
    info = install(tmp_path, "a", "1.0", fields)
    (info / "licenses").mkdir()
    (info / "licenses" / "LICENSE").write_text(APACHE)
    make_wheel(tmp_path, "b", "1.0", fields, {"licenses/LICENSE": APACHE})
    library = Library({}, (tmp_path,), (tmp_path,))
    assert [library.fact(n, "").license for n in "ab"] == ["Apache-2.0", "Apache-2.0"]


def test_links_out_of_the_metadata_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text(APACHE)
    info = install(tmp_path / "env", "a", "1.0", "License-File: LICENSE")
    (info / "LICENSE").symlink_to(tmp_path / "outside")
    assert Library({}, (tmp_path / "env",)).fact("a", "").license == ""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "LICENSE").write_text(APACHE)
    (info / "LICENSE").unlink()
    (info / "licenses").symlink_to(tmp_path / "folder")
    assert Library({}, (tmp_path / "env",)).fact("a", "").license == ""


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    info = install(tmp_path, "a", "1.0", "License: MIT\nLicense-File: LICENSE")
    os.mkfifo(info / "LICENSE")
    assert Library({}, (tmp_path,)).fact("a", "").license == "MIT"


def test_bad_metadata_and_wheels_are_unclear(tmp_path: Path) -> None:
    (tmp_path / "empty-1.0.dist-info").mkdir()
    (tmp_path / "broken-1.0-py3-none-any.whl").write_bytes(b"PK\3\4 not a zip")
    make_wheel(tmp_path, "big", "1.0", "License-Expression: MIT\nSummary: " + "x" * 3_000_000)
    with zipfile.ZipFile(tmp_path / "none-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("other.txt", "x")
    path = make_wheel(tmp_path, "twice", "1.0", "License-Expression: MIT")
    with zipfile.ZipFile(path, "a") as wheel, pytest.warns(UserWarning, match="Duplicate"):
        wheel.writestr("twice-1.0.dist-info/METADATA", "License-Expression: ISC\n")
    for name, method in (("bomb", zipfile.ZIP_LZMA), ("damaged", zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(tmp_path / f"{name}-1.0-py3-none-any.whl", "w", method) as wheel:
            wheel.writestr(f"{name}-1.0.dist-info/METADATA", "License-Expression: MIT\n")
    data = bytearray(path.with_name("damaged-1.0-py3-none-any.whl").read_bytes())
    data[30 + len("damaged-1.0.dist-info/METADATA")] ^= 0xFF
    path.with_name("damaged-1.0-py3-none-any.whl").write_bytes(data)
    (tmp_path / "nonsense.whl").write_bytes(b"")
    library = Library({}, (tmp_path,), (tmp_path,))
    for name in ("empty", "broken", "big", "none", "twice", "bomb", "damaged"):
        fact = library.fact(name, "")
        assert fact.license == "" and fact.source in ("installed", "wheel"), name
    assert Library({}, (tmp_path / "nowhere",), (tmp_path / "no",)).fact("a", "").source == ""


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"format": 9, "entries": []}', b'{"format": 1, "entries": [1]}']
)
def test_a_damaged_cache_knows_nothing_and_can_be_filled_again(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "deep" / "licenses.json"
    path.parent.mkdir()
    path.write_bytes(data)
    assert cache.load(path) == ()
    old, new = (Entry("a", v, "MIT", "", "2026-11-01") for v in ("1", "2"))
    cache.merge(path, [new, old])
    changed = Entry("a", "1", "", "unclear", "2026-11-02")
    cache.merge(path, [changed])
    assert cache.load(path) == (changed, new)
    assert [p.name for p in path.parent.iterdir()] == ["licenses.json"]


def test_what_was_read_is_remembered_by_its_content(tmp_path: Path) -> None:
    kept: dict[str, Claim] = {}
    made: list[str] = []

    def memory(key: str, make: Callable[[], Claim]) -> Claim:
        if key not in kept:
            kept[key] = make()
            made.append(key)
        return kept[key]

    info = install(tmp_path, "a", "1.0", "License-Expression: MIT\nLicense-File: LICENSE")
    for text, license in ((APACHE, "Apache-2.0"), (APACHE, "Apache-2.0"), ("mine", "MIT")):
        (info / "LICENSE").write_text(text)
        assert Library({}, (tmp_path,), memory=memory).fact("a", "").license == license
    (info / "METADATA").write_text("Name: a\nLicense: ISC\n\n")
    assert Library({}, (tmp_path,), memory=memory).fact("a", "").license == "ISC"
    assert len(made) == 3


def test_the_running_environment_is_mostly_clear() -> None:
    import sysconfig

    library = Library({}, (Path(sysconfig.get_path("purelib")),))
    assert library.fact("pydantic", "").license == "MIT"
    assert library.fact("packaging", "").license == "Apache-2.0 OR BSD-2-Clause"
