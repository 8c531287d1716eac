import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.checks.contributors import headers
from bot.checks.contributors.headers import Header, Headers, parse
from tests.fakes import FakeWorld


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Header("", 0, False)),
        ("# SPDX-License-Identifier: MIT\n", Header("MIT", 1, False)),
        ("#!/bin/sh\n# SPDX-License-Identifier: MIT OR X\n", Header("MIT OR X", 2, False)),
        ("/* SPDX-License-Identifier: MIT */", Header("MIT", 1, False)),
        ("<!-- SPDX-License-Identifier: MIT -->", Header("MIT", 1, False)),
        ('x = "SPDX-License-Identifier: MIT"', Header("", 0, False)),
        ("# SPDX-License-Identifier:\n", Header("", 1, False)),
        ("# Copyright 2026 Ada", Header("", 0, True)),
        ("// SPDX-FileCopyrightText: 2026 Ada", Header("", 0, True)),
        ("print('copyright')", Header("", 0, False)),
        ("# \xa9 2026 Ada", Header("", 0, True)),
    ],
)
def test_parse(text: str, expected: Header) -> None:
    assert parse(text.encode()) == expected


@given(st.binary(max_size=300))
def test_any_bytes_are_read(data: bytes) -> None:
    assert parse(data).license.isprintable() or parse(data).line


@pytest.mark.parametrize(
    ("stated", "expected", "good"),
    [
        ("MIT", "", True),
        ("MIT", "MIT", True),
        ("mit", "MIT", True),
        ("MIT  OR Apache-2.0", "Apache-2.0 or MIT", True),
        ("MIT OR GPL-3.0-only", "MIT", False),
        ("MIT AND", "", False),
        ("(((", "", False),
        ("MIT WITH", "", False),
        ("Our own terms", "", False),
    ],
)
def test_stated_licence(stated: str, expected: str, good: bool) -> None:
    world = FakeWorld({}, {"a.py": f"# SPDX-License-Identifier: {stated}\n"})
    found = rules(world, spdx="required", license=expected)
    assert found == ([] if good else [("spdx-header", "a.py")])


def rules(world: FakeWorld, **policy: object) -> list[tuple[str, str]]:
    settings = Headers.model_validate(policy)
    found = headers.collect(world.change(), world, settings, "contributors/1")
    return [(f.rule.partition("/")[2], f.location.path) for f in headers.judge(found, settings)]


def test_only_new_source_files_are_judged() -> None:
    base = {"old.py": "x = 1\n", "moved.py": "y = 1\n"}
    head = {
        "old.py": "x = 2\n",
        "sub/moved.py": "y = 1\n",
        "new.py": "z = 1\n",
        "good.py": "# SPDX-License-Identifier: MIT\n",
        "other.py": "# SPDX-License-Identifier: GPL-3.0-only\n",
        "empty.py": "",
        "notes.md": "no code\n",
        "gen/a.py": "g = 1\n",
    }
    world = FakeWorld(base, head)
    assert rules(world) == []
    assert rules(world, spdx="required", license="MIT", exclude=("gen/",)) == [
        ("spdx-header", "new.py"),
        ("spdx-header", "other.py"),
    ]
    assert ("copyright-header", "good.py") in rules(world, copyright="required")


def test_only_a_prefix_is_read() -> None:
    late = "#\n" * headers.PREFIX + "# SPDX-License-Identifier: MIT\n"
    assert rules(FakeWorld({}, {"a.py": late}), spdx="required") == [("spdx-header", "a.py")]
