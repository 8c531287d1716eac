import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.errors import Malformed
from security.trust.releases import Release, predicate, rank, read

ORDER = [
    "0.9",
    "1.0.0-0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.0.1",
    "1.2",
    "1.10",
    "2026.04.1",
    "2026.11",
]


def test_order() -> None:
    for old, new in itertools.combinations(ORDER, 2):
        assert rank(old) < rank(new), (old, new)


@pytest.mark.parametrize(
    ("one", "other"), [("1", "1.0.0"), ("v1.2", "1.2"), ("1.0+a", "1.0+b"), ("2026.04", "2026.4")]
)
def test_two_spellings_of_one_version(one: str, other: str) -> None:
    assert rank(one) == rank(other)


BAD = [
    *("", "1.", ".1", "1..0", "v", "one", "1.0rc1", "1.0-", "1.0-a..b", "1.0+", "-1", "1 ", "1\n"),
    *("1.0-\u00e9", "\u0661", "1.2.3.4.5.6.7", "9" * 19, "1-" + "a" * 99, "vv1", "latest"),
]


@pytest.mark.parametrize("version", BAD)
def test_no_version(version: str) -> None:
    with pytest.raises(Malformed, match="is not a version"):
        rank(version)


@pytest.mark.parametrize("release", [Release("1.4.0"), Release("1.4.0", "a" * 64)])
def test_round_trip(release: Release) -> None:
    assert read(predicate(release)) == release
    assert json.loads(predicate(release))["previous"] == (release.previous or None)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"null", b"[]", b"{}", b'{"version":"1"}', b'{"version":1,"previous":null}'),
        *(b'{"version":"1","version":"2","previous":null}', b'{"version":"x","previous":null}'),
        *(b'{"version":"1","previous":"A"}', b'{"version":"1","previous":0}', b"\xff"),
        b'{"version":"1","previous":null,"more":1}',
        b'{"version":"1","previous":null}' + b" " * 1000,
    ],
)
def test_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        read(data)


def test_nothing_wrong_is_written() -> None:
    for release in (Release("x"), Release("1", "A" * 64)):
        with pytest.raises(Malformed):
            predicate(release)


@given(st.binary(max_size=60))
def test_any_bytes_end_in_our_error(data: bytes) -> None:
    with pytest.raises(Malformed):
        read(data)
