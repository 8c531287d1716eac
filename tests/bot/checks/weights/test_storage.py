"""Pointers of a change understood without pulling: real git, a real DVC remote that counts."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from bot.checks import weights
from bot.checks.weights import Evidence, Settings
from bot.checks.weights.lookup import MAX_REMOTES
from bot.exhibit import Table
from bot.finding import Level
from bot.repository import GitWorld
from modelwarden import ROOT
from registry import objects
from tests.fakes import FakeWorld
from tests.gitrepo import Repo, environment
from tests.registry.test_dvclisting import Remote


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    remote = Remote(tmp_path / "remote")
    remote.thread.start()
    yield remote
    remote.server.shutdown()
    remote.thread.join()
    remote.server.server_close()


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def lfs(text: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return (
        "version https://git-lfs.github.com/spec/v1\n"
        f"oid sha256:{digest}\nsize {len(text.encode())}\n"
    )


def one(path: str, text: str, **more: object) -> str:
    out = {"md5": md5(text), "size": len(text), "hash": "md5", "path": path}
    return json.dumps({"outs": [out], **more})


def folder(remote: Remote, members: Mapping[str, str], path: str = "data", **more: object) -> str:
    """Store a folder in the remote; return its `.dvc` file."""
    size, count = sum(map(len, members.values())), len(members)
    digest = remote.put(dict(members)).digest
    out = {"md5": digest + ".dir", "size": size, "nfiles": count, "hash": "md5", "path": path}
    return json.dumps({"outs": [out], **more})


def seen(repo: Repo, base: str, head: str, **more: object) -> Evidence:
    settings = Settings(**more)  # type: ignore[arg-type]
    with GitWorld(repo.path) as world:
        found = weights.collect(world.change(base, head), world, settings)
    adapter = TypeAdapter(Evidence)
    assert adapter.validate_json(adapter.dump_json(found)) == found
    return found


def tables(found: Evidence, **more: object) -> tuple[Table, ...]:
    shown = weights.exhibits(found, Settings(**more))  # type: ignore[arg-type]
    for table in shown:
        assert isinstance(table, Table)
        assert all(len(row) == len(table.columns) for row in table.rows)
    return shown  # type: ignore[return-value]


BEFORE = {"a.txt": "one", "b.txt": "two!", "sub/c.txt": "three", "d.txt": "gone"}
AFTER = {"a.txt": "one", "b.txt": "two changed", "moved/c.txt": "three", "e.txt": "new..."}


def test_each_file_is_told_and_only_listings_are_read(repo: Repo, remote: Remote) -> None:
    config = {".dvc/config": remote.config}
    base = repo.commit({**config, "data.dvc": folder(remote, BEFORE)})
    head = repo.commit({"data.dvc": folder(remote, AFTER)})
    outputs, files = tables(found := seen(repo, base, head))
    assert outputs.title == (
        "Storage: 1 tracked output changed; 1 added, 1 removed, 1 changed, 1 renamed;"
        " new to storage: 17 bytes"
    )
    assert outputs.rows == (
        ("data", "16 -> 25", "4", "1 added, 1 removed, 1 changed, 1 renamed", "17",
         "dvc-folder, data.dvc"),
    )  # fmt: skip
    assert files.rows == (
        ("data/b.txt", "changed", "4", "11"),
        ("data/d.txt", "removed", "4", ""),
        ("data/e.txt", "added", "", "6"),
        ("data/moved/c.txt", "renamed from data/sub/c.txt", "?", "?"),
    )
    # Two lists were read; of the files, HEAD asked how large three are.
    assert len(remote.asked) == 2 and all(path.endswith(".dir") for path in remote.asked)
    assert len({path for path in remote.looked if not path.endswith(".dir")}) == 4
    assert not (repo.path / ".dvc" / "cache").exists()
    assert all(f.severity is Level.NOTE for f in weights.judge(found, Settings()))


def test_what_is_at_hand_is_not_asked_for(repo: Repo, remote: Remote) -> None:
    base = repo.commit({".dvc/config": remote.config, "data.dvc": folder(remote, BEFORE)})
    head = repo.commit({"data.dvc": folder(remote, AFTER)})
    cache = repo.path / ".dvc" / "cache"
    cache.parent.mkdir(exist_ok=True)
    remote.folder.rename(cache)
    outputs, files = tables(seen(repo, base, head))
    assert remote.asked == remote.looked == []
    assert len(files.rows) == 4
    assert outputs.rows[0][4] == "17"


def test_the_change_says_not_where_to_fetch(repo: Repo, remote: Remote, tmp_path: Path) -> None:
    base = repo.commit({".dvc/config": "", "data.dvc": folder(remote, BEFORE)})
    head = repo.commit({".dvc/config": remote.config, "data.dvc": folder(remote, AFTER)})
    (outputs,) = tables(found := seen(repo, base, head))
    assert remote.asked == remote.looked == []
    assert outputs.rows[0][1:5] == ("16 -> 25", "4", "changed", "at most 25")
    assert (
        "per-file change not known: it is not at hand, and the base names no DVC remote"
        in (outputs.rows[0][5])
    )
    assert outputs.title.endswith(
        "per-file change not known of 1; new to storage: at most 25 bytes"
    )
    assert all(f.severity is Level.NOTE for f in weights.judge(found, Settings()))


@pytest.mark.parametrize("fault", ["away", "absent", "garbled", "local"])
def test_a_listing_that_does_not_come_is_no_verdict(repo: Repo, remote: Remote, fault: str) -> None:
    config = remote.config
    if fault == "away":
        config = b"['remote \"one\"']\nurl = http://127.0.0.1:9/\n"
    base = repo.commit({".dvc/config": config, "data.dvc": folder(remote, BEFORE)})
    head = repo.commit({"data.dvc": folder(remote, AFTER)})
    for path in remote.folder.rglob("*.dir"):
        if fault == "absent":
            path.unlink()
        elif fault == "garbled":
            path.write_text("[]")
    found = seen(repo, base, head, listings="local" if fault == "local" else "fetch")
    (outputs,) = tables(found)
    assert "per-file change not known: " in outputs.rows[0][5]
    assert all(f.severity is Level.NOTE for f in weights.judge(found, Settings()))
    assert remote.asked == [] or fault != "local"


def test_only_additions_are_known_in_bytes_without_a_remote(repo: Repo, remote: Remote) -> None:
    more = {**BEFORE, "z.txt": "12345"}
    base = repo.commit({"data.dvc": folder(remote, BEFORE)})
    head = repo.commit({"data.dvc": folder(remote, more)})
    for path in [*remote.folder.rglob("*.dir")]:
        name = path.parent.name + path.name.removesuffix(".dir")
        target = objects.dvc_object(repo.path / ".dvc" / "cache", name, folder=True)
        target.parent.mkdir(parents=True)
        target.write_bytes(path.read_bytes())
    outputs, files = tables(seen(repo, base, head))
    assert outputs.rows[0][1:5] == ("16 -> 21", "4 -> 5", "1 added", "at most 5")
    assert files.rows == (("data/z.txt", "added", "", "?"),)


def test_pointers_of_every_kind(repo: Repo) -> None:
    url = "https://ada:secret@example.org/acme/models"
    origin = {"deps": [{"path": "m", "repo": {"url": url, "rev_lock": "ab" * 20}}], "frozen": True}
    lock = {"schema": "2.0", "stages": {"t": {"cmd": "x", "outs": [
        {"path": "out.bin", "md5": md5("out"), "size": 3, "hash": "md5"},
        {"path": "metrics.json", "md5": md5("{}"), "size": 2, "hash": "md5"},
    ]}}}  # fmt: skip
    base = repo.commit(
        {"w.bin": lfs("old"), "x.bin.dvc": one("x.bin", "xx"), "y.bin": lfs("moved")}
    )
    for name in ("x.bin.dvc", "y.bin"):
        (repo.path / name).unlink()
    head = repo.commit(
        {"w.bin": lfs("newer"), "z.bin": lfs("moved"), "big.dvc": one("big", "four", **origin),
         "dvc.lock": json.dumps(lock), "metrics.json": "{}"}
    )  # fmt: skip
    (outputs,) = tables(seen(repo, base, head))
    assert outputs.rows == (
        ("big", "0 -> 4", "0 -> 1", "new, 1 added", "0",
         "dvc, big.dvc; imported from https://example.org/acme/models at abababababab, kept there,"
         " frozen"),
        ("out.bin", "0 -> 3", "0 -> 1", "new, 1 added", "3", "dvc, dvc.lock"),
        ("w.bin", "3 -> 5", "1", "1 changed", "5", "lfs, w.bin"),
        ("x.bin", "2 -> 0", "1 -> 0", "removed", "0", "dvc, x.bin.dvc"),
        ("y.bin", "5 -> 0", "1 -> 0", "removed", "0", "lfs, y.bin"),
        ("z.bin", "0 -> 5", "0 -> 1", "new, 1 added", "0", "lfs, z.bin"),
    )  # fmt: skip
    assert outputs.title == (
        "Storage: 6 tracked outputs changed; 2 added, 1 removed, 1 changed, 1 renamed;"
        " new to storage: 8 bytes"
    )


def test_tables_are_bounded_and_totals_are_not(repo: Repo, remote: Remote) -> None:
    many = {f"{n:04}.txt": f"{n}" for n in range(1_200)}
    base = repo.commit({".dvc/config": remote.config})
    head = repo.commit({"data.dvc": folder(remote, many), "x.dvc": one("x", "1")})
    found = seen(repo, base, head, file_rows=3)
    outputs, files = tables(found, file_rows=3)
    assert "1,201 added" in outputs.title
    assert len(found.storage.files.files) == 1_000
    assert [row[0] for row in files.rows] == [
        "data/0000.txt", "data/0001.txt", "data/0002.txt", "and 1,198 more"
    ]  # fmt: skip


def test_few_remotes_are_asked(repo: Repo, remote: Remote) -> None:
    names = [f"p{n}" for n in range(MAX_REMOTES + 2)]
    base = repo.commit({f"{n}/.dvc/config": remote.config for n in names})
    head = repo.commit({f"{n}/d.dvc": folder(remote, {n: n}, "d") for n in names})
    outputs, _ = tables(seen(repo, base, head))
    doubts = [row for row in outputs.rows if "not known: it is not at hand" in row[5]]
    assert len(doubts) == 2


def test_a_malformed_pointer_is_a_finding_and_no_row() -> None:
    world = FakeWorld({"a.dvc": "outs: [{path: 7}]"}, {"a.dvc": "outs: [{path: 8}]"})
    found = weights.collect(world.change(), world, Settings())
    assert tables(found) == ()
    assert [f.rule for f in weights.judge(found, Settings())] == ["weights/pointer-invalid"]


def test_names_are_shown_as_text() -> None:
    name = "x" * 250
    world = FakeWorld({}, {"a.dvc": one(name, "x")})
    (table,) = tables(weights.collect(world.change(), world, Settings()))
    assert table.rows[0][0] == "x" * 120 + "..."


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_every_report_shows_it(repo: Repo, remote: Remote, form: str) -> None:
    base = repo.commit({".dvc/config": remote.config, "data.dvc": folder(remote, BEFORE)})
    head = repo.commit({"data.dvc": folder(remote, AFTER)})
    done = subprocess.run(
        [sys.executable, "-I", ROOT / "modelwarden.py", "check", "--repo", repo.path, "--base",
         base, "--head", head, "--format", form, "--no-cache", "--only", "weights"],
        capture_output=True, text=True, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for part in ("new to storage: 17 bytes", "data/e.txt"):
        assert part in done.stdout
