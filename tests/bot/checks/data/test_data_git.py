"""Over real git, with the evidence kept between runs, and data behind pointers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cache import Cache
from bot.checks import data
from bot.checks.data import Evidence, Settings
from bot.cli import cli
from bot.finding import Finding, Level
from bot.repository import GitWorld
from tests.bot.checks.data.test_data import ASKED, PLAIN, SUITE, lines, policy, said
from tests.gitrepo import Repo

pytest.importorskip("rensa")
POLICY = "regression:\n  suite:\n    - {name: bridges, path: evals/s.jsonl}\n"
BASE = {"evals/s.jsonl": SUITE, "data/old.jsonl": lines(PLAIN), ".github/modelwarden.yml": POLICY}


def collected(
    repo: Repo, base: str, head: str, settings: Settings, cache: Cache | None = None
) -> Evidence:
    with GitWorld(repo.path, cache) as world:
        change = world.change(base, head)
        assert data.applies(change, settings) == ""
        return data.collect(change, world, settings)


def judged(repo: Repo, base: str, head: str) -> tuple[Finding, ...]:
    return data.judge(collected(repo, base, head, policy()), policy())


def lfs(content: bytes) -> tuple[str, str]:
    digest = hashlib.sha256(content).hexdigest()
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"
    return digest, text


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_an_lfs_object_is_read_where_it_is_at_hand(repo: Repo) -> None:
    base = repo.commit(BASE)
    content = lines(PLAIN + " more", ASKED).encode()
    digest, text = lfs(content)
    head = repo.commit({"data/big.jsonl": text})
    away = judged(repo, base, head)
    assert said(away) == [("data/not-at-hand", Level.UNKNOWN, "data/big.jsonl", 0)]
    alone = policy(suite="")
    (note,) = data.judge(collected(repo, base, head, alone), alone)
    assert note.severity == Level.NOTE
    place = repo.path / ".git/lfs/objects" / digest[:2] / digest[2:4] / digest
    put(place, content)
    assert ("data/leak", Level.FAILURE, "data/big.jsonl", 2) in said(judged(repo, base, head))
    put(place, b"other bytes")
    assert said(judged(repo, base, head))[0][:2] == ("data/not-at-hand", Level.UNKNOWN)


def test_dvc_outputs_and_folders_are_read(repo: Repo) -> None:
    content = lines(ASKED).encode()
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    listing = json.dumps([{"md5": digest, "relpath": "deep/a.jsonl"}]).encode()
    listed = hashlib.md5(listing, usedforsecurity=False).hexdigest()
    one = f"outs:\n- {{md5: {digest}, hash: md5, path: train.jsonl, size: {len(content)}}}\n"
    folder = f"outs:\n- {{md5: {listed}.dir, hash: md5, path: corpus, size: 9, nfiles: 1}}\n"
    base = repo.commit(BASE)
    head = repo.commit({"data/train.jsonl.dvc": one, "data/corpus.dvc": folder})
    assert [f.rule for f in judged(repo, base, head)] == ["data/not-at-hand"] * 2
    cache = repo.path / ".dvc/cache/files/md5"
    put(cache / digest[:2] / digest[2:], content)
    put(cache / listed[:2] / (listed[2:] + ".dir"), listing)
    found = judged(repo, base, head)
    assert sorted(said(found))[-2:] == [
        ("data/leak", Level.FAILURE, "data/corpus.dvc", 1),
        ("data/leak", Level.FAILURE, "data/train.jsonl.dvc", 1),
    ]


def test_a_second_run_reads_nothing_again(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = repo.commit(BASE)
    head = repo.commit(
        {"data/a.jsonl": lines("nothing that is like the other one at all", ASKED) + "{\n"}
    )
    kept = tmp_path / "facts.db"
    first = collected(repo, base, head, policy(), Cache(kept))
    assert first.troubles
    assert first.leaks

    def read(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("bot.checks.data.reading.Reading.__iter__", read)
    assert collected(repo, base, head, policy(), Cache(kept)) == first


def test_the_command_says_it(repo: Repo) -> None:
    base = repo.commit(BASE)
    repo.commit({"data/a.jsonl": lines(PLAIN + " and more", ASKED)})
    words = ["check", "--only", "data", "--base", base, "--head", "HEAD", "--repo", str(repo.path)]
    done = CliRunner().invoke(cli, words)
    assert "FAIL  1 finding blocks this change" in done.output
    assert "data/a.jsonl:2" in done.output
    assert "data/leak" in done.output
