from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry.licenses.download import IndexUnavailable
from registry.licenses.index import Index
from tests.registry.licenses.fakeindex import FakeIndex
from tests.registry.licenses.wheels import make_wheel


def test_three_ways_are_asked_in_order(index: FakeIndex, tmp_path: Path) -> None:
    index.publish("a", "1.0", "License-Expression: MIT")
    info = {"version": "1.0", "license": "ISC License", "classifiers": None}
    index.pages["/pypi/a/1.0/json"] = json.dumps({"info": info}).encode()
    wheel = index.publish_wheel(
        "a", make_wheel(tmp_path, "a", "1.0", "License: 0BSD"), "a-1.0-py2-none-any.whl"
    )
    metadata = "/files/a-1.0-py3-none-any.whl.metadata"

    def ask() -> tuple[str, str]:
        index.asked.clear()
        fields = Index(index.url).fields("a", ">=1")[1]
        return fields.expression or fields.field, index.asked[-1]

    assert ask() == ("MIT", metadata)
    del index.pages[metadata]
    assert ask() == ("ISC License", "/pypi/a/1.0/json")
    del index.pages["/pypi/a/1.0/json"]
    assert ask() == ("0BSD", wheel)
    del index.pages[wheel]
    with pytest.raises(IndexUnavailable) as caught:
        ask()
    assert caught.value.message == "no metadata file, no version page, no wheel"


def test_a_source_distribution_is_listed_but_not_fetched(index: FakeIndex) -> None:
    index.publish("a", "1.0", "License-Expression: MIT")
    index.list_file("a", "a-2.0.tar.gz", {})
    with pytest.raises(IndexUnavailable) as caught:
        Index(index.url).fields("a", "")
    assert caught.value.message == "no metadata file, no version page, no wheel"
    assert not any(path.startswith("/files/") for path in index.asked)
    assert Index(index.url).fields("a", "<2")[0] == "1.0"


@pytest.mark.parametrize(
    ("specifier", "version"),
    [("", "2.0"), (">=1", "2.0"), ("==3.0rc1", "3.0rc1"), ("<2", "1.0"), ("==1.*", "1.0")],
)
def test_the_newest_admitted_version_is_taken(
    index: FakeIndex, specifier: str, version: str
) -> None:
    for each in ("2.0", "1.0", "3.0rc1"):
        index.publish("a", each, "License-Expression: MIT")
    assert Index(index.url).fields("a", specifier)[0] == version


@pytest.mark.parametrize("specifier", [">=4", "nonsense"])
def test_no_version_admitted_is_said(index: FakeIndex, specifier: str) -> None:
    index.publish("a", "1.0", "License-Expression: MIT")
    with pytest.raises(IndexUnavailable, match=f"no version that '{specifier}' admits"):
        Index(index.url).fields("a", specifier)


def test_early_versions_count_where_there_are_no_others(index: FakeIndex) -> None:
    index.publish("a", "0.1b1", "License-Expression: MIT")
    assert Index(index.url).fields("a", "")[0] == "0.1b1"


def test_a_version_page_must_be_of_that_version(index: FakeIndex) -> None:
    index.list_file("a", "a-1.0.tar.gz", {})
    index.pages["/pypi/a/1.0/json"] = b'{"info": {"version": "2.0", "license": "MIT"}}'
    with pytest.raises(IndexUnavailable, match="of something else"):
        Index(index.url).fields("a", "")


def html(index: FakeIndex, body: str) -> None:
    index.pages["/simple/a/"] = f"<!DOCTYPE html><html><body>{body}</body></html>".encode()
    index.types["/simple/a/"] = "text/html; charset=utf-8"


@pytest.mark.parametrize(
    "anchor",
    [
        '<a href="/files/a-1.0-py3-none-any.whl#sha256=00">a-1.0-py3-none-any.whl</a>',
        "<A data-requires-python='&gt;=3.9'\n HREF='../../files/a%2D1.0-py3-none-any.whl'>x</A>",
        '<base href="/files/"><a href=a-1.0-py3-none-any.whl>x</a>',
        "<a b='<a b='<a href=\"/files/a-1.0-py3-none-any.whl\">x</a>",
    ],
)
def test_html_pages_are_read(index: FakeIndex, tmp_path: Path, anchor: str) -> None:
    index.publish_wheel("a", make_wheel(tmp_path, "a", "1.0", "License-Expression: MIT"))
    html(index, f'<a>no</a><a href="b-2.0-py3-none-any.whl">b</a>{anchor}<a href="a-0.1.exe">x</a>')
    version, fields = Index(index.url).fields("a", "")
    assert (version, fields.expression) == ("1.0", "MIT")


def test_html_pages_tell_of_metadata_files_and_yanks(index: FakeIndex) -> None:
    for version in ("1.0", "2.0", "3.0"):
        index.publish("a", version, "License-Expression: MIT")
    file = "/files/a-{}-py3-none-any.whl"
    old = f'<a href="{file.format("1.0")}" data-dist-info-metadata="true">x</a>'
    yanked = f'<a href="{file.format("3.0")}" data-yanked data-core-metadata="true">x</a>'
    html(index, old + yanked)
    assert Index(index.url).fields("a", "")[0] == "1.0"
    assert index.asked[-1] == file.format("1.0") + ".metadata"
    wrong = f'<a href="{file.format("2.0")}" data-core-metadata="sha256={"0" * 64}">x</a>'
    html(index, old + wrong)
    with pytest.raises(IndexUnavailable, match="not what was listed"):
        Index(index.url).fields("a", "")


@pytest.mark.parametrize("piece", ["<a ", "<a b='", "<a b='>", "<!--", "<![CDATA[", "&#", "<a\n="])
def test_broken_html_takes_linear_time(index: FakeIndex, piece: str) -> None:
    html(index, piece * (300_000 // len(piece)))
    with pytest.raises(IndexUnavailable, match="no version"):
        Index(index.url).fields("a", "")


def test_a_yanked_version_is_the_last_choice(index: FakeIndex) -> None:
    index.publish("a", "1.0", "License-Expression: MIT")
    index.publish("a", "2.0", "License-Expression: ISC", yanked=True)
    assert Index(index.url).fields("a", "")[0] == "1.0"
    assert Index(index.url).fields("a", "==2.0")[0] == "2.0"


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (b"<html>", "not readable JSON"),
        (b'{"files": [], "files": []}', "not readable JSON"),
        (b'{"files": 3', "not readable JSON"),
        (b"[]", "no version"),
        (b'{"files": {"a": 1}}', "no version"),
        (b'{"files": [1, {"filename": 1, "url": 2, "core-metadata": true}]}', "no version"),
        (b'{"files": [{"filename": "a-1-py3-none-any.whl", "url": "http://["}]}', "no version"),
        (b'{"files": [{"filename": "b-1-py3-none-any.whl", "url": "x"}]}', "no version"),
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
