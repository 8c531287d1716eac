"""environment.yml with its pip list."""

import pytest

from registry.manifests import DocumentError, read

TEXT = """\
name: x
channels:
  - conda-forge
  - https://chan.example
dependencies:
  - python=3.11
  - numpy 1.26.4
  - other::scipy>=1.2,<2
  - exact=1.2.3=py0
  - twice==2.0
  - any
  - br[version='>=3,<4']
  - pip:
      - torch==2.1
      - --extra-index-url https://e
      - -r more.txt
  - 5
"""


def test_packages_channels_and_pip() -> None:
    manifest = read("conda", TEXT.encode())
    assert [(r.name, r.line, r.specifier, r.ecosystem) for r in manifest.requirements] == [
        ("python", 6, "==3.11.*", "conda"),
        ("numpy", 7, "==1.26.4", "conda"),
        ("scipy", 8, "<2,>=1.2", "conda"),
        ("exact", 9, "==1.2.3", "conda"),
        ("twice", 10, "==2.0", "conda"),
        ("any", 11, "", "conda"),
        ("br", 12, "<4,>=3", "conda"),
        ("torch", 14, "==2.1", "pypi"),
    ]
    assert [(o.name, o.value, o.line) for o in manifest.options] == [
        ("channel", "conda-forge", 3),
        ("channel", "https://chan.example", 4),
        ("--extra-index-url", "https://e", 15),
        ("--requirement", "more.txt", 16),
    ]
    assert [p.line for p in manifest.problems] == [17]


@pytest.mark.parametrize("text", ["", "[]", "a: 1", "dependencies: x", "dependencies: {pip: [a]}"])
def test_other_documents_ask_for_nothing(text: str) -> None:
    assert read("conda", text.encode()).requirements == ()


@pytest.mark.parametrize(
    "text", ["a: &x [*x]", "a: 1\na: 2", "{", "x: !!python/name:a", "- a\n" * 100_001]
)
def test_refused_documents(text: str) -> None:
    with pytest.raises(DocumentError):
        read("conda", text.encode())
