from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.gitformat import FormatError, parse_commit, parse_raw_diff, parse_tree, show_path


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"plain.txt", "plain.txt"),
        ("größe.md".encode(), "größe.md"),
        (b"a\xff", "a\\377"),
        (b"a\nb", "a\\nb"),
        (b'say "hi"', 'say "hi"'),
        (b"back\\slash", "back\\\\slash"),
        ("a\u202eb".encode(), "a\\342\\200\\256b"),
        (b"\x1b[31m", "\\033[31m"),
    ],
)
def test_show_path(raw: bytes, shown: str) -> None:
    assert show_path(raw) == shown


@given(st.binary(min_size=1, max_size=8), st.binary(min_size=1, max_size=8))
def test_names_never_look_the_same(one: bytes, other: bytes) -> None:
    assert (show_path(one) == show_path(other)) == (one == other)
    assert show_path(one).isprintable()


@pytest.mark.parametrize("odd", [b'a"b', b"a\\b", b"a\xff", b"a\x01", "a\u200b".encode()])
def test_an_odd_name_hides_no_ending(odd: bytes) -> None:
    # Checks go by the last part and the ending of a name: an odd folder must not change them.
    assert show_path(odd + b"/requirements.txt").rpartition("/")[2] == "requirements.txt"
    assert show_path(b"m/" + odd + b".dvc").endswith(".dvc")


@pytest.mark.parametrize("raw", [b"100644 a", b"100644 a\0short", b"nonsense"])
def test_damaged_tree(raw: bytes) -> None:
    with pytest.raises(FormatError):
        list(parse_tree(raw, "", 20))


def test_damaged_diff() -> None:
    with pytest.raises(FormatError):
        list(parse_raw_diff(b":100644 what\0path\0"))


def test_commit_headers() -> None:
    raw = (
        b"tree 1\nparent 2\nparent 3\nauthor J\xc3\xbcrg <j@example.org> 1 +0000\n"
        b"committer Bot <b@example.org> 1 +0000\ngpgsig -----BEGIN SSH SIGNATURE-----\n"
        b" abc\n -----END SSH SIGNATURE-----\nencoding latin-1\n\nGr\xfc\xdfe\n"
    )
    commit = parse_commit("c" * 40, raw)
    assert commit.parents == ("2", "3")
    assert (commit.author_name, commit.author_email) == ("Jürg", "j@example.org")
    assert commit.committer_email == "b@example.org"
    assert commit.message == "Grüße\n"
    assert commit.signature.splitlines()[1] == "abc"


@given(st.binary(max_size=200))
def test_any_commit_reads(raw: bytes) -> None:
    assert parse_commit("c", raw).id == "c"


@pytest.mark.parametrize(
    "encoding", [b"punycode", b"idna", b"undefined", b"a\0b", b"no-such", b"utf-7", b"x" * 10_000]
)
def test_a_strange_encoding_reads_as_utf8_and_fast(encoding: bytes) -> None:
    body = "Grüße\n".encode() + b"-" + b"9" * 900_000
    commit = parse_commit("1" * 40, b"tree 1\nencoding " + encoding + b"\n\n" + body)
    assert commit.message == body.decode()
