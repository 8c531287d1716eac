from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from bot.checks import provenance
from bot.checks.assets import Settings as Assets
from bot.checks.provenance import Evidence, Settings
from registry.borrowed import digests, notice, register
from registry.borrowed.values import Entry
from tests.fakes import FakeWorld, Tree, commit

LICENSE = (Path(__file__).parents[4] / "LICENSE").read_text()
L: Tree = {"LICENSE": LICENSE, "a.py": "x = 1\n"}
BODY = """\
Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
MIT = "Copyright (c) 2019 Bob Foo\n\n" + BODY
GPL_HEAD = (
    "# Copyright (C) 2011 Bob Foo\n# This program is free software: you can redistribute it and/or"
    " modify\n# it under the terms of the GNU General Public License as published by\n# the Free"
    " Software Foundation, either version 3 of the License, or\n# (at your option) any later"
    " version.\n"
)
CODE = "def f() -> int:\n    return 1\n"


def commented(text: str, mark: str = "# ") -> str:
    return "".join(f"{mark}{line}".rstrip() + "\n" for line in text.splitlines())


def settings(assets: dict[str, Any] | None = None, **own: Any) -> Settings:
    class Root:
        def __init__(self) -> None:
            self.assets = Assets.model_validate(assets or {})
            self.release = type("R", (), {"licence": ""})()

    return Settings(**own).among(Root())


def evidence(base: Tree, head: Tree, used: Settings, **more: Any) -> Evidence:
    more.setdefault("commits", (commit("add"),))
    world = FakeWorld(base, head, **more)
    assert provenance.applies(world.change(), used) == ""
    found = provenance.collect(world.change(), world, used)
    adapter = TypeAdapter(Evidence)
    assert adapter.validate_json(adapter.dump_json(found)) == found
    return found


def judged(
    base: Tree, head: Tree, used: Settings | None = None, **more: Any
) -> list[tuple[str, str, str, int]]:
    used = used or settings()
    found = provenance.judge(evidence(base, head, used, **more), used)
    assert all(f.message.isprintable() and f.remedy and len(f.message) < 1_500 for f in found)
    return [
        (f.rule.removeprefix("provenance/"), f.severity.value, f.location.path, f.location.line)
        for f in found
    ]


def messages(base: Tree, head: Tree, used: Settings | None = None, **more: Any) -> str:
    used = used or settings()
    found = provenance.judge(evidence(base, head, used, **more), used)
    return "\n".join(f.message for f in found)


PASTED: list[tuple[str, str, list[tuple[str, str, int]]]] = [
    ("plain code", CODE, []),
    ("MIT, whole", commented(MIT) + CODE, [("pasted", "warning", 1)]),
    ("MIT in the middle", CODE * 3 + "\n" + commented(MIT) + CODE, [("pasted", "warning", 8)]),
    ("MIT in a docstring", f'"""{MIT}"""\n' + CODE, [("pasted", "warning", 1)]),
    ("GPL header", GPL_HEAD + CODE, [("forbidden", "failure", 1)]),
    ("tag", "# SPDX-License-Identifier: GPL-2.0-only\n" + CODE, [("forbidden", "failure", 1)]),
    ("choice", "# SPDX-License-Identifier: GPL-2.0-only OR MIT\n", [("pasted", "warning", 1)]),
    ("our tag", "# SPDX-License-Identifier: Apache-2.0\n" + CODE, []),
    ("non-commercial", "# Licensed under CC-BY-NC-4.0\n", [("forbidden", "failure", 1)]),
    ("unknown id", "# SPDX-License-Identifier: LicenseRef-Acme\n", [("unknown", "failure", 1)]),
    ("holder alone", "# Copyright 2020 Acme GmbH\n" + CODE, [("unknown", "failure", 1)]),
    ("holder, our licence",
     "# Copyright 2020 Acme GmbH\n# Licensed under the Apache License, Version 2.0\n",
     [("pasted", "warning", 1)]),
    ("the author", "# Copyright 2026 Ada\n" + CODE, []),
    ("the authors", "# Copyright (c) 2026 the authors. All rights reserved.\n" + CODE, []),
    ("refers to our LICENSE",
     "# Licensed under the license found in the\n# LICENSE file in the root directory.\n", []),
    ("in passing", "# Adapted from https://example.org/x (MIT License)\n" + CODE,
     [("pasted", "warning", 1)]),
    ("after code", "x = 1  # taken from x, licensed under the LGPL v2.1 or later\n",
     [("forbidden", "failure", 1)]),
    ("no version", "# Licensed under the GNU General Public License.\n" + CODE,
     [("forbidden", "failure", 1)]),
    ("released under", "# This file is released under CC-BY-SA-4.0.\n",
     [("forbidden", "failure", 1)]),
    ("the JSON licence", commented(MIT).replace("# THE SOFTWARE IS PROVIDED",
     "# The Software shall be used for Good, not Evil.\n#\n# THE SOFTWARE IS PROVIDED"),
     [("forbidden", "failure", 1)]),
    ("a string", 'TEXT = """\n' + MIT + '"""\n', []),
    ("a string of one line", 'print("Licensed under the GPL, version 3")\n', []),
    ("talk of licences", "# MIT and GPL-3.0 licences are compared by their words.\n" + CODE, []),
    ("a sentence", "# The copyright holder may differ; see the license of each file.\n", []),
    ("a name", "import mit_license\nlicense = gpl_3\n", []),
    ("a clause was added",
     commented(MIT.replace("subject to the", "for noncommercial use only, subject to the")),
     [("unknown", "failure", 8), ("pasted", "warning", 1)]),
    ("an example", '# "Copyright 2019 Bob Foo" is such a line, `(c) 2020 Bob` too.\n' + CODE, []),
    ("portions", "# Portions Copyright (c) 2019 Bob Foo\n# Licensed under MIT\n",
     [("pasted", "warning", 1)]),
    ("template", "# Copyright [yyyy] [name of copyright owner]\n" + CODE, []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), [r[1:] for r in PASTED], ids=[r[0] for r in PASTED])
def test_pasted(text: str, wanted: list[tuple[str, str, int]]) -> None:
    found = judged(L, {**L, "new.py": text})
    assert found == [(rule, level, "new.py", line) for rule, level, line in wanted]


def test_only_added_lines_count() -> None:
    old = {**L, "b.py": GPL_HEAD + CODE}
    assert judged(old, {**old, "b.py": GPL_HEAD + CODE + "y = 2\n"}) == []
    assert judged(old, {**L, "a.py": "x = 2\n"}) == []


def test_lines_are_those_of_the_file() -> None:
    old = {**L, "b.py": CODE * 3}
    head = {**old, "b.py": CODE * 2 + commented(MIT) + "z = 1\n" + CODE}
    assert judged(old, head) == [("pasted", "warning", "b.py", 5)]


def test_our_own_licence_with_a_clause_more() -> None:
    base = {"LICENSE": MIT.replace("Bob Foo", "Ada"), "a.py": "x = 1\n"}
    whole = commented(MIT.replace("Bob Foo", "Ada"))
    assert judged(base, {**base, "new.py": whole}) == []
    altered = whole.replace("subject to the", "for noncommercial use only, subject to the")
    assert judged(base, {**base, "new.py": altered}) == [("unknown", "failure", "new.py", 8)]


def test_the_clause_is_quoted() -> None:
    said = messages(L, {**L, "new.py": GPL_HEAD})
    assert "Bob Foo" in said and "GPL-3.0-or-later" in said and "Apache-2.0" in said
    assert said.count('"') >= 2
    added = MIT.replace("subject to the", "for noncommercial use only, subject to the")
    assert "for noncommercial use only" in messages(L, {**L, "new.py": commented(added)})


@pytest.mark.parametrize(
    ("path", "mark", "end"),
    [("a.c", " * ", " */\n"), ("a.js", "// ", ""), ("a.sql", "-- ", ""), ("Makefile", "# ", "")],
)
def test_other_languages(path: str, mark: str, end: str) -> None:
    start = "/*\n" if end else ""
    head = {**L, path: start + commented(MIT, mark) + end + "x\n"}
    assert judged(L, head) == [("pasted", "warning", path, 2 if end else 1)]


@pytest.mark.parametrize(
    "path", ["README.md", "docs/x.rst", "data/x.jsonl", "NOTICE", "THIRD_PARTY.txt", "x.csv"]
)
def test_documents_and_data_are_no_source(path: str) -> None:
    assert judged(L, {**L, path: MIT}) == []


def test_notebooks() -> None:
    lines = ['    "# Copyright 2018 Acme Inc.\\n",', '    "# Licensed under the MIT License.\\n",']
    text = '{\n "cells": [{\n   "source": [\n' + "\n".join(lines) + "\n]}]}\n"
    assert judged(L, {**L, "n.ipynb": text}) == [("pasted", "warning", "n.ipynb", 4)]


@pytest.mark.parametrize(
    ("base", "used", "more"),
    [
        ({"NOTICE": "Copyright 2020 Acme GmbH\n"}, {}, {}),
        ({"pyproject.toml": '[project]\nname = "x"\nauthors = [{name = "Acme"}]\n'}, {}, {}),
        ({"other.py": "# Copyright 2018 Acme GmbH. All rights reserved.\n"}, {}, {}),
        ({}, {"holders": ("Acme",)}, {}),
        ({}, {}, {"commits": (commit("x", email="ada@acme.example"),)}),
    ],
)
def test_own_holders(base: Tree, used: dict[str, Any], more: dict[str, Any]) -> None:
    before = {**L, **base}
    head = {**before, "new.py": "# Copyright 2026 Acme GmbH\n"}
    assert judged(before, head, settings(**used), **more) == []


def test_what_a_project_publishes_under_decides() -> None:
    head = {**L, "new.py": GPL_HEAD}
    used = settings({"publish": {"code": "GPL-3.0-or-later"}})
    assert judged(L, head, used) == [("pasted", "warning", "new.py", 1)]
    bare: Tree = {"a.py": "x = 1\n"}
    assert judged(bare, {**bare, "new.py": GPL_HEAD}) == [("pasted", "warning", "new.py", 1)]


@pytest.mark.parametrize("data", [b"\0\1" + MIT.encode(), b"\xff\xfe\0\0", b"", b"\n" * 9_000])
def test_binary_and_empty_files(data: bytes) -> None:
    assert judged(L, {**L, "new.py": data}) == []


UNREAD = [("unread", "unknown", "new.c", 3)]
CYRILLIC = "int x;\nint y;\n// лицензия\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (CYRILLIC.encode("cp1251"), UNREAD),
        ("int x;\nint y;\n// 許可なく複製を禁ず\n".encode("shift-jis"), UNREAD),
        (b"\xff\xfe" + "int x;\nint y;\n// \ud800\n".encode("utf-16-le", "surrogatepass"), UNREAD),
        # Without a mark it looks binary, and is none.
        (("// Copyright 2020 Acme\n" + CODE * 9).encode("utf-16-le"), [(*UNREAD[0][:3], 1)]),
        (("// Copyright 2020 Acme\n" + CODE * 9).encode("utf-16-be"), [(*UNREAD[0][:3], 1)]),
        # A sign of copyright in the encoding of old files.
        ("int x;\n// © 2020 Acme Gesellschaft für Straßen\n".encode("latin-1"), "unknown"),
        ("// © 2020 Acme, licensed under GPL-3.0\n".encode("utf-16"), "forbidden"),
        (b"age-encryption.org/v1\n-> X25519 abc\n" * 90 + bytes(range(1, 256)), []),
        (bytes(range(128, 256)) * 9 + b"\n" + bytes(range(1, 32)) * 9, []),
        (b"x = '\x01'\n" * 9, []),
        (CYRILLIC.encode(), []),
    ],
    ids=[
        "cp1251",
        "sjis",
        "broken",
        "le",
        "be",
        "latin",
        "wide",
        "tail",
        "binary",
        "control",
        "utf-8",
    ],
)
def test_the_encoding_of_a_file(data: bytes, expected: list[Any] | str) -> None:
    found = judged(L, {**L, "new.c": data})
    if isinstance(expected, str):
        assert [rule for rule, *_ in found] == [expected]
    else:
        assert found == expected


def test_a_text_that_was_unreadable_before_is_no_new_one() -> None:
    old = {**L, "new.c": CYRILLIC.encode("cp1251")}
    assert judged(old, {**old, "new.c": CYRILLIC.encode("cp1251") + b"int z;\n"}) == []


def test_hostile_lines_are_bounded() -> None:
    text = "# copyright " * 40_000 + "\n" + "# (c) 2020 " + "x" * 100_000 + "\n"
    assert judged(L, {**L, "new.py": text}) == []
    many = "".join(f"# Copyright 2020 Acme {n}\n" + "y = 1\n" * 40 for n in range(80))
    assert ("unread", "unknown", "new.py", 0) in judged(L, {**L, "new.py": many})
    huge = b"# Licensed under MIT\n" * 250_000
    assert judged(L, {**L, "new.py": huge}) == [("unread", "unknown", "new.py", 0)]


# Folders and the register


SPDX = Path(__file__).parents[5] / "shared/data/audit/spdx/spdx-licenses.json.gz"


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def entry(path: str, digest: str, license: str = "MIT", **more: Any) -> Entry:
    return Entry(path, "https://example.org/x", license, digest, **more)


def book(*entries: Entry) -> dict[str, bytes]:
    return {register.PATH: register.write(entries)}


FOO: Tree = {"third_party/foo/LICENSE": MIT, "third_party/foo/foo.py": CODE}
FOO_DIGEST = "sha256:" + digests.listing((path, sha(str(text))) for path, text in FOO.items())
E1 = entry("third_party/foo", FOO_DIGEST)


def test_vendored_folders_need_an_entry() -> None:
    assert judged(L, {**L, **FOO}) == [("unregistered", "warning", "third_party/foo/LICENSE", 1)]
    assert judged(L, {**L, **FOO, **book(E1)}) == []
    assert judged({**L, **FOO}, {**L, **FOO, "third_party/foo/foo.py": "y = 1\n"}) == []


@pytest.mark.skipif(not SPDX.exists(), reason="no shared data")
def test_a_vendored_folder_under_a_licence_that_forbids_it() -> None:
    texts = json.loads(gzip.decompress(SPDX.read_bytes()))
    gpl = {
        "vendor/x.py": CODE,
        "vendor/y/LICENSE": texts["GPL-3.0-only"]["text"],
        "vendor/y/y.py": CODE,
    }
    assert judged(L, {**L, **gpl}) == [
        ("unregistered", "warning", "vendor/x.py", 1),
        ("forbidden", "failure", "vendor/y/LICENSE", 1),
        ("unregistered", "warning", "vendor/y/LICENSE", 1),
    ]


def test_a_licence_file_below_the_root() -> None:
    about = "# Licences\n\nA header is `Copyright 2020 Acme`.\n"
    assert judged(L, {**L, "docs/licence-texts.md": about}) == []
    assert judged(L, {**L, "lib/LICENSE": MIT, "lib/x.py": CODE}) == [
        ("unregistered", "warning", "lib/LICENSE", 1)
    ]
    own = {"model/LICENSE": BODY, "LICENSES/MIT.txt": MIT, "LICENSES/LICENSE-MIT": MIT}
    assert judged(L, {**L, **own}) == []


REGISTERED: list[tuple[str, Tree, Tree, list[tuple[str, str, int]]]] = [
    ("as registered", {**L, **FOO, **book(E1)}, {**L, **FOO, **book(E1), "a.py": ""}, []),
    ("changed bytes", {**L, **FOO, **book(E1)},
     {**L, **FOO, **book(E1), "third_party/foo/foo.py": "y = 1\n"}, [("changed", "failure", 4)]),
    ("a file more", {**L, **FOO, **book(E1)},
     {**L, **FOO, **book(E1), "third_party/foo/new.py": "y = 1\n"}, [("changed", "failure", 4)]),
    ("files gone", {**L, **FOO, **book(E1)}, {**L, **book(E1)}, [("missing", "failure", 4)]),
    ("entry gone too", {**L, **FOO, **book(E1)}, L, []),
    ("only the entry gone", {**L, **FOO, **book(E1)}, {**L, **FOO}, [("dropped", "failure", 0)]),
    ("wrong digest", {**L}, {**L, **FOO, **book(entry("third_party/foo", "sha256:" + "0" * 64))},
     [("changed", "failure", 4)]),
    ("said to be modified", {**L},
     {**L, **FOO, **book(entry("third_party/foo", "sha256:" + "0" * 64, modified=True))}, []),
    ("forbidden licence", {**L},
     {**L, "x/y.py": CODE, **book(entry("x/y.py", "sha256:" + sha(CODE), "GPL-3.0-only"))},
     [("forbidden", "failure", 4)]),
    ("unknown licence", {**L},
     {**L, "x/y.py": CODE, **book(entry("x/y.py", "sha256:" + sha(CODE), "LicenseRef-Acme"))},
     [("unknown", "failure", 4)]),
    ("another licence text", {**L}, {**L, **FOO, **book(replace(E1, license="BSD-3-Clause"))},
     [("disagree", "failure", 4)]),
    ("a choice", {**L}, {**L, **FOO, **book(replace(E1, license="MIT OR Apache-2.0"))}, []),
    ("no licence text", {**L},
     {**L, "x/y.py": CODE, **book(entry("x/y.py", "sha256:" + sha(CODE), text="x/LICENSE"))},
     [("missing", "failure", 4)]),
    ("a pattern", {**L},
     {**L, "x/y.py": CODE, "x/z.txt": "z",
      **book(entry("x/*.py", "sha256:" + digests.listing([("x/y.py", sha(CODE))])))}, []),
    ("invalid", {**L}, {**L, register.PATH: "version: 1\nborrowed:\n- path: ../x\n"},
     [("invalid", "unknown", 3)]),
    ("bomb", {**L}, {**L, register.PATH: "version: &a 1\nborrowed: *a\n"},
     [("invalid", "unknown", 2)]),
    ("binary", {**L}, {**L, register.PATH: b"\xff\xfe\0"}, [("invalid", "unknown", 1)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("base", "head", "wanted"), [r[1:] for r in REGISTERED], ids=[r[0] for r in REGISTERED]
)
def test_register(base: Tree, head: Tree, wanted: list[tuple[str, str, int]]) -> None:
    assert judged(base, head) == [(rule, lvl, register.PATH, line) for rule, lvl, line in wanted]


def test_what_was_wrong_before_is_a_note() -> None:
    wrong = entry("third_party/foo", "sha256:" + "0" * 64)
    more = entry("z.py", "sha256:" + sha(CODE))
    base = {**L, **FOO, **book(wrong)}
    head = {**L, **FOO, "z.py": CODE, **book(wrong, more)}
    assert judged(base, head) == [("changed", "note", register.PATH, 4)]
    assert judged(base, {**base, "a.py": "x = 3\n"}) == []


def test_the_register_covers_pasted_code() -> None:
    text = commented(MIT) + CODE
    fits = {**L, "x.py": text, **book(entry("x.py", "sha256:" + sha(text)))}
    assert judged(L, fits) == []
    other = {**L, "x.py": text, **book(entry("x.py", "sha256:" + sha(text), "BSD-3-Clause"))}
    assert judged(L, other) == [("disagree", "failure", "x.py", 1)]


def test_pointers_count_by_what_they_name() -> None:
    oid = "ab" * 32
    lfs = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12\n"
    dvc = f"outs:\n- md5: {'cd' * 16}.dir\n  size: 3\n  nfiles: 2\n  path: corpus\n  hash: md5\n"
    entries = (
        entry("data/x.bin", f"sha256:{oid}", "CC-BY-4.0", tie="trains_on"),
        entry("data/corpus", f"dvc:{'cd' * 16}.dir", "CC-BY-4.0", tie="trains_on"),
    )
    head = {**L, "data/x.bin": lfs, "data/corpus.dvc": dvc, **book(*entries)}
    assert judged(L, head) == []
    moved = {**head, "data/corpus.dvc": dvc.replace("cd", "ce")}
    assert [f[0] for f in judged(head, moved)] == ["changed"]
    bad = {**head, "data/corpus.dvc": "outs: []\n"}
    assert [f[:2] for f in judged(head, bad)] == [("unread", "unknown")]


def test_submodules_and_links() -> None:
    head = {**L, "third_party/sub": "x"}
    modes = {"third_party/sub": "160000"}
    assert judged(L, head, modes=modes) == [("unregistered", "warning", "third_party/sub", 1)]
    blob = FakeWorld(L, head).trees["a" * 40]["third_party/sub"].blob
    assert judged(L, {**head, **book(entry("third_party/sub", f"git:{blob}"))}, modes=modes) == []


# NOTICE


def test_notice_is_checked_where_it_is_generated() -> None:
    base = {**L, **FOO, **book(E1), "NOTICE": "Hand-written.\n"}
    good = notice.replaced("Hand-written.\n", notice.generated((E1,)))
    assert judged(base, {**base, "NOTICE": good}) == []
    with_notice = {**base, "NOTICE": good}
    more = entry("z.py", "sha256:" + sha(CODE), holders=("Zoe",))
    stale = {**with_notice, "z.py": CODE, **book(E1, more)}
    assert judged(with_notice, stale) == [("notice", "failure", "NOTICE", 3)]
    fresh = {**stale, "NOTICE": notice.replaced(good, notice.generated((E1, more)))}
    assert judged(with_notice, fresh) == []
    assert judged(with_notice, base) == [("notice", "failure", "", 0)]
    torn = {**with_notice, "NOTICE": good.replace(notice.END, "")}
    assert judged(with_notice, torn) == [("invalid", "unknown", "NOTICE", 3)]


def test_notice_names_the_models_weights_were_made_from() -> None:
    card = "---\nlicense: llama3.1\nbase_model: meta-llama/Llama-3.1-8B\n---\n# x\n"
    base = {**L, **FOO, **book(E1)}
    base = {**base, "NOTICE": notice.replaced("", notice.generated((E1,)))}
    head = {**base, "model/README.md": card}
    assert ("notice", "failure", "NOTICE", 1) in judged(base, head)
    assert "meta-llama/Llama-3.1-8B" in messages(base, head)
