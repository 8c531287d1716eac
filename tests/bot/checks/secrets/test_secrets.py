"""Secrets: what a change's files, messages and commits hold, and what each finding weighs."""

from __future__ import annotations

import gzip
import time
from dataclasses import asdict
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from bot.checks import secrets
from bot.checks.secrets import baseline
from bot.checks.secrets.settings import Settings
from bot.cli import cli
from bot.errors import CouldNotTell
from bot.finding import Finding, Level
from bot.repository import GitWorld
from security.secrets import best, mark
from security.secrets.samples import expand
from tests.fakes import FakeWorld, Tree, commit
from tests.gitrepo import Repo

TOKEN = expand("hf_{L34}", Random(1))
OTHER = expand("hf_{L34}", Random(2))
BOUND = 2_500_000  # bytes of one file
EMAIL = "jane.roe@kernel.org"
LINE = f"key = '{TOKEN}'\n".encode()
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"


def judged(
    base: Tree, head: Tree, settings: Settings | None = None, **more: object
) -> list[Finding]:
    world = FakeWorld(base, head, **more)  # type: ignore[arg-type]
    asked = settings or Settings()
    evidence = secrets.collect(world.change(), world, asked)
    assert TOKEN not in repr(evidence)
    found = list(secrets.judge(evidence, asked))
    assert TOKEN not in repr(found)
    return found


def short(findings: list[Finding]) -> list[tuple[str, str, str, int]]:
    return [(f.rule, f.severity, f.location.path, f.location.line) for f in findings]


def test_a_token_stands_on_its_line() -> None:
    (found,) = judged({"a.py": "x\n"}, {"a.py": f"x\n\nkey = '{TOKEN}'\n"})
    assert short([found]) == [("secrets/credential", "failure", "a.py", 3)]
    said = f"column 8 holds a Hugging Face token (hf_…, 37 bytes, mark {mark(TOKEN.encode())[:8]})"
    assert found.message == said


def test_each_of_twenty_is_said() -> None:
    random = Random(3)
    text = "".join(expand("hf_{L34}\n", random) for _ in range(20))
    assert [f.location.line for f in judged({}, {"a.txt": text})] == list(range(1, 21))


def test_beyond_a_hundred_they_are_counted() -> None:
    random = Random(3)
    text = "".join(expand("hf_{L34}\n", random) for _ in range(1_120))
    found = judged({}, {"a.txt": text})
    assert len(found) == 101
    assert found[-1].message == "1,020 more values of the kind huggingface-token"
    assert found[-1].severity is Level.FAILURE


@pytest.mark.parametrize(
    ("path", "line", "level"),
    [
        ("data/a.json", EMAIL, "failure"),
        ("a.jsonl", EMAIL, "failure"),
        ("a.csv.gz", EMAIL, "failure"),
        ("src/a.py", EMAIL, "warning"),
        ("docs/a.md", EMAIL, "warning"),
        ("src/a.py", f"# Copyright 2020 Jane <{EMAIL}>", ""),
        ("AUTHORS", EMAIL, ""),
        ("pyproject.toml", EMAIL, ""),
        ("AUTHORS.csv", EMAIL, "failure"),
        ("a.csv", "93.184.21.34", "warning"),
        ("a.csv", "4111111111111111", "warning"),
        ("a.csv", "ada@example.com", ""),
        ("tests/a.py", "password = 'Tr0mb0ne!Zeit'", "warning"),
        ("src/a.py", "password = 'Tr0mb0ne!Zeit'", "failure"),
        ("tests/a.py", TOKEN, "failure"),
    ],
)
def test_weight_depends_on_kind_and_place(path: str, line: str, level: str) -> None:
    assert [f.severity for f in judged({}, {path: line + "\n"})] == ([level] if level else [])


@pytest.mark.parametrize(
    ("settings", "levels"),
    [
        (Settings(personal_in_data="off"), ["failure"]),
        (Settings(personal_in_data="review"), ["warning", "failure"]),
        (Settings(allow_kinds=("email", "huggingface-token")), []),
        (Settings(allow_paths=("*.csv",)), []),
    ],
)
def test_policy_weighs(settings: Settings, levels: list[str]) -> None:
    found = judged({}, {"a.csv": f"{EMAIL}\n{TOKEN}\n"}, settings)
    assert [f.severity for f in found] == levels


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(ValidationError, match="no kind 'e-mail'"):
        Settings(allow_kinds=("e-mail",))


@pytest.mark.parametrize(
    ("base", "head"),
    [
        ({"a": f"1\n{TOKEN}\n"}, {"a": f"{TOKEN}\n1\n2\n"}),
        ({"a": f"{TOKEN}\n", "b": "1\n"}, {"a": "\n", "b": "1\n2\n"}),
        ({"w": b"\0\1"}, {"w": b"\0\1" + TOKEN.encode()}),
    ],
)
def test_what_is_no_addition_is_no_finding(base: Tree, head: Tree) -> None:
    assert judged(base, head) == []


@pytest.mark.parametrize(
    ("base", "head"),
    [
        ({"a": f"{TOKEN}\n"}, {"b": f"{TOKEN}\n"}),
        ({"a": f"x {TOKEN}\n"}, {"a": f"y {TOKEN}\n"}),
    ],
)
def test_a_value_the_base_has_is_a_note(base: Tree, head: Tree) -> None:
    (found,) = judged(base, head)
    assert (found.rule, found.severity) == ("secrets/known", Level.NOTE)


def test_utf16_is_read_and_its_line_told() -> None:
    found = judged({}, {"a.csv": f"id\nx,{TOKEN}\n".encode("utf-16")})
    assert short(found) == [("secrets/credential", "failure", "a.csv", 2)]


@pytest.mark.parametrize(
    "data",
    [
        b"\0" + LINE,
        LINE.decode().encode("utf-16-le"),
        b"\xff\xfe" + LINE,
        b"a\0\n" * 3_000 + LINE,
        gzip.compress(LINE, mtime=0),
        gzip.compress(b"", mtime=0) * 50 + gzip.compress(LINE, mtime=0),
        gzip.compress(b"\0" + LINE, mtime=0),
    ],
)
def test_text_that_only_looks_binary_is_read(data: bytes) -> None:
    (found,) = judged({}, {"a.txt": data})
    assert found.rule == "secrets/credential"


@pytest.mark.parametrize(
    "data",
    [gzip.compress(b"x" * 3_000_000, mtime=0), gzip.compress(b"", mtime=0) * 100_002],
)
def test_gzip_that_unpacks_without_end_is_could_not_tell(data: bytes) -> None:
    start = time.process_time()
    (found,) = judged({}, {"a.gz": data}, Settings(max_file_bytes=BOUND))
    assert (found.rule, found.severity) == ("secrets/unread", Level.UNKNOWN)
    assert time.process_time() - start < 3


@pytest.mark.parametrize("data", [b"\x1f\x8b\x08junk", Random(1).randbytes(50_000), b"\0"])
def test_what_is_no_text_is_counted(data: bytes) -> None:
    assert judged({}, {"a.bin": data}) == []


def test_the_baseline_of_the_base_accepts_one_value_at_one_path() -> None:
    kept = baseline.written([(mark(TOKEN.encode()), "a", "huggingface-token")])
    head: dict[str, bytes | str] = {
        "a": f"{TOKEN}\n{OTHER}\n",
        "b": f"{TOKEN}\n",
        baseline.PATH: kept,
    }
    found = judged({baseline.PATH: kept}, head)
    assert short(found) == [
        ("secrets/known", "note", "a", 1),
        ("secrets/credential", "failure", "a", 2),
        ("secrets/credential", "failure", "b", 1),
    ]
    del head["b"]
    assert [f.severity for f in judged({}, head)] == ["failure", "failure"]  # not by the change


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"[]", b"\xff", b'{"version": 2, "values": []}',
        b'{"version": 1, "values": [1]}',
        b'{"version": 1, "values": [{"id": "zz", "path": "a", "rule": "b"}]}',
        b'{"version": 1, "version": 1, "values": []}',
        b'{"version": 1, "values": [{"id": 1, "path": "a", "rule": "b"}]}',
        b'{"version": 1, "values": [{"id": "' + b"a" * 32 + b'", "path": 1, "rule": "b"}]}',
    ],
)  # fmt: skip
def test_a_bad_baseline_is_could_not_tell(data: bytes) -> None:
    with pytest.raises(CouldNotTell):
        baseline.read(data)
    base = {baseline.PATH: data}
    found = judged(base, {**base, "a": "1\n"})
    assert short(found) == [("secrets/unread", "unknown", baseline.PATH, 0)]


def test_a_written_baseline_is_read() -> None:
    rows = [("m1", "b", "email"), ("m2", "a", "iban"), ("m1", "b", "email")]
    ids = sorted({baseline.identifier(m, p) for m, p, _ in rows})
    assert list(baseline.read(baseline.written(rows))) == ids


def test_what_is_too_large_is_could_not_tell() -> None:
    found = judged({}, {"a": "x" * 11, "b": "y"}, Settings(max_file_bytes=10))
    assert short(found) == [("secrets/unread", "unknown", "a", 0)]
    found = judged({}, {"a": "x" * 11, "b": "y"}, Settings(max_bytes=10))
    assert short(found) == [("secrets/unread", "unknown", "b", 0)]


def test_a_missing_blob_is_could_not_tell() -> None:
    assert short(judged({}, {"a": "1"}, missing=("a",))) == [("secrets/unread", "unknown", "a", 0)]


def test_a_token_in_a_message_is_found() -> None:
    made = (commit(f"use {TOKEN}\n\nSigned-off-by: Ada <ada@kernel.org>", number=1),)
    (found,) = judged({}, {"a": "1"}, commits=made)
    assert (found.rule, found.location.commit) == ("secrets/credential", made[0].id)


def test_what_an_lfs_pointer_names_is_scanned_where_it_is_at_hand(tmp_path: Path) -> None:
    import hashlib

    data = f"{TOKEN}\n".encode()
    digest = hashlib.sha256(data).hexdigest()
    pointer = LFS.format(digest, len(data))
    (found,) = judged({}, {"data/x.csv": pointer}, root=tmp_path)
    assert (found.rule, found.severity) == ("secrets/content-unseen", Level.NOTE)
    place = tmp_path / ".git/lfs/objects" / digest[:2] / digest[2:4] / digest
    place.parent.mkdir(parents=True)
    place.write_bytes(data)
    assert short(judged({}, {"data/x.csv": pointer}, root=tmp_path)) == [
        ("secrets/credential", "failure", "data/x.csv", 1)
    ]
    place.write_bytes(data + b"more")
    assert short(judged({}, {"data/x.csv": pointer}, root=tmp_path)) == [
        ("secrets/unread", "unknown", "data/x.csv", 0)
    ]


def test_the_summary_says_what_was_read() -> None:
    world = FakeWorld({}, {"a": "12345\n", "b": b"\0"})
    evidence = secrets.collect(world.change(), world, Settings())
    said = "1 file, 6 added bytes scanned; 1 binary file not"
    more = "" if best()[0] == "google-re2" else "; without google-re2, more slowly"
    assert secrets.summary(evidence) == said + more
    assert TOKEN not in str(asdict(evidence))


def test_a_token_that_a_later_commit_removes_is_found(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "r")
    base = repo.commit({"a.py": "x\n", "deep/er/b.py": "1\n"})
    middle = repo.commit({"a.py": f"x\n{TOKEN}\n", "deep/er/c.py": f"1\n{OTHER}\n"})
    repo.git("rm", "-q", "deep/er/c.py")
    head = repo.commit({"a.py": "x\ny\n"})
    with GitWorld(repo.path) as world:
        change = world.change(base, head)
        evidence = secrets.collect(change, world, Settings())
        none = secrets.collect(change, world, Settings(history=False))
    found = secrets.judge(evidence, Settings())
    assert {(f.rule, f.severity, f.location.commit) for f in found} == {
        ("secrets/in-history", Level.FAILURE, middle)
    }
    assert sorted(f.message.split(" ")[0] for f in found) == ["a.py:2", "deep/er/c.py:2"]
    assert secrets.judge(none, Settings()) == ()


def test_watch_secrets_writes_a_baseline(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "r")
    repo.commit({"a.py": f"'{TOKEN}'\n", "b.csv": f"{EMAIL}\n", "c.py": f"# {EMAIL}\n"})
    run = CliRunner().invoke(cli, ["watch", "secrets", "--update", "--repo", str(repo.path)])
    assert run.exit_code == 0, run.output
    assert "2 values found, 0 not looked at" in run.output
    assert TOKEN not in run.output
    written = (repo.path / baseline.PATH).read_bytes()
    assert TOKEN.encode() not in written
    assert baseline.identifier(mark(TOKEN.encode()), "a.py") in baseline.read(written)
