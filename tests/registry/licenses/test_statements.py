from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.documents import DocumentError
from registry.licenses.statements import (
    CARD_LIMIT,
    Statement,
    in_card,
    in_pyproject,
    is_card,
)

MIT_CLASSIFIER = 'classifiers = [\n  "License :: OSI Approved :: MIT License",\n]\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Model\n", None),
        ("", None),
        ("---\nlanguage: en\n---\n", None),
        ("---\n---\n", None),
        ("-----\n\nA rule, not front matter\n\n-----\n", None),
        ("---\nlicense: mit\n", None),  # never closed: a rule above text
        ("---\nlicense: mit\n---\n", Statement("MIT", 2)),
        ("\ufeff---\r\ntags: [x]\r\nlicense: apache-2.0\r\n---\r\n# T", Statement("Apache-2.0", 3)),
        ("\n \n---\nlicense: mit\n---\n", Statement("MIT", 4)),
        ("---\rlicense: mit\r---\r", Statement("MIT", 2)),
        ("---\nlicense: llama3.1\n---", Statement("llama3.1", 2)),
        ("---\nlicense: [mit]\n---\n", Statement("MIT", 2)),
        (
            "---\nlicense: other\nlicense_name: acme open 1\n---\n",
            Statement("LicenseRef-acme-open-1", 2),
        ),
    ],
)
def test_cards(text: str, expected: Statement | None) -> None:
    assert in_card(text.encode()) == expected


@pytest.mark.parametrize(
    ("license", "reason"),
    [
        ("other", "without `license_name`"),
        ("unknown", "names no licence"),
        ("[mit, isc]", "whether all or any"),
        ("[]", "empty or not text"),
        ("3", "empty or not text"),
        ("''", "empty or not text"),
        ("{a: b}", "empty or not text"),
        ("mit/isc", "not a licence expression"),
        ("mitt", "not an SPDX licence id"),
        ("other\nlicense_name: ((", "not a licence expression"),
    ],
)
def test_unclear_cards(license: str, reason: str) -> None:
    found = in_card(f"---\nlicense: {license}\n---\n".encode())
    assert found is not None
    assert found.license == ""
    assert reason in found.reason
    assert found.line == 2


@pytest.mark.parametrize(
    "data",
    [
        b"---\nlicense: mit\nlicense: isc\n---\n",
        b"---\na: &a [1]\nb: [" + b"*a," * 300 + b"]\n---\n",
        b"---\nlicense: \xff\n---\n",
        b"---\nlicense: !!python/object:os.system x\n---\n",
        b"---\n" + b"a: 1\n" * (CARD_LIMIT // 5),
    ],
)
def test_hostile_cards_are_errors(data: bytes) -> None:
    with pytest.raises(DocumentError):
        in_card(data[:CARD_LIMIT])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ('[project]\nname = "x"\n', None),
        ('[project]\nlicense = { file = "LICENSE" }\n', None),
        ('[project]\nname = "x"\nlicense = "MIT OR ISC"\n', Statement("MIT OR ISC", 3)),
        ('[project]\nlicense = { text = "Apache 2.0" }\n', Statement("Apache-2.0", 2)),
        ("[project]\n" + MIT_CLASSIFIER, Statement("MIT", 3)),
        ('[tool.poetry]\nlicense = "BSD-3-Clause"\n', Statement("BSD-3-Clause", 2)),
    ],
)
def test_pyproject(text: str, expected: Statement | None) -> None:
    assert in_pyproject(text.encode()) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[project]\nlicense = "Apache License 2.0"\n', "not a licence expression"),
        ('[project]\nlicense = "MIT/ISC"\n', "not a licence expression"),
        ('[project]\nlicense = { text = "ISC" }\n' + MIT_CLASSIFIER, "its classifier MIT"),
    ],
)
def test_unclear_pyproject(text: str, reason: str) -> None:
    found = in_pyproject(text.encode())
    assert found is not None
    assert (found.license, found.line) == ("", 2)
    assert reason in found.reason


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for text in (data, b"---\nlicense: " + data + b"\n---\n"):
        try:
            in_card(text)
        except DocumentError as error:
            assert error.message
        try:
            in_pyproject(text)
        except DocumentError as error:
            assert error.message


@given(st.sampled_from(["project", "tool", "license"]), st.integers() | st.booleans())
def test_wrong_types_state_nothing(key: str, value: object) -> None:
    text = f"{key} = {str(value).lower()}\n[x]\n"
    assert in_pyproject(text.encode()) is None


@pytest.mark.parametrize("path", ["README.md", "data/readme.md", "MODEL_CARD.md"])
def test_card_names(path: str) -> None:
    assert is_card(path)
    assert not is_card(path + ".txt")
