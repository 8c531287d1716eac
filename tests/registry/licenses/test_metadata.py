from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.licenses.distinfo import files_of, headers, texts_of
from registry.licenses.metadata import Claim, Fields, claim, fields_of, from_mapping

APACHE = (Path(__file__).parents[3] / "LICENSE").read_text()
APACHE_FILE = APACHE.encode()
OSI = "License :: OSI Approved :: "


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (Fields(expression="mit or Apache-2.0"), "MIT OR Apache-2.0"),
        (Fields(expression="Apache-2.0 WITH LLVM-exception"), "Apache-2.0 WITH LLVM-exception"),
        (Fields(expression="MIT", field="GPL"), "MIT"),
        (Fields(field="Apache License, Version 2.0"), "Apache-2.0"),
        (Fields(field="MIT License"), "MIT"),
        (Fields(field="BSD"), "bsd"),
        (Fields(field="MPL-2.0 AND MIT"), "MPL-2.0 AND MIT"),
        (Fields(field=APACHE), "Apache-2.0"),
        (Fields(field="UNKNOWN", classifiers=(OSI + "MIT License",)), "MIT"),
        (Fields(field="LICENSE.txt", classifiers=(OSI + "ISC License (ISCL)",)), "ISC"),
        (Fields(classifiers=(OSI + "BSD License", "Topic :: Text")), "bsd"),
        (Fields(field="BSD-3-Clause", classifiers=(OSI + "BSD License",)), "BSD-3-Clause"),
        (Fields(field="Apache 2.0", classifiers=(OSI + "Apache Software License",)), "Apache-2.0"),
        (
            Fields(
                field="MIT OR Apache-2.0",
                classifiers=(OSI + "MIT License", OSI + "Apache Software License"),
            ),
            "MIT OR Apache-2.0",
        ),
    ],
)
def test_states(fields: Fields, expected: str) -> None:
    assert claim(fields) == Claim(expected)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (Fields(), "states no licence"),
        (Fields(field="UNKNOWN"), "states no licence"),
        (Fields(field="Dual License"), "'Dual License'"),
        (Fields(field="MIT/Apache-2.0"), "'MIT/Apache-2.0'"),
        (Fields(expression="MIT/Apache-2.0"), "not a licence expression"),
        (Fields(expression="MIT AND"), "not a licence expression"),
        (Fields(field="MIT", classifiers=(OSI + "BSD License",)), "License field says MIT"),
        (
            Fields(classifiers=(OSI + "MIT License", OSI + "BSD License")),
            "do not say whether all or any",
        ),
        (Fields(field="MIT with extra conditions", classifiers=(OSI + "MIT License",)), "extra"),
        (Fields(field="Do what\nI say", classifiers=(OSI + "MIT License",)), "no licence we know"),
        (Fields(classifiers=("License :: Free For Home Use",)), "names no one licence"),
        (Fields(classifiers=("License :: OSI Approved",)), "states no licence"),
    ],
)
def test_vague_or_contradictory_metadata_is_no_answer(fields: Fields, reason: str) -> None:
    found = claim(fields)
    assert found.license == ""
    assert reason in found.reason
    assert "\n" not in found.reason


def test_the_shipped_text_decides_what_the_fields_leave_open() -> None:
    apache = Fields(classifiers=(OSI + "Apache Software License",))
    assert claim(apache, (APACHE_FILE,)) == Claim("Apache-2.0")
    assert claim(Fields(), (APACHE_FILE,)) == Claim("Apache-2.0")
    both = Fields(expression="MIT OR Apache-2.0")
    assert claim(both, (APACHE_FILE,)) == Claim("MIT OR Apache-2.0")
    # A file that nobody knows may be the one that is meant.
    assert claim(Fields(field="MIT"), (APACHE_FILE, b"other")) == Claim("MIT")


MIT = b"""MIT License

Copyright (c) 2024 Ada Lovelace

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
NONCOMMERCIAL = b"\nThe Software may not be used for commercial purposes.\n"


@pytest.mark.parametrize(
    ("fields", "texts", "license", "said"),
    [
        # The text is believed, and the disagreement is told.
        (Fields(field="MIT"), (APACHE_FILE,), "Apache-2.0", "says MIT, its licence file is Apache"),
        (Fields(expression="GPL-3.0-only"), (MIT,), "MIT", "says GPL-3.0-only"),
        (Fields(expression="MIT"), (b"Licensed under the Apache License, Version 2.0.",),
         "Apache-2.0", "says MIT"),
        (Fields(classifiers=(OSI + "BSD License",)), (MIT,), "MIT", "says bsd"),
        # One clause more, and the name is worth nothing, whatever the metadata say.
        (Fields(expression="MIT"), (MIT + NONCOMMERCIAL,), "", "MIT and besides"),
        (Fields(), (MIT + NONCOMMERCIAL,), "", "commercial purposes"),
        (Fields(field=(MIT + NONCOMMERCIAL).decode()), (), "", "commercial purposes"),
        # Several licences, none of them the one that is stated.
        (Fields(expression="ISC"), (MIT, APACHE_FILE), "", "files are MIT, Apache-2.0"),
        (Fields(expression="ISC"), (MIT + APACHE_FILE,), "", "files are MIT, Apache-2.0"),
        (Fields(), (MIT, APACHE_FILE), "", "files hold MIT, Apache-2.0"),
        (Fields(), (MIT, b"other"), "", "states no licence"),
        # Nothing amiss.
        (Fields(expression="Apache-2.0"), (MIT, APACHE_FILE), "Apache-2.0", ""),
        (Fields(expression="Apache-2.0"), (MIT + APACHE_FILE,), "Apache-2.0", ""),
        (Fields(expression="MIT AND Apache-2.0"), (MIT,), "MIT AND Apache-2.0", ""),
        (Fields(expression="Apache-2.0 WITH LLVM-exception"), (APACHE_FILE,),
         "Apache-2.0 WITH LLVM-exception", ""),
        (Fields(field=MIT.decode()), (MIT,), "MIT", ""),
        (Fields(field=(MIT + APACHE_FILE).decode(), classifiers=(OSI + "MIT License",)), (),
         "MIT", ""),
        (Fields(), (b"MIT OR Apache-2.0",), "", "states no licence"),
        (Fields(), (b"SPDX-License-Identifier: MIT OR Apache-2.0\n",), "MIT OR Apache-2.0", ""),
        (Fields(field="LGPL-2.1-or-later", classifiers=(
            OSI + "GNU Lesser General Public License v2 or later (LGPLv2+)",)), (),
         "LGPL-2.1-or-later", ""),
        # Not texts that could be read.
        (Fields(expression="MIT"), (b"x" * 600_000,), "MIT", ""),
        (Fields(), (b"x" * 600_000,), "", "states no licence"),
        (Fields(), (b"\xff\xfeM\0I\0T\0",), "", "states no licence"),
    ],
)  # fmt: skip
def test_text_beats_metadata(
    fields: Fields, texts: tuple[bytes, ...], license: str, said: str
) -> None:
    found = claim(fields, texts)
    assert found.license == license
    assert said in (found.disagrees if license else found.reason)
    assert bool(found.disagrees) == bool(license and said)
    assert (found.reason + found.disagrees).isprintable()


@pytest.mark.parametrize(
    "holder",
    [
        b"Copyright (c) 2024 Ada Lovelace, not for commercial use",
        b"Copyright (c) 2024 Ada. Not For Commercial Use",
        b"Copyright (c) 2024 Ada. No Commercial Use",
    ],
)
def test_a_clause_in_the_line_of_the_holder_is_no_holder(holder: bytes) -> None:
    found = claim(
        Fields(expression="MIT"), (MIT.replace(b"Copyright (c) 2024 Ada Lovelace", holder),)
    )
    assert found.license == ""


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_fields_end_at_the_first_empty_line(end: bytes) -> None:
    fields = [b"Metadata-Version: 2.4", b"License-Expression: MIT", b"License-File: L"]
    data = end.join([*fields, b"", b"License-File: other", b""])
    assert b"other" not in headers(data)
    assert fields_of(data).expression == "MIT"


def test_metadata_files_are_read() -> None:
    data = (
        b"Metadata-Version: 2.4\nName: x\nVersion: 1\nLicense-Expression: MIT\n"
        b"Classifier: Topic :: Text\nLicense-File: LICENSE\nLicense-File: ../../etc/passwd\n"
        b"License-File: /etc/passwd\n\nLicense: GPL\n"
    )
    fields = fields_of(data)
    files = files_of(headers(data))
    assert (fields.expression, fields.field, len(files)) == ("MIT", "", 3)
    asked = []

    def read(path: str, limit: int) -> bytes | None:
        asked.append(path)
        return b"text" if path == "LICENSE" else None

    assert texts_of(files, read) == (b"text",)
    assert asked == ["licenses/LICENSE", "LICENSE"]


def test_a_field_given_twice_is_unclear() -> None:
    twice = fields_of(b"Name: x\nLicense-Expression: MIT\nLicense-Expression: ISC\n\n")
    assert claim(twice).license == ""
    assert claim(fields_of(b"Name: x\nLicense: MIT\nLicense: ISC\n\n")).license == ""


NOT_RESEARCH = b"\nNot f\xd0\xber r\xd0\xb5se\xd0\xb0rch.\n"  # of borrowed letters
FOOTNOTE = b"\n(*) Persons other than employees of Acme may not make copies.\n"


@pytest.mark.parametrize("more", [NOT_RESEARCH, b"\nNot for research.\n", FOOTNOTE])
def test_a_text_that_says_more_is_no_plain_licence(more: bytes) -> None:
    assert "MIT and besides" in claim(Fields(expression="MIT"), (MIT + more,)).reason
    assert "MIT and besides" in claim(Fields(), (MIT + more,)).reason


def test_texts_are_read_in_their_own_encoding() -> None:
    text = MIT.decode()
    assert claim(Fields(), (text.encode("utf-16"),)) == Claim("MIT")
    said = text.replace("Copyright", "Copyright ©").encode("cp1252")
    assert claim(Fields(), (said,)) == Claim("MIT")
    lost = text.encode() + "Только для учёбы.".encode("cp1251")
    assert claim(Fields(), (lost,)).license == ""


@given(st.binary(max_size=300))
def test_any_metadata_is_read_or_refused(data: bytes) -> None:
    claim(fields_of(data))
    fields = headers(data)
    assert data.startswith(fields)
    assert len(files_of(fields)) >= 1


@given(
    st.dictionaries(
        st.sampled_from(["license", "license_expression", "classifiers", "license_files"]),
        st.none() | st.text(max_size=30) | st.integers() | st.lists(st.text() | st.none()),
    )
)
def test_any_index_answer_is_read_or_refused(raw: dict[str, object]) -> None:
    found = claim(from_mapping(raw))
    assert bool(found.license) != bool(found.reason)
    assert (found.license + found.reason + found.disagrees).isprintable()


@given(
    st.lists(st.sampled_from([MIT, APACHE_FILE, NONCOMMERCIAL, b"x", b"", b"\xff\0"]), max_size=3),
    st.sampled_from(["", "MIT", "ISC OR MIT", "bsd", "Apache-2.0 WITH LLVM-exception"]),
)
@settings(max_examples=30, deadline=None)
def test_any_texts_give_one_answer(texts: list[bytes], stated: str) -> None:
    found = claim(Fields(expression=stated), [b"\n".join(texts)])
    assert bool(found.license) != bool(found.reason)
    assert not found.disagrees or found.license


@pytest.mark.parametrize("field", ["\x1b[2J", "MIT\u202e", "Dual\x07 License"])
def test_reasons_are_printable(field: str) -> None:
    assert claim(Fields(field=field)).reason.isprintable()
