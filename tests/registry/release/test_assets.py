"""Folders become assets that GitHub leaves as they are; the index of them is not believed."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import Blocked, MissingWeights, ReleaseError
from registry.release import assets
from security.manifest import Entry

VECTORS = Path(__file__).parents[2] / "vectors/assets"
NAMES = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")  # what GitHub is known to keep


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def entries(*paths: str) -> list[Entry]:
    return [Entry(path, len(path), sha(path.encode())) for path in paths]


def names(*paths: str) -> dict[str, tuple[str, ...]]:
    index = assets.plan("acme/small", "1.0.0", entries(*paths))
    return {file.path: tuple(part.name for part in file.parts) for file in index.files}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("model.safetensors", "model.safetensors"),
        ("model.sig", "model.sig"),
        ("release/bom.cdx.json", "release__bom.cdx.json"),
        ("tokenizer/vocab.txt", "tokenizer__vocab.txt"),
        ("a b.txt", "a-b-D.txt"),
        ("weights~1.bin", "weights-1-D.bin"),
        (".config", "config-D"),
        ("name.", "name-D"),
        ("a..b", "a-D.b"),
        ("...", "file-D"),
        ("größe.txt", "gr--e-D.txt"),
        ("a(1).txt", "a-1--D.txt"),
        ("模型/权重.bin", "--__---D.bin"),
        ("x" * 300 + ".bin", "x" * 100 + "-D.bin"),
        ("y." + "z" * 300, "y." + "z" * 98 + "-D"),
        ("modelwarden-assets.json", "modelwarden-assets-D.json"),
        ("SHA256sums", "SHA256sums-D"),
    ],
)
def test_names(path: str, name: str) -> None:
    assert names(path)[path] == (name.replace("D", sha(path.encode())[:12]),)


@pytest.mark.parametrize(
    "paths",
    [
        ("a/b", "a__b"),
        ("Model.bin", "model.bin"),
        ("a b", "a-b", "a~b"),
        ("x/y", "x__y", f"x__y-{sha(b'x/y')[:12]}", f"x__y-{sha(b'x__y')[:12]}"),
        ("x/y", "x__y", f"x__y-{sha(b'x/y')[:12]}", f"file-{sha(b'x/y')}"),
    ],
)
def test_paths_that_look_alike_have_names_of_their_own(paths: tuple[str, ...]) -> None:
    found = [name.lower() for each in names(*paths).values() for name in each]
    assert len(set(found)) == len(paths)
    assert names(*paths) == names(*reversed(paths))


ODD = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)
ALIKE = st.from_regex(r"[a-b]{1,2}([/_.-]{1,2}[A-B]){0,2}", fullmatch=True)
PATHS = st.one_of(st.lists(ODD, min_size=1, max_size=3).map("/".join), ALIKE)


def possible(paths: Iterable[str]) -> set[str]:
    """Return the paths that are canonical, and that one folder can hold at once."""
    found = {p for p in paths if not {"", ".", ".."} & set(p.split("/")) and len(p) < 1_000}
    return {p for p in found if not any(other.startswith(f"{p}/") for other in found)}


@settings(max_examples=200)
@given(st.dictionaries(PATHS, st.integers(0, 40), max_size=12))
def test_any_folder_is_planned_and_read_back(drawn: dict[str, int]) -> None:
    sizes = {path: drawn[path] for path in possible(drawn)}
    found = [Entry(path, size, sha(bytes(size))) for path, size in sizes.items()]
    digests = {p: tuple(sha(bytes(k)) for _, k in assets.cuts(n, 16)) for p, n in sizes.items()}
    index = assets.plan("acme/small", "1.0.0", found, digests, split=16)
    made = [part.name for _, part in index.parts]
    assert len({name.lower() for name in made}) == len(made)
    assert all(NAMES.fullmatch(name) and len(name) <= 200 for name in made)
    assert not {"modelwarden-assets.json", "sha256sums"} & {name.lower() for name in made}
    assert assets.read(assets.dump(index)) == index
    assert assets.plan("acme/small", "1.0.0", found[::-1], digests, split=16) == index
    for file in index.files:
        assert sum(part.size for part in file.parts) == file.size
        assert all(0 < part.size <= 16 for part in file.parts)


def test_large_files_are_split_and_their_parts_measured(tmp_path: Path) -> None:
    data = bytes(range(256)) * 10
    (tmp_path / "big.bin").write_bytes(data)
    (tmp_path / "empty").write_bytes(b"")
    found = [Entry("big.bin", 2_560, sha(data)), Entry("empty", 0, sha(b""))]
    digests = assets.measure(tmp_path, found, 1_000)
    index = assets.plan("acme/small", "1.0.0", found, digests, 1_000)
    big, empty = index.files
    assert [(p.name, p.offset, p.size) for p in big.parts] == [
        ("big.bin.part-001-of-003", 0, 1_000),
        ("big.bin.part-002-of-003", 1_000, 1_000),
        ("big.bin.part-003-of-003", 2_000, 560),
    ]
    assert [p.sha256 for p in big.parts] == [
        sha(data[:1_000]), sha(data[1_000:2_000]), sha(data[2_000:])
    ]  # fmt: skip
    assert empty.parts == ()
    (tmp_path / "big.bin").write_bytes(data[:-1])
    with pytest.raises(MissingWeights, match="has not 2,560 bytes"):
        assets.measure(tmp_path, found, 1_000)
    (tmp_path / "big.bin").unlink()
    with pytest.raises(MissingWeights, match=r"big\.bin: No such file"):
        assets.measure(tmp_path, found, 1_000)


@pytest.mark.parametrize(
    ("size", "count", "last"),
    [(0, 0, 0), (1, 1, 1), (assets.SPLIT, 1, assets.SPLIT), (assets.SPLIT + 1, 2, 1),
     (5 << 30, 3, (5 << 30) - 2 * assets.SPLIT)],
)  # fmt: skip
def test_cuts(size: int, count: int, last: int) -> None:
    found = assets.cuts(size)
    assert len(found) == count
    assert not found or (found[-1][1] == last and sum(n for _, n in found) == size)
    assert all(n < 2**31 for _, n in found)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ([Entry("a", 1, "0" * 64), Entry("a", 1, "0" * 64)], "a is listed twice"),
        ([Entry("a", -1, "0" * 64)], "without size"),
        ([Entry("a", 1, "0" * 64, "blake3")], "or SHA-256"),
        ([Entry("a", assets.SPLIT + 1, "0" * 64)], "digests of its parts are missing"),
    ],
)
def test_entries_that_are_not_published(wrong: list[Entry], words: str) -> None:
    with pytest.raises(ReleaseError, match=words):
        assets.plan("acme/small", "1.0.0", wrong)


def test_more_than_github_takes() -> None:
    assert len(names(*(f"f{n}" for n in range(998)))) == 998
    with pytest.raises(Blocked, match=r"1,001 assets, GitHub takes 1,000"):
        names(*(f"f{n}" for n in range(999)))


def test_sums_are_what_sha256sum_reads(tmp_path: Path) -> None:
    index = assets.plan("acme/small", "1.0.0", entries("a/b.txt", "c.txt"))
    for file, part in index.parts:
        (tmp_path / part.name).write_bytes(file.path.encode())
    (tmp_path / assets.INDEX).write_bytes(assets.dump(index))
    (tmp_path / assets.SUMS).write_bytes(assets.sums(index))
    done = subprocess.run(["sha256sum", "--strict", "-c", assets.SUMS], cwd=tmp_path,
                          capture_output=True, text=True)  # fmt: skip
    assert done.stdout == "a__b.txt: OK\nc.txt: OK\nmodelwarden-assets.json: OK\n"


@pytest.mark.parametrize("path", sorted(VECTORS.glob("good-*.json")), ids=lambda p: p.stem)
def test_good_vectors(path: Path) -> None:
    index = assets.read(path.read_bytes())
    assert json.loads(assets.dump(index)) == json.loads(path.read_bytes())


@pytest.mark.parametrize("path", sorted(VECTORS.glob("bad-*.json")), ids=lambda p: p.stem)
def test_bad_vectors(path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"modelwarden-assets\.json: ") as caught:
        assets.read(path.read_bytes())
    assert caught.value.message.isprintable()


def test_there_are_more_bad_vectors_than_good() -> None:
    assert len(list(VECTORS.glob("bad-*"))) > 3 * len(list(VECTORS.glob("good-*"))) > 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b" " * (assets.LIMIT + 1),
        b'{"format": 1' + b"0" * 5_000 + b"}",
    ],
)
def test_bytes_that_are_no_index(data: bytes) -> None:
    with pytest.raises(ReleaseError):
        assets.read(data)


@settings(max_examples=200)
@given(st.binary(max_size=100), st.integers(0, 2_000), st.integers(0, 30))
def test_any_damage_is_an_index_or_an_error(data: bytes, at: int, cut: int) -> None:
    good = (VECTORS / "good-parts.json").read_bytes()
    at %= len(good)
    try:
        index = assets.read(good[:at] + data + good[at + cut :])
    except ReleaseError:
        return
    assert assets.read(assets.dump(index)) == index
