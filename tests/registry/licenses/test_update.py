from __future__ import annotations

from pathlib import Path

import pytest

from registry.licenses import cache
from registry.licenses.facts import Library
from registry.licenses.update import NoIndex, index_url, update, wanted
from registry.manifests import Requirement
from tests.registry.licenses.fakeindex import FakeIndex


def test_an_update_fills_the_cache_that_checks_read(index: FakeIndex, tmp_path: Path) -> None:
    index.publish("a", "1.0", "License-Expression: MIT")
    index.publish("a", "2.0", "License-Expression: GPL-3.0-only")
    index.publish("a", "3.0rc1", "License-Expression: ISC")
    index.publish("b", "1.0", "License: Dual License")
    path, lines = tmp_path / "cache.json", list[str]()
    found = update(
        [("a", ">=1"), ("a", "==1.0"), ("b", ""), ("c", "")], index.url, path, lines.append
    )
    assert [(e.name, e.version, e.license) for e in found.entries] == [
        ("a", "1.0", "MIT"),
        ("a", "2.0", "GPL-3.0-only"),
        ("b", "1.0", ""),
    ]
    assert [e.name for e in found.unclear] == ["b"]
    assert [name for name, _ in found.failed] == ["c"]
    assert found.failed[0][1] == "no project page"
    assert len(lines) == 4
    library = Library({}, cache=path)
    assert library.fact("a", "==1.0").license == "MIT"
    assert library.fact("a", "").license == "GPL-3.0-only"
    assert library.fact("a", "").source.startswith("cache of 20")
    assert "Dual License" in library.fact("b", "").reason


def test_a_second_update_keeps_what_the_first_learned(index: FakeIndex, tmp_path: Path) -> None:
    index.publish("a", "1.0", "License-Expression: MIT")
    index.publish("b", "1.0", "License-Expression: ISC")
    path = tmp_path / "cache.json"
    update([("a", "")], index.url, path)
    update([("b", ""), ("gone", "")], index.url, path)
    assert [e.name for e in cache.load(path)] == ["a", "b"]


def test_an_index_that_is_down_fails_each_package_in_one_line(tmp_path: Path) -> None:
    server = FakeIndex()
    server.server_close()
    found = update([("a", ""), ("b", "")], server.url, tmp_path / "cache.json")
    assert [name for name, _ in found.failed] == ["a", "b"]
    assert "cannot be reached" in found.failed[0][1]
    assert not (tmp_path / "cache.json").exists()


def test_the_index_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    both = {"PIP_INDEX_URL": "https://b.example/", "MODELWARDEN_INDEX": "https://a.example/"}
    assert index_url(both) == "https://a.example/"
    monkeypatch.setattr("registry.licenses.update.pips_index", lambda: "")
    with pytest.raises(NoIndex):
        index_url({})


def test_the_index_is_else_pips_and_the_folder_at_hand_does_not_say_what_pip_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "__main__.py").write_text("print('https://wrong.example/')")
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://c.example/simple\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    assert index_url({}) == "https://c.example/simple"


def test_only_what_an_index_holds_is_asked_for() -> None:
    requirements = (
        Requirement("b", "b", 2, ">=1"),
        Requirement("a", "a", 1),
        Requirement("a", "A", 3),
        Requirement("c", "c", 4, url="https://x.example/c.whl"),
        Requirement("d", "d", 5, ecosystem="conda"),
        Requirement("", "git+https://x.example/e", 6, url="git+https://x.example/e"),
    )
    assert wanted(requirements) == (("a", ""), ("b", ">=1"))
