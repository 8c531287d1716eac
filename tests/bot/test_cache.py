from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest

from bot.cache import MAX_VALUE, Cache, default_path


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


def test_a_long_run_does_not_make_another_wait(tmp_path: Path) -> None:
    first, second = Cache(tmp_path / "e.db"), Cache(tmp_path / "e.db")
    start = time.monotonic()
    for number in range(3):
        first.put(f"a{number}", b"value")
        second.put(f"b{number}", b"value")
    assert first.get("a0") == b"value"
    second.close()
    first.close()
    assert time.monotonic() - start < 1
    assert kept(tmp_path / "e.db", "a2") == kept(tmp_path / "e.db", "b2") == b"value"


def test_much_is_written_before_the_end(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "e.db")
    for number in range(6):
        cache.put(str(number), bytes(MAX_VALUE))
    assert kept(tmp_path / "e.db", "0") == bytes(MAX_VALUE)
    cache.close()
    assert kept(tmp_path / "e.db", "5") == bytes(MAX_VALUE)


def test_a_damaged_file_that_cannot_be_removed_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "evidence.db"
    path.write_bytes(b"not a database at all")

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(30, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "unlink", refuse)
    assert kept(path, "key") is None


def test_a_user_without_a_home_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as it does for unknown users
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert default_path() is None
