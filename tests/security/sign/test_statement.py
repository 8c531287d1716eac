from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security.errors import Malformed, Refused
from security.hashing import measure
from security.manifest import Entry, Manifest, TensorDigest
from security.paths import ATTESTATIONS, IGNORED, SIGNATURE, canonical
from security.sign import statement

ROOT = "ab" * 32


def is_canonical(path: str) -> bool:
    try:
        canonical(path)
    except Malformed:
        return False
    return path.split("/")[0] not in (*IGNORED, SIGNATURE, ATTESTATIONS)


PATHS = st.text(min_size=1, max_size=12).filter(is_canonical)
HEX = st.binary(min_size=32, max_size=32).map(bytes.hex)
TENSORS = st.dictionaries(st.text(max_size=8).filter(str.isprintable), HEX, max_size=3)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    paths = sorted(draw(st.sets(PATHS, min_size=1, max_size=5)))
    entries = tuple(
        Entry(p, -1, draw(HEX), tensors=tuple(TensorDigest(*i) for i in draw(TENSORS).items()))
        for p in paths
    )
    return Manifest(entries, tuple(sorted((*IGNORED, SIGNATURE, ATTESTATIONS))))


@given(manifests())
@settings(deadline=None)
def test_a_manifest_comes_back_from_its_statement(manifest: Manifest) -> None:
    found = statement.read(statement.write(manifest, "a model"))
    assert found.manifest == manifest and found.name == "a model"


def test_the_statement_is_the_specification_s() -> None:
    digest = "5e472403951781d18d5f790aa5b3316a5f535fc37a1052f6659c9c6af82e3643"
    found = json.loads(statement.write(Manifest((Entry("config.json", 2, digest),)), "my-model"))
    root = hashlib.sha256(bytes.fromhex(digest)).hexdigest()
    assert found.pop("subject") == [{"name": "my-model", "digest": {"sha256": root}}]
    assert found == {
        "_type": "https://in-toto.io/Statement/v1",
        "predicateType": "https://model_signing/signature/v1.0",
        "predicate": {
            "resources": [{"name": "config.json", "digest": digest, "algorithm": "sha256"}],
            "serialization": {
                "method": "files",
                "hash_type": "sha256",
                "allow_symlinks": False,
                "ignore_paths": [".git", ".gitattributes", ".github", ".gitignore",
                                 "model.intoto.jsonl", "model.sig"],
            },
        },
    }  # fmt: skip


def entry(path: str, algorithm: str = "sha256") -> Entry:
    return Entry(path, 1, ROOT, algorithm)


BAD = {
    "no file": (),
    "out of order": (entry("b"), entry("a")),
    "twice": (entry("a"), entry("a")),
    "two kinds": (entry("a"), entry("b", "blake3")),
    "ignored": (entry("model.sig"),),
    "below ignored": (entry(".git/config"),),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_signed(name: str) -> None:
    with pytest.raises(Refused):
        statement.write(Manifest(BAD[name]), "model")


@pytest.mark.parametrize("name", ["", "x" * 1025, "half \ud800"])
def test_a_name_is_text(name: str) -> None:
    with pytest.raises(Refused):
        statement.write(Manifest((entry("a"),)), name)
    with pytest.raises(Refused):
        statement.write_claim(name, ROOT, "urn:x", {})
    with pytest.raises(Refused):
        statement.write_claim("model", ROOT, name, {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), JSON))
@settings(deadline=None)
def test_a_claim_comes_back(predicate: dict[str, object]) -> None:
    found = statement.read_claim(statement.write_claim("model", ROOT, "urn:x:v1", predicate))
    assert (found.name, found.root, found.predicate_type) == ("model", ROOT, "urn:x:v1")
    assert json.loads(found.predicate) == predicate


@pytest.mark.parametrize(
    ("root", "kind", "predicate"),
    [
        (ROOT.upper(), "urn:x", {}),
        (ROOT[:-1], "urn:x", {}),
        (ROOT, statement.RELEASE, {}),
        (ROOT, statement.OLD, {}),
        (ROOT, "urn:x", {"a": float("nan")}),
        (ROOT, "urn:x", {"a": float("inf")}),
        (ROOT, "urn:x", {"a": b"bytes"}),
        (ROOT, "urn:x", {"a": "\ud800"}),
        (ROOT, "urn:x", {1: "a", "1": "b"}),
        (ROOT, "urn:x", {"a": "x" * statement.CLAIM_LIMIT}),
    ],
    ids=range(10),
)
def test_what_cannot_be_claimed(root: str, kind: str, predicate: dict[str, object]) -> None:
    with pytest.raises(Refused):
        statement.write_claim("model", root, kind, predicate)


def test_a_claim_nested_too_deeply_is_refused() -> None:
    deep: dict[str, object] = {}
    for _ in range(100):
        deep = {"a": deep}
    with pytest.raises(Refused, match="deeper"):
        statement.write_claim("model", ROOT, "urn:x", deep)


@pytest.mark.parametrize(
    "predicate", ['{"a":1e999}', '{"a":"\\ud800"}', "[]", '"x"', "null", '{"a":1,"a":2}']
)
def test_a_claim_of_others_that_cannot_be_said(predicate: str) -> None:
    good = statement.write_claim("model", ROOT, "urn:x", {})
    with pytest.raises(Malformed):
        statement.read_claim(good.replace(b'"predicate":{}', f'"predicate":{predicate}'.encode()))


def test_a_release_is_no_claim_and_a_claim_no_release() -> None:
    with pytest.raises(Malformed, match="release"):
        statement.read_claim(statement.write(Manifest((entry("a"),)), "model"))
    with pytest.raises(Malformed, match="predicateType"):
        statement.read(statement.write_claim("model", ROOT, "urn:x", {}))


@given(st.binary(max_size=100))
@settings(deadline=None)
def test_no_bytes_are_anything_but_malformed(data: bytes) -> None:
    for read in (statement.read, statement.read_claim):
        with pytest.raises(Malformed):
            read(data)


def test_cost_grows_with_the_number_of_files_only() -> None:
    """Many files: neither names nor ignored paths are compared one with all others,
    which would take minutes here."""
    entries = tuple(entry(f"{n // 100:04}/{n:06}") for n in range(30_000))
    ignored = tuple(f"left/{n}" for n in range(9_000))
    found = statement.read(statement.write(Manifest(entries, ignored), "model"))
    assert len(found.manifest.entries) == len(entries)


def test_the_example_of_the_format_is_what_we_write(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/formats/signature.md").read_text()
    (example,) = [part for part in page.split("```") if part.startswith('\n{"_type"')]
    (tmp_path / "config.json").write_bytes(b"{}")
    payload = statement.write(measure(tmp_path), "model")
    assert example.replace("\n", "").encode() == payload
