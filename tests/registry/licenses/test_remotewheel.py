from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.licenses.download import IndexUnavailable
from registry.licenses.index import Index
from registry.licenses.remotewheel import CHUNK, REQUESTS, WHOLE_LIMIT, fetch_metadata
from tests.registry.licenses.fakeindex import FakeIndex

METADATA = b"Name: a\nVersion: 1.0\nLicense-Expression: MIT\n\n"
INFO = "a-1.0.dist-info/METADATA"
NOISE = random.Random(0).randbytes(300_000)


def zipped(
    files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b""
) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as wheel:
        for name, data in files.items():
            wheel.writestr(name, data)
        wheel.comment = comment
    return stream.getvalue()


def read(index: FakeIndex, wheel: bytes) -> bytes:
    path = index.publish_wheel("a", wheel)
    return fetch_metadata(index.url.removesuffix("/simple/") + path, "a")


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize(
    "wheel",
    [
        zipped({INFO: METADATA}),
        zipped({"a/b.so": NOISE, INFO: METADATA}),
        zipped({INFO: METADATA, "a/b.so": NOISE}),
        zipped({"a/c.so": NOISE, INFO: METADATA, "a/b.so": NOISE}, zipfile.ZIP_STORED),
        zipped({INFO: METADATA, "a/b.so": NOISE}, comment=b"x" * 65_000),
        zipped({INFO: METADATA, "A-1.0.dist-info/x/METADATA": b"", "b/METADATA": b""}),
        zipped({"A-1.0.dist-info/METADATA": METADATA}),
    ],
)
def test_metadata_is_read_wherever_it_lies(index: FakeIndex, wheel: bytes, ranges: bool) -> None:
    index.ranges = ranges
    assert read(index, wheel) == METADATA


def test_a_large_wheel_is_not_fetched(index: FakeIndex) -> None:
    wheel = zipped({INFO: METADATA, **{f"a/{n}.so": NOISE for n in range(20)}})
    assert read(index, wheel) == METADATA
    assert index.sent <= 3 * CHUNK < len(wheel)
    assert len(index.asked) <= 3


def test_a_large_directory_takes_few_requests(index: FakeIndex) -> None:
    names = {f"a/{n:05}-{'x' * 60}.py": b"" for n in range(5000)}
    assert read(index, zipped({INFO: METADATA, **names})) == METADATA
    assert len(index.asked) <= 3


def test_the_smallest_wheel_is_asked(index: FakeIndex) -> None:
    for tag, more in (("py2", 9000), ("py3", 10), ("cp39", 5000)):
        wheel = zipped({INFO: METADATA, "a/x": NOISE[:more]})
        index.publish_wheel("a", wheel, f"a-1.0-{tag}-none-any.whl")
    assert Index(index.url).fields("a", "")[1].expression == "MIT"
    assert index.asked[-1] == "/files/a-1.0-py3-none-any.whl"


def test_without_ranges_a_large_wheel_is_refused_before_it_is_read(index: FakeIndex) -> None:
    index.ranges = False
    index.lengths["/files/a-1.0-py3-none-any.whl"] = WHOLE_LIMIT + 1
    with pytest.raises(IndexUnavailable, match="the wheel has more than 20,000,000 bytes"):
        read(index, zipped({INFO: METADATA}))


def test_an_answer_without_a_length_is_bounded(
    index: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.licenses.remotewheel.WHOLE_LIMIT", 200_000)
    index.ranges = False
    index.lengths["/files/a-1.0-py3-none-any.whl"] = -1  # stated, but not a number
    with pytest.raises(IndexUnavailable, match="the wheel has more than 200,000 bytes"):
        read(index, zipped({INFO: METADATA, "a/b.so": NOISE}))


@pytest.mark.parametrize(
    ("wheel", "reason"),
    [
        (b"", "cannot be read|do not fit"),
        (b"PK\3\4 no zip", "cannot be read"),
        (b"x" * 200_000, "cannot be read"),
        (zipped({INFO: METADATA})[:-30], "cannot be read"),
        (zipped({"a/b": b""}), "missing or too large"),
        (zipped({INFO: b"x" * 3_000_000}), "missing or too large"),
        (zipped({INFO: METADATA, "b-1.0.dist-info/METADATA": b""}), "missing or too large"),
        (zipped({"b-1.0.dist-info/METADATA": METADATA}), "missing or too large"),
        # A method that unpacks without a bound.
        (zipped({INFO: b"x" * 3_000_000}, zipfile.ZIP_LZMA), "missing or too large"),
        (zipped({INFO: METADATA}, zipfile.ZIP_BZIP2), "missing or too large"),
    ],
)
@pytest.mark.parametrize("ranges", [True, False])
def test_bad_wheels_are_reasons(index: FakeIndex, wheel: bytes, reason: str, ranges: bool) -> None:
    index.ranges = ranges
    with pytest.raises(IndexUnavailable, match=reason):
        read(index, wheel)


def test_corrupt_metadata_is_a_reason(index: FakeIndex) -> None:
    wheel = bytearray(zipped({INFO: METADATA}))
    wheel[45 + len(INFO)] ^= 0xFF
    with pytest.raises(IndexUnavailable, match="cannot be read"):
        read(index, bytes(wheel))


def test_what_is_read_of_one_wheel_is_bounded(
    index: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {f"a/{n:05}-{'x' * 60}.py": b"" for n in range(5000)}
    wheel = zipped({INFO: METADATA, **names})
    monkeypatch.setattr("registry.licenses.remotewheel.READ_LIMIT", 500_000)
    with pytest.raises(IndexUnavailable, match="directory or METADATA is too large"):
        read(index, wheel)
    assert index.sent <= CHUNK
    monkeypatch.undo()
    monkeypatch.setattr("registry.licenses.remotewheel.REQUESTS", 2)
    with pytest.raises(IndexUnavailable, match="directory or METADATA is too large"):
        read(index, wheel)
    assert REQUESTS > 2


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize(("lie", "reason"), [(9, "cut short"), (-9, "cannot be read|do not fit")])
def test_a_lying_length_is_a_reason(index: FakeIndex, ranges: bool, lie: int, reason: str) -> None:
    index.ranges = ranges
    wheel = zipped({INFO: METADATA})
    index.lengths["/files/a-1.0-py3-none-any.whl"] = len(wheel) + lie
    with pytest.raises(IndexUnavailable, match=reason):
        read(index, wheel)


@pytest.mark.parametrize(
    "span", ["", "bytes */9", "bytes 0-9/10", "bytes 5-3/1", "items 0-1/2", "bytes 0-1/" + "9" * 99]
)
def test_a_lying_range_is_a_reason(index: FakeIndex, span: str) -> None:
    index.spans["/files/a-1.0-py3-none-any.whl"] = span
    with pytest.raises(IndexUnavailable, match="ranges do not fit together"):
        read(index, zipped({INFO: METADATA}))


def test_a_size_far_beyond_the_file_is_a_reason(index: FakeIndex) -> None:
    wheel = zipped({INFO: METADATA})
    last = len(wheel) - 1
    index.spans["/files/a-1.0-py3-none-any.whl"] = f"bytes 0-{last}/{10**14}"
    with pytest.raises(IndexUnavailable):
        read(index, wheel)
    assert len(index.asked) <= REQUESTS


def test_redirects_of_wheels_are_followed_with_the_range(index: FakeIndex) -> None:
    wheel = zipped({INFO: METADATA, "a/b.so": NOISE})
    index.pages["/elsewhere"] = wheel
    index.moved["/files/a-1.0-py3-none-any.whl"] = "/elsewhere"
    assert read(index, wheel) == METADATA
    assert index.sent < len(wheel)
    index.moved["/files/a-1.0-py3-none-any.whl"] = "http://files.example/a.whl"
    with pytest.raises(IndexUnavailable, match="neither https nor local"):
        read(index, wheel)


@pytest.mark.parametrize(("status", "reason"), [(416, "the wheel answered 416"), (404, "no wheel")])
def test_refused_wheels_are_reasons(index: FakeIndex, status: int, reason: str) -> None:
    index.broken["/files/a-1.0-py3-none-any.whl"] = status
    with pytest.raises(IndexUnavailable, match=reason):
        read(index, zipped({INFO: METADATA}))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.dictionaries(st.integers(0, 400), st.integers(0, 255), max_size=8))
def test_any_damage_is_read_or_refused(index: FakeIndex, changes: dict[int, int]) -> None:
    wheel = bytearray(zipped({"a/b": b"x", INFO: METADATA}))
    for place, value in changes.items():
        wheel[place % len(wheel)] = value
    try:
        read(index, bytes(wheel))
    except IndexUnavailable as error:
        assert "\n" not in error.message
