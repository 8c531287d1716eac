from __future__ import annotations

import hashlib
import io
import json
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from safetensors.numpy import save

from bot.checks import weights
from bot.checks.weights import Evidence, Settings
from bot.finding import Level
from bot.repository import GitWorld
from tests.fakes import FakeWorld, Tree, symlink
from tests.gitrepo import Repo

GOOD = save({"a": np.zeros(4, np.float32)})
PICKLE = pickle.dumps({"a": [1]})
NOISE = bytes(range(255, 0, -1))
CODE = json.dumps({"auto_map": {"AutoModel": "net.Net"}})
SHA, MD5 = "ab" * 32, "cd" * 16


def lfs(digest: str = SHA, size: int = 12) -> str:
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {size}\n"


def dvc(path: str, md5: str = MD5) -> str:
    return f"outs:\n- md5: {md5}\n  size: 5\n  hash: md5\n  path: {path}\n"


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def npz(array: np.ndarray[Any, Any], *, pack: bool = False) -> bytes:
    out = io.BytesIO()
    (np.savez_compressed if pack else np.savez)(out, array)
    return out.getvalue()


def index(*shards: str) -> str:
    return json.dumps({"weight_map": {f"t{i}": shard for i, shard in enumerate(shards)}})


def evidence(base: Tree, head: Tree, settings: Settings | None = None, **more: object) -> Evidence:
    world = FakeWorld(base, head, **more)  # type: ignore[arg-type]
    found = weights.collect(world.change(), world, settings or Settings())
    adapter = TypeAdapter(Evidence)
    assert adapter.validate_json(adapter.dump_json(found)) == found
    return found


def verdict(
    base: Tree, head: Tree, settings: Settings | None = None, **more: object
) -> list[tuple[str, str, str]]:
    settings = settings or Settings()
    findings = weights.judge(evidence(base, head, settings, **more), settings)
    for finding in findings:
        assert finding.remedy and "\n" not in finding.message
        assert finding.rule in {rule.id for rule in weights.RULES}
    return [(f.rule.removeprefix("weights/"), f.severity, f.location.path) for f in findings]


NAME = "m/model.safetensors"
INDEX = "m/model.safetensors.index.json"
SHARD = "m/model-1.safetensors"
FILES = [
    ("nothing", {}, {}, []),
    ("source", {}, {"a.py": "x", "README.md": "x", "data.json": "{}"}, []),
    ("good weights", {}, {NAME: GOOD}, []),
    ("pickle", {}, {"m/w.bin": PICKLE}, [("pickle", "failure", "m/w.bin")]),
    ("pickle by another name", {}, {NAME: PICKLE}, [("pickle", "failure", NAME)]),
    ("pickle without a name", {}, {"state": PICKLE}, [("pickle", "failure", "state")]),
    ("pickle changed", {"m/w.bin": PICKLE}, {"m/w.bin": PICKLE + b"x"},
     [("pickle", "failure", "m/w.bin")]),
    ("pickle left alone", {"m/w.bin": PICKLE}, {"m/w.bin": PICKLE, "a": "x"}, []),
    ("pickle taken away", {"m/w.bin": PICKLE}, {}, []),
    ("zip for torch", {}, {"w.pt": b"PK\x05\x06" + b"\0" * 18}, [("pickle", "failure", "w.pt")]),
    ("zip of something", {}, {"docs.zip": b"PK\x05\x06" + b"\0" * 18}, []),
    ("header of 2^60", {}, {NAME: struct.pack("<Q", 2**60) + b"{}"},
     [("safetensors-invalid", "failure", NAME)]),
    ("header too long to read", {}, {NAME: struct.pack("<Q", 10_000_001) + b"{" * 10_000_009},
     [("undecided", "unknown", NAME), ("binary-in-git", "failure", NAME)]),
    ("cut weights", {NAME: GOOD}, {NAME: GOOD[:-1]}, [("safetensors-invalid", "failure", NAME)]),
    ("text for weights", {}, {NAME: "Hello, world"}, [("safetensors-invalid", "failure", NAME)]),
    ("empty weights", {}, {NAME: b""}, [("safetensors-invalid", "failure", NAME)]),
    ("weights by another name", {}, {"m/w": GOOD}, []),
    ("weights named like a pickle", {}, {"m/w.bin": GOOD}, [("undecided", "unknown", "m/w.bin")]),
    ("pickle that is also GGUF", {}, {"m/w.bin": b"GGUF\0\0\0\0\0" + PICKLE},
     [("undecided", "unknown", "m/w.bin")]),
    ("pickle late in a zip", {}, {"m.dat": zipped({"a": NOISE * 400, "data.pkl": PICKLE})},
     [("pickle", "failure", "m.dat")]),
    ("objects in an npz", {}, {"m.npz": npz(np.array([{}], object))},
     [("pickle", "failure", "m.npz")]),
    ("objects packed in an npz", {}, {"m.npz": npz(np.array([{}], object), pack=True)},
     [("pickle", "failure", "m.npz")]),
    ("numbers in an npz", {}, {"m.npz": npz(np.zeros(3)), "n.npz": npz(np.ones(3), pack=True)}, []),
    ("noise in weights", {}, {"w.bin": NOISE}, [("undecided", "unknown", "w.bin")]),
    ("noise elsewhere", {}, {"photo.raw": NOISE}, []),
    ("hdf5", {}, {"m.h5": b"\x89HDF\r\n\x1a\n"}, [("undecided", "unknown", "m.h5")]),
    ("gguf", {}, {"m.gguf": b"GGUF\3\0\0\0" + bytes(16)}, []),
    ("gguf cut short", {}, {"m.gguf": b"GGUF\3\0\0\0"}, [("undecided", "unknown", "m.gguf")]),
    ("config with code", {}, {"m/config.json": CODE},
     [("executable-config", "failure", "m/config.json")]),
    ("config had code", {"m/config.json": CODE}, {"m/config.json": CODE + " "},
     [("executable-config", "note", "m/config.json")]),
    ("config has other code", {"m/config.json": CODE},
     {"m/config.json": CODE.replace("net", "new")},
     [("executable-config", "failure", "m/config.json")]),
    ("config lost its code", {"m/config.json": CODE}, {"m/config.json": "{}"}, []),
    ("code in another file", {}, {"package.json": CODE}, []),
    ("unreadable config", {}, {"m/config.json": "{// x"},
     [("config-unreadable", "warning", "m/config.json")]),
    ("big config", {}, {"m/config.json": " " * 5_000_001},
     [("undecided", "unknown", "m/config.json")]),
    ("index and shard", {}, {INDEX: index("model-1.safetensors"), SHARD: GOOD}, []),
    ("index without shard", {}, {INDEX: index("model-1.safetensors")},
     [("unsafe-index", "failure", INDEX)]),
    ("index leaves", {}, {INDEX: index("../x.safetensors")},
     [("unsafe-index", "failure", INDEX)]),
    ("shard in DVC", {}, {INDEX: index("model-1.safetensors"), "m/model-1.safetensors.dvc":
     dvc("model-1.safetensors")}, [("content-unseen", "note", "m/model-1.safetensors.dvc")]),
    ("shard taken away", {INDEX: index("model-1.safetensors"), SHARD: GOOD},
     {INDEX: index("model-1.safetensors")}, [("unsafe-index", "failure", INDEX)]),
    ("shard was not there", {INDEX: index("model-1.safetensors")},
     {INDEX: index("model-1.safetensors") + " "}, [("unsafe-index", "note", INDEX)]),
    ("unreadable index", {}, {INDEX: "{"}, [("undecided", "unknown", INDEX)]),
    ("pointer", {}, {NAME: lfs()}, [("content-unseen", "note", NAME)]),
    ("pointer to a pickle's name", {}, {"w.bin": lfs()},
     [("content-unseen", "unknown", "w.bin")]),
    ("pointer after blank lines", {}, {"w": "\n\u00a0 " + lfs()},
     [("pointer-invalid", "failure", "w")]),
    ("pointer of an old version", {}, {"w": lfs().replace("https://git-lfs.github.com/spec/v1",
     "http://git-media.io/v/2")}, [("pointer-invalid", "failure", "w")]),
    ("pointer left alone", {NAME: lfs()}, {NAME: lfs(size=12), "a": "x"}, []),
    ("malformed pointer", {}, {NAME: lfs("zz" * 32)}, [("pointer-invalid", "failure", NAME)]),
    ("long pointer", {}, {NAME: lfs() + "x" * 1100}, [("pointer-invalid", "failure", NAME)]),
    ("config behind a pointer", {}, {"m/config.json": lfs()},
     [("content-unseen", "unknown", "m/config.json")]),
    ("DVC file", {}, {"m/w.pt.dvc": dvc("w.pt")}, [("content-unseen", "unknown", "m/w.pt.dvc")]),
    ("DVC out in git", {}, {"w.json.dvc": dvc("w.json", hashlib.md5(b"{}").hexdigest()),
     "w.json": "{}"}, []),
    ("DVC out behind a decoy in git", {}, {"w.pt.dvc": dvc("w.pt"), "w.pt": ""},
     [("content-unseen", "unknown", "w.pt.dvc")]),
    ("DVC out without a digest", {"w.pt.dvc": "outs: [{path: w.pt, etag: a}]"},
     {"w.pt.dvc": "outs: [{path: w.pt, etag: b}]"}, [("content-unseen", "unknown", "w.pt.dvc")]),
    ("DVC file turned folder", {"m.dvc": dvc("m")}, {"m.dvc": dvc("m", MD5 + ".dir")},
     [("content-unseen", "note", "m.dvc")]),
    ("DVC folder", {}, {"data.dvc": dvc("data", MD5 + ".dir")},
     [("content-unseen", "note", "data.dvc")]),
    ("DVC moved", {"data.dvc": dvc("data")}, {"dvc.lock": "schema: '2.0'\nstages: {t: {cmd: x,"
     f" outs: [{{path: data, md5: {MD5}, hash: md5}}]}}}}"}, []),
    ("malformed DVC", {}, {"m.dvc": dvc("../../m")}, [("pointer-invalid", "failure", "m.dvc")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("base", "head", "expected"), [f[1:] for f in FILES], ids=[f[0] for f in FILES]
)
def test_judges(base: Tree, head: Tree, expected: list[tuple[str, str, str]]) -> None:
    assert verdict(base, head) == expected


@pytest.mark.parametrize(
    ("before", "after", "level"),
    [(None, 200, Level.FAILURE), (50, 200, Level.FAILURE), (150, 200, Level.WARNING),
     (None, 100, None)],
)  # fmt: skip
def test_big_binaries_belong_elsewhere(before: int | None, after: int, level: Level | None) -> None:
    base = {} if before is None else {"x.raw": b"\xff" * before}
    found = verdict(base, {"x.raw": b"\xfe" * after}, Settings(max_git_bytes=100))
    assert found == ([("binary-in-git", level, "x.raw")] if level else [])


def test_big_text_is_no_binary() -> None:
    assert verdict({}, {"data.jsonl": "words\n" * 50}, Settings(max_git_bytes=100)) == []


def test_content_can_be_required() -> None:
    found = verdict({}, {NAME: lfs()}, Settings(pointers="require-content"))
    assert found == [("content-unseen", "unknown", NAME)]


@pytest.mark.parametrize(
    ("name", "rule"),
    [("w.bin", "undecided"), ("m/config.json", "undecided"), (INDEX, "undecided"),
     ("m.dvc", "pointer-invalid"), ("dvc.lock", "pointer-invalid"), (NAME, ""), ("a.txt", "")],
)  # fmt: skip
def test_links_are_not_followed(name: str, rule: str) -> None:
    # Loaders and DVC follow a link, to a name under which nothing here would judge the content.
    found = verdict({}, {name: "notes.txt"}, modes=symlink(name))
    assert [(f[0], f[2]) for f in found] == ([(rule, name)] if rule else [])


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        (NAME, GOOD, [("pointer-changed", "note")]),
        (NAME, PICKLE, [("pickle", "failure"), ("pointer-changed", "note")]),
        (NAME, GOOD[:-1], [("safetensors-invalid", "failure"), ("pointer-changed", "note")]),
        ("m/config.json", CODE.encode(), [("pointer-changed", "note"),
                                          ("executable-config", "failure")]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["lfs", "dvc"])
def test_content_behind_a_pointer_is_judged_where_it_is_at_hand(
    tmp_path: Path, name: str, data: bytes, expected: list[tuple[str, str]], place: str
) -> None:
    sha, md5 = hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest()
    if place == "lfs":
        path = tmp_path / ".git/lfs/objects" / sha[:2] / sha[2:4] / sha
        head = {name: lfs(sha, len(data))}
    else:
        path = tmp_path / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
        head = {"x.dvc": dvc(name, md5)}
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    assert [f[:2] for f in verdict({}, head, root=tmp_path)] == expected
    path.write_bytes(data + b"!")
    found = verdict({}, head, root=tmp_path)
    assert [f[0] for f in found] == ["content-unseen"]


def test_a_dvc_folder_is_judged_by_what_is_new_in_it(tmp_path: Path) -> None:
    def put(data: bytes, suffix: str = "") -> str:
        md5 = hashlib.md5(data).hexdigest()
        path = tmp_path / ".dvc/cache/files/md5" / md5[:2] / (md5[2:] + suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return md5

    def listing(**files: str) -> str:
        found = [{"md5": md5, "relpath": name} for name, md5 in files.items()]
        return put(json.dumps(found).encode(), ".dir") + ".dir"

    old = listing(a=put(PICKLE))
    new = listing(a=put(PICKLE), b=put(PICKLE + b"b"), c="0" * 32)
    found = evidence({"m.dvc": dvc("m", old)}, {"m.dvc": dvc("m", new)}, root=tmp_path)
    assert [(f.path, f.content.format) for f in found.files] == [("m/b", "pickle")]
    assert found.pointers[0].doubt == "c: its object is not at hand"
    assert not found.pointers[0].suspect
    many = {f"{n}.txt": "0" * 32 for n in range(2_000)}
    found = evidence({}, {"m.dvc": dvc("m", listing(**many, **{"w.bin": "0" * 32}))}, root=tmp_path)
    assert "more than" in found.pointers[0].doubt and found.pointers[0].suspect
    new = listing(**{"w.bin": "0" * 32})
    found = evidence({}, {"m.dvc": dvc("m", new)}, root=tmp_path)
    assert found.pointers[0].suspect


def test_applies_and_summary() -> None:
    change = FakeWorld({}, {"a.py": "x", "b.md": "y"}).change()
    assert weights.applies(change, Settings()) == "no changed file could hold or name weights"
    assert weights.applies(FakeWorld({}, {"a.bin": "x"}).change(), Settings()) == ""
    found = evidence({}, {NAME: GOOD, "b.bin": lfs()})
    assert weights.summary(found) == "1 binary file, 1 pointer, 0 model configurations"


def test_source_text_is_not_opened() -> None:
    head = {"a.py": "x", "b.md": "y"}
    assert verdict({}, head, missing=("a.py", "b.md")) == []


def test_in_a_real_repository_only_prefixes_are_read(repo: Repo) -> None:
    out = io.BytesIO()
    np.save(out, np.array([{}], dtype=object), allow_pickle=True)
    base = repo.commit({"README.md": "x"})
    big = save({"a": np.zeros(500_000, np.float32)})
    head = repo.commit({"m/model.safetensors": big, "m/x.npy": out.getvalue(), "w.pt": PICKLE})
    with GitWorld(repo.path) as world:
        change = world.change(base, head)
        found = weights.collect(change, world, Settings())
    assert [(f.path, f.content.format, f.content.tensors) for f in found.files] == [
        ("m/model.safetensors", "safetensors", 1),
        ("m/x.npy", "numpy-object", 0),
        ("w.pt", "pickle", 0),
    ]
