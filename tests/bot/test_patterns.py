import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.patterns import any_matches, compiled, matches


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*", "a/b/c", True),
        ("*.js", "a/b.js", True),
        ("*.js", "b.js", True),
        ("*.js", "b.jsx", False),
        ("*.js", "b.js/inner", True),
        ("/build/logs/", "build/logs/a/b", True),
        ("/build/logs/", "build/logs", False),
        ("/build/logs/", "x/build/logs/a", False),
        ("docs/*", "docs/a.md", True),
        ("docs/*", "docs/build/a.md", False),
        ("apps/", "x/apps/y/z", True),
        ("apps/", "apps", False),
        ("/docs/", "docs/a/b", True),
        ("/docs", "docs/a/b", True),
        ("**/logs", "build/x/logs/a", True),
        ("**/logs", "build/blogs", False),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**/b", "a/x/y/c", False),
        ("/.github/**", ".github/workflows/ci.yml", True),
        ("/.github/**", ".github", False),
        ("/.github/**", "x/.github/a", False),
        ("**/*.safetensors", "m.safetensors", True),
        ("**/*.safetensors", "a/b/m.safetensors", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("A", "a", False),
        ("/", "a", False),
        ("", "a", False),
        ("a.b", "axb", False),
    ],
)
def test_matches(pattern: str, path: str, expected: bool) -> None:
    assert matches(compiled(pattern), path) is expected


def test_an_escaped_name_is_still_seen() -> None:
    assert any_matches((compiled("/.github/**"),), ".github/a\\377.yml")


def test_no_pattern_takes_long() -> None:
    started = time.perf_counter()
    matches(compiled("/" + "**/*a*a*a*a*b/" * 60), "/".join(["a" * 100] * 40))
    matches(compiled("*a" * 400 + "b"), "a" * 2000)
    assert time.perf_counter() - started < 2


@given(st.lists(st.text("ab", min_size=1, max_size=2), min_size=1, max_size=4))
def test_a_path_matches_itself_and_its_folders(names: list[str]) -> None:
    path = "/".join(names)
    assert matches(compiled("/" + path), path)
    assert matches(compiled("/" + path), path + "/below")
    assert matches(compiled("**/" + path), "x/" + path)
    assert not matches(compiled("/" + path), "c/" + path)
