"""Packages of lock files: what they are called, and that nothing secret or false is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from registry.bom.hashes import swhid
from registry.bom.naming import plain, public, purl, urn
from registry.bom.packages import MOST_HASHES, MOST_UNREAD, packages

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def refs(text: str, kind: str = "requirements") -> list[str]:
    return [one.ref for one in packages([("f", kind, text.encode())], lambda *_: "").components]


@pytest.mark.parametrize(
    ("line", "ref"),
    [
        ("Torch_Audio==2.13.0+cpu", "pkg:pypi/torch-audio@2.13.0%2Bcpu"),
        ("a>=1", "pkg:pypi/a"),
        (f"a @ git+https://u:secret@g.example/b@{COMMIT}",
         f"pkg:pypi/a?vcs_url=git%2Bhttps://g.example/b%40{COMMIT}"),
        ("a @ https://u:secret@h.example/a-1-py3-none-any.whl?token=secret",
         "pkg:pypi/a?download_url=https://h.example/a-1-py3-none-any.whl"),
        ("./libs/x", "urn:modelwarden:package:x"),
        ("a @ file:///home/me/a.whl", "urn:modelwarden:package:a"),
        ("git@g.example:a/b.git", "urn:modelwarden:package:git"),
    ],
)  # fmt: skip
def test_names(line: str, ref: str) -> None:
    assert refs(line) == [ref]
    assert not ref.startswith("pkg:") or PackageURL.from_string(ref).to_string() == ref


@pytest.mark.parametrize(
    ("index", "ref"),
    [
        ("https://pypi.org/simple", "pkg:pypi/a@1"),
        ("https://u:secret@i.example:8443/simple",
         "pkg:pypi/a@1?repository_url=https://i.example:8443/simple"),
        ("https://evil.example/pypi.org",
         "pkg:pypi/a@1?repository_url=https://evil.example/pypi.org"),
    ],
)  # fmt: skip
def test_an_index_of_its_own_is_part_of_the_name(index: str, ref: str) -> None:
    lock = f'[[package]]\nname = "a"\nversion = "1"\nsource = {{ registry = "{index}" }}\n'
    assert refs(lock, "uv-lock") == [ref]
    assert PackageURL.from_string(ref).name == "a"


def test_conda_and_the_project_itself() -> None:
    assert refs("dependencies: [conda-forge::numpy=1.2=x]", "conda") == [
        "pkg:conda/numpy@1.2?channel=conda-forge"
    ]
    own = '[[package]]\nname = "own"\nversion = "1"\nsource = { editable = "." }\n'
    assert refs(own, "uv-lock") == []


def test_locks_are_joined() -> None:
    one = b"a==1 --hash=sha256:" + b"1" * 64 + b"\nb>=2\n"
    two = b"A==1 --hash=sha256:" + b"2" * 64 + b" --hash=md5:zz --hash=sha256:" + b"3" * 63
    locks = [("x.txt", "requirements", one), ("w.txt", "requirements", two)]
    found = packages([*locks, ("v.txt", "constraints", b"b==3")], lambda *_: "")
    assert [c.ref for c in found.components] == ["pkg:pypi/a@1", "pkg:pypi/b@3"]
    assert found.components[0].found == "w.txt, x.txt"
    assert found.components[0].hashes == (("sha256", "1" * 64), ("sha256", "2" * 64))


def test_what_nobody_can_read_is_said() -> None:
    found = packages([("r.txt", "requirements", b"a==1\n!!\n" * 300)], lambda *_: "")
    assert found.unread[0].startswith("r.txt:2: not a requirement")
    assert len(found.unread) == MOST_UNREAD + 1
    assert found.unread[-1] == "200 more"


def test_too_many_hashes_are_counted() -> None:
    line = "a==1 " + " ".join(f"--hash=sha256:{n:064x}" for n in range(MOST_HASHES + 5))
    (one,) = packages([("r.txt", "requirements", line.encode())], lambda *_: "").components
    assert len(one.hashes) == MOST_HASHES
    assert ("hashes-left-out", "5") in one.properties


def test_a_licence_that_is_no_expression_is_kept_as_stated() -> None:
    (one,) = packages([("r.txt", "requirements", b"a==1")], lambda *_: "ask\nme").components
    assert (one.licence, dict(one.properties)) == ("", {"licence-as-stated": "ask\\nme"})


@pytest.mark.parametrize(
    ("algorithm", "digest", "name"),
    [
        ("git-commit", COMMIT, f"swh:1:rev:{COMMIT}"),
        ("git-blob", COMMIT, f"swh:1:cnt:{COMMIT}"),
        ("git-blob", "0" * 64, ""),
        ("git-blob", "g" * 40, ""),
        ("sha1", COMMIT, ""),
    ],
)
def test_software_heritage_ids(algorithm: str, digest: str, name: str) -> None:
    assert swhid(algorithm, digest) == name


@given(st.text(max_size=400), st.text(max_size=40))
def test_any_name_becomes_one_that_prints(name: str, version: str) -> None:
    for ref in (urn("data", name, version), purl("pypi", plain(name), plain(version))):
        assert ref.isascii() and ref.isprintable() and " " not in ref


@given(
    st.from_regex(r"(git\+)?https?://([a-z]{1,5}:secret@)?[^/]{0,9}/?.{0,20}", fullmatch=True)
    | st.text()
)
def test_no_address_holds_a_password(url: str) -> None:
    found = public(url)
    assert found.isascii() and found.isprintable()
    assert ":secret@" not in found.partition("://")[2].partition("/")[0]
    assert not set("?# ") & set(found)
