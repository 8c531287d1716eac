from __future__ import annotations

import json
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


def test_an_update_keeps_whether_a_project_exists_and_since_when(
    index: FakeIndex, tmp_path: Path
) -> None:
    index.publish("a", "1.0", "License-Expression: MIT")
    index.publish("a", "2.0", "License-Expression: MIT")
    page = json.loads(index.pages["/simple/a/"])
    page["files"][0]["upload-time"] = "2024-03-01T10:00:00.5Z"
    page["files"][1]["upload-time"] = "2025-01-01T00:00:00+01:00"
    index.pages["/simple/a/"] = json.dumps(page).encode()
    index.publish("undated", "1.0", "License-Expression: MIT")
    index.broken["/simple/refused/"] = 403
    path = tmp_path / "cache.json"
    found = update([(n, "") for n in ("a", "undated", "invented", "refused")], index.url, path)
    assert sorted(name for name, _ in found.failed) == ["invented", "refused"]
    told = {p.name: (p.exists, p.first, p.newest) for p in cache.projects(path)}
    assert told == {
        "a": (True, "2024-03-01T10:00:00Z", "2024-12-31T23:00:00Z"),
        "invented": (False, "", ""),
        "undated": (True, "", ""),
    }
    assert {e.name: e.uploaded for e in cache.load(path)} == {
        "a": "2024-12-31T23:00:00Z",
        "undated": "",
    }
    index.publish("invented", "1.0", "License-Expression: MIT")
    update([("invented", "")], index.url, path)
    assert {p.name for p in cache.projects(path) if p.exists} == {"a", "undated", "invented"}


def test_two_indexes_are_kept_apart(index: FakeIndex, tmp_path: Path) -> None:
    path = tmp_path / "cache.json"
    cache.merge(path, (), [cache.Project("a", "https://own.example/", True, "2026-01-01")])
    update([("a", "")], index.url, path)
    assert [(p.index, p.exists) for p in cache.projects(path)] == [
        (index.url, False),
        ("https://own.example/", True),
    ]


def test_a_page_is_asked_for_once(index: FakeIndex, tmp_path: Path) -> None:
    index.publish("a", "1.0", "License-Expression: MIT")
    index.publish("a", "2.0", "License-Expression: MIT")
    update([("a", "<2"), ("a", ""), ("a", "==3")], index.url, tmp_path / "cache.json")
    assert index.asked.count("/simple/a/") == 1


def test_facts_of_the_first_format_are_read_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "cache.json"
    row = {"name": "a", "version": "1", "license": "MIT", "reason": "", "fetched": "2025-01-01"}
    path.write_text(json.dumps({"format": 1, "entries": [row]}))
    assert cache.load(path) == (cache.Entry("a", "1", "MIT", "", "2025-01-01"),)
    assert cache.projects(path) == ()
    cache.merge(path, [cache.Entry("b", "1", "MIT", "", "2026-01-01")])
    assert [e.name for e in cache.load(path)] == ["a", "b"]
    path.write_text(json.dumps({"format": 3, "entries": [row]}))
    assert cache.load(path) == ()
