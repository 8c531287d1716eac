from __future__ import annotations

import gzip
import json
import textwrap
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import UnreadableText
from registry.licenses.matching import QUOTE, TEXT_LIMIT, match, quoted
from tests.registry.licenses.test_texts import AI, HOLDER, LIST, MIT, needs_list

needs_texts = pytest.mark.skipif(not AI.exists(), reason="the AI licence texts are not at hand")
BSD = """\
Copyright (c) 2020, Ada Lovelace
All rights reserved.

Redistribution and use in source and binary forms, with or without modification, are permitted
provided that the following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this list of conditions
   and the following disclaimer.
2. Redistributions in binary form must reproduce the above copyright notice, this list of conditions
   and the following disclaimer in the documentation and/or other materials provided with the
   distribution.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR
IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND
FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR
CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE,
DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER
IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT
OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
"""
NAMES = """\
3. Neither the name of the copyright holder nor the names of its contributors may be used to endorse
   or promote products derived from this software without specific prior written permission.

"""
README = (
    "# Example\n\nA library for trees.\n\n## Install\n\n    pip install example\n\n## License\n\n"
)


def ids(text: str) -> list[str]:
    return [one.ids[0] for one in match(text)]


def said(text: str) -> str:
    return " | ".join(p.text for one in match(text) for p in one.added)


@pytest.mark.parametrize(
    "clause",
    [
        "The Software may not be used for commercial purposes.",
        "No military use.",
        "For research purposes only.",
        'Products must display "Built with Example" prominently.',
        "Use in credit scoring is prohibited.",
        "Companies with more than 100 million users must request a license.",
    ],
)
@pytest.mark.parametrize(
    "put",
    [
        "{clause}\n\n{text}",
        "{text}\n\n{clause}\n",
        "{head}\n\n{clause}\n{tail}",
        "{head} {clause}{tail}",
        "# Example\n\nA library for trees.\n\n{text}\n\n{clause}\n",
    ],
)
def test_a_clause_put_in_is_quoted(clause: str, put: str) -> None:
    head, tail = MIT.split("conditions:", 1)
    text = put.format(clause=clause, text=MIT, head=head + "conditions:", tail=tail)
    (found,) = match(text)
    assert found.ids == ("MIT",)
    assert not found.exact
    words = clause.rstrip(".").split()
    assert all(word in said(text) for word in words)
    line = 1 + text[: text.index(clause)].count("\n")
    assert any(abs(passage.line - line) <= 1 for passage in found.added)


@pytest.mark.parametrize(
    "line",
    [
        "Copyright 2024 X. Not for commercial use.",
        "Copyright (c) 2024 X, non-commercial use only",
        "Copyright (c) 2024 X <no-commercial-use@x.example>",
        "Copyright (c) 2024 X [NOT FOR SALE]",
        "(c) 2024 X. Licensed for evaluation.",
        "Copyright 2024 X. Evaluation only.",
        "Authors: X. Military use forbidden.",
    ],
)
def test_no_clause_hides_in_a_statement_of_copyright(line: str) -> None:
    assert not match(MIT.replace(HOLDER, line))[0].exact


def test_relatives_are_told_apart_by_the_words_that_differ() -> None:
    three = BSD.replace("THIS SOFTWARE IS", NAMES + "THIS SOFTWARE IS", 1)
    assert ids(BSD) == ["BSD-2-Clause"]
    assert ids(three) == ["BSD-3-Clause"]
    assert match(three)[0].exact
    named = three.replace("the copyright holder nor", "Example GmbH nor")
    assert match(named)[0].exact
    other = three.replace("may be used to endorse", "may be used freely to endorse")
    assert said(other) == "freely"


def test_words_left_out_are_shown_by_what_stands_around() -> None:
    (found,) = match(MIT.replace("sublicense, ", ""))
    (passage,) = found.dropped
    assert (passage.count, passage.line) == (1, 8)
    assert "distribute […] , and/or sell" in passage.text
    assert found.coverage < 1


def test_a_bundle_has_each_licence_with_its_lines() -> None:
    text = f"The core:\n\n{MIT}\n----\nThe parser:\n\n{BSD}\n----\nThe rest:\n\n{MIT}"
    found = match(text)
    assert [one.ids[0] for one in found] == ["MIT", "BSD-2-Clause", "MIT"]
    assert all(one.exact for one in found)
    assert found[0].last < found[1].first < found[1].last < found[2].first


@needs_list
def test_a_long_bundle_is_read_in_bounded_time() -> None:
    licences = json.loads(gzip.decompress(LIST.read_bytes()))
    names = [id for id in sorted(licences) if id.startswith("BSD")]
    bundle = "\n\n".join(licences[id]["text"] for id in names * 3)
    started = time.process_time()
    found = match(bundle)
    assert time.process_time() - started < 3
    assert [one.ids[0] for one in found] == names * 3
    assert all(a.last <= b.first for a, b in pairwise(found))


def test_a_readme_around_a_licence_is_no_difference() -> None:
    text = README + MIT + "\n## Contributing\n\nBug reports are welcome.\n"
    (found,) = match(text)
    assert found.exact
    assert found.first >= 10


@needs_texts
def test_ai_licences_and_what_was_added_to_them() -> None:
    (found,) = match((AI / "deepfloyd-if-code.txt").read_text())
    assert (found.ids, found.family, found.coverage) == (("MIT",), "MIT", 1.0)
    assert "All persons obtaining a copy" in found.added[0].text
    for file, family in (
        ("llama2-license", "llama2"),
        ("llama3_1-license", "llama3.1"),
        ("llama3_2-license", "llama3.2"),
        ("llama3_3-license", "llama3.3"),
        ("sd1-creativeml-openrail-m", "openrail-m"),
        ("deepseek-v3-model", "deepseek"),
    ):
        text = (AI / f"{file}.txt").read_text()
        sentences = text.split(". ")
        shorter = ". ".join(s for i, s in enumerate(sentences) if i % 20 != 7)
        assert match(text)[0].exact
        assert match(text)[0].family == match(shorter)[0].family == family
        assert not match(shorter)[0].exact


def test_letters_that_only_look_alike_are_a_difference() -> None:
    (found,) = match(MIT.replace("without restriction", "without restrictіon"))
    assert found.ids == ("MIT",)
    assert not found.exact


@pytest.mark.parametrize(
    "piece",
    [
        "permission is hereby granted ",
        "a) ",
        "1.1.",
        "<a ",
        "non ",
        "non-\n",
        "(c) 2024 ",
        "\0",
        "İ ",
    ],
)
def test_hostile_texts_end_soon(piece: str) -> None:
    started = time.process_time()
    match((piece * TEXT_LIMIT)[: TEXT_LIMIT // 4])
    assert time.process_time() - started < 2


def test_what_is_too_long_or_too_much_is_an_error() -> None:
    with pytest.raises(UnreadableText, match="too long"):
        match("x" * 10_000_000)
    with pytest.raises(UnreadableText, match="too many"):
        match((" ".join(MIT.split()) + " ") * 250)


def test_quotes_are_printable_and_bounded() -> None:
    assert quoted("a\x1b[31m\n# b\u202e c") == "a [31m b  c"
    assert len(quoted("word " * 1_000)) <= QUOTE + 5


WORDS = st.sampled_from(
    [*MIT.split(), "not", "1.", "(c)", "2024", "#", "\n", "\n\n", "<p>", "ß", "许"]
)


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(max_size=400), st.lists(WORDS, max_size=300).map(" ".join)))
def test_any_text_is_read_alike_twice(text: str) -> None:
    found = match(text)
    assert found == match(text)
    for one in found:
        assert 1 <= one.first <= one.last <= text.count("\n") + 20
        assert all(p.line >= 1 and p.count >= 1 for p in (*one.added, *one.dropped))


@settings(max_examples=25, deadline=None)
@given(st.integers(25, 200), st.sampled_from(["", "# ", "// ", " * ", ";; ", "> ", "REM ", "dnl "]))
def test_wrapping_and_marks_are_no_difference(width: int, mark: str) -> None:
    paragraphs = (textwrap.fill(p, width) for p in BSD.split("\n\n"))
    text = "\n".join(mark + line for line in "\n\n".join(paragraphs).splitlines())
    assert [(one.ids[0], one.exact) for one in match(text)] == [("BSD-2-Clause", True)]
