import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.errors import Untrusted
from security.trust.artifacts import canonical, covers, fault

COVERED = [
    ("acme/small", "acme/small", True),
    ("acme/small", "acme/small/model.safetensors", True),
    ("acme/small", "acme/small/model.safetensors#lm_head.weight", True),
    ("acme/small", "acme/small2", False),
    ("acme/small", "acme", False),
    ("acme/small", "Acme/small", False),
    ("acme/*", "acme/big/x", True),
    ("acme/*", "acme", False),
    ("*", "anything/below", True),
    ("**", "a", True),
    ("a/**/z", "a/z", True),
    ("a/**/z", "a/b/c/z/more", True),
    ("a/**/z", "a/b/c", False),
    ("a/s*l", "a/small", True),
    ("a/s*l*l", "a/small", True),
    ("a/s*l*l*l", "a/small", False),
    ("a/s*ll*l", "a/sll", False),
    ("a/x*x", "a/x", False),
    ("a/x*x", "a/xx", True),
    ("a/*.safetensors", "a/b/c.safetensors", False),
    ("a/m.safetensors#lm_head.*", "a/m.safetensors#lm_head.weight", True),
    ("a/m.safetensors#lm_head.*", "a/m.safetensors#layers.0", False),
    ("a/m.safetensors#*", "a/m.safetensors", False),
    ("a#*", "a/m.safetensors#x", False),
    ("a/**#x/y", "a/b/m#x/y", True),
    ("a/?", "a/b", False),
    ("a/[b]", "a/b", False),
]


@pytest.mark.parametrize(("pattern", "name", "found"), COVERED)
def test_covers(pattern: str, name: str, found: bool) -> None:
    assert not fault(pattern)
    assert covers(pattern, canonical(name)) is found


FAULTS = [
    ("", "empty"),
    ("/a", "empty part"),
    ("a/", "empty part"),
    ("a//b", "empty part"),
    ("./a", "a . or"),
    ("a/../b", "a . or"),
    ("..", "a . or"),
    ("a\\b", "backslash"),
    ("a\nb", "U+000A"),
    ("a\0", "U+0000"),
    ("a\u202eb", "U+202E"),
    ("a\u00a0b", "U+00A0"),
    ("a\u200b", "U+200B"),
    ("\udc80", "U+DC80"),
    ("e\u0301", "form C"),
    (" a", "space"),
    ("a /b", "space"),
    ("a#", "without the name"),
    ("a#b#c", "without the name"),
    ("#t", "empty part"),
    ("a" * 1001, "more than 1,000"),
    ("/".join("a" * 33), "more than 32"),
]


@pytest.mark.parametrize(("name", "why"), FAULTS)
def test_names_have_one_spelling(name: str, why: str) -> None:
    assert why in fault(name)
    with pytest.raises(Untrusted, match="artifact name") as caught:
        canonical(name)
    assert str(caught.value).isprintable()


def test_two_stars_stand_alone() -> None:
    assert fault("a/b**") and fault("**b") and not fault("a/**/b")


def test_matching_costs_little() -> None:  # for ever, if it went back and forth
    name = canonical("/".join("a" * 30 for _ in range(32)))
    assert not covers("/".join(["**", "*a*a*a*a*a*b"] * 15), name)
    assert not covers("a#" + "*a" * 400 + "b", canonical("a#" + "a" * 900))


parts = st.text("ab*", min_size=1, max_size=3).filter(lambda t: "**" not in t)


words = st.text("ab", min_size=1, max_size=3)


@given(
    st.lists(parts | st.just("**"), min_size=1, max_size=5),
    st.lists(words, min_size=1, max_size=5),
)
def test_agrees_with_the_definition(pattern: list[str], name: list[str]) -> None:
    def text(p: str, t: str) -> bool:
        if not p:
            return not t
        if p[0] == "*":
            return any(text(p[1:], t[i:]) for i in range(len(t) + 1))
        return bool(t) and p[0] == t[0] and text(p[1:], t[1:])

    def path(p: list[str], n: list[str]) -> bool:
        if not p:
            return True  # and all that is below
        if p[0] == "**":
            return any(path(p[1:], n[i:]) for i in range(len(n) + 1))
        return bool(n) and text(p[0], n[0]) and path(p[1:], n[1:])

    assert covers("/".join(pattern), canonical("/".join(name))) is path(pattern, name)
