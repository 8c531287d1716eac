"""The database: what it keeps, and what it refuses to be read from."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from registry.advisories import building
from registry.advisories.database import VARIABLE, Database, default_path
from registry.advisories.errors import DatabaseError, NoDatabase, SourceError
from registry.advisories.sources import Document
from tests.advisorydata import SMALL, database, osv

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return database(tmp_path / "a.db")


def test_what_is_kept(path: Path) -> None:
    with Database(path) as opened:
        assert [e.group for e in opened.entries("hijacked")] == ["MAL-2026-1"]
        first, second = opened.entries("leaky")
        assert first.ids == ("CVE-2026-1", "GHSA-aaaa-bbbb-cccc", "PYSEC-2026-1")
        assert (first.severity, second.severity) == ("high", "moderate")
        assert opened.entries("numpy") == ()
        about = opened.about
    assert (about.count, about.source, about.unreadable) == (4, "literals", 0)
    assert about.licence == "Apache-2.0, CC-BY-4.0"
    assert len(about.sha256) == 64


def test_it_is_read_only_and_replaced_in_one_step(path: Path) -> None:
    assert path.stat().st_mode & 0o222 == 0
    with Database(path) as opened:
        database(path, (osv("X-1", "other", ("1",)),))
        assert opened.entries("hijacked")  # the one that is open stays what it was
        with pytest.raises(sqlite3.OperationalError):
            opened._connection.execute("DELETE FROM package")
    with Database(path) as opened:
        assert opened.entries("hijacked") == ()
    assert [p.name for p in path.parent.iterdir()] == ["a.db"]


def test_a_build_that_fails_leaves_what_was_there(path: Path) -> None:
    before = path.read_bytes()
    gathered = building.gather([Document("x", b"{}")])
    with pytest.raises(SourceError):
        building.build(path, gathered, building.about(gathered, "x", NOW))
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["a.db"]


def _sql(*statements: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.chmod(0o600)
        connection = sqlite3.connect(path)
        with connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    return change


def _bytes(at: int, value: bytes) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        path.chmod(0o600)
        data = bytearray(path.read_bytes())
        at_ = at if at >= 0 else len(data) + at
        data[at_ : at_ + len(value)] = value
        path.write_bytes(data)

    return change


def _cut(path: Path) -> None:
    path.chmod(0o600)
    os.truncate(path, path.stat().st_size // 2)


def _empty(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(b"")


@pytest.mark.parametrize(
    "change",
    [
        _empty, _cut, _bytes(0, b"X"), _bytes(-30, b"\0\0\0"), _bytes(4100, b"\xff" * 50),
        _sql("DELETE FROM package WHERE name = 'hijacked'"),
        _sql("UPDATE meta SET value = '2999-01-01' WHERE key = 'date'"),
        _sql("UPDATE package SET entries = '[]' WHERE name = 'leaky'"),
        _sql("UPDATE package SET name = 'x' WHERE name = 'leaky'"),
        _sql("UPDATE package SET entries = x'ff' WHERE name = 'leaky'"),
        _sql("DELETE FROM meta WHERE key = 'digest'"), _sql("DELETE FROM meta"),
        _sql("DROP TABLE package"),
        _sql("CREATE TABLE more (x)"), _sql("CREATE VIEW v AS SELECT 1"),
        _sql("CREATE TRIGGER t AFTER INSERT ON package BEGIN DELETE FROM meta; END"),
        _sql("ALTER TABLE package RENAME TO p",
             "CREATE VIEW package AS SELECT name, '[]' AS entries FROM p"),
        _sql("PRAGMA user_version = 2"), _sql("PRAGMA application_id = 0"),
    ],
)  # fmt: skip
def test_what_is_not_whole_is_refused(path: Path, change: Callable[[Path], None]) -> None:
    change(path)
    with pytest.raises(DatabaseError) as raised, Database(path) as opened:
        opened.entries("leaky")
    assert raised.value.exit_code == 3
    assert "watch advisories --update" in raised.value.hint


@pytest.mark.parametrize(
    "row",
    ["1", "{}", "[1]", "[[]]", "nonsense", '[[["A"],"worst",false,"",[],[],""]]',
     '[[[],"high",false,"",[],[],""]]',
     '[[["A"],"high",false,"",[1],[],""]]',
     '[[["A"],["high"],false,"",[],[],""]]'],
)  # fmt: skip
def test_rows_of_another_shape_are_refused_even_where_the_digest_holds(
    path: Path, row: str
) -> None:
    from registry.advisories.database import digest

    path.chmod(0o600)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE package SET entries = ? WHERE name = 'leaky'", (row,))
        connection.execute("UPDATE meta SET value = ? WHERE key = 'digest'", (digest(connection),))
    connection.close()
    with Database(path) as opened, pytest.raises(DatabaseError):
        opened.entries("leaky")


def test_what_is_not_there(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for name in ("none", "fifo", "."):
        with pytest.raises(NoDatabase):
            Database(tmp_path / name)


def test_a_journal_left_beside_it_is_not_run(path: Path) -> None:
    for suffix in ("-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).write_bytes(
            b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(600)
        )
    with Database(path) as opened:
        assert opened.entries("hijacked")


def test_odd_paths(tmp_path: Path, path: Path) -> None:
    odd = tmp_path / "a?mode=rwc#%41 é"
    odd.mkdir()
    shutil.copy(path, odd / "x.db")
    with Database(odd / "x.db") as opened:
        assert opened.entries("hijacked")
    assert len(list(odd.iterdir())) == 1


def test_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_path({VARIABLE: str(tmp_path / "x")}) == tmp_path / "x"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_path({}).name == "advisories.db"


# How old it is


def gathered(count: int, *stamps: str) -> building.Gathered:
    documents = [osv(f"X-{n}", f"p{n}", ("1",)) for n in range(count)]
    for document, stamp in zip(documents, stamps, strict=False):
        document["modified"] = stamp
    for document in documents[len(stamps) :]:
        document["modified"] = "2024-10-01T00:00:00Z"
    return building.gather(Document("x", json.dumps(d).encode()) for d in documents)


@pytest.mark.parametrize(
    ("count", "stamps", "dated", "expected"),
    [
        # of the day of the import, whatever its stamps say
        (1, ["2024-01-01T00:00:00Z"], None, "2026-11-22"),
        (1, ["2027-07-01T00:00:00Z"], None, "2026-11-22"),
        (1, [], date(2026, 1, 2), "2026-01-02"),
        (1, [], date(2027, 1, 2), "2026-11-22"),
        # a copy of a whole database in which nothing changed for half a year is an old one
        (500, ["2027-07-01T00:00:00Z", "2026-07-23T00:00:00Z"], None, "2026-11-22"),
        (500, ["2027-07-01T00:00:00Z", "2024-10-10T00:00:00Z"], None, "2024-10-10"),
        (500, ["9999-99-99", "never", ""], None, "2024-10-01"),
        (500, [], date(2026, 11, 1), "2026-11-01"),
    ],
)
def test_the_date(count: int, stamps: list[str], dated: date | None, expected: str) -> None:
    said = building.about(gathered(count, *stamps), "x", NOW, dated=dated)
    assert said.date == expected
    assert said.age(NOW.date()) == (NOW.date() - date.fromisoformat(expected)).days
    assert said.newest <= (NOW + timedelta(days=1)).date().isoformat()


def test_what_was_left_out_is_counted() -> None:
    documents: list[Any] = [
        *SMALL, {}, {"id": "X-1", "affected": []}, osv("X-2", "p", ("1",), withdrawn="2026-01-01")
    ]  # fmt: skip
    found = building.gather(
        Document(f"{n}", json.dumps(d).encode()) for n, d in enumerate(documents)
    )
    assert found.unreadable == 1
    assert found.troubles == (("4", "an id that is no short word"),)
    assert dict(found.skipped) == {"withdrawn, or not of PyPI": 2}
