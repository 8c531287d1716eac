"""Dockerfiles: what their RUN lines install."""

import pytest

from registry.documents import DocumentError
from registry.manifests import read


def said(text: str) -> list[str]:
    found = read("dockerfile", text.encode())
    rows = [f"{r.line} {r.name}{r.specifier}{r.url and ' @ ' + r.url}" for r in found.requirements]
    rows += [f"{o.line} {o.name} {o.value}" for o in found.options]
    return rows + [f"{p.line} ?" for p in found.problems]


F = "FROM x\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RUN pip install torch", ["2 torch"]),
        ("run pip install torch", ["2 torch"]),
        ("RUN --mount=type=cache,target=/x --network=none pip install torch", ["2 torch"]),
        ('RUN ["pip", "install", "torch", "numpy>=1"]', ["2 torch", "2 numpy>=1"]),
        ("RUN pip install \\\n  # why\n\n  torch \\\n  numpy\nRUN x", ["5 torch", "6 numpy"]),
        ("RUN pip install torch && \\  \n    pip install numpy", ["2 torch", "3 numpy"]),
        ("ONBUILD RUN pip install torch", ["2 torch"]),
        ("RUN <<EOF\npip install torch\nEOF\nRUN pip install numpy", ["3 torch", "5 numpy"]),
        ("RUN bash <<'EOF'\nx\npip install torch\nEOF\nRUN pip install numpy",
         ["4 torch", "6 numpy"]),
        ("RUN <<EOF\n#!/usr/bin/env python\npip install torch\nEOF", []),
        ("RUN python <<EOF\npip install torch\nEOF\nRUN pip install numpy", ["5 numpy"]),
        ("COPY <<EOF /x.sh\nRUN pip install torch\nEOF\nRUN pip install numpy", ["5 numpy"]),
        ("COPY pip install torch", []),
        ('CMD ["pip", "install", "torch"]', []),
        ("# RUN pip install torch", []),
        ("RUN pip install -r /app/requirements.txt", ["2 --requirement /app/requirements.txt"]),
        # variables
        ("ARG V=2.1\nRUN pip install torch==$V", ["3 torch==2.1"]),
        ("ENV V=2.1 W=3\nRUN pip install torch==$V numpy==${W}", ["3 torch==2.1", "3 numpy==3"]),
        ("ENV V 2.1\nRUN pip install torch==$V", ["3 torch==2.1"]),
        ("ENV V=1\\\n  W=2\nRUN pip install torch==$W", ["4 torch==2"]),
        ("ARG A=1\nENV V=${A}.5\nRUN pip install torch==$V", ["4 torch==1.5"]),
        ("ARG V\nRUN pip install torch==$V", ["3 torch"]),
        ("RUN V=1 && pip install torch==$V\nRUN pip install torch==$V", ["2 torch==1", "3 torch"]),
        ("RUN pip install $EVERYTHING", ["2 ?"]),
        ("ENV PIP_INDEX_URL=https://i", ["2 --index-url https://i"]),
        ("ARG PIP_EXTRA_INDEX_URL=https://i", ["2 --extra-index-url https://i"]),
        ('ENV PIP_CONSTRAINT=""\nRUN pip install torch', ["3 torch"]),
        # stages
        ("ARG V=1\nFROM y\nRUN pip install torch==$V", ["4 torch"]),
        ("ENV V=1\nFROM x AS b\nENV V=2\nFROM b\nRUN pip install torch==$V", ["6 torch==2"]),
        ("RUN pip install torch==1 fi", ["2 torch==1"]),
    ],
)  # fmt: skip
def test_what_is_installed(text: str, expected: list[str]) -> None:
    assert said(F + text) == expected


def test_an_argument_before_the_first_stage_is_seen_where_it_is_named_again() -> None:
    text = "ARG V=1\nFROM x\n{}RUN pip install torch==$V"
    assert said(text.format("ARG V\n")) == ["4 torch==1"]
    assert said(text.format("")) == ["3 torch"]


def test_another_escape() -> None:
    text = "# escape=`\nFROM x\nRUN pip install `\n  torch"
    assert said(text) == ["4 torch"]


@pytest.mark.parametrize(
    "text",
    [
        "RUN pip install 'torch",
        "RUN pip install $(x",
        'RUN ["pip", "install", 1]\nRUN pip install $X',
        "RUN pip install r\u0435quests '='",
    ],
)
def test_what_cannot_be_read_is_said(text: str) -> None:
    assert read("dockerfile", (F + text).encode()).problems


@pytest.mark.parametrize(
    "data",
    [
        b"RUN pip \xff",
        b"RUN pip \0",
        "RUN pip install x".encode("utf-16"),
        b"RUN pip install \\\n" * 40_000,
        b"RUN pip <<A <<B <<C\n" * 20_000,
        b"ARG pip=" + b"$pip" * 100_000,
        b"ENV pip=aaaaaaaaaa\n" + b"ENV pip=$pip$pip\n" * 60 + b"RUN pip install $pip",
        b"RUN pip x\n" * 200_000,
        b"FROM a AS b\n" * 20_000 + b"RUN pip",
    ],
)
def test_what_is_hostile_is_refused_or_bounded(data: bytes) -> None:
    try:
        found = read("dockerfile", data)
    except DocumentError:
        return
    assert len(found.requirements) < 100
