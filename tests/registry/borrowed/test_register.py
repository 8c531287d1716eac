from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.borrowed import digests, register
from registry.borrowed.values import Entry
from registry.documents import DocumentError

GOOD = """\
version: 1
borrowed:
- path: third_party/foo
  source: https://example.org/foo
  revision: v1
  license: MIT
  digest: sha256:{d}
"""
D = "a" * 64


def text(**keys: str) -> bytes:
    lines = {"path": "x/y", "source": "https://example.org/x", "license": "MIT",
             "digest": f"sha256:{D}"} | keys  # fmt: skip
    body = "\n".join(f"  {key}: {value}" for key, value in lines.items() if value != "-")
    return f"version: 1\nborrowed:\n-{body[1:]}\n".encode()


def test_a_good_one() -> None:
    (one,) = register.read(GOOD.format(d=D).encode())
    assert (one.path, one.revision, one.line, one.tie) == ("third_party/foo", "v1", 3, "vendors")
    assert register.read(b"version: 1\n") == () == register.read(b"version: 1\nborrowed: []\n")


@pytest.mark.parametrize(
    "keys",
    [
        {"path": "x/y/"}, {"path": "x/**/*.py"}, {"path": "'x y/z'"}, {"path": "файл"},
        {"source": "doi:10.5281/zenodo.1"}, {"source": "pkg:pypi/foo@1.0"},
        {"source": "hf://datasets/org/name"}, {"source": "https://example.org/a@v1"},
        {"license": "apache-2.0"}, {"license": "llama3.1"}, {"license": "MIT OR GPL-2.0-only"},
        {"license": "LicenseRef-Mine"}, {"digest": "dvc:" + "b" * 32 + ".dir"},
        {"digest": "git:" + "c" * 40}, {"holders": "[A, 'B C']"}, {"modified": "true"},
        {"tie": "trains_on"}, {"text": "x/LICENSE"}, {"note": "why"},
    ],
)  # fmt: skip
def test_what_an_entry_may_say(keys: dict[str, str]) -> None:
    (one,) = register.read(text(**keys))
    assert register.read(register.write((one,)))[0].path == one.path


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"path": "../x"}, "no path"), ({"path": "/etc/x"}, "no path"), ({"path": "x//y"}, "path"),
        ({"path": "./x"}, "path"), ({"path": '"a\\u202eb"'}, "path"), ({"path": "''"}, "path"),
        ({"path": "'*.py'"}, "folder before"), ({"path": "'**/x'"}, "folder"),
        ({"path": '"a\\\\b"'}, "path"), ({"path": "-"}, "path"), ({"path": "3"}, "path"),
        ({"source": "https://user:pw@example.org/x"}, "source"), ({"source": "x"}, "source"),
        ({"source": "https://u:p@example.org"}, "source"), ({"source": "'https://a b'"}, "source"),
        ({"source": '"https://a\\u0007"'}, "source"), ({"source": "-"}, "source"),
        ({"license": "Foo Bar 3"}, "license"), ({"license": "MIT AND"}, "license"),
        ({"license": "''"}, "license"), ({"license": "-"}, "license"),
        ({"license": "1"}, "license"),
        ({"digest": "sha256:" + "A" * 64}, "digest"), ({"digest": "sha1:" + "a" * 40}, "digest"),
        ({"digest": "md5:" + "a" * 32}, "digest"), ({"digest": "-"}, "digest"),
        ({"modified": "1"}, "modified"), ({"modified": "'yes'"}, "modified"),
        ({"tie": "likes"}, "tie"), ({"holders": "Ada"}, "holders"), ({"holders": "[1]"}, "holders"),
        ({"holders": '["a\\u001bb"]'}, "holders"), ({"text": "../LICENSE"}, "text"),
        ({"note": '"a\\nb"'}, "note"), ({"colour": "red"}, "colour"),
    ],
)  # fmt: skip
def test_what_it_may_not(keys: dict[str, str], says: str) -> None:
    with pytest.raises(DocumentError) as caught:
        register.read(text(**keys))
    assert says in caught.value.message and caught.value.line >= 1
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"version: 2\n", b"version: true\n", b"version: '1'\n", b"borrowed: []\n",
        b"version: 1\nborrowed: {}\n", b"version: 1\nborrowed: [1]\n", b"version: 1\nx: 1\n",
        b"version: 1\nversion: 1\n", b"a: &a [1]\nversion: 1\nb: *a\n", b"\xff\xfe", b"\0",
        b"version: !!python/object:os.system 1\n", b"version: 1\n---\nversion: 1\n",
        b"x" * (register.LIMIT + 1), b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_register(data: bytes) -> None:
    with pytest.raises(DocumentError):
        register.read(data)


def test_a_path_stands_once() -> None:
    twice = GOOD.format(d=D) + "- " + "\n  ".join(
        ["path: third_party/foo/", "source: https://example.org/x", "license: MIT",
         f"digest: sha256:{D}"])  # fmt: skip
    with pytest.raises(DocumentError, match="twice") as caught:
        register.read(twice.encode())
    assert caught.value.line == 8


_WORDS = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=20)


@settings(max_examples=40, deadline=None)
@given(_WORDS, _WORDS, st.booleans(), st.sampled_from(["MIT", "CC-BY-4.0", "llama3.1"]))
def test_what_is_written_is_read(holder: str, note: str, modified: bool, license: str) -> None:
    one = Entry("x/y", "https://example.org/x", license, f"sha256:{D}", (holder,), "1.0",
                modified, "trains_on", "x/L", note)  # fmt: skip
    (back,) = register.read(register.write((one,)))
    assert (back.holders, back.note, back.modified) == ((holder,), note, modified)
    assert register.write((back,)) == register.write((one,))


def test_the_listing_is_what_sha256sum_makes() -> None:
    files = {"b": b"2", "a/z": b"1", "a.x": b"3"}
    hexes = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
    lines = "".join(f"{hexes[path]}  {path}\n" for path in ("a.x", "a/z", "b"))
    assert digests.listing(hexes.items()) == hashlib.sha256(lines.encode()).hexdigest()


def test_the_schema_says_the_same() -> None:
    found: dict[str, Any] = register.schema()
    entry = found["$defs"]["Borrowed"]
    assert entry["additionalProperties"] is False
    assert entry["required"] == ["path", "source", "license", "digest"]
    assert re.fullmatch(entry["properties"]["digest"]["pattern"].strip("^$"), f"sha256:{D}")
