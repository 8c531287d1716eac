from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from registry.licenses import cache
from registry.licenses.facts import Library
from registry.licenses.index import Index, IndexUnavailable
from registry.licenses.update import NoIndex, index_url, update, wanted
from registry.manifests import Requirement


class FakeIndex(ThreadingHTTPServer):
    """A package index on this machine, made of literals; remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, bytes] = {}
        self.moved: dict[str, str] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/simple/"

    def publish(
        self, name: str, version: str, fields: str, *, digest: str = "", yanked: bool = False
    ) -> None:
        """Add a wheel with these metadata fields to a project."""
        file = f"{name}-{version}-py3-none-any.whl"
        data = f"Name: {name}\nVersion: {version}\n{fields}\n\n".encode()
        self.pages[f"/files/{file}.metadata"] = data
        page = json.loads(self.pages.get(f"/simple/{name}/", b'{"files": []}'))
        sha256 = digest or hashlib.sha256(data).hexdigest()
        row = {"filename": file, "url": f"/files/{file}", "core-metadata": {"sha256": sha256}}
        page["files"].append(row | {"yanked": yanked})
        self.pages[f"/simple/{name}/"] = json.dumps(page).encode()


class _Handler(BaseHTTPRequestHandler):
    server: FakeIndex

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if target := self.server.moved.get(self.path):
            self.send_response(302)
            self.send_header("Location", target)
            self.end_headers()
            return
        body = self.server.pages.get(self.path)
        self.send_response(404 if body is None else 200)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def index() -> Iterator[FakeIndex]:
    server = FakeIndex()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


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
    assert "404" in found.failed[0][1]
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


def test_the_project_api_answers_where_metadata_files_are_missing(index: FakeIndex) -> None:
    index.pages["/simple/a/"] = b'{"files": [{"filename": "a-1.0.tar.gz", "url": "x"}]}'
    info = {"version": "1.0", "license": "MIT License", "classifiers": None}
    index.pages["/pypi/a/json"] = json.dumps({"info": info}).encode()
    index.pages["/pypi/a/1.0/json"] = index.pages["/pypi/a/json"]
    version, fields = Index(index.url).fields("a", "")
    assert (version, fields.field) == ("1.0", "MIT License")
    assert Index(index.url).fields("a", "==1.0")[0] == "1.0"
    with pytest.raises(IndexUnavailable, match="not what '>=2' asks for"):
        Index(index.url).fields("a", ">=2")


def test_a_yanked_version_is_the_last_choice(index: FakeIndex) -> None:
    index.publish("a", "1.0", "License-Expression: MIT")
    index.publish("a", "2.0", "License-Expression: ISC", yanked=True)
    assert Index(index.url).fields("a", "")[0] == "1.0"
    assert Index(index.url).fields("a", "==2.0")[0] == "2.0"


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (b"<html>", "did not answer with JSON"),
        (b'{"files": [], "files": []}', "did not answer with JSON"),
        (b'{"files": 3', "did not answer with JSON"),
        (b"[]", "404"),
        (b'{"files": [1, {"filename": 1, "url": 2, "core-metadata": true}]}', "404"),
    ],
)
def test_bad_answers_are_reasons(index: FakeIndex, page: bytes, reason: str) -> None:
    index.pages["/simple/a/"] = page
    with pytest.raises(IndexUnavailable, match=reason):
        Index(index.url).fields("a", "")


def test_metadata_must_be_what_was_listed(index: FakeIndex) -> None:
    index.publish("a", "1.0", "License-Expression: MIT", digest="0" * 64)
    with pytest.raises(IndexUnavailable, match="not what was listed"):
        Index(index.url).fields("a", "")


def test_an_answer_beyond_the_bound_is_refused(
    index: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.publish("a", "1.0", "License-Expression: MIT")
    monkeypatch.setattr("registry.licenses.index.PAGE_LIMIT", 20)
    with pytest.raises(IndexUnavailable, match="more than 20 bytes"):
        Index(index.url).fields("a", "")


def test_redirects_to_plain_http_are_refused(index: FakeIndex) -> None:
    index.moved["/simple/a/"] = "http://index.example/a"
    with pytest.raises(IndexUnavailable, match="neither https nor local"):
        Index(index.url).fields("a", "")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://x/y"])
def test_redirects_to_other_schemes_are_refused(index: FakeIndex, target: str) -> None:
    index.moved["/simple/a/"] = target
    with pytest.raises(IndexUnavailable, match=r"answered 302|neither https nor local"):
        Index(index.url).fields("a", "")


def test_files_elsewhere_without_https_are_refused(index: FakeIndex) -> None:
    row = {
        "filename": "a-1-py3-none-any.whl",
        "url": "file:///etc/passwd",
        "core-metadata": True,
    }
    index.pages["/simple/a/"] = json.dumps({"files": [row]}).encode()
    with pytest.raises(IndexUnavailable, match="neither https nor local"):
        Index(index.url).fields("a", "")


@pytest.mark.parametrize(
    "url",
    [
        "http://index.example/simple/",
        "file:///tmp",
        "index.example",
        "",
        "https://user:secret@index.example/simple/",
        "https://[broken/",
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(IndexUnavailable) as caught:
        Index(url)
    assert "secret" not in caught.value.message + caught.value.hint


def test_an_index_that_is_down_fails_each_package_in_one_line(tmp_path: Path) -> None:
    server = FakeIndex()
    server.server_close()
    found = update([("a", ""), ("b", "")], server.url, tmp_path / "cache.json")
    assert [name for name, _ in found.failed] == ["a", "b"]
    assert "cannot be reached" in found.failed[0][1]
    assert not (tmp_path / "cache.json").exists()


def test_the_index_is_named_by_the_environment() -> None:
    both = {"PIP_INDEX_URL": "https://b.example/", "MODELWARDEN_INDEX": "https://a.example/"}
    assert index_url(both) == "https://a.example/"
    with pytest.raises(NoIndex):
        index_url({})


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
