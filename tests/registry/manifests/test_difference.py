"""What differs between two sets of manifests, netted over files."""

import pytest

from registry.manifests import Manifest, read
from registry.manifests.difference import Placed, difference

Files = dict[str, str]


def manifests(files: Files) -> list[tuple[str, Manifest]]:
    return [(path, read("requirements", text.encode())) for path, text in files.items()]


def rows(before: Files, after: Files) -> list[tuple[str, str]]:
    def said(placed: Placed | None) -> str:
        if placed is None:
            return "-"
        r = placed.requirement
        return f"{placed.path}:{r.line} {r.name}{r.specifier}"

    found = difference(manifests(before), manifests(after))
    return [(said(d.before), said(d.after)) for d in found]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": "x==1\n"}, {"a": "x==1\n"}, []),
        ({"a": "x==1\ny==1"}, {"a": "# moved\ny==1\nX == 1"}, []),
        ({"a": "x==1"}, {"b": "x==1"}, []),
        ({"a": "x==1\ny==1"}, {"a": "x==1", "b": "y==1"}, []),
        ({}, {"a": "x==1"}, [("-", "a:1 x==1")]),
        ({"a": "x==1"}, {}, [("a:1 x==1", "-")]),
        ({"a": "x==1"}, {"a": "x==2"}, [("a:1 x==1", "a:1 x==2")]),
        ({"a": "x==1"}, {"b": "x==2"}, [("a:1 x==1", "b:1 x==2")]),
        # A second file that already says so does not excuse the first one.
        (
            {"a": "x==1", "b": "x>=1"},
            {"a": "x>=1", "b": "x>=1"},
            [("a:1 x==1", "a:1 x>=1")],
        ),
        # The line with the same marker is the forerunner, whatever the order.
        (
            {"a": "x==1; python_version<'3'\nx==2"},
            {"a": "x==3\nx==1.1; python_version<'3'"},
            [("a:2 x==2", "a:1 x==3"), ("a:1 x==1", "a:2 x==1.1")],
        ),
        ({"a": "x==1\nx==1"}, {"a": "x==1"}, [("a:2 x==1", "-")]),
        ({"a": "x==1"}, {"a": "x==1", "b": "x==1"}, [("-", "b:1 x==1")]),
        ({"a": "x[e]==1"}, {"a": "x==1"}, [("a:1 x==1", "a:1 x==1")]),
        ({"a": "x==1"}, {"a": "x==1 --hash=sha256:0"}, [("a:1 x==1", "a:1 x==1")]),
    ],
)
def test_difference(before: Files, after: Files, expected: list[tuple[str, str]]) -> None:
    assert rows(before, after) == expected


def test_order_is_that_of_the_head_with_removals_last() -> None:
    before = {"b": "gone==1\nx==1"}
    after = {"b": "y==1\nx==2", "a": "z==1"}
    assert [a or b for b, a in rows(before, after)] == [
        "a:1 z==1",
        "b:1 y==1",
        "b:2 x==2",
        "-",
    ]
