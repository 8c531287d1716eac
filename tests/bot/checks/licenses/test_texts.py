from __future__ import annotations

from pathlib import Path

import pytest

from bot.checks import licenses
from bot.checks.licenses import Settings
from bot.checks.licenses.texts import is_license, is_vendored
from bot.checks.licenses.wording import MOST
from bot.finding import Finding
from tests.fakes import FakeWorld, Tree, symlink

APACHE = (Path(__file__).parents[4] / "LICENSE").read_text()
MIT = """\
MIT License

Copyright (c) 2024 Ada

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
HARMLESS = "\nThe model is described in the paper that came with it.\n"
CLAUSE = "\nThe Software may not be used for commercial purposes.\n"
Told = list[tuple[str, str, int]]


def findings(
    base: Tree,
    head: Tree,
    settings: Settings | None = None,
    modes: dict[str, str] | None = None,
) -> tuple[Finding, ...]:
    world = FakeWorld(base, head, modes=modes)
    settings = settings or Settings()
    assert licenses.applies(world.change(), settings) == ""
    found = licenses.judge(licenses.collect(world.change(), world, settings), settings)
    for one in found:
        assert one.message.isprintable() and one.remedy
    return found


def told(found: tuple[Finding, ...]) -> Told:
    return [
        (f.rule.removeprefix("licenses/"), str(f.severity), f.location.line)
        for f in found
        if f.rule != "licenses/missing"
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", MIT, []),
        ("", MIT.replace("2024 Ada", "2019-2024 Grace and others"), []),
        ("", "# " + MIT.replace("\n", "\n# "), []),
        # A restriction is quoted on its line and fails, wherever it stands.
        ("", MIT + CLAUSE, [("added-clause", "failure", 20)]),
        ("", CLAUSE + MIT, [("added-clause", "failure", 2)]),
        ("", MIT + "\nNot for research.\n", [("added-clause", "failure", 20)]),
        ("", MIT + "\nAll uses require registration.\n", [("added-clause", "failure", 20)]),
        ("", MIT.replace("Ada\n", "Ada. Not for commercial use.\n"),
         [("added-clause", "failure", 3)]),
        ("", APACHE + CLAUSE, [("added-clause", "failure", 204)]),
        ("", MIT + "\nWords. " * 400 + CLAUSE + "More words here. " * 200,
         [("added-clause", "failure", 420)]),
        # What cannot be told: words changed, words left out.
        ("", MIT.replace("hereby granted", "hereby not granted"),
         [("added-clause", "failure", 5)]),
        ("", MIT.replace("and/or sell", "and/or"), [("text-modified", "unknown", 8)]),
        ("", MIT.replace("WITHOUT WARRANTY OF", "WITH WARRANTY OF"),
         [("text-modified", "warning", 14), ("text-modified", "unknown", 14)]),
        ("", MIT[: len(MIT) // 3], [("text-unknown", "unknown", 1)]),
        ("", "All rights reserved.\n", [("text-unknown", "unknown", 1)]),
        ("", "This is under the MIT license.\n", [("text-unknown", "unknown", 1)]),
        # Not so new: told once, lightly.
        (MIT + CLAUSE, MIT + CLAUSE + "\n", [("added-clause", "note", 20)]),
        (MIT, MIT + CLAUSE, [("added-clause", "failure", 20)]),
        (MIT + CLAUSE, MIT, []),
        # Several licences in one file.
        ("", MIT + APACHE, []),
        (MIT, MIT + APACHE, [("relicensed", "warning", 21)]),
        (MIT, APACHE + MIT, [("relicensed", "failure", 3)]),
        (MIT + APACHE, MIT, [("relicensed", "failure", 1)]),
        (MIT + APACHE, APACHE + MIT, []),
        (MIT, APACHE, [("relicensed", "failure", 1)]),
    ],
)  # fmt: skip
def test_the_words_of_a_licence(before: str, after: str, expected: Told) -> None:
    base = {"LICENSE": before} if before else {}
    assert told(findings(base, {"LICENSE": after})) == expected


@pytest.mark.parametrize(
    ("modified", "level"), [("review", "warning"), ("fail", "failure"), ("allow", "warning")]
)
def test_harmless_words_weigh_what_the_policy_says(modified: str, level: str) -> None:
    settings = Settings(modified=modified)  # type: ignore[arg-type]
    plain = told(findings({}, {"LICENSE": MIT + "\nAda and Grace wrote it, by law.\n"}, settings))
    assert plain == [("text-modified", level, 20)]
    # What restricts fails whatever the policy says of the rest.
    clause = told(findings({}, {"LICENSE": MIT + CLAUSE}, settings))
    assert clause == [("added-clause", "failure", 20)]
    lacks = told(findings({}, {"LICENSE": MIT.replace("and/or sell", "and/or")}, settings))
    expected = {"review": "unknown", "fail": "failure", "allow": "warning"}[modified]
    assert lacks == [("text-modified", expected, 8)]


def test_the_clause_is_quoted_with_its_kind_and_the_licence() -> None:
    (found,) = findings({}, {"LICENSE": MIT + CLAUSE})
    assert "MIT" in found.message and "may not be used for commercial purposes" in found.message
    assert "noncommercial" in found.message


def test_a_clause_in_the_middle_of_a_long_passage_is_no_harmless_one() -> None:
    filler = "contemplating northern lighthouses somewhere beautifully\n" * 9
    put = f"\n{filler}not for commercial use\n{filler}\nTHE SOFTWARE IS PROVIDED"
    found = findings({}, {"LICENSE": MIT.replace("\nTHE SOFTWARE IS PROVIDED", put)})
    assert any(f.rule == "licenses/added-clause" for f in found)
    assert all("commercial use" not in f.message or len(f.message) < 500 for f in found)


def test_a_text_with_many_differences_is_told_to_its_end() -> None:
    clauses = "".join(f"\nYou must not use part {n}.\n\n{HARMLESS}\n" * 2 for n in range(MOST))
    found = findings({}, {"LICENSE": MIT + MIT.join(clauses.split("\n\n\n")) + MIT})
    blocking = [f for f in found if f.counts]
    assert blocking and len(found) <= MOST + 1


@pytest.mark.parametrize(
    "data",
    [
        "x" * 3_000_000,
        "word " * 200_000,
        MIT.encode("utf-16-le"),
        MIT.encode() + b"\0",
        bytes(range(128, 256)) * 40,
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    ],
    ids=["huge", "long", "wide", "nul", "binary", "lfs"],
)
@pytest.mark.parametrize("path", ["LICENSE", "third_party/x/LICENSE"])
def test_what_cannot_be_read_is_no_pass(path: str, data: str | bytes) -> None:
    assert told(findings({}, {path: data})) == [("text-unreadable", "unknown", 1)]


def test_bytes_of_an_old_encoding_are_no_trouble() -> None:
    latin = MIT.replace("(c) 2024 Ada", "© 2024 Adélaïde").encode("latin-1")
    assert told(findings({}, {"LICENSE": latin})) == []
    assert told(findings({}, {"LICENSE": b"\xef\xbb\xbf" + MIT.encode()})) == []
    assert told(findings({}, {"LICENSE": MIT.replace("\n", "\r\n")})) == []
    assert told(findings({}, {"LICENSE": MIT.encode("utf-16")})) == []
    wide = (MIT + CLAUSE).encode("utf-16")
    assert [rule for rule, _, _ in told(findings({}, {"LICENSE": wide}))] == ["added-clause"]


def test_a_clause_in_a_long_block_within_a_licence_is_quoted() -> None:
    parts = APACHE.split("\n\n")
    half = len(parts) // 2
    filler = "contemplating northern lighthouses somewhere beautifully and quietly\n" * 700
    head = "\n\n".join([*parts[:half], filler + CLAUSE, *parts[half:]])
    found = findings({"LICENSE": APACHE}, {"LICENSE": head})
    assert {f.rule for f in found if f.counts} == {"licenses/added-clause"}
    assert any("commercial purposes" in f.message for f in found)


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r"])
def test_a_clause_in_an_encoding_that_is_not_known_is_no_pass(encoding: str) -> None:
    data = (MIT + "\nТолько для учёбы.\n").encode(encoding)
    assert told(findings({}, {"LICENSE": data})) == [("text-unreadable", "unknown", 1)]


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_a_link_or_submodule_is_not_a_text(mode: str) -> None:
    found = findings({}, {"LICENSE": "../x"}, modes={"LICENSE": mode})
    assert told(found) == [("text-unreadable", "unknown", 1)]
    assert symlink("LICENSE") == {"LICENSE": "120000"}


def test_terminal_controls_are_not_repeated() -> None:
    found = findings({}, {"LICENSE": MIT + "\nYou must not \x1b[2J use\u202e it.\n"})
    assert told(found)[0][:2] == ("added-clause", "failure")


def test_vendored_texts_are_read_where_they_change() -> None:
    base = {"LICENSE": MIT, "vendor/a/LICENSE": "mine\n", "vendor/b/COPYING": MIT}
    head = {
        "LICENSE": MIT,
        "vendor/a/LICENSE": "mine\n",
        "vendor/b/COPYING": MIT + CLAUSE,
        "vendor/c/LICENSE.txt": APACHE,
        "vendor/d/LICENSE-BSD": "ours\n",
    }
    found = findings(base, head)
    assert [(f.location.path, f.rule) for f in found] == [
        ("vendor/b/COPYING", "licenses/added-clause"),
        ("vendor/d/LICENSE-BSD", "licenses/text-unknown"),
    ]


def test_too_many_vendored_texts_are_not_passed_over() -> None:
    head = {f"v/{n}/LICENSE": MIT for n in range(205)}
    found = findings({}, head)
    assert ("text-unreadable", "unknown", 0) in told(found)
    assert any("5 more licence files" in f.message for f in found)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("v/LICENSE", True),
        ("v/COPYING.LESSER", True),
        ("v/LICENSE-2.0.txt", True),
        ("v/LICENSE_APACHE", True),
        ("v/license.txt", True),
        ("v/LICENSE.md", True),
        ("v/UNLICENSE", True),
        ("docs/license.md", False),
        ("docs/licenses.md", False),
        ("docs/licence-texts.md", False),
        ("src/license.py", False),
        ("src/LICENSES.json", False),
        ("src/copying_data.txt", False),
        ("LICENSE", False),
    ],
)
def test_licence_files_below_the_root(path: str, expected: bool) -> None:
    assert is_vendored(path) is expected
    assert not (expected and is_license(path))
