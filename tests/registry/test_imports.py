from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import PointerError
from registry.imports import SHOWN, Origin, read_origin

URL = "https://example.org/acme/data"


def dvc(dep: object, **more: object) -> bytes:
    return json.dumps({"deps": [dep], "outs": [{"path": "x"}], **more}).encode()


@pytest.mark.parametrize(
    ("data", "origin"),
    [
        (b"outs: [{path: x}]", None),
        (b"", None),
        (b"[]", None),
        (b"deps: {a: b}", None),
        (b"deps: [7]", None),
        (dvc({"path": "prepare.py", "md5": "ab"}), None),
        (dvc({"path": 7}), None),
        (dvc({"repo": {"url": 7}, "path": "x"}), None),
        (dvc({"path": "https://example.org/x.csv", "etag": "1"}, frozen=True),
         Origin("https://example.org/x.csv", frozen=True)),
        (dvc({"path": "s3://bucket/x"}), Origin("s3://bucket/x")),
        (dvc({"path": "x", "repo": {"url": URL, "rev": "v1", "rev_lock": "ab" * 20}}, frozen=True),
         Origin(URL, "ab" * 20, repository=True, frozen=True)),
        (dvc({"path": "x", "repo": {"url": URL, "rev": "v1"}}, frozen="yes"),
         Origin(URL, "v1", repository=True)),
        (dvc({"repo": {"url": URL, "rev_lock": ["x"]}}), Origin(URL, "", repository=True)),
        (dvc({"repo": {"url": "../other"}}), Origin("../other", repository=True)),
        # What may be a secret is left out.
        (dvc({"path": "https://ada:word@example.org/x?token=t#s"}), Origin("https://example.org/x")),
        (dvc({"path": "https://[::1"}), Origin("an address that is none")),
        (dvc({"path": "s3://b/" + "x" * 999}), Origin(("s3://b/" + "x" * 999)[:SHOWN])),
    ],
)  # fmt: skip
def test_reads_origins(data: bytes, origin: Origin | None) -> None:
    assert read_origin(data, "x.dvc") == origin


def test_refuses_what_is_no_document() -> None:
    with pytest.raises(PointerError, match=r"x\.dvc: "):
        read_origin(b"deps: [", "x.dvc")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(PointerError):
        read_origin(data, "x.dvc")
