from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bot.cache import MAX_VALUE, Cache


def kept(path: Path, key: str) -> bytes | None:
    cache = Cache(path)
    value = cache.get(key)
    cache.close()
    return value


def keep(path: Path, key: str, value: bytes) -> None:
    cache = Cache(path)
    cache.put(key, value)
    cache.close()


def test_values_outlive_the_run(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "evidence.db"
    keep(path, "key", b"value")
    assert kept(path, "key") == b"value"
    assert kept(path, "other") is None
    assert path.parent.stat().st_mode & 0o077 == 0


def test_a_damaged_value_reads_as_absent(tmp_path: Path) -> None:
    path = tmp_path / "evidence.db"
    keep(path, "key", b"value")
    database = sqlite3.connect(path)
    database.execute("UPDATE facts SET value = ?", (b"forged",))
    database.commit()
    database.close()
    assert kept(path, "key") is None
    keep(path, "key", b"value")
    assert kept(path, "key") == b"value"


@pytest.mark.parametrize("junk", [b"not a database at all", b"SQLite format 3\0" + b"\xff" * 200])
def test_a_damaged_file_is_made_anew(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "evidence.db"
    path.write_bytes(junk)
    keep(path, "key", b"value")
    assert kept(path, "key") == b"value"


def test_without_a_file_nothing_is_kept(tmp_path: Path) -> None:
    cache = Cache(None)
    cache.put("key", b"value")
    assert cache.get("key") is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    keep(blocker / "evidence.db", "key", b"value")
    assert kept(blocker / "evidence.db", "key") is None


def test_large_values_are_not_kept(tmp_path: Path) -> None:
    keep(tmp_path / "e.db", "key", b"x" * (MAX_VALUE + 1))
    assert kept(tmp_path / "e.db", "key") is None
