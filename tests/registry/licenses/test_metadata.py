from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.licenses.metadata import Claim, Fields, claim, fields_of, from_mapping, texts_of

APACHE = (Path(__file__).parents[3] / "LICENSE").read_text()
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
    assert claim(apache, (APACHE,)) == Claim("Apache-2.0")
    assert claim(Fields(), (APACHE,)) == Claim("Apache-2.0")
    assert claim(Fields(expression="MIT OR Apache-2.0"), (APACHE,)) == Claim("MIT OR Apache-2.0")
    assert "licence file is Apache-2.0" in claim(Fields(field="MIT"), (APACHE,)).reason
    assert "licence file" in claim(Fields(expression="MIT"), (APACHE,)).reason
    # Several files are a bundle of what is vendored.
    assert claim(Fields(field="MIT"), (APACHE, "other")) == Claim("MIT")


def test_metadata_files_are_read() -> None:
    data = (
        b"Metadata-Version: 2.4\nName: x\nVersion: 1\nLicense-Expression: MIT\n"
        b"Classifier: Topic :: Text\nLicense-File: LICENSE\nLicense-File: ../../etc/passwd\n"
        b"License-File: /etc/passwd\n\nLicense: GPL\n"
    )
    fields = fields_of(data)
    assert (fields.expression, fields.field, len(fields.files)) == ("MIT", "", 3)
    asked = []

    def read(path: str, limit: int) -> bytes | None:
        asked.append(path)
        return b"text" if path == "LICENSE" else None

    assert texts_of(fields, read) == ("text",)
    assert asked == ["licenses/LICENSE", "LICENSE"]


def test_a_field_given_twice_is_unclear() -> None:
    twice = fields_of(b"Name: x\nLicense-Expression: MIT\nLicense-Expression: ISC\n\n")
    assert claim(twice).license == ""
    assert claim(fields_of(b"Name: x\nLicense: MIT\nLicense: ISC\n\n")).license == ""


@given(st.binary(max_size=300))
def test_any_metadata_is_read_or_refused(data: bytes) -> None:
    claim(fields_of(data))


@given(
    st.dictionaries(
        st.sampled_from(["license", "license_expression", "classifiers", "license_files"]),
        st.none() | st.text(max_size=30) | st.integers() | st.lists(st.text() | st.none()),
    )
)
def test_any_index_answer_is_read_or_refused(raw: dict[str, object]) -> None:
    found = claim(from_mapping(raw))
    assert bool(found.license) != bool(found.reason)
